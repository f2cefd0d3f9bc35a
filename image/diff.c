/* SPDX-License-Identifier: MIT */
/* inorder-image diff: what one image has and another has not, and what differs. */
#define _GNU_SOURCE
#include "look.h"

#include "internal.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct comparison {
	struct json_object *changes; /* NULL: lines are printed */
	size_t added, gone, changed;
	int64_t bytes; /* how much larger the second one is */
};

/* What differs, in words; NULL: nothing. Times do not count: they say when an image was made. */
static const char *difference(const struct member *a, const struct member *b)
{
	if ((a->mode & S_IFMT) != (b->mode & S_IFMT))
		return "type";
	if (a->target && strcmp(a->target, b->target))
		return "target";
	if (a->size != b->size || (a->size && memcmp(a->data, b->data, a->size)))
		return "content";
	if (a->rdev != b->rdev)
		return "device";
	if (a->mode != b->mode)
		return "permissions";
	return a->uid != b->uid || a->gid != b->gid ? "owner" : NULL;
}

static void note(struct comparison *comparison, const char *change, const char *what, const struct member *a,
		 const struct member *b)
{
	size_t before = a ? a->size : 0, after = b ? b->size : 0;
	const char *path = a ? a->path : b->path;
	struct json_object *object;
	char *rooted;

	comparison->bytes += (int64_t)after - (int64_t)before;
	if (!comparison->changes) {
		printf("%-7s %11zu %11zu /", change, before, after);
		path_print(path);
		printf("%s%s%s\n", what ? " (" : "", what ? what : "", what ? ")" : "");
		return;
	}
	object = must(json_object_new_object());
	rooted = text("/%s", path);
	path_json(object, "path", rooted);
	json_object_object_add(object, "change", json_object_new_string(change));
	if (what)
		json_object_object_add(object, "what", json_object_new_string(what));
	json_object_object_add(object, "before", json_object_new_uint64(before));
	json_object_object_add(object, "after", json_object_new_uint64(after));
	json_object_array_add(comparison->changes, object);
	free(rooted);
}

static void compare(struct comparison *comparison, const struct loaded *one, const struct loaded *other)
{
	size_t i = 0, j = 0;

	while (i < one->count || j < other->count) {
		const struct member *a = i < one->count ? &one->members[i] : NULL;
		const struct member *b = j < other->count ? &other->members[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);

		if (order < 0) {
			comparison->gone++;
			note(comparison, "gone", NULL, a, NULL);
		} else if (order > 0) {
			comparison->added++;
			note(comparison, "added", NULL, NULL, b);
		} else if (difference(a, b)) {
			comparison->changed++;
			note(comparison, "changed", difference(a, b), a, b);
		}
		i += order <= 0;
		j += order >= 0;
	}
}

static int print(struct comparison *comparison, struct loaded *one, struct loaded *other, bool json)
{
	if (json)
		comparison->changes = must(json_object_new_array());
	load_settle(one);
	load_settle(other);
	compare(comparison, one, other);
	if (json)
		puts(json_object_to_json_string_ext(comparison->changes,
						    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	else if (comparison->added + comparison->gone + comparison->changed)
		printf("%zu added, %zu gone, %zu changed, %+" PRId64 " bytes\n", comparison->added, comparison->gone,
		       comparison->changed, comparison->bytes);
	json_object_put(comparison->changes);
	return comparison->added + comparison->gone + comparison->changed ? 1 : 0;
}

int command_diff(int argc, char **argv)
{
	struct loaded one, other = {.count = 0};
	struct comparison comparison = {.changes = NULL};
	int code = 2;
	bool json;

	if (look_arguments(&argc, argv, &json, 2))
		return 2;
	if (load_file(&one, argv[1]) == 0 && load_file(&other, argv[2]) == 0)
		code = print(&comparison, &one, &other, json);
	load_free(&one);
	load_free(&other);
	return code;
}
