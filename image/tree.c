/* SPDX-License-Identifier: MIT */
/* The image's content: a sorted set of paths. */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fnmatch.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct image_entry *)a)->path, ((const struct image_entry *)b)->path);
}

static void entry_free(void *memory)
{
	struct image_entry *entry = memory;

	free(entry->path);
	free(entry->source);
	free(entry->target);
	free(entry);
}

void tree_free(struct tree *tree)
{
	tdestroy(tree->root, entry_free);
	tree->root = NULL;
}

bool tree_omits(const struct tree *tree, const char *path)
{
	const struct omits *omits = tree->omits;

	for (size_t i = 0; omits && i < omits->patterns.count; i++) {
		const char *pattern = omits->patterns.items[i];

		if (*pattern == '/' && fnmatch(pattern, path, FNM_LEADING_DIR) == 0) {
			omits->used[i] = true;
			return true;
		}
	}
	return false;
}

/* Returns the entry that stands at @path: a new one, or the one that was there (*@added is false then). */
static struct image_entry *insert(struct tree *tree, const char *path, bool *added)
{
	struct image_entry *entry = must(calloc(1, sizeof(*entry)));
	struct image_entry **found;

	entry->path = must(strdup(path));
	found = must(tsearch(entry, &tree->root, compare));
	*added = *found == entry;
	if (!*added)
		entry_free(entry);
	return *found;
}

/* A folder above an entry keeps what it has, if it is there. */
static int add_parents(struct tree *tree, const char *path)
{
	char *parent = must(strdup(path)), *slash = strrchr(parent, '/');
	struct image_entry *entry;
	bool added = false;
	int result = 0;

	if (slash && slash != parent) {
		*slash = '\0';
		entry = insert(tree, parent, &added);
		if (added) {
			entry->mode = S_IFDIR | 0755;
			result = add_parents(tree, parent);
		} else if (!S_ISDIR(entry->mode)) {
			result = fail("'%s' is wanted below '%s', which is no folder in the image", path, parent);
		}
	}
	free(parent);
	return result;
}

int tree_add_dir(struct tree *tree, const char *path)
{
	return tree_add_node(tree, path, S_IFDIR | 0755, 0);
}

static int add_node(struct tree *tree, const char *path, mode_t mode, dev_t rdev)
{
	struct image_entry *entry;
	bool added;

	if (tree_omits(tree, path))
		return 0;
	entry = insert(tree, path, &added);
	if (!added && (entry->mode & S_IFMT) != (mode & S_IFMT))
		return fail("'%s' is wanted twice, as different things", path);
	entry->mode = mode;
	entry->rdev = rdev;
	return added ? add_parents(tree, path) : 0;
}

static int no_place(const char *path)
{
	return fail("'%s' is no place in the image: give an absolute path without '..'", path);
}

int tree_add_node(struct tree *tree, const char *path, mode_t mode, dev_t rdev)
{
	char *place = place_parse(path);
	int result = place ? add_node(tree, place, mode, rdev) : no_place(path);

	free(place);
	return result;
}

static int add_link(struct tree *tree, const char *path, const char *target)
{
	struct image_entry *entry;
	bool added;

	if (tree_omits(tree, path))
		return 0;
	entry = insert(tree, path, &added);
	if (!added)
		return entry->target && !strcmp(entry->target, target)
			       ? 0
			       : fail("'%s' is wanted twice: as a link to '%s', and as something else", path, target);
	entry->mode = S_IFLNK | 0777;
	entry->target = must(strdup(target));
	return add_parents(tree, path);
}

int tree_add_link(struct tree *tree, const char *path, const char *target)
{
	char *place = place_parse(path);
	int result = place ? add_link(tree, place, target) : no_place(path);

	free(place);
	return result;
}

static bool same_file(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static int add_file(struct tree *tree, const char *path, const char *source, mode_t permissions)
{
	struct image_entry *entry;
	bool added;

	if (tree_omits(tree, path))
		return 0;
	entry = insert(tree, path, &added);
	if (!added)
		return entry->source && same_file(entry->source, source)
			       ? 0
			       : fail("'%s' and '%s' are both wanted at '%s'",
				      entry->source ? entry->source : "something else", source, path);
	entry->mode = S_IFREG | permissions;
	entry->source = must(strdup(source));
	return add_parents(tree, path);
}

static int add_source(struct tree *tree, const char *path, const char *source, bool exact)
{
	struct stat status;
	mode_t mode;
	char *place;
	int result;

	if (stat(source, &status))
		return fail("cannot read '%s' for the image: %s", source, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return fail("'%s' is no regular file", source);
	mode = exact ? status.st_mode & 07777 : (status.st_mode & 0111) ? 0755 : 0644;
	place = place_parse(path);
	result = place ? add_file(tree, place, source, mode) : no_place(path);
	free(place);
	return result;
}

int tree_add_file(struct tree *tree, const char *path, const char *source)
{
	return add_source(tree, path, source, false);
}

int tree_add_exact(struct tree *tree, const char *path, const char *source)
{
	return add_source(tree, path, source, true);
}

bool tree_has(const struct tree *tree, const char *path)
{
	struct image_entry key = {.path = (char *)path};

	return tfind(&key, &tree->root, compare) != NULL;
}

struct walk {
	int (*visit)(const struct image_entry *entry, void *data);
	void *data;
	int result;
};

static void step(const void *node, VISIT which, void *closure)
{
	struct walk *walk = closure;

	if ((which == postorder || which == leaf) && !walk->result)
		walk->result = walk->visit(*(struct image_entry *const *)node, walk->data);
}

int tree_visit(const struct tree *tree, int (*visit)(const struct image_entry *entry, void *data), void *data)
{
	struct walk walk = {.visit = visit, .data = data};

	twalk_r(tree->root, step, &walk);
	return walk.result;
}
