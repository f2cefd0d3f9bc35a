/* SPDX-License-Identifier: MIT */
/*
 * The hints of an earlier boot, as inorder-init reads them. What was understood are names of modules in the text, and
 * written as hints it is understood in the same way, without a malformed line.
 */
#include "fuzz.h"
#include "hint_file.h"

#include <ctype.h>

static void check_name(const char *name, const char *text, size_t bytes)
{
	HOLD(name >= text && name < text + bytes);
	HOLD(*name && !strpbrk(name, " \t\n/"));
	for (; *name; name++)
		HOLD(isprint((unsigned char)*name));
}

static void check_hints(const struct hints *hints, const char *text, size_t bytes)
{
	HOLD(hints->count <= HINTS_MOST);
	for (size_t i = 0; i < hints->count; i++)
		check_name(hints->modules[i], text, bytes);
	if (hints->filesystem)
		check_name(hints->filesystem, text, bytes);
	HOLD(!hints->malformed == !hints->line);
	HOLD(hints->line + hints->malformed <= bytes + 2);
	HOLD(strlen(hints->sample) < sizeof(hints->sample));
}

static size_t write_hints(const struct hints *hints, char *text)
{
	char *at = text;

	if (hints->filesystem)
		at += sprintf(at, "filesystem %s\n", hints->filesystem);
	for (size_t i = 0; i < hints->count; i++)
		at += sprintf(at, "root %s\n", hints->modules[i]);
	return (size_t)(at - text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	char *text = fuzz_text(bytes, count), *again;
	struct hints hints, same;

	memset(&hints, 0xa5, sizeof(hints));
	hints_parse(text, count, &hints);
	check_hints(&hints, text, count);
	again = fuzz_memory(calloc(1, count + 16 + hints.count * 8));
	hints_parse(again, write_hints(&hints, again), &same);
	HOLD(!same.malformed && same.count == hints.count);
	HOLD(!same.filesystem == !hints.filesystem);
	HOLD(!same.filesystem || !strcmp(same.filesystem, hints.filesystem));
	for (size_t i = 0; i < same.count; i++)
		HOLD(!strcmp(same.modules[i], hints.modules[i]));
	free(again);
	free(text);
	return 0;
}
