/* SPDX-License-Identifier: MIT */
/* The kernel's command line. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_WAIT_S = 30 };

struct cmdline cmdline;
static bool finisher;

bool is_finisher(void)
{
	return finisher;
}

void cmdline_be_finisher(void)
{
	finisher = true;
}

/* Cuts the next word off: blanks part words, except between double quotes, which are taken away. */
static char *next_word(char **line)
{
	char *from = *line + strspn(*line, " \t\n"), *word = from, *to = from;
	bool quoted = false;

	if (!*from)
		return NULL;
	for (; *from && (quoted || !strchr(" \t\n", *from)); from++) {
		if (*from == '"')
			quoted = !quoted;
		else
			*to++ = *from;
	}
	*line = *from ? from + 1 : from;
	*to = '\0';
	return word;
}

static bool parse_seconds(const char *text, unsigned int *seconds)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value >= UINT_MAX)
		return false;
	*seconds = (unsigned int)value;
	return true;
}

static void note_unknown(const char *word, struct cmdline *result)
{
	if (result->unknown_count < sizeof(result->unknown) / sizeof(*result->unknown))
		result->unknown[result->unknown_count++] = word;
}

static bool parse_flag(const char *word, struct cmdline *result)
{
	const struct {
		const char *word;
		bool *flag, value;
	} flags[] = {
		{"ro", &result->rw, false},
		{"rw", &result->rw, true},
		{"initcall_debug", &result->initcall_debug, true},
		{"inorder.serial", &result->serial, true},
		{"inorder.unordered", &result->unordered, true},
		{"inorder.overlay", &result->overlay, true},
		{"inorder.signatures=check", &result->no_signatures, false},
		{"inorder.signatures=skip", &result->no_signatures, true},
		{"noresume", &result->noresume, true},
		{"fastboot", &result->fsck_skip, true},
		{"fsck.mode=auto", &result->fsck_skip, false},
		{"fsck.mode=auto", &result->fsck_force, false},
		{"fsck.mode=skip", &result->fsck_skip, true},
		{"forcefsck", &result->fsck_force, true},
		{"fsck.mode=force", &result->fsck_force, true},
		{"fsckfix", &result->fsck_yes, true},
		{"fsck.repair=yes", &result->fsck_yes, true},
		{"fsck.repair=no", &result->fsck_no, true},
		{"fsck.repair=preen", &result->fsck_yes, false},
		{"fsck.repair=preen", &result->fsck_no, false},
	};
	bool known = false;

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (!strcmp(word, flags[i].word)) {
			*flags[i].flag = flags[i].value;
			known = true;
		}
	if (!strcmp(word, "break"))
		result->break_at = "premount";
	else if (!strcmp(word, "rootwait"))
		result->wait_s = UINT_MAX;
	else
		return known;
	return true;
}

/* A negative number means at once, for the kernel too. */
static bool parse_panic(const char *text, struct cmdline *result)
{
	result->panic_s = 0;
	return *text == '-' || parse_seconds(text, &result->panic_s);
}

static bool parse_offset(const char *text, unsigned long long *offset)
{
	char *end;

	errno = 0;
	*offset = strtoull(text, &end, 10);
	if (!errno && end != text && !*end && *text != '-' && *offset <= INT64_MAX / 4096)
		return true;
	*offset = 0;
	return false;
}

static bool parse_value(const char *word, struct cmdline *result)
{
	const struct {
		const char *prefix;
		const char **value;
	} values[] = {
		{"root=", &result->root}, {"rootfstype=", &result->rootfstype}, {"rootflags=", &result->rootflags},
		{"init=", &result->init}, {"inorder.trace=", &result->trace},   {"break=", &result->break_at},
		{"boot=", &result->boot}, {"resume=", &result->resume},
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		const size_t length = strlen(values[i].prefix);

		if (!strncmp(word, values[i].prefix, length)) {
			*values[i].value = word[length] ? word + length : NULL;
			return true;
		}
	}
	if (!strncmp(word, "rootwait=", 9))
		return parse_seconds(word + 9, &result->wait_s);
	if (!strncmp(word, "panic=", 6)) {
		result->no_shell = word[6];
		return !result->no_shell || parse_panic(word + 6, result);
	}
	if (!strncmp(word, "resume_offset=", 14))
		return parse_offset(word + 14, &result->resume_offset);
	return !strncmp(word, "rootdelay=", 10) && parse_seconds(word + 10, &result->wait_s);
}

/*
 * Words for this /init, or that another initramfs honours and this one does not: each is named on the console.
 */
static bool is_foreign(const char *word)
{
	static const char *const prefixes[] = {
		"inorder.",
		"rd.",
		"cryptdevice=",
		"cryptopts=",
		"nfsroot=",
		"netroot=",
		"fsck.",
		"root.",
		"ip=",
		"resume_offset=",
		"netboot=",
		"BOOTIF=",
		"netconsole=",
		"loop=",
		"loopflags=",
		"ubi.mtd=",
		"blacklist=",
		"loopfstype=",
		"drop_capabilities=",
		"initramfs.",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(word, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

void cmdline_parse(char *line, struct cmdline *result)
{
	char *word;

	*result = (struct cmdline){.wait_s = DEFAULT_WAIT_S};
	while ((word = next_word(&line))) {
		if (!strcmp(word, "--")) /* the rest is init's */
			break;
		if (!parse_flag(word, result) && !parse_value(word, result) && is_foreign(word))
			note_unknown(word, result);
	}
}

int cmdline_read(void)
{
	static char line[4096]; /* the kernel's COMMAND_LINE_SIZE is at most this */
	const int bytes = file_read("/proc/cmdline", line, sizeof(line));

	if (bytes < 0)
		return bytes;
	cmdline_parse(line, &cmdline);
	return 0;
}
