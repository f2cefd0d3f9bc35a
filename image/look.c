/* SPDX-License-Identifier: MIT */
/* inorder-image ls and cat. */
#define _GNU_SOURCE
#include "look.h"

#include "internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

void mode_text(mode_t mode, char text[11])
{
	static const char bits[] = "rwxrwxrwx";
	static const struct {
		mode_t bit;
		int at;
		char with, without; /* the permission to execute */
	} special[] = {{S_ISUID, 3, 's', 'S'}, {S_ISGID, 6, 's', 'S'}, {S_ISVTX, 9, 't', 'T'}};

	text[0] = S_ISDIR(mode)    ? 'd'
		  : S_ISLNK(mode)  ? 'l'
		  : S_ISCHR(mode)  ? 'c'
		  : S_ISBLK(mode)  ? 'b'
		  : S_ISFIFO(mode) ? 'p'
		  : S_ISSOCK(mode) ? 's'
				   : '-';
	for (int i = 0; i < 9; i++)
		text[i + 1] = (mode & (mode_t)(0400 >> i)) ? bits[i] : '-';
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (mode & special[i].bit)
			text[special[i].at] = text[special[i].at] == 'x' ? special[i].with : special[i].without;
	text[10] = '\0';
}

void path_print(const char *path)
{
	char *shown = visible(path, false);

	fputs(shown, stdout);
	free(shown);
}

void path_json(struct json_object *object, const char *key, const char *path)
{
	char *shown = visible(path, true);

	json_object_object_add(object, key, json_object_new_string(shown));
	free(shown);
}

static void print_member(const struct member *member)
{
	char mode[11];

	mode_text(member->mode, mode);
	if (S_ISCHR(member->mode) || S_ISBLK(member->mode))
		printf("%s %5u,%5u /", mode, major(member->rdev), minor(member->rdev));
	else
		printf("%s %11zu /", mode, member->size);
	path_print(strcmp(member->path, ".") ? member->path : "");
	if (member->target) {
		fputs(" -> ", stdout);
		path_print(member->target);
	}
	putchar('\n');
}

static struct json_object *member_json(const struct member *member)
{
	struct json_object *object = must(json_object_new_object());
	char mode[11], *path = text("/%s", strcmp(member->path, ".") ? member->path : "");

	mode_text(member->mode, mode);
	path_json(object, "path", path);
	json_object_object_add(object, "mode", json_object_new_string(mode));
	json_object_object_add(object, "bytes", json_object_new_uint64(member->size));
	if (member->target)
		path_json(object, "target", member->target);
	if (S_ISCHR(member->mode) || S_ISBLK(member->mode)) {
		json_object_object_add(object, "major", json_object_new_uint64(major(member->rdev)));
		json_object_object_add(object, "minor", json_object_new_uint64(minor(member->rdev)));
	}
	free(path);
	return object;
}

static void print_json(const struct loaded *loaded)
{
	struct json_object *list = must(json_object_new_array());

	for (size_t i = 0; i < loaded->count; i++)
		json_object_array_add(list, member_json(&loaded->members[i]));
	puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(list);
}

/* Takes "--json" out of the arguments. Returns -1 for another option. */
static int take_json(int *argc, char **argv, bool *json)
{
	int kept = 1;

	*json = false;
	for (int i = 1; i < *argc; i++) {
		if (!strcmp(argv[i], "--json"))
			*json = true;
		else if (argv[i][0] == '-' && argv[i][1])
			return -1;
		else
			argv[kept++] = argv[i];
	}
	*argc = kept;
	return 0;
}

int look_arguments(int *argc, char **argv, bool *json, int count)
{
	char *words;
	int code;

	if (take_json(argc, argv, json) == 0 && *argc == count + 1)
		return 0;
	words = text("%s takes %s and --json", argv[0], count == 1 ? "one image" : "two images");
	code = usage_error(words, NULL);
	free(words);
	return code;
}

int command_ls(int argc, char **argv)
{
	struct loaded loaded;
	bool json;
	int result;

	if (look_arguments(&argc, argv, &json, 1))
		return 2;
	result = load_file(&loaded, argv[1]);
	if (!result) {
		load_settle(&loaded);
		if (json)
			print_json(&loaded);
		for (size_t i = 0; !json && i < loaded.count; i++)
			print_member(&loaded.members[i]);
	}
	load_free(&loaded);
	return result ? 1 : 0;
}

static int print_content(const struct loaded *loaded, const char *image, const char *path)
{
	const struct member *member = load_follow(loaded, path);

	if (!member)
		return fail("'%s' has no file '%s'", image, path);
	if (!S_ISREG(member->mode))
		return fail("'%s' in '%s' is no regular file", path, image);
	if (fwrite(member->data, 1, member->size, stdout) != member->size)
		return fail("cannot print '%s': %s", path, strerror(errno));
	return 0;
}

int command_cat(int argc, char **argv)
{
	struct loaded loaded;
	int result;

	if (argc < 3 || (argv[1][0] == '-' && argv[1][1]))
		return usage_error("cat needs an image and paths in it", NULL);
	result = load_file(&loaded, argv[1]);
	if (!result)
		load_settle(&loaded);
	for (int i = 2; !result && i < argc; i++)
		result = print_content(&loaded, argv[1], argv[i]);
	load_free(&loaded);
	return result ? 1 : 0;
}
