/* SPDX-License-Identifier: MIT */
/* inorder-image check: can an image reach the root of this machine? Names what lacks. */
#define _GNU_SOURCE
#include "host.h"
#include "look.h"

#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct check {
	const char *image, *cmdline, *sysroot, *tree;
	bool json;
	struct loaded loaded;
	struct json_object *lacking; /* NULL: lines are printed */
	size_t wanted, missing;
};

/* The version of the kernel that the image is for. The caller frees it. */
static char *find_version(const struct loaded *loaded)
{
	static const char *const folders[] = {"lib/modules/", "usr/lib/modules/"};

	for (size_t i = 0; i < loaded->count; i++)
		for (int j = 0; j < 2; j++) {
			const char *path = loaded->members[i].path;
			size_t length = strlen(folders[j]);

			if (!strncmp(path, folders[j], length) && S_ISDIR(loaded->members[i].mode) &&
			    !strchr(path + length, '/'))
				return must(strdup(path + length));
		}
	return NULL;
}

/* What a path is for, in one word. */
static const char *kind_of(const char *path)
{
	if (!strncmp(path, "/lib/modules/", 13))
		return "driver";
	if (!strncmp(path, "/lib/firmware/", 14))
		return "firmware";
	if (strstr(path, ".so"))
		return "library";
	return strstr(path, "bin/") || !strcmp(path, "/init") ? "program" : "file";
}

/* Whether a file with content is there, be it through links. */
static bool is_there(const struct loaded *loaded, const char *path, bool empty)
{
	const struct member *member = load_follow(loaded, path);

	return member && S_ISREG(member->mode) && (empty || member->size);
}

static bool image_has(const struct loaded *loaded, const char *path, bool empty)
{
	/* with /usr merged or not; modules may be compressed there */
	static const char *const suffixes[] = {"", ".xz", ".zst", ".gz"};
	const char *plain = !strncmp(path, "/usr/", 5) ? path + 4 : path;
	bool found = false;

	for (int i = 0; !found && i < 4; i++) {
		char *name = text("usr%s%s", plain, suffixes[i]);

		found = is_there(loaded, name, empty) || is_there(loaded, name + 4, empty);
		free(name);
	}
	return found;
}

/* A program may be in another folder of programs, a library in another of libraries. */
static bool image_has_elsewhere(const struct loaded *loaded, const char *path, const char *kind)
{
	const char *name = strrchr(path, '/');

	if (strcmp(kind, "program") && strcmp(kind, "library"))
		return false;
	for (size_t i = 0; i < loaded->count; i++) {
		const char *slash = strrchr(loaded->members[i].path, '/');

		if (slash && !strcmp(slash, name) && is_there(loaded, loaded->members[i].path, false) &&
		    (strstr(loaded->members[i].path, "bin/") || strstr(loaded->members[i].path, "lib")))
			return true;
	}
	return false;
}

static void note_missing(struct check *check, const char *kind, const char *path)
{
	struct json_object *object;

	check->missing++;
	if (!check->json) {
		printf("%-8s ", kind);
		path_print(path);
		putchar('\n');
		return;
	}
	object = must(json_object_new_object());
	json_object_object_add(object, "kind", json_object_new_string(kind));
	path_json(object, "path", path);
	json_object_array_add(check->lacking, object);
}

static int check_entry(const struct image_entry *entry, void *data)
{
	struct check *check = data;
	const char *kind = kind_of(entry->path);
	struct stat status;
	bool empty;

	if (!S_ISREG(entry->mode))
		return 0;
	check->wanted++;
	empty = entry->source && stat(entry->source, &status) == 0 && !status.st_size;
	if (!image_has(&check->loaded, entry->path, empty) && !image_has_elsewhere(&check->loaded, entry->path, kind))
		note_missing(check, kind, entry->path);
	return 0;
}

/* What build --host would put in for the root alone. */
static int fill(struct check *check, struct tree *tree, struct request *request, const struct stage *stage)
{
	struct needs needs;
	int result = needs_find(&needs, check->sysroot, check->cmdline);

	if (!result)
		result = needs_ask(&needs, request, stage);
	strings_free(&request->dirs); /* /etc/modprobe.d changes how, not whether */
	if (!result)
		result = add_each(tree, &request->programs, program_add) || add_each(tree, &request->files, file_add) ||
					 modules_add(&request->modules, tree)
				 ? -1
				 : 0;
	needs_free(&needs);
	return result;
}

static int compare(struct check *check, const struct stage *stage)
{
	struct request request = {.modules.firmware.root = "/lib/firmware"};
	char *version = check->tree ? NULL : find_version(&check->loaded), *folder;
	struct tree tree = {.root = NULL};
	int result = -1;

	folder = check->tree ? realpath(check->tree, NULL) : version ? text("/lib/modules/%s", version) : NULL;
	request.modules.dir = folder;
	if (!folder)
		fail("'%s' has no modules, so it cannot be told for which kernel it is: give --tree", check->image);
	else
		result = fill(check, &tree, &request, stage);
	if (!result)
		result = tree_visit(&tree, check_entry, check);
	check->wanted++;
	if (!result && !is_there(&check->loaded, "init", false))
		note_missing(check, "program", "/init");
	tree_free(&tree);
	request_free(&request);
	free(folder);
	free(version);
	return result;
}

static int report(const struct check *check)
{
	if (check->json)
		puts(json_object_to_json_string_ext(check->lacking,
						    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	else if (check->missing)
		printf("lacks %zu of %zu files that the root needs\n", check->missing, check->wanted);
	else
		printf("has all %zu files that the root needs\n", check->wanted);
	return check->missing ? 1 : 0;
}

static int parse(struct check *check, int argc, char **argv)
{
	static const struct option options[] = {{"cmdline", required_argument, NULL, 'c'},
						{"sysroot", required_argument, NULL, 's'},
						{"tree", required_argument, NULL, 't'},
						{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", options, NULL)) >= 0) {
		if (option == 'c')
			check->cmdline = optarg;
		else if (option == 's')
			check->sysroot = optarg;
		else if (option == 't')
			check->tree = optarg;
		else if (option == 'j')
			check->json = true;
		else
			return usage_error(option == ':' ? "no value is given to the option"
							 : "unknown option of check:",
					   argv[optind - 1]);
	}
	if (optind + 1 != argc)
		return usage_error("check needs one image", NULL);
	check->image = argv[optind];
	return 0;
}

int command_check(int argc, char **argv)
{
	struct check check = {.sysroot = ""};
	struct stage stage = {.path = NULL};
	int code = 2;

	if (parse(&check, argc, argv))
		return 2;
	check.lacking = check.json ? must(json_object_new_array()) : NULL;
	if (load_file(&check.loaded, check.image) == 0 && stage_open(&stage) == 0) {
		load_settle(&check.loaded);
		if (compare(&check, &stage) == 0)
			code = report(&check);
	}
	stage_close(&stage);
	load_free(&check.loaded);
	json_object_put(check.lacking);
	return code;
}
