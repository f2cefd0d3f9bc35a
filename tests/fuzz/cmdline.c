/* SPDX-License-Identifier: MIT */
/*
 * The kernel's command line, as inorder-init reads it. What was understood, written as a command line, is
 * understood in the same way; all texts lie in the line; words that the kernel does not know are told.
 */
#include "fuzz.h"
#include "internal.h"

static void check_text(const char *text, const char *line, size_t bytes)
{
	if (!text)
		return;
	HOLD(text >= line && text < line + bytes);
	HOLD(*text);
	HOLD(!strchr(text, '"'));
}

/* Words for this /init or for another initramfs; all others are for the kernel or for the real init. */
static bool may_be_unknown(const char *word)
{
	static const char *const prefixes[] = {
		"inorder.", "rd.",        "cryptdevice=",   "cryptopts=",  "nfsroot=",   "netroot=",           "fsck.",
		"root.",    "ip=",        "resume_offset=", "netboot=",    "BOOTIF=",    "netconsole=",        "loop=",
		"ubi.mtd=", "loopflags=", "blacklist=",     "loopfstype=", "initramfs.", "drop_capabilities=",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(word, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static void check_texts(const struct cmdline *parsed, const char *line, size_t bytes)
{
	check_text(parsed->root, line, bytes);
	check_text(parsed->rootfstype, line, bytes);
	check_text(parsed->rootflags, line, bytes);
	check_text(parsed->init, line, bytes);
	check_text(parsed->trace, line, bytes);
	check_text(parsed->boot, line, bytes);
	HOLD(parsed->unknown_count <= sizeof(parsed->unknown) / sizeof(*parsed->unknown));
	for (size_t i = 0; i < parsed->unknown_count; i++) {
		check_text(parsed->unknown[i], line, bytes);
		HOLD(may_be_unknown(parsed->unknown[i]));
	}
}

static char *add(char *to, const char *key, const char *value)
{
	return value ? to + sprintf(to, "%s\"%s\" ", key, value) : to;
}

/* The same as a command line. Every text was part of the line that was parsed, so twice its size is room enough. */
static char *write_line(const struct cmdline *parsed, size_t bytes)
{
	char *line = fuzz_memory(malloc(bytes * 2 + 512)), *to = line;

	to = add(to, "root=", parsed->root);
	to = add(to, "rootfstype=", parsed->rootfstype);
	to = add(to, "rootflags=", parsed->rootflags);
	to = add(to, "init=", parsed->init);
	to = add(to, "inorder.trace=", parsed->trace);
	to = add(to, "boot=", parsed->boot);
	to = add(to, "resume=", parsed->resume);
	for (size_t i = 0; i < parsed->unknown_count; i++)
		to = add(to, "", parsed->unknown[i]);
	to += parsed->wait_s == UINT_MAX ? sprintf(to, "rootwait ") : sprintf(to, "rootdelay=%u ", parsed->wait_s);
	sprintf(to, "%s %s %s %s", parsed->rw ? "rw" : "ro", parsed->initcall_debug ? "initcall_debug" : "",
		parsed->serial ? "inorder.serial" : "", parsed->unordered ? "inorder.unordered" : "");
	return line;
}

static void same_text(const char *one, const char *other)
{
	HOLD(!one == !other);
	HOLD(!one || !strcmp(one, other));
}

static void same(const struct cmdline *one, const struct cmdline *other)
{
	same_text(one->root, other->root);
	same_text(one->rootfstype, other->rootfstype);
	same_text(one->rootflags, other->rootflags);
	same_text(one->init, other->init);
	same_text(one->trace, other->trace);
	same_text(one->boot, other->boot);
	same_text(one->resume, other->resume);
	HOLD(one->unknown_count == other->unknown_count);
	for (size_t i = 0; i < one->unknown_count; i++)
		same_text(one->unknown[i], other->unknown[i]);
	HOLD(one->wait_s == other->wait_s);
	HOLD(one->rw == other->rw && one->initcall_debug == other->initcall_debug);
	HOLD(one->serial == other->serial && one->unordered == other->unordered);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	char *line = fuzz_text(bytes, count), *again;
	struct cmdline parsed, reparsed;

	memset(&parsed, 0xa5, sizeof(parsed));
	cmdline_parse(line, &parsed);
	check_texts(&parsed, line, count + 1);
	again = write_line(&parsed, count);
	cmdline_parse(again, &reparsed);
	same(&parsed, &reparsed);
	free(again);
	free(line);
	return 0;
}
