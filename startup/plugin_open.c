/* SPDX-License-Identifier: MIT */
/*
 * dlopen() and dlclose() of plug-ins.
 *
 * Objects that the dynamic loader initialises during our dlopen() are ours: the
 * thread-local startup_loading marks them, so initcalls_run() leaves them alone.
 * Each one becomes a struct plugin.
 * Libraries without initcalls that were not mapped before are noted in each
 * plug-in that needs them.
 *
 * An object may stay mapped after our dlclose(): another thread has it open, or
 * it cannot be unloaded. It is then set back, so that it can be loaded again.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugins.h"

static char no_plugin; /* what an object belongs to that is mapped, but no plug-in at the moment */

static struct mapping mapping_of_handle(void *handle)
{
	struct link_map *map;

	return dlinfo(handle, RTLD_DI_LINKMAP, &map) ? (struct mapping){0, 0} : startup_mapping(map->l_ld);
}

struct plugin *plugin_find_path(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
	struct plugin *plugin;

	if (!handle)
		return NULL;
	plugin = plugin_find(mapping_of_handle(handle).base);
	dlclose(handle);
	return plugin;
}

/*
 * An object that our dlopen() initialised, marked @mark: the one mapped at @base (@own), or the first other one.
 * The former may have been mapped before, and belong to none.
 */
static struct initcall_object *find_object(const struct plugin *mark, uintptr_t base, bool own)
{
	struct initcall_object *object;

	startup_lock();
	for (object = startup_objects(); object; object = object->next) {
		const bool free_to_take = own && (!object->plugin || object->plugin == &no_plugin);

		if ((object->base == base) == own && (object->plugin == mark || free_to_take))
			break;
	}
	startup_unlock();
	return object;
}

/* Undoes what an object's life as a plug-in left in it. */
static void set_back(struct initcall_object *object)
{
	startup_lock();
	object->plugin = &no_plugin;
	object->owner = NULL;
	object->level = 0;
	object->index = 0;
	startup_unlock();
}

/* A struct for what is to be opened or came with @loader_of_it; not on the list. */
static struct plugin *new_plugin(const char *path, struct plugin *loader_of_it, struct plugin *inside)
{
	struct plugin *plugin = calloc(1, sizeof(*plugin) + strlen(path) + 1);

	if (!plugin)
		return NULL;
	strcpy(plugin->path, path);
	plugin->owner = (struct async_owner)ASYNC_OWNER_INIT(plugin->path);
	plugin->loader = loader_of_it ? loader_of_it : plugin;
	plugin->inside = inside;
	plugin->thread = pthread_self();
	return plugin;
}

static int add_need(struct plugin *plugin, struct plugin *need)
{
	struct plugin **more;
	int error = 0;

	for (size_t i = 0; i < plugin->needs_count; i++)
		if (plugin->needs[i] == need)
			return 0;
	more = realloc(plugin->needs, (plugin->needs_count + 1) * sizeof(struct plugin *));
	if (!more)
		return plugin_fail(-ENOMEM, "plug-in %s: no memory", plugin->path);
	plugin->needs = more;
	startup_lock();
	if (need->state == PLUGIN_STUCK) {
		error = plugin_fail(-EBUSY, "plug-in %s: %s, which it needs, is half unloaded", plugin->path,
				    need->path);
	} else if (need->state == PLUGIN_LOADING || need->state == PLUGIN_LIVE) {
		need->users++;
		plugin->needs[plugin->needs_count++] = need;
	} else {
		plugin->blocker = need;
		error = -EAGAIN;
	}
	startup_unlock();
	return error;
}

/* Whether it came with a plug-in: it was not mapped @before, or is noted already. */
static bool is_brought(uintptr_t base, const struct mapped *before)
{
	bool found = !mapped_has(before, base);

	for (const struct plugin *other = plugin_list(); !found && other; other = other->next)
		for (size_t i = 0; !found && i < other->brought_count; i++)
			found = other->brought[i].base == base;
	return found;
}

static int add_brought(struct plugin *plugin, struct mapping mapping)
{
	struct mapping *more = realloc(plugin->brought, (plugin->brought_count + 1) * sizeof(mapping));

	if (!more)
		return -ENOMEM;
	plugin->brought = more;
	plugin->brought[plugin->brought_count++] = mapping;
	return 0;
}

struct look {
	struct plugin *plugin;
	const struct mapped *before;
};

/* An object that the plug-in needs; 1: it is a plug-in and knows itself what it needs. */
static int need_object(struct mapping mapping, void *data)
{
	const struct look *look = data;
	struct plugin *need;
	int error;

	if (mapping.base == look->plugin->mapping.base)
		return 0;
	need = plugin_find(mapping.base);
	if (!need)
		return is_brought(mapping.base, look->before) ? add_brought(look->plugin, mapping) : 0;
	error = add_need(look->plugin, need);
	return error ? error : 1;
}

/* An object that was a plug-in and stayed mapped comes with whatever needs it, as if it had been mapped now. */
static int revive(struct mapping mapping, void *mark)
{
	struct initcall_object *object;

	startup_lock();
	for (object = startup_objects(); object; object = object->next)
		if (object->base == mapping.base && object->plugin == &no_plugin)
			object->plugin = mark;
	startup_unlock();
	return 0;
}

/* Gives the plug-in its object, finds what it needs, and puts it on the list. */
static int enlist(struct plugin *plugin, struct initcall_object *object, const struct mapped *before)
{
	struct look look = {plugin, before};
	const size_t entries = object ? startup_entries(object) : 0;
	int error;

	if (object) {
		startup_lock();
		error = object->freed && !startup_finished(object) ? -EBUSY : 0;
		object->plugin = plugin;
		object->owner = &plugin->owner;
		startup_unlock();
		plugin->object = object;
		if (error)
			return plugin_fail(error,
					   "plug-in %s is still mapped, though it was unloaded, and its init "
					   "code was freed; it cannot be loaded again",
					   plugin->path);
	}
	plugin->ran = calloc(entries + 1, sizeof(struct initcall_entry *));
	error = plugin->ran ? plugin_walk_needs(plugin->handle, need_object, &look) : -ENOMEM;
	if (error)
		return error == -ENOMEM ? plugin_fail(error, "plug-in %s: no memory", plugin->path) : error;
	plugin_list_append(plugin);
	return 0;
}

/* Makes a plug-in, which @plugin needs, of an object that came with it. */
static int adopt(struct plugin *plugin, struct initcall_object *object, const struct mapped *before)
{
	struct plugin *other = NULL;
	void *handle = NULL;
	Dl_info where;

	if (dladdr(object, &where))
		handle = dlopen(where.dli_fname, RTLD_NOW | RTLD_NOLOAD);
	if (handle)
		other = new_plugin(where.dli_fname, plugin, plugin);
	if (other && !add_need(plugin, other)) {
		int error;

		other->handle = handle;
		other->mapping = mapping_of_handle(handle);
		error = enlist(other, object, before);
		plugin->blocker = other->blocker;
		return error;
	}
	set_back(object);
	if (handle)
		dlclose(handle);
	if (other)
		plugin_free(other);
	return plugin_fail(-ENOMEM, "plug-in %s: no memory", plugin->path);
}

static void set_opening(struct plugin *plugin)
{
	plugin_set_opening(plugin);
	plugin_owners_update();
}

/* Of the first object, the program: 1 if it has no dynamic loader, else -1. */
static int is_static(struct dl_phdr_info *program, size_t bytes, void *unused)
{
	(void)bytes;
	(void)unused;
	for (unsigned int i = 0; i < program->dlpi_phnum; i++)
		if (program->dlpi_phdr[i].p_type == PT_INTERP)
			return -1;
	return 1;
}

/*
 * Whether the plug-in's initcalls and calls went to another copy of the library: the program has this one in itself,
 * linked statically, and does not export its names.
 */
static bool uses_other_copy(void *handle)
{
	void *theirs = dlsym(handle, "initcalls_note"), *everybodys = dlsym(RTLD_DEFAULT, "initcalls_note");
	void *ours = (void *)(uintptr_t)initcalls_note;

	return theirs && theirs != ours && everybodys != ours;
}

/* dlopen(), with a cause if it fails. What constructors schedule is the plug-in's. */
static int open_object(struct plugin *plugin)
{
	struct async_owner *before;

	if (strchr(plugin->path, '/') && access(plugin->path, F_OK)) {
		const int error = -errno;

		return plugin_fail(error, "plug-in %s: %s", plugin->path, strerror(-error));
	}
	if (dl_iterate_phdr(is_static, NULL) > 0)
		return plugin_fail(
			-ENOSYS,
			"plug-in %s: this program is linked statically, so the plug-in would use another copy "
			"of the library; link the program with libinorder.so",
			plugin->path);
	before = async_owner_enter(&plugin->owner);
	startup_loading = plugin;
	plugin->handle = dlopen(plugin->path, RTLD_NOW | RTLD_LOCAL);
	startup_loading = NULL;
	async_owner_enter(before);
	if (!plugin->handle)
		return plugin_fail(-ELIBBAD, "plug-in: %s", dlerror());
	if (uses_other_copy(plugin->handle)) {
		dlclose(plugin->handle);
		plugin->handle = NULL;
		return plugin_fail(-ENOSYS,
				   "plug-in %s: it uses another copy of the library than this program, which has one "
				   "linked statically; link the program with libinorder.so",
				   plugin->path);
	}
	plugin->mapping = mapping_of_handle(plugin->handle);
	return 0;
}

/* Makes plug-ins of what was opened. In case of an error all that it marked is set back. */
static int take_in(struct plugin *plugin, const struct mapped *before)
{
	const uintptr_t base = plugin->mapping.base;
	struct initcall_object *object;
	int error = startup_sort();

	error = error ? error : plugin_walk_needs(plugin->handle, revive, plugin);
	if (error)
		error = plugin_fail(error, "plug-in %s: no memory", plugin->path);
	while (!error && (object = find_object(plugin, base, false)))
		error = adopt(plugin, object, before);
	while (error && (object = find_object(plugin, base, false)))
		set_back(object);
	object = find_object(plugin, base, true);
	if (!error)
		error = enlist(plugin, object, before);
	else if (object)
		set_back(object);
	return error;
}

int plugin_open(const char *path, struct plugin *inside, struct plugin **plugin)
{
	struct mapped before = {NULL, 0, 0};
	struct plugin *new = mapped_now(&before) ? NULL : new_plugin(path, NULL, inside);
	int error;

	if (!new) {
		free(before.bases);
		return plugin_fail(-ENOMEM, "plug-in %s: no memory", path);
	}
	set_opening(new);
	error = open_object(new);
	if (new->handle) {
		*plugin = new;
		new->users = 1;
		error = take_in(new, &before);
	}
	set_opening(NULL);
	if (!new->handle)
		plugin_free(new);
	free(before.bases);
	return error;
}

void plugin_close(struct plugin *plugin)
{
	loader_lock();
	if (plugin->object)
		set_back(plugin->object);
	plugin_list_remove(plugin);
	plugin_owners_update();
	dlclose(plugin->handle);
	loader_unlock();
	startup_lock();
	startup_wake();
	startup_unlock();
}
