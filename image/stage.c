/* SPDX-License-Identifier: MIT */
/*
 * A folder for what is made on the way: a tmpfs that is mounted nowhere, so the kernel frees it however this program
 * ends. Where that is not allowed, a folder in TMPDIR; the lock on it ends with its process, so a later run sees
 * which folders a killed one has left, and removes them.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "inorder-image."

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

/* Returns a file descriptor of the mount, which programs that are run inherit, or -1. */
static int mount_detached(void)
{
	int system = fsopen("tmpfs", FSOPEN_CLOEXEC), mount = -1;

	if (system < 0)
		return -1;
	if (fsconfig(system, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = fsmount(system, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	close(system);
	return mount;
}

/* A folder of ours whose process is gone: no one holds the lock. Another user's folder is not ours to follow. */
static void remove_if_stale(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && status.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0)
		nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	close(fd);
}

static void remove_stale(const char *base)
{
	DIR *folder = opendir(base);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		char *path;

		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) || strlen(entry->d_name) != strlen(PREFIX) + 6)
			continue;
		path = text("%s/%s", base, entry->d_name);
		remove_if_stale(path);
		free(path);
	}
	if (folder)
		closedir(folder);
}

static int make_folder(struct stage *stage)
{
	const char *base = getenv("TMPDIR");

	base = base && *base ? base : "/tmp";
	remove_stale(base);
	stage->path = text("%s/" PREFIX "XXXXXX", base);
	/* another run may take the folder for a stale one until it is locked */
	for (int tries = 0; tries < 100; tries++) {
		strcpy(strrchr(stage->path, '.'), ".XXXXXX");
		if (!mkdtemp(stage->path))
			break;
		stage->fd = open(stage->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (stage->fd >= 0 && flock(stage->fd, LOCK_EX | LOCK_NB) == 0 && access(stage->path, F_OK) == 0) {
			stage->named = true;
			return 0;
		}
		if (stage->fd >= 0)
			close(stage->fd);
	}
	fail("cannot make the folder '%s': %s; set TMPDIR to a folder that can be written to", stage->path,
	     strerror(errno));
	free(stage->path);
	stage->path = NULL;
	return -1;
}

int stage_open(struct stage *stage)
{
	*stage = (struct stage){.fd = mount_detached()};
	if (stage->fd < 0)
		return make_folder(stage);
	stage->path = text("/proc/self/fd/%d", stage->fd);
	if (access(stage->path, W_OK) == 0)
		return 0;
	close(stage->fd);
	free(stage->path);
	return make_folder(stage);
}

void stage_close(struct stage *stage)
{
	if (!stage->path)
		return;
	if (stage->named)
		nftw(stage->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	close(stage->fd);
	free(stage->path);
	*stage = (struct stage){.path = NULL};
}
