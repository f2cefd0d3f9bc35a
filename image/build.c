/* SPDX-License-Identifier: MIT */
/* From what is asked for to the image. */
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

/* The folder of the modules as an absolute path without a slash at its end. */
static char *modules_folder(const char *asked)
{
	struct utsname system;
	char *given, *found;

	uname(&system);
	given = asked ? must(strdup(asked)) : text("/lib/modules/%s", system.release);
	found = realpath(given, NULL);
	if (!found)
		fail("no kernel modules in '%s': %s; give the folder lib/modules/VERSION with --tree", given,
		     strerror(errno));
	free(given);
	return found;
}

static int add_folders(struct tree *tree)
{
	static const char *const folders[] = {"/dev", "/proc", "/sys", "/run", "/etc", "/root"};
	int result = tree_add_node(tree, "/tmp", S_IFDIR | 01777, 0);

	for (size_t i = 0; !result && i < sizeof(folders) / sizeof(folders[0]); i++)
		result = tree_add_dir(tree, folders[i]);
	return result ? result : tree_add_node(tree, "/dev/console", S_IFCHR | 0600, makedev(5, 1));
}

static int add_as(struct tree *tree, const char *program, const char *place)
{
	char *spec = text("%s:%s", program, place);
	int result = program_add(tree, spec);

	free(spec);
	return result;
}

int add_each(struct tree *tree, const struct strings *specs, int (*add)(struct tree *tree, const char *spec))
{
	int result = 0;

	for (size_t i = 0; i < specs->count; i++)
		result |= add(tree, specs->items[i]);
	return result;
}

/* What --host and --universal stand for, in words that could have been given one by one. */
static int ask(struct request *request, const struct stage *stage)
{
	struct needs needs = {.sysroot = request->sysroot};
	int result = 0;

	if (request->universal) {
		kinds_want(&request->modules.wanted);
		request->modules.by_kind = true;
		strings_add(&request->programs, "e2fsck");
		return 0;
	}
	if (!request->host)
		return 0;
	result = needs_find(&needs, request->sysroot, request->cmdline);
	if (!result)
		result = needs_add_devices(&needs);
	if (!result)
		result = needs_ask(&needs, request, stage);
	if (!result)
		result = keyboard_ask(&needs, request, stage);
	if (!result)
		result = hints_ask(&needs, request, stage);
	needs_free(&needs);
	return result;
}

/* Whoever boots a machine's own image wants a shell when that fails. */
static int add_rescue(const struct request *request, struct tree *tree)
{
	if (request->shell || !(request->host || request->universal))
		return 0;
	return busybox_is_here() ? busybox_add(tree) : add_as(tree, "/bin/sh", "/bin/sh");
}

static int add_content(struct request *request, struct tree *tree)
{
	int result = add_folders(tree) || add_as(tree, request->init, "/init") ? -1 : 0;

	if (request->shell)
		result |= add_as(tree, request->shell, "/bin/sh");
	result |= add_each(tree, &request->programs, program_add);
	result |= add_each(tree, &request->files, file_add);
	result |= add_each(tree, &request->dirs, dir_add);
	if (!result)
		result = add_rescue(request, tree); /* last: its links take the places that are left */
	for (size_t i = 0; !result && i < request->module_lists.count; i++)
		result = modules_read_list(&request->modules, request->module_lists.items[i]);
	return result ? -1 : modules_add(&request->modules, tree);
}

static int print_entry(const struct image_entry *entry, void *data)
{
	struct content content;

	(void)data;
	if (content_open(&content, entry))
		return -1;
	content_close(&content);
	if (printf("%9jd %s%s%s\n", (intmax_t)content.bytes, entry->path, entry->target ? " -> " : "",
		   entry->target ? entry->target : "") < 0)
		return fail("cannot print the list");
	return 0;
}

static void warn_of_omits(const struct omits *omits)
{
	for (size_t i = 0; i < omits->patterns.count; i++)
		if (!omits->used[i])
			warn("'--omit %s' has left nothing out", omits->patterns.items[i]);
}

static int make_with(struct request *request, struct stage *stage)
{
	struct tree early = {.omits = &request->omits}, tree = {.omits = &request->omits};
	int result;

	request->modules.stage = stage;
	result = ask(request, stage);
	if (!result)
		result = microcode_add(&early, stage, request->modules.firmware.root, request->microcode);
	if (!result)
		result = add_content(request, &tree);
	if (!result && interrupted())
		result = fail("interrupted");
	progress_end();
	if (!result)
		warn_of_omits(&request->omits);
	if (!result && request->list)
		result = tree_visit(&early, print_entry, NULL) || tree_visit(&tree, print_entry, NULL) ? -1 : 0;
	if (!result && request->output)
		result = archive_make(&early, &tree, request->output, request->compression);
	progress_end();
	tree_free(&early);
	tree_free(&tree);
	return result;
}

int build(struct request *request)
{
	struct stage stage = {.path = NULL};
	int result = -1;
	char *folder;

	if (request->output && output_try(request->output))
		return -1;
	folder = modules_folder(request->tree);
	request->omits.used = must(calloc(request->omits.patterns.count + 1, sizeof(bool)));
	request->modules.dir = folder;
	if (folder && stage_open(&stage) == 0)
		result = make_with(request, &stage);
	stage_close(&stage);
	free(folder);
	return result;
}
