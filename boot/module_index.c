/* SPDX-License-Identifier: MIT */
/* libkmod's indexes of the image: which modules answer to an alias, and what they need. */
#include "module_index.h"

#include "internal.h"

#include <errno.h>
#include <inorder/initcall.h>
#include <libkmod.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

static struct kmod_ctx *kmod;
static void *useless; /* a tree of aliases */

static int open_kmod(void)
{
	char index[PATH_MAX];

	kmod = kmod_new(NULL, NULL);
	if (!kmod)
		return -ENOMEM;
	path_print(index, "%s/modules.dep.bin", kmod_get_dirname(kmod));
	if (!file_exists(index))
		complain("modules: the image has no %s: it was made for another kernel, or none is needed", index);
	else if (kmod_load_resources(kmod) < 0)
		say("modules: an index is missing in %s: every look-up opens a file", kmod_get_dirname(kmod));
	return 0;
}
core_initcall(open_kmod);

static int compare_aliases(const void *one, const void *other)
{
	return strcmp(one, other);
}

/* Nothing in the image answers to most aliases, and to look that up takes longest. */
static void note_useless(const char *alias)
{
	char *copy = strdup(alias);

	if (copy && !tsearch(copy, &useless, compare_aliases))
		free(copy);
}

struct kmod_list *module_index_look_up(const char *alias)
{
	struct kmod_list *found = NULL, *wanted = NULL;

	if (tfind(alias, &useless, compare_aliases))
		return NULL;
	if (kmod_module_new_from_lookup(kmod, alias, &found) < 0 || !found ||
	    kmod_module_apply_filter(kmod, KMOD_FILTER_BLACKLIST, found, &wanted) < 0 || !wanted)
		note_useless(alias);
	kmod_module_unref_list(found);
	return wanted;
}

static bool may_load(struct kmod_module *kmodule, bool (*may)(const char *path))
{
	struct kmod_list *needs = kmod_module_get_dependencies(kmodule), *item;
	const char *path = kmod_module_get_path(kmodule);
	bool good = path && may(path);

	kmod_list_foreach(item, needs)
	{
		struct kmod_module *need = kmod_module_get_module(item);

		path = kmod_module_get_path(need);
		good = good && (!path || may(path));
		kmod_module_unref(need);
	}
	kmod_module_unref_list(needs);
	return good;
}

static void hint_list(struct kmod_list *list, bool (*may)(const char *path), void (*load)(struct kmod_module *kmodule),
		      bool deeper)
{
	struct kmod_list *item;

	kmod_list_foreach(item, list)
	{
		struct kmod_module *kmodule = kmod_module_get_module(item);
		struct kmod_list *needs = NULL;

		if (may_load(kmodule, may))
			load(kmodule);
		else if (deeper)
			needs = kmod_module_get_dependencies(kmodule);
		hint_list(needs, may, load, false);
		kmod_module_unref_list(needs);
		kmod_module_unref(kmodule);
	}
}

void module_index_hint(const char *alias, bool (*may)(const char *path), void (*load)(struct kmod_module *kmodule))
{
	struct kmod_list *wanted = module_index_look_up(alias);

	hint_list(wanted, may, load, true);
	kmod_module_unref_list(wanted);
}
