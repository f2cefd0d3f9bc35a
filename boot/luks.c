/* SPDX-License-Identifier: MIT */
/*
 * Encrypted devices (LUKS 1 and 2), by the distribution's own cryptsetup. The
 * image's /etc/crypttab says which, under what name and with what key; they
 * are opened in its order, so questions come in the same order in every boot.
 * Without crypttab the one encrypted device is opened for a root= that names a
 * mapped device, or that nothing else is.
 */
#include "devices.h"
#include "internal.h"
#include "volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define CRYPTSETUP "/sbin/cryptsetup"
#define KEY_FOLDER "/run/inorder-key"

enum { MOST_ENTRIES = 16, MOST_ANSWER = 512, HEADER_BYTES = 65536, WRONG_KEY = 2, GUESS_S = 60 };

static const char *const tables[] = {"/etc/crypttab", "/cryptroot/crypttab"};

struct encrypted {
	struct crypttab entry;
	bool done; /* open, or given up */
	bool key_useless;
};

static struct encrypted entries[MOST_ENTRIES];
static size_t entry_count;
static bool is_read, guessed;

static bool read_entry(char *line, struct crypttab *entry)
{
	if (!crypttab_parse(line, entry))
		return false;
	if (*entry->ignored)
		complain("luks: crypttab: %s: the option %s is not known to this /init and ignored", entry->name,
			 entry->ignored);
	return true;
}

static void read_table(void)
{
	FILE *table = NULL;
	char *line = NULL;
	size_t room = 0;

	is_read = true;
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables) && !table; i++)
		table = fopen(tables[i], "re");
	while (table && getline(&line, &room, table) >= 0) {
		if (entry_count == MOST_ENTRIES) {
			complain("luks: crypttab has more than %d entries: the others are left out", MOST_ENTRIES);
			break;
		}
		entry_count += read_entry(line, &entries[entry_count].entry);
	}
	free(line);
	if (table)
		fclose(table);
}

/* The device of a crypttab field. Return: false if it is not there yet, or cannot be. */
static bool find_source(const char *text, struct facts *source)
{
	struct root_spec spec;

	if (!root_spec_parse(text, &spec)) {
		complain("luks: crypttab: %s: %s", text, spec.refusal);
		return false;
	}
	return devices_find(&spec, source);
}

/* The word after "KEY":" in the JSON of LUKS 2, or NULL. */
static bool find_json(const char *header, size_t bytes, const char *key, char *word, size_t room)
{
	const char *at = memmem(header, bytes, key, strlen(key));

	if (!at)
		return false;
	at += strlen(key);
	path_print_room(word, room, "%.*s", (int)strcspn(at, "\""), at);
	return true;
}

/* The kernel would ask modprobe for the cipher, "crypto-aes", and the image has none. */
static void load_cipher(const char *device)
{
	static const char *const always[] = {"dm_crypt", "algif_skcipher", "algif_hash", "crypto-ecb", "crypto-sha256"};
	static char header[HEADER_BYTES + 1];
	const int fd = open(device, O_RDONLY | O_CLOEXEC);
	const ssize_t bytes = fd < 0 ? -1 : pread(fd, header, HEADER_BYTES, 0);
	char cipher[96] = "", hash[64] = "", alias[128], *rest = cipher, *part;
	struct module_set set = {0};

	if (fd >= 0)
		close(fd);
	if (bytes > 104 && header[6] == 0 && header[7] == 1) { /* LUKS 1: fixed places */
		path_print(cipher, "%.32s-%.32s", header + 8, header + 40);
		path_print(hash, "%.32s", header + 72);
	} else if (bytes > 4096) {
		find_json(header + 4096, (size_t)bytes - 4096, "\"encryption\":\"", cipher, sizeof(cipher));
		find_json(header + 4096, (size_t)bytes - 4096, "\"hash\":\"", hash, sizeof(hash));
	}
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		modules_request(always[i], MODULE_FOR_ROOT, &set);
	while ((part = strsep(&rest, "-:"))) {
		path_print(alias, "crypto-%s", part);
		modules_request(alias, MODULE_FOR_ROOT, &set);
	}
	path_print(alias, "crypto-%s", hash);
	modules_request(alias, MODULE_FOR_ROOT, &set);
	modules_wait(&set);
}

/* cryptsetup open, with the key in a file or, "-", in @secret. Return: its exit status, or -errno. */
static int open_device(const struct crypttab *entry, const char *device, const char *key, const char *secret,
		       char *output, size_t room)
{
	char offset[32], size[32];
	const char *argv[24] = {CRYPTSETUP, "open", "--type", "luks", "--tries", "1", "--key-file", key};
	int at = 8;

	path_print(offset, "%lu", entry->key_offset);
	path_print(size, "%lu", entry->key_bytes);
	if (entry->discard)
		argv[at++] = "--allow-discards";
	if (entry->readonly)
		argv[at++] = "--readonly";
	if (*entry->header) {
		argv[at++] = "--header";
		argv[at++] = entry->header;
	}
	if (*entry->slot) {
		argv[at++] = "--key-slot";
		argv[at++] = entry->slot;
	}
	if (!secret && entry->key_offset) {
		argv[at++] = "--keyfile-offset";
		argv[at++] = offset;
	}
	if (!secret && entry->key_bytes) {
		argv[at++] = "--keyfile-size";
		argv[at++] = size;
	}
	argv[at++] = device;
	argv[at] = entry->name;
	return process_run_input(argv, secret, output, room);
}

static void report(const struct crypttab *entry, const char *device, int status, const char *output)
{
	if (status == WRONG_KEY)
		complain("luks: no key of %s fits %s", device, entry->name);
	else
		complain("luks: %s: " CRYPTSETUP " ended with %d: %s", device, status,
			 status < 0 ? strerror(-status) : output);
}

/* Asks until it fits. Return: true if the device is open. */
static bool ask(const struct crypttab *entry, const char *device)
{
	char question[512], answer[MOST_ANSWER], output[1024];

	keyboard_prepare();
	path_print(question, "inorder-init: passphrase of %s (%s): ", device, entry->name);
	for (unsigned int try = 0; !entry->tries || try < entry->tries; try++) {
		int status = prompt(question, entry->timeout_s, answer, sizeof(answer));

		if (status == -ETIME) {
			complain("luks: no one gave the passphrase of %s within %u s", device, entry->timeout_s);
			return false;
		}
		if (status < 0) {
			complain("luks: cannot ask for the passphrase of %s: %s", device, strerror(-status));
			return false;
		}
		status = open_device(entry, device, "-", answer, output, sizeof(output));
		explicit_bzero(answer, sizeof(answer));
		if (!status)
			return true;
		report(entry, device, status, output);
	}
	complain("luks: %s stays closed after %u tries", device, entry->tries);
	return false;
}

/* The key file on a device of its own, which is mounted for it. Return: true if the device is open. */
static bool open_with_key_device(const struct crypttab *entry, const char *device, const struct facts *key_device)
{
	char path[sizeof(KEY_FOLDER) + sizeof(entry->key)], output[1024];
	int status;

	root_wait_filesystem(key_device->type);
	if ((mkdir(KEY_FOLDER, 0700) && errno != EEXIST) || mount(key_device->device, KEY_FOLDER, key_device->type,
								  MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL)) {
		complain("luks: cannot mount %s, which has the key of %s: %s", key_device->device, device,
			 strerror(errno));
		return false;
	}
	path_print(path, KEY_FOLDER "%s%s", *entry->key == '/' ? "" : "/", entry->key);
	status = open_device(entry, device, path, NULL, output, sizeof(output));
	umount(KEY_FOLDER);
	if (status)
		report(entry, device, status, output);
	return !status;
}

enum key { KEY_WAIT, KEY_OPENED, KEY_USELESS };

/* Tries the key file of an entry that has one. */
static enum key try_key(const struct crypttab *entry, const char *device, enum volumes_when when)
{
	struct facts key_device;
	char output[1024];
	int status;

	if (*entry->key_device) {
		if (find_source(entry->key_device, &key_device))
			return open_with_key_device(entry, device, &key_device) ? KEY_OPENED : KEY_USELESS;
		if (when < VOLUMES_ANY)
			return KEY_WAIT;
		complain("luks: %s, which has the key of %s, is not there", entry->key_device, device);
		return KEY_USELESS;
	}
	status = file_exists(entry->key) ? open_device(entry, device, entry->key, NULL, output, sizeof(output))
					 : -ENOENT;
	if (status == -ENOENT)
		complain("luks: the image has no key file %s", entry->key);
	else if (status)
		report(entry, device, status, output);
	return status ? KEY_USELESS : KEY_OPENED;
}

/* Return: true if the device was opened. */
static bool open_entry(struct encrypted *one, enum volumes_when when)
{
	const struct crypttab *entry = &one->entry;
	struct facts source;
	enum key key = KEY_USELESS;

	if (*entry->refusal) {
		complain("luks: crypttab: %s: %s", entry->name, entry->refusal);
		one->done = true;
		return false;
	}
	if ((when == VOLUMES_QUIET && (!*entry->key || one->key_useless)) || !find_source(entry->source, &source))
		return false;
	if (!file_exists(CRYPTSETUP)) {
		complain("luks: %s is encrypted, but the image has no " CRYPTSETUP, source.device);
		one->done = true;
		return false;
	}
	load_cipher(*entry->header ? entry->header : source.device);
	if (*entry->key && !one->key_useless)
		key = try_key(entry, source.device, when);
	one->key_useless = key == KEY_USELESS;
	if (key == KEY_WAIT || (key == KEY_USELESS && when == VOLUMES_QUIET))
		return false;
	one->done = true;
	return key == KEY_OPENED || ask(entry, source.device);
}

/* No crypttab names it, but the root can be nowhere else. */
static bool open_the_only_one(const struct root_spec *spec)
{
	static struct encrypted one = {.entry.tries = 3};
	struct crypttab *entry = &one.entry;
	struct facts source, other;
	char volume[256];
	size_t at = 0;

	if (guessed || !devices_next("crypto_LUKS", &at, &source) || devices_next("crypto_LUKS", &at, &other))
		return false;
	guessed = true;
	entry->timeout_s = cmdline.no_shell ? GUESS_S : 0; /* panic=: perhaps no one is there, and it is only a guess */
	path_print(entry->source, "%s", source.device);
	if (spec->kind == ROOT_MAPPER && !root_volume_name(spec->raw, volume, sizeof(volume)))
		path_print(entry->name, "%.120s", spec->raw);
	else
		path_print(entry->name, "luks-%.64s", source.uuid);
	complain("luks: the image has no crypttab: %s, the only encrypted device, is opened as %s", source.device,
		 entry->name);
	return open_entry(&one, VOLUMES_ANY);
}

bool luks_open(const struct root_spec *wanted, enum volumes_when when)
{
	bool any = false;

	if (!is_read)
		read_table();
	for (size_t i = 0; i < entry_count; i++)
		if (!entries[i].done)
			any |= open_entry(&entries[i], when);
	if (!any && !entry_count && when >= VOLUMES_ANY)
		any = open_the_only_one(wanted);
	return any;
}
