/* SPDX-License-Identifier: MIT */
/* What the file of a kernel module says: which processors it is for, where its signature begins. */
#include "module_file.h"

#include <fnmatch.h>
#include <stdint.h>
#include <string.h>

#define MARK "~Module signature appended~\n"

enum { TRAILER_BYTES = 12, LENGTH_AT = 8 }; /* struct module_signature of the kernel; its last field is big-endian */

size_t module_file_unsigned(const void *file, size_t bytes)
{
	const size_t mark = strlen(MARK);
	const unsigned char *trailer;
	uint32_t length;

	if (bytes <= mark + TRAILER_BYTES || memcmp((const char *)file + bytes - mark, MARK, mark))
		return bytes;
	trailer = (const unsigned char *)file + bytes - mark - TRAILER_BYTES;
	length = (uint32_t)trailer[LENGTH_AT] << 24 | (uint32_t)trailer[LENGTH_AT + 1] << 16 |
		 (uint32_t)trailer[LENGTH_AT + 2] << 8 | trailer[LENGTH_AT + 3];
	return length < bytes - mark - TRAILER_BYTES ? bytes - mark - TRAILER_BYTES - length : bytes;
}

/* The next alias of the module at or after *@at: a string of its own among those of the section .modinfo. */
static const char *next_alias(const char *file, size_t bytes, size_t *at)
{
	static const char key[] = "\0alias=";
	const char *found = memmem(file + *at, bytes - *at, key, sizeof(key) - 1), *alias;

	if (!found)
		return NULL;
	alias = found + sizeof(key) - 1;
	if (!memchr(alias, '\0', bytes - (size_t)(alias - file)))
		return NULL;
	*at = (size_t)(alias - file) + strlen(alias);
	return alias;
}

bool module_file_is_for(const void *file, size_t bytes, const char *processor)
{
	bool any = false;
	const char *alias;

	for (size_t at = 0; (alias = next_alias(file, bytes, &at));) {
		if (!strchr(alias, ':')) /* a name, not a device */
			continue;
		if (strncmp(alias, "cpu:", 4) || !fnmatch(alias, processor, 0))
			return true;
		any = true;
	}
	return !any;
}
