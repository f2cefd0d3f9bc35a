/* SPDX-License-Identifier: MIT */
/* What this machine and its root need. */
#define _GNU_SOURCE
#include "host.h"

#include <blkid.h>
#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A btrfs may be on several devices. */
static int add_btrfs(struct needs *needs, const char *name)
{
	char *folder = text("%s/sys/fs/btrfs", needs->sysroot);
	DIR *systems = opendir(folder);
	struct dirent *entry;
	int result = 0;

	while (systems && !result && (entry = readdir(systems))) {
		char *own = text("%s/%s/devices/%s", folder, entry->d_name, name);
		char *devices = text("%s/%s/devices", folder, entry->d_name);
		DIR *members = access(own, F_OK) == 0 ? opendir(devices) : NULL;
		struct dirent *member;

		while (members && !result && (member = readdir(members)))
			if (member->d_name[0] != '.')
				result = stack_add(needs, member->d_name);
		if (members)
			closedir(members);
		free(devices);
		free(own);
	}
	if (systems)
		closedir(systems);
	free(folder);
	return result;
}

static int add_mounted(struct needs *needs, struct libmnt_fs *fs)
{
	const char *source = mnt_fs_get_source(fs), *type = mnt_fs_get_fstype(fs), *target = mnt_fs_get_target(fs);
	dev_t number = mnt_fs_get_devno(fs);
	char *text_number = text("%u:%u", major(number), minor(number));
	char *name = major(number) ? device_name_of(needs, text_number) : device_name(needs, source);
	int result;

	free(text_number);
	if (!name)
		return fail(
			"'%s' is on '%s' (%s), which is no block device of this machine: in a container or a chroot "
			"use --universal, or name the root with --cmdline root=...",
			target, source ? source : "nothing", type);
	strings_add(&needs->types, type);
	result = stack_add(needs, name);
	if (!result && !strcmp(type, "btrfs"))
		result = add_btrfs(needs, name);
	free(name);
	return result;
}

/* The root as it is mounted now, and /usr if that is on another file system. */
static int add_now(struct needs *needs)
{
	char *path = text("%s/proc/self/mountinfo", needs->sysroot);
	struct libmnt_table *table = mnt_new_table_from_file(path);
	struct libmnt_fs *root = NULL, *usr = NULL;
	int result;

	if (table) {
		root = mnt_table_find_target(table, "/", MNT_ITER_BACKWARD);
		usr = mnt_table_find_target(table, "/usr", MNT_ITER_BACKWARD);
	}
	if (!root)
		result = fail("cannot read in '%s' where the root is: %s; mount /proc, or use --universal", path,
			      table ? "it is not there" : strerror(errno));
	else
		result = add_mounted(needs, root) || (usr && add_mounted(needs, usr)) ? -1 : 0;
	mnt_unref_table(table);
	free(path);
	return result;
}

/* The last word of the command line that begins with @key; NULL if there is none. The caller frees it. */
static char *find_word(const char *cmdline, const char *key)
{
	char *copy = must(strdup(cmdline)), *rest = copy, *word, *found = NULL;

	while ((word = strsep(&rest, " \t\n")))
		if (!strncmp(word, key, strlen(key))) {
			free(found);
			found = must(strdup(word + strlen(key)));
		}
	free(copy);
	return found;
}

static void add_type_of(struct needs *needs, const char *name, const char *cmdline)
{
	char *type = find_word(cmdline, "rootfstype="), *node = text("%s/dev/%s", needs->sysroot, name);

	if (!type)
		type = blkid_get_tag_value(NULL, "TYPE", node);
	if (type)
		strings_add(&needs->types, type);
	else
		warn("which file system is on '%s' cannot be seen: add rootfstype= to --cmdline", node);
	free(type);
	free(node);
}

static int add_named(struct needs *needs, const char *root, const char *cmdline)
{
	char *name = device_name(needs, root);
	int result;

	if (!name)
		return fail("'root=%s' is no device that this machine has now", root);
	result = stack_add(needs, name);
	if (!result)
		add_type_of(needs, name, cmdline);
	free(name);
	return result;
}

/* Where a hibernated system is: its hardware is needed before the root is mounted. Not being there is no error. */
static int add_resume(struct needs *needs, const char *cmdline)
{
	char *file = text("%s/proc/cmdline", needs->sysroot), *own = cmdline ? NULL : sysfs_line(file);
	char *resume = find_word(cmdline ? cmdline : own ? own : "", "resume="), *name = NULL;
	int result = 0;

	if (resume)
		name = device_name(needs, resume);
	if (name)
		result = stack_add(needs, name);
	free(name);
	free(resume);
	free(own);
	free(file);
	return result;
}

int needs_find(struct needs *needs, const char *sysroot, const char *cmdline)
{
	char *blocks = text("%s/sys/class/block", sysroot), *root = cmdline ? find_word(cmdline, "root=") : NULL;
	int result;

	*needs = (struct needs){.sysroot = sysroot};
	if (access(blocks, R_OK))
		result = fail("no '%s' here: this seems to be a container or a chroot; mount /sys, or use --universal",
			      blocks);
	else
		result = root ? add_named(needs, root, cmdline) : add_now(needs);
	if (!result)
		result = add_resume(needs, cmdline);
	free(root);
	free(blocks);
	return result;
}

static void add_from(struct needs *needs, const FTSENT *item)
{
	if (!strcmp(item->fts_name, "modalias") && item->fts_info == FTS_F) {
		char *alias = sysfs_line(item->fts_accpath);

		if (alias && *alias)
			strings_add(&needs->others, alias);
		free(alias);
	} else if (!strcmp(item->fts_name, "driver") && (item->fts_info == FTS_SL || item->fts_info == FTS_SLNONE)) {
		char *link = text("%s/module", item->fts_path), *module = realpath(link, NULL);

		if (module)
			strings_add(&needs->others, strrchr(module, '/') + 1);
		free(module);
		free(link);
	}
}

int needs_add_devices(struct needs *needs)
{
	char *devices = text("%s/sys/devices", needs->sysroot), *roots[] = {devices, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *item;

	while (walk && !interrupted() && (item = fts_read(walk)))
		add_from(needs, item);
	if (walk)
		fts_close(walk);
	free(devices);
	return interrupted() ? fail("interrupted") : 0;
}

void needs_free(struct needs *needs)
{
	strings_free(&needs->modules);
	strings_free(&needs->aliases);
	strings_free(&needs->others);
	strings_free(&needs->types);
	strings_free(&needs->blocks);
	strings_free(&needs->crypts);
}
