/* SPDX-License-Identifier: MIT */
/*
 * Where the image goes. A regular file is replaced as a whole: a new file in its folder, synced, renamed. A link is
 * followed, so that the file behind it is replaced; a device, a pipe and "-" are written to as they are.
 *
 * The new file has no name until it is complete (O_TMPFILE), so a killed run leaves nothing. It has one for the instant
 * between link and rename, and all the time where the file system cannot do without: then a later run removes what a
 * killed one has left, whose lock is gone.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* TARGET.inorder-01234567 is the name of a file that is to become TARGET. */
#define MARK ".inorder-"
#define DIGITS 8

/* The name behind links, also where no file is yet; NULL with a message if there is none. */
static char *follow(const char *path)
{
	char *name = must(strdup(path)), target[4096];

	for (int links = 0; links < 40; links++) {
		ssize_t bytes = readlink(name, target, sizeof(target) - 1);
		char *folder, *next;

		if (bytes < 0)
			return name;
		target[bytes] = '\0';
		folder = must(strdup(name));
		next = *target == '/' ? must(strdup(target)) : text("%s/%s", dirname(folder), target);
		free(folder);
		free(name);
		name = next;
	}
	free(name);
	fail("cannot write '%s': %s", path, strerror(ELOOP));
	return NULL;
}

static int open_special(struct output *output, const struct stat *status)
{
	if (S_ISDIR(status->st_mode))
		return fail("cannot write '%s': it is a folder; give the name of a file in it", output->name);
	output->fd = open(output->name, O_WRONLY | O_CLOEXEC);
	return output->fd < 0 ? fail("cannot write '%s': %s", output->name, strerror(errno)) : 0;
}

static char *folder_of(const char *path)
{
	char *copy = must(strdup(path)), *folder = must(strdup(dirname(copy)));

	free(copy);
	return folder;
}

static void remove_if_stale(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0)
		unlink(path);
	close(fd);
}

/* Removes what killed runs have left beside the target. */
static void remove_stale(const char *folder, const char *target)
{
	const char *slash = strrchr(target, '/');
	char *prefix = text("%s" MARK, slash ? slash + 1 : target);
	DIR *entries = opendir(folder);
	struct dirent *entry;

	while (entries && (entry = readdir(entries))) {
		char *path;

		if (strncmp(entry->d_name, prefix, strlen(prefix)) || strlen(entry->d_name) != strlen(prefix) + DIGITS)
			continue;
		path = text("%s/%s", folder, entry->d_name);
		remove_if_stale(path);
		free(path);
	}
	if (entries)
		closedir(entries);
	free(prefix);
}

static char *random_name(const char *target)
{
	unsigned long number = 0;

	if (getrandom(&number, sizeof(number), 0) < 0)
		number = (unsigned long)getpid();
	return text("%s" MARK "%0*lx", target, DIGITS, number & 0xffffffff);
}

/* Another run may take the file for a stale one until it is locked. */
static int open_named(struct output *output)
{
	struct stat status;

	for (int tries = 0; tries < 100; tries++) {
		output->temporary = random_name(output->target);
		output->fd = open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (output->fd >= 0 && flock(output->fd, LOCK_EX | LOCK_NB) == 0 && fstat(output->fd, &status) == 0 &&
		    status.st_nlink)
			return 0;
		if (output->fd < 0 && errno != EEXIST)
			break;
		if (output->fd >= 0)
			close(output->fd);
		free(output->temporary);
	}
	free(output->temporary);
	output->temporary = NULL;
	output->fd = -1;
	return fail("cannot make a file beside '%s': %s", output->target, strerror(errno));
}

static int open_beside(struct output *output)
{
	char *folder;

	output->target = follow(output->name);
	if (!output->target)
		return -1;
	folder = folder_of(output->target);
	remove_stale(folder, output->target);
	/* a name is given through /proc */
	output->fd = access("/proc/self/fd", X_OK) ? -1 : open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	free(folder);
	if (output->fd < 0)
		return open_named(output);
	flock(output->fd, LOCK_EX | LOCK_NB); /* no one else can have it */
	return 0;
}

int output_open(struct output *output, const char *name)
{
	struct stat status;

	*output = (struct output){.name = name, .fd = -1};
	if (!strcmp(name, "-")) {
		if (isatty(STDOUT_FILENO))
			return fail("an image is no text: the terminal does not get it; write to a file or a pipe");
		output->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		return output->fd < 0 ? fail("cannot write to standard output: %s", strerror(errno)) : 0;
	}
	if (stat(name, &status) == 0 && !S_ISREG(status.st_mode))
		return open_special(output, &status);
	return open_beside(output);
}

int output_try(const char *name)
{
	char *target = *name ? follow(name) : NULL, *folder = target ? folder_of(target) : NULL;
	struct stat status;
	int result = 0;

	if (!*name)
		result = fail("--output needs the name of a file");
	else if (!target)
		result = -1;
	else if (stat(folder, &status))
		result = fail("cannot write '%s': no folder '%s': %s", name, folder, strerror(errno));
	free(folder);
	free(target);
	return result;
}

static int sync_folder(const char *path)
{
	char *folder = folder_of(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;

	/* some file systems cannot sync a folder, and say EINVAL */
	if (fd < 0 || (fsync(fd) && errno != EINVAL))
		result = fail("cannot sync '%s': %s", folder, strerror(errno));
	if (fd >= 0)
		close(fd);
	free(folder);
	return result;
}

/* Permissions: those of the file that is replaced, else the owner's alone: an image may have keys in it. */
static mode_t permissions(const char *target)
{
	struct stat status;

	return stat(target, &status) ? 0600 : status.st_mode & 07777;
}

/* Gives the new file a name. */
static int give_name(struct output *output)
{
	char *file = text("/proc/self/fd/%d", output->fd);
	int error = EEXIST;

	for (int tries = 0; error == EEXIST && tries < 100; tries++) {
		free(output->temporary);
		output->temporary = random_name(output->target);
		error = linkat(AT_FDCWD, file, AT_FDCWD, output->temporary, AT_SYMLINK_FOLLOW) ? errno : 0;
	}
	free(file);
	if (!error)
		return 0;
	free(output->temporary);
	output->temporary = NULL;
	return fail("cannot make a file beside '%s': %s", output->target, strerror(error));
}

static int replace(struct output *output)
{
	if (!output->temporary && give_name(output))
		return -1;
	/* the file is closed, and so unlocked, only when it stands in its place */
	if (rename(output->temporary, output->target))
		return fail("cannot rename '%s' to '%s': %s", output->temporary, output->target, strerror(errno));
	free(output->temporary);
	output->temporary = NULL;
	return sync_folder(output->target);
}

static int finish(struct output *output)
{
	const char *name = output->target ? output->target : output->name;
	int result;

	if (output->target && fchmod(output->fd, permissions(output->target)))
		return fail("cannot set the permissions of '%s': %s", name, strerror(errno));
	if (fsync(output->fd) && errno != EINVAL && errno != EROFS)
		return fail("cannot write '%s': %s", name, strerror(errno));
	result = output->target ? replace(output) : 0;
	if (close(output->fd) && !result)
		result = fail("cannot write '%s': %s", name, strerror(errno));
	output->fd = -1;
	return result;
}

int output_close(struct output *output, bool complete)
{
	int result = complete ? finish(output) : -1;

	if (output->fd >= 0)
		close(output->fd);
	if (output->temporary)
		unlink(output->temporary);
	free(output->temporary);
	free(output->target);
	return result;
}
