/* SPDX-License-Identifier: MIT */
/*
 * From names, modaliases and folders to modules with all that they depend on (libkmod reads the kernel's own
 * indexes), and from those to indexes of exactly the modules in the image (depmod makes them from a copy of
 * the tree that has only these, as links).
 */
#define _GNU_SOURCE
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What /init reads of what depmod writes. */
static const char *const indexes[] = {
	"modules.dep",         "modules.dep.bin", "modules.alias",       "modules.alias.bin",
	"modules.softdep",     "modules.builtin", "modules.builtin.bin", "modules.builtin.alias.bin",
	"modules.symbols.bin", /* libkmod takes all of them or none */
};

/* What depmod reads beside the modules; the kernel's package brings them. */
static const char *const inputs[] = {"modules.order", "modules.builtin", "modules.builtin.modinfo"};

/* Where /init finds the digest of the modules' signatures. */
#define DIGEST "/etc/inorder/digest"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct resolver {
	struct modules *modules;
	struct tree *tree;
	struct kmod_ctx *kmod;
	const char *version;
	struct strings digests; /* of the first module that is signed */
	size_t added;
};

static int add_module(struct resolver *resolver, struct kmod_module *module);

static int add_all(struct resolver *resolver, struct kmod_list *list)
{
	struct kmod_list *item;
	int result = 0;

	kmod_list_foreach(item, list)
	{
		struct kmod_module *module = kmod_module_get_module(item);

		result = add_module(resolver, module);
		kmod_module_unref(module);
		if (result)
			break;
	}
	return result;
}

/* Soft dependencies (ext4 wants crypto-crc32c) may be missing from the tree: libkmod leaves such out. */
static int add_needed(struct resolver *resolver, struct kmod_module *module)
{
	struct kmod_list *before = NULL, *after = NULL, *needed = kmod_module_get_dependencies(module);
	int error = kmod_module_get_softdeps(module, &before, &after), result;

	if (error < 0)
		result = fail("cannot read what '%s' depends on: %s", kmod_module_get_name(module), strerror(-error));
	else
		result = add_all(resolver, needed) || add_all(resolver, before) || add_all(resolver, after) ? -1 : 0;
	kmod_module_unref_list(needed);
	kmod_module_unref_list(before);
	kmod_module_unref_list(after);
	return result;
}

/* Names are compared as the kernel does, to which - and _ are the same. */
static bool omitted(struct resolver *resolver, const char *name)
{
	const struct omits *omits = resolver->tree->omits;
	bool result = false;

	for (size_t i = 0; omits && !result && i < omits->patterns.count; i++) {
		char *pattern = must(strdup(omits->patterns.items[i]));

		for (char *at = pattern; (at = strchr(at, '-'));)
			*at = '_';
		result = *pattern != '/' && fnmatch(pattern, name, 0) == 0;
		if (result)
			omits->used[i] = true;
		free(pattern);
	}
	return result;
}

/* The file of a module; where an image is made, not compressed. */
static int add_file_of(struct resolver *resolver, const char *place, const char *path)
{
	const struct stage *stage = resolver->modules->stage;
	char *made;
	int result;

	if (!stage || module_path_length(path) == strlen(path))
		return tree_add_file(resolver->tree, place, path);
	made = module_expand(stage, path);
	result = made ? tree_add_file(resolver->tree, place, made) : -1;
	free(made);
	return result;
}

/* All that a module brings into the image. */
static int add_readable(struct resolver *resolver, struct kmod_module *module, const char *place, const char *path)
{
	if (resolver->modules->stage && !resolver->digests.count)
		module_info(module, "sig_hashalgo", &resolver->digests);
	return add_file_of(resolver, place, path) || add_needed(resolver, module) ||
			       firmware_add(resolver->tree, &resolver->modules->firmware, resolver->version, module)
		       ? -1
		       : 0;
}

static int add_module(struct resolver *resolver, struct kmod_module *module)
{
	const char *path = kmod_module_get_path(module), *dir = resolver->modules->dir;
	size_t length = strlen(dir);
	char *place;
	int result;

	if (!path) /* built into the kernel; it may need firmware all the same */
		return firmware_add(resolver->tree, &resolver->modules->firmware, resolver->version, module);
	if (omitted(resolver, kmod_module_get_name(module)))
		return 0;
	if (strncmp(path, dir, length) || path[length] != '/')
		return fail("module '%s' is outside of '%s'", path, dir);
	progress("modules", ++resolver->added);
	place = text("/lib/modules/%s%.*s", resolver->version, (int)(module_path_length(path) - length), path + length);
	if (tree_has(resolver->tree, place))
		result = 0;
	else if (access(path, R_OK))
		result = fail("module '%s' is in modules.dep, but cannot be read: %s", path, strerror(errno));
	else if (file_try(path))
		result = -1;
	else
		result = add_readable(resolver, module, place, path);
	free(place);
	return result;
}

static int add_by_alias(struct resolver *resolver, const char *alias, bool optional)
{
	struct kmod_list *list = NULL;
	int error = kmod_module_new_from_lookup(resolver->kmod, alias, &list), result;

	if (error < 0)
		result =
			fail("cannot look up module '%s' in '%s': %s", alias, resolver->modules->dir, strerror(-error));
	else if (!list && !optional)
		result = fail("the kernel %s has no module '%s': correct the name, or write '%s?' if it may be missing",
			      resolver->version, alias, alias);
	else
		result = add_all(resolver, list);
	kmod_module_unref_list(list);
	return result;
}

/* Adds every module below kernel/@folder, in the order of modules.dep. */
static int add_folder(struct resolver *resolver, const char *folder, bool optional)
{
	char *index = text("%s/modules.dep", resolver->modules->dir), *prefix = text("kernel/%s", folder), *line = NULL;
	FILE *dep = fopen(index, "re");
	size_t room = 0, found = 0;
	int result = dep ? 0 : fail("cannot read '%s': %s", index, strerror(errno));

	while (!result && getline(&line, &room, dep) >= 0) {
		struct kmod_module *module;
		char *path;

		line[strcspn(line, ":\n")] = '\0';
		if (strncmp(line, prefix, strlen(prefix)))
			continue;
		path = text("%s/%s", resolver->modules->dir, line);
		result = kmod_module_new_from_path(resolver->kmod, path, &module);
		if (result < 0) {
			result = fail("cannot read module '%s': %s", path, strerror(-result));
		} else {
			if (!resolver->modules->by_kind || !kinds_leave_out(kmod_module_get_name(module)))
				result = add_module(resolver, module);
			kmod_module_unref(module);
		}
		free(path);
		found++;
	}
	if (!result && !found && !optional)
		result = fail("the kernel %s has no modules below '%s'", resolver->version, prefix);
	if (dep)
		fclose(dep);
	free(line);
	free(prefix);
	free(index);
	return result;
}

static int add_wanted(struct resolver *resolver, const char *word)
{
	struct want want;
	int result;

	want_parse(word, &want);
	if (want.folder)
		result = add_folder(resolver, want.name, want.optional);
	else if (*want.name)
		result = add_by_alias(resolver, want.name, want.optional);
	else
		result = fail("'%s' asks for no module: a name, a modalias or a folder is needed", word);
	free(want.name);
	return result;
}

/* Whether a module that a device asks for counts: no sound card is needed to boot. */
static bool counts(const struct resolver *resolver, struct kmod_module *module)
{
	const char *path = kmod_module_get_path(module), *name = kmod_module_get_name(module), *kind;
	size_t length = strlen(resolver->modules->dir);

	if (!path || strncmp(path + length, "/kernel/", 8) || kinds_leave_out(name))
		return false;
	kind = kinds_of(path + length + 8, name);
	return kind && !(resolver->modules->no_ciphers && !strcmp(kind, "ciphers"));
}

/* No driver is no error here: the device works without, or not at all. */
static int add_matched(struct resolver *resolver, const char *alias)
{
	struct kmod_list *list = NULL, *item;
	int result = 0;

	if (kmod_module_new_from_lookup(resolver->kmod, alias, &list) < 0)
		return 0;
	kmod_list_foreach(item, list)
	{
		struct kmod_module *module = kmod_module_get_module(item);

		if (!result && counts(resolver, module))
			result = add_module(resolver, module);
		kmod_module_unref(module);
	}
	kmod_module_unref_list(list);
	return result;
}

static int write_digest(struct resolver *resolver, const char *digest)
{
	char *made = text("%s/digest", resolver->modules->stage->path);
	FILE *file = fopen(made, "we");
	int result = 0;

	if (file)
		fprintf(file, "%s\n", digest);
	if (!file || fclose(file))
		result = fail("cannot write '%s': %s", made, strerror(errno));
	else
		result = tree_add_file(resolver->tree, DIGEST, made);
	free(made);
	return result;
}

/*
 * The kernel hashes all that it loads, with what it has built in: usually plain C. Faster implementations are modules,
 * under the alias by which it would ask for them if it had none at all. /init loads them first.
 */
static int add_digest(struct resolver *resolver)
{
	const char *digest = resolver->digests.count ? resolver->digests.items[0] : NULL;
	struct kmod_list *list = NULL, *item;
	bool found = false;
	int result = 0;
	char *alias;

	if (!digest || tree_has(resolver->tree, DIGEST))
		return 0;
	alias = text("crypto-%s", digest);
	if (kmod_module_new_from_lookup(resolver->kmod, alias, &list) >= 0)
		result = add_all(resolver, list);
	kmod_list_foreach(item, list)
	{
		struct kmod_module *module = kmod_module_get_module(item);

		found = found || kmod_module_get_path(module);
		kmod_module_unref(module);
	}
	kmod_module_unref_list(list);
	free(alias);
	return !result && found ? write_digest(resolver, digest) : result;
}

static int link_module(const struct image_entry *entry, void *data)
{
	const struct modules *modules = data;
	char *path = text("%s%s", modules->stage->path, entry->path);
	int result = 0;

	if (interrupted())
		result = fail("interrupted");
	else if (strncmp(entry->path, "/lib", 4) || (entry->path[4] && strncmp(entry->path, "/lib/modules", 12)))
		result = 0;
	else if (!entry->source && !S_ISDIR(entry->mode))
		result = 0;
	else if (entry->source ? symlink(entry->source, path) : mkdir(path, 0755))
		result = fail("cannot make '%s': %s", path, strerror(errno));
	free(path);
	return result;
}

static int run_depmod(struct resolver *resolver)
{
	char *stage = resolver->modules->stage->path;
	char *const argv[] = {(char *)"depmod", (char *)"-b", stage, (char *)resolver->version, NULL};

	for (size_t i = 0; i < COUNT(inputs); i++) {
		char *from = text("%s/%s", resolver->modules->dir, inputs[i]);
		char *to = text("%s/lib/modules/%s/%s", stage, resolver->version, inputs[i]);
		int error = access(from, R_OK) == 0 && symlink(from, to) ? errno : 0;

		free(from);
		free(to);
		if (error)
			return fail("cannot make a link in '%s': %s", stage, strerror(error));
	}
	progress("indexes of the modules", 0);
	return command_run(argv, NULL);
}

/* Makes the indexes in a temporary folder and adds them to the tree from there. */
static int add_indexes(struct resolver *resolver)
{
	struct modules *modules = resolver->modules;
	int result = 0;

	if (tree_visit(resolver->tree, link_module, modules) || run_depmod(resolver))
		return -1;
	for (size_t i = 0; !result && i < COUNT(indexes); i++) {
		char *place = text("/lib/modules/%s/%s", resolver->version, indexes[i]);
		char *made = text("%s%s", modules->stage->path, place);

		if (access(made, R_OK) == 0)
			result = tree_add_file(resolver->tree, place, made);
		free(place);
		free(made);
	}
	return result;
}

static int resolve(struct resolver *resolver)
{
	const struct strings *wanted = &resolver->modules->wanted;
	char *folder = text("/lib/modules/%s", resolver->version);
	int result = tree_add_dir(resolver->tree, folder), missing = 0;

	for (size_t i = 0; i < wanted->count; i++)
		if (add_wanted(resolver, wanted->items[i]))
			missing++;
	for (size_t i = 0; !result && i < resolver->modules->matched.count; i++)
		result = add_matched(resolver, resolver->modules->matched.items[i]);
	if (missing)
		result = -1;
	free(folder);
	if (!result)
		result = add_digest(resolver);
	firmware_sum_up(&resolver->modules->firmware);
	return result || !resolver->modules->stage ? result : add_indexes(resolver);
}

/* To libkmod an index that cannot be read is one in which nothing is found. */
static int try_indexes(const char *dir)
{
	int result = 0;

	for (size_t i = 0; !result && i < COUNT(indexes); i++) {
		char *path = text("%s/%s", dir, indexes[i]);

		if (access(path, R_OK) == 0)
			result = file_try(path);
		free(path);
	}
	return result;
}

int modules_add(struct modules *modules, struct tree *tree)
{
	struct resolver resolver = {.modules = modules, .tree = tree};
	char *index = text("%s/modules.dep.bin", modules->dir), *soft = text("%s/modules.softdep", modules->dir);
	const char *config[] = {soft, NULL}; /* and nothing of this machine's own configuration */
	const char *slash = strrchr(modules->dir, '/');
	int result;

	resolver.version = slash ? slash + 1 : modules->dir;
	if (access(index, R_OK)) {
		result = fail("cannot read '%s': %s; give the folder lib/modules/VERSION of a kernel with --tree, "
			      "and run 'depmod -b ROOT VERSION' if it was only unpacked",
			      index, strerror(errno));
	} else if (try_indexes(modules->dir)) {
		result = -1;
	} else {
		resolver.kmod = must(kmod_new(modules->dir, config));
		result = resolve(&resolver);
		kmod_unref(resolver.kmod);
		strings_free(&resolver.digests);
	}
	free(index);
	free(soft);
	return result;
}
