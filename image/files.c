/* SPDX-License-Identifier: MIT */
/* Files, links, devices and whole folders of this machine, as they are. */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* @path with the last component replaced by @target, if that is relative. */
static char *beside(const char *path, const char *target)
{
	const char *slash = strrchr(path, '/');

	return *target == '/' || !slash ? must(strdup(target)) : text("%.*s/%s", (int)(slash - path), path, target);
}

static char *read_link(const char *path)
{
	char target[4096];
	ssize_t bytes = readlink(path, target, sizeof(target) - 1);

	if (bytes < 0) {
		fail("cannot read the link '%s': %s", path, strerror(errno));
		return NULL;
	}
	target[bytes] = '\0';
	return must(strdup(target));
}

static int add_special(struct tree *tree, const char *place, const char *source, const struct stat *status)
{
	if (S_ISCHR(status->st_mode) || S_ISBLK(status->st_mode) || S_ISFIFO(status->st_mode))
		return tree_add_node(tree, place, status->st_mode, S_ISFIFO(status->st_mode) ? 0 : status->st_rdev);
	return fail("'%s' is a socket, which an image cannot hold: leave it out with --omit", source);
}

/* A link comes with the file that it leads to, at the place that the link names in the image. */
static int add_linked(struct tree *tree, const char *place, const char *source, int links)
{
	struct stat status;
	char *target, *next_place, *next_source;
	int result;

	if (lstat(source, &status))
		return fail("no file '%s': %s", source, strerror(errno));
	if (S_ISREG(status.st_mode))
		return tree_add_exact(tree, place, source);
	if (S_ISDIR(status.st_mode))
		return fail("'%s' is a folder: add it with --add-dir", source);
	if (!S_ISLNK(status.st_mode))
		return add_special(tree, place, source, &status);
	if (links == 0)
		return fail("cannot read '%s': %s", source, strerror(ELOOP));
	target = read_link(source);
	if (!target)
		return -1;
	next_place = place_beside(place, target);
	next_source = beside(source, target);
	if (!next_place)
		result = fail("the link '%s' leads to '%s', which is no place in the image", source, target);
	else
		result = tree_add_link(tree, place, target) || add_linked(tree, next_place, next_source, links - 1) ? -1
														    : 0;
	free(target);
	free(next_place);
	free(next_source);
	return result;
}

int file_add_linked(struct tree *tree, const char *place, const char *source)
{
	return add_linked(tree, place, source, 40);
}

int file_add(struct tree *tree, const char *spec)
{
	char *source, *place;
	struct stat status;
	int result;

	spec_parse(spec, &source, &place);
	if (!place)
		result = add_linked(tree, source, source, 40);
	else if (stat(source, &status))
		result = fail("no file '%s': %s", source, strerror(errno));
	else if (S_ISREG(status.st_mode))
		result = tree_add_exact(tree, place, source);
	else if (S_ISDIR(status.st_mode))
		result = fail("'%s' is a folder: add it with --add-dir", source);
	else
		result = add_special(tree, place, source, &status);
	free(source);
	free(place);
	return result;
}

int file_try(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buffer[65536];
	ssize_t got = 1;
	int result = 0;

	while (fd >= 0 && (got = read(fd, buffer, sizeof(buffer))) > 0)
		;
	if (fd < 0 || got < 0)
		result = fail("cannot read '%s': %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return result;
}

static int add_one(struct tree *tree, FTS *walk, FTSENT *item, const char *place)
{
	const struct stat *status = item->fts_statp;
	char *target;
	int result;

	if (interrupted())
		return fail("interrupted");
	if (tree_omits(tree, place)) {
		fts_set(walk, item, FTS_SKIP);
		return 0;
	}
	switch (item->fts_info) {
	case FTS_DP:
		return 0;
	case FTS_D:
		return strcmp(place, "/") ? tree_add_node(tree, place, status->st_mode, 0) : 0;
	case FTS_F:
		return tree_add_exact(tree, place, item->fts_accpath);
	case FTS_SL:
	case FTS_SLNONE:
		target = read_link(item->fts_accpath);
		result = target ? tree_add_link(tree, place, target) : -1;
		free(target);
		return result;
	case FTS_DEFAULT:
		return add_special(tree, place, item->fts_path, status);
	default:
		return fail("cannot read '%s': %s", item->fts_path, strerror(item->fts_errno));
	}
}

int dir_add(struct tree *tree, const char *spec)
{
	char *source, *place, *roots[2] = {NULL, NULL};
	int result = 0;
	FTSENT *item;
	FTS *walk;

	spec_parse(spec, &source, &place);
	roots[0] = source;
	walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	while (!result && walk && (item = fts_read(walk))) {
		char *there = text("%s%s", place ? place : source, item->fts_path + strlen(source));

		if (item->fts_level == 0 && item->fts_info != FTS_D && item->fts_info != FTS_DP)
			result = fail("cannot add the folder '%s': %s", source,
				      strerror(item->fts_errno ? item->fts_errno : ENOTDIR));
		else
			result = add_one(tree, walk, item, there);
		free(there);
	}
	if (walk)
		fts_close(walk);
	free(source);
	free(place);
	return result;
}
