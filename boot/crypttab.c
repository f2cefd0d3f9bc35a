/* SPDX-License-Identifier: MIT */
/* The lines of crypttab, as Debian's cryptsetup-initramfs and systemd write them. */
#include "volumes.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_TRIES = 3 };

static void refuse(struct crypttab *entry, const char *what)
{
	if (!*entry->refusal)
		snprintf(entry->refusal, sizeof(entry->refusal), "%.40s is not supported by this /init", what);
}

static unsigned long parse_number(struct crypttab *entry, const char *text, unsigned long most)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (!errno && end != text && !*end && *text != '-' && number <= most)
		return number;
	if (!*entry->refusal)
		snprintf(entry->refusal, sizeof(entry->refusal), "'%.40s' is no number, or too large", text);
	return 0;
}

/* A text that is cut would name another device or file. */
static void copy(struct crypttab *entry, char *to, size_t room, const char *from)
{
	if (strlen(from) < room)
		memcpy(to, from, strlen(from) + 1);
	else if (!*entry->refusal)
		snprintf(entry->refusal, sizeof(entry->refusal), "'%.40s...' is too long, more than %zu bytes", from,
			 room - 1);
}

/* keyscript=passdev: the key field is DEVICE:PATH, and perhaps :SECONDS. */
static void parse_passdev(struct crypttab *entry)
{
	char field[sizeof(entry->key)], *path;

	memcpy(field, entry->key, sizeof(field));
	path = strchr(field, ':');
	if (!path) {
		refuse(entry, "keyscript=passdev without DEVICE:PATH");
		return;
	}
	*path++ = '\0';
	path[strcspn(path, ":")] = '\0';
	copy(entry, entry->key_device, sizeof(entry->key_device), field);
	copy(entry, entry->key, sizeof(entry->key), path);
}

/* Return: false if the option is not known here. */
static bool parse_value(const char *option, const char *value, struct crypttab *entry)
{
	const size_t length = (size_t)(value - option);

	if (!strncmp(option, "header=", length))
		copy(entry, entry->header, sizeof(entry->header), value);
	else if (!strncmp(option, "keyscript=", length) && strcmp(value, "passdev") &&
		 strcmp(value, "/lib/cryptsetup/scripts/passdev"))
		refuse(entry, option);
	else if (!strncmp(option, "keyslot=", length) || !strncmp(option, "key-slot=", length))
		copy(entry, entry->slot, sizeof(entry->slot), value);
	else if (!strncmp(option, "keyfile-offset=", length))
		entry->key_offset = parse_number(entry, value, ULONG_MAX);
	else if (!strncmp(option, "keyfile-size=", length))
		entry->key_bytes = parse_number(entry, value, ULONG_MAX);
	else if (!strncmp(option, "tries=", length))
		entry->tries = (unsigned int)parse_number(entry, value, UINT_MAX);
	else if (!strncmp(option, "timeout=", length))
		entry->timeout_s = (unsigned int)parse_number(entry, value, UINT_MAX);
	else if (!strncmp(option, "tpm2-device=", length) || !strncmp(option, "fido2-device=", length) ||
		 !strncmp(option, "pkcs11-uri=", length))
		refuse(entry, option);
	else
		return false;
	return true;
}

/* What changes nothing for a LUKS device that is opened before the real init. One that ends in "=" or "." begins a word. */
static bool is_harmless(const char *option)
{
	static const char *const harmless[] = {
		"luks", "initramfs", "x-initrd.attach", "x-systemd.", "nofail", "_netdev",   "quiet",
		"loud", "noearly",   "cipher=",         "size=",      "hash=",  "keyscript="};

	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++) {
		const size_t length = strlen(harmless[i]);
		const bool begins = strchr("=.", harmless[i][length - 1]);

		if (!strncmp(option, harmless[i], length) && (begins || !option[length]))
			return true;
	}
	return !*option;
}

static bool parse_word(const char *option, struct crypttab *entry)
{
	static const char *const refused[] = {"plain", "tcrypt", "bitlk", "tcrypt-hidden", "swap", "tmp"};

	if (!strcmp(option, "discard") || !strcmp(option, "allow-discards"))
		return entry->discard = true;
	if (!strcmp(option, "readonly") || !strcmp(option, "read-only"))
		return entry->readonly = true;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (!strcmp(option, refused[i])) {
			refuse(entry, option);
			return true;
		}
	return false;
}

static void parse_option(const char *option, struct crypttab *entry)
{
	const char *value = strchr(option, '=');
	const bool known = value ? parse_value(option, value + 1, entry) : parse_word(option, entry);

	if (!known && !is_harmless(option) && !*entry->ignored)
		snprintf(entry->ignored, sizeof(entry->ignored), "%.60s", option);
}

/* PATH:DEVICE, as systemd writes it. */
static void parse_key(struct crypttab *entry)
{
	char *colon = *entry->key == '/' ? strchr(entry->key, ':') : NULL;

	if (!strcmp(entry->key, "none") || !strcmp(entry->key, "-"))
		*entry->key = '\0';
	if (!colon)
		return;
	*colon = '\0';
	copy(entry, entry->key_device, sizeof(entry->key_device), colon + 1);
}

/* True if the comma-separated @options have @option, whole. */
static bool has_option(const char *options, const char *option)
{
	const size_t length = strlen(option);

	for (const char *at = options; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, option, length) && (at[length] == ',' || !at[length]))
			return true;
	}
	return false;
}

bool crypttab_parse(char *line, struct crypttab *entry)
{
	char *rest = line, *fields[4] = {NULL}, *option;
	size_t count = 0;

	*entry = (struct crypttab){.tries = DEFAULT_TRIES};
	line[strcspn(line, "\n")] = '\0';
	if (line[strspn(line, " \t")] == '#')
		return false;
	while (count < 4 && rest) {
		char *word = strsep(&rest, " \t");

		if (*word)
			fields[count++] = word;
	}
	if (count < 2)
		return false;
	copy(entry, entry->name, sizeof(entry->name), fields[0]);
	copy(entry, entry->source, sizeof(entry->source), fields[1]);
	copy(entry, entry->key, sizeof(entry->key), count > 2 ? fields[2] : "none");
	if (has_option(fields[3], "keyscript=passdev") ||
	    has_option(fields[3], "keyscript=/lib/cryptsetup/scripts/passdev"))
		parse_passdev(entry);
	else
		parse_key(entry);
	for (rest = fields[3]; rest && (option = strsep(&rest, ","));)
		parse_option(option, entry);
	return true;
}
