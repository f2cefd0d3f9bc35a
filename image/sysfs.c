/* SPDX-License-Identifier: MIT */
/* Block devices in /sys: which stand on which, and what drives the hardware below them. */
#define _GNU_SOURCE
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *sysfs_line(const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;

	if (file && getline(&line, &room, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
	} else {
		free(line);
		line = NULL;
	}
	if (file)
		fclose(file);
	return line;
}

static bool add_once(struct strings *list, const char *item)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i], item))
			return false;
	strings_add(list, item);
	return true;
}

/* The driver that a device has, and the modalias that asks for one. */
static void add_device(struct needs *needs, const char *path)
{
	char *link = text("%s/driver/module", path), *file = text("%s/modalias", path), *alias = sysfs_line(file);
	char *module = realpath(link, NULL);

	if (module)
		add_once(&needs->modules, strrchr(module, '/') + 1);
	if (alias && *alias)
		add_once(&needs->aliases, alias);
	free(alias);
	free(module);
	free(link);
	free(file);
}

/* A device and all that it is behind: port, controller, bridges. */
static void add_ancestors(struct needs *needs, const char *path)
{
	char *root = text("%s/sys/devices", needs->sysroot), *devices = realpath(root, NULL), *at = must(strdup(path));

	while (devices && !strncmp(at, devices, strlen(devices)) && strlen(at) > strlen(devices)) {
		add_device(needs, at);
		*strrchr(at, '/') = '\0';
	}
	free(at);
	free(devices);
	free(root);
}

/* Calls @add for each name in @folder that begins with @prefix. */
static int each_name(struct needs *needs, const char *folder, const char *prefix,
		     int (*add)(struct needs *needs, const char *folder, const char *name))
{
	DIR *entries = opendir(folder);
	struct dirent *entry;
	int result = 0;

	while (entries && !result && (entry = readdir(entries)))
		if (entry->d_name[0] != '.' && !strncmp(entry->d_name, prefix, strlen(prefix)))
			result = add(needs, folder, entry->d_name);
	if (entries)
		closedir(entries);
	return result;
}

static int add_slave(struct needs *needs, const char *folder, const char *name)
{
	(void)folder;
	return stack_add(needs, name);
}

/* A controller of an NVMe disk, which is a link, because it may have several. */
static int add_controller(struct needs *needs, const char *folder, const char *name)
{
	char *link = text("%s/%s", folder, name), *path = realpath(link, NULL);

	if (path && !strstr(path, "/virtual/"))
		add_ancestors(needs, path);
	free(path);
	free(link);
	return 0;
}

/* The file that a loop device shows is on a file system, which is on a device. */
static int add_loop(struct needs *needs, const char *file)
{
	char *table_path = text("%s/proc/self/mountinfo", needs->sysroot);
	struct libmnt_table *table = mnt_new_table_from_file(table_path);
	struct libmnt_fs *best = NULL, *fs;
	struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
	size_t longest = 0;
	int result = 0;

	while (table && mnt_table_next_fs(table, iterator, &fs) == 0) {
		const char *target = mnt_fs_get_target(fs);
		size_t length = strcmp(target, "/") ? strlen(target) : 0;

		if (length >= longest && !strncmp(file, target, length) && file[length] == '/') {
			longest = length;
			best = fs;
		}
	}
	add_once(&needs->modules, "loop");
	if (best) {
		char *name = device_name(needs, mnt_fs_get_source(best));

		add_once(&needs->types, mnt_fs_get_fstype(best));
		result = name ? stack_add(needs, name) : 0;
		free(name);
	}
	mnt_free_iter(iterator);
	mnt_unref_table(table);
	free(table_path);
	return result;
}

static void add_dm(struct needs *needs, const char *path, const char *uuid)
{
	char *file = text("%s/dm/name", path), *name = sysfs_line(file);

	add_once(&needs->modules, "dm_mod");
	if (!strncmp(uuid, "CRYPT-", 6) && name)
		add_once(&needs->crypts, name);
	if (!strncmp(uuid, "LVM-", 4))
		needs->lvm = true;
	if (!strncmp(uuid, "mpath-", 6))
		add_once(&needs->modules, "dm_multipath");
	free(name);
	free(file);
}

/* What kind of volume a device is, if it is one. */
static int add_volume(struct needs *needs, const char *path)
{
	static const char *const files[] = {"dm/uuid", "md/level", "loop/backing_file"};
	int result = 0;

	for (int i = 0; !result && i < 3; i++) {
		char *file = text("%s/%s", path, files[i]), *line = sysfs_line(file);

		if (line && i == 0) {
			add_dm(needs, path, line);
		} else if (line && i == 1) {
			needs->md = true;
			add_once(&needs->modules,
				 !strncmp(line, "raid", 4) && strchr("456", line[4]) ? "raid456" : line);
			add_once(&needs->modules, "md_mod");
		} else if (line) {
			result = add_loop(needs, line);
		}
		free(line);
		free(file);
	}
	return result;
}

static int add_path(struct needs *needs, const char *path)
{
	char *partition = text("%s/partition", path), *slaves = text("%s/slaves", path), *parent = must(strdup(path));
	int result = 0;

	*strrchr(parent, '/') = '\0';
	if (access(partition, F_OK) == 0) {
		result = stack_add(needs, strrchr(parent, '/') + 1);
	} else {
		add_ancestors(needs, path);
		if (strstr(path, "/virtual/nvme-subsystem/"))
			result = each_name(needs, parent, "nvme", add_controller);
		if (!result)
			result = add_volume(needs, path);
		if (!result)
			result = each_name(needs, slaves, "", add_slave);
	}
	free(parent);
	free(slaves);
	free(partition);
	return result;
}

int stack_add(struct needs *needs, const char *name)
{
	char *link, *path;
	int result;

	if (!add_once(&needs->blocks, name))
		return 0;
	link = text("%s/sys/class/block/%s", needs->sysroot, name);
	path = realpath(link, NULL);
	result = path ? add_path(needs, path) : fail("no block device '%s' in '%s': %s", name, link, strerror(errno));
	free(path);
	free(link);
	return result;
}

static char *by_link(const struct needs *needs, const char *folder, const char *value)
{
	char *quoted = text("%.*s", (int)strcspn(value, "\""), value + (*value == '"'));
	char *link = text("%s/dev/disk/%s/%s", needs->sysroot, folder, quoted), *path = realpath(link, NULL);
	char *name = path ? must(strdup(strrchr(path, '/') + 1)) : NULL;

	free(path);
	free(link);
	free(quoted);
	return name;
}

char *device_name(const struct needs *needs, const char *spec)
{
	static const struct {
		const char *tag, *folder;
	} tags[] = {{"UUID=", "by-uuid"},
		    {"LABEL=", "by-label"},
		    {"PARTUUID=", "by-partuuid"},
		    {"PARTLABEL=", "by-partlabel"}};
	char *link, *path, *name = NULL;

	for (size_t i = 0; spec && i < sizeof(tags) / sizeof(tags[0]); i++)
		if (!strncmp(spec, tags[i].tag, strlen(tags[i].tag)))
			return by_link(needs, tags[i].folder, spec + strlen(tags[i].tag));
	if (!spec || strncmp(spec, "/dev/", 5))
		return NULL;
	link = text("%s%s", needs->sysroot, spec);
	path = realpath(link, NULL);
	if (path)
		name = must(strdup(strrchr(path, '/') + 1));
	free(path);
	free(link);
	/* where there is no udev, a node in /dev has the kernel's name, or only its number is known */
	return name;
}

char *device_name_of(const struct needs *needs, const char *number)
{
	char *link = text("%s/sys/dev/block/%s", needs->sysroot, number), *path = realpath(link, NULL);
	char *name = path ? must(strdup(strrchr(path, '/') + 1)) : NULL;

	free(path);
	free(link);
	return name;
}
