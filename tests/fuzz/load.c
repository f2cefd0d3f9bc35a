/* SPDX-License-Identifier: MIT */
/*
 * An image that inorder-image reads (ls, cat, unpack, diff). Whatever the bytes: it is refused with a message, or every
 * path is below the image's root, stands there once, is found, and has the content whose size it gives.
 */
#include <sys/stat.h>

#include "fuzz.h"
#include "internal.h"
#include "look.h"

static unsigned int messages;

/* The linker puts this in the place of fail(). */
int __wrap_fail(const char *format, ...); // NOLINT: the linker's name
int __wrap_fail(const char *format, ...)
{
	HOLD(*format);
	messages++;
	return -1;
}

static void check_path(const char *path)
{
	if (!strcmp(path, "."))
		return;
	for (const char *at = path; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL) {
		size_t length = strcspn(at, "/");

		HOLD(length > 0);
		HOLD(!(length == 1 && at[0] == '.'));
		HOLD(!(length == 2 && at[0] == '.' && at[1] == '.'));
	}
}

static unsigned int sum(const struct member *member)
{
	unsigned int result = 0;

	for (size_t i = 0; i < member->size; i++)
		result += member->data[i];
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static volatile unsigned int all;
	struct loaded loaded;
	int result;

	messages = 0;
	result = load_bytes(&loaded, "image", bytes, count);
	HOLD(messages == (result ? 1 : 0));
	load_settle(&loaded);
	for (size_t i = 0; i < loaded.count; i++) {
		const struct member *member = &loaded.members[i];

		check_path(member->path);
		HOLD(!i || strcmp(loaded.members[i - 1].path, member->path) < 0);
		HOLD(load_find(&loaded, member->path) == member);
		HOLD(result || !S_ISLNK(member->mode) || member->target);
		all = all + sum(member); /* so that all bytes are read */
	}
	load_free(&loaded);
	return 0;
}
