/* SPDX-License-Identifier: MIT */
/* Files that are one file on this machine are one file in the image: hard links, whose content is there once. */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int compare(const void *a, const void *b)
{
	const struct link *one = a, *other = b;

	if (one->device != other->device)
		return one->device < other->device ? -1 : 1;
	if (one->inode != other->inode)
		return one->inode < other->inode ? -1 : 1;
	return one->mode < other->mode ? -1 : one->mode > other->mode;
}

static int count_one(const struct image_entry *entry, void *data)
{
	struct links *links = data;
	struct link *link, **found;
	struct stat status;

	if (!entry->source)
		return 0;
	if (stat(entry->source, &status))
		return fail("cannot read '%s': %s", entry->source, strerror(errno));
	link = must(calloc(1, sizeof(*link)));
	*link = (struct link){.device = status.st_dev, .inode = status.st_ino, .mode = entry->mode};
	found = must(tsearch(link, &links->root, compare));
	if (*found != link)
		free(link);
	(*found)->count++;
	return 0;
}

int links_count(struct links *links, const struct tree *tree)
{
	links->root = NULL;
	return tree_visit(tree, count_one, links);
}

struct link *links_find(const struct links *links, const struct stat *status, mode_t mode)
{
	struct link key = {.device = status->st_dev, .inode = status->st_ino, .mode = mode};
	struct link **found = tfind(&key, &links->root, compare);

	return found ? *found : NULL;
}

void links_free(struct links *links)
{
	tdestroy(links->root, free);
	links->root = NULL;
}
