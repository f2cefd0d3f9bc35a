/* SPDX-License-Identifier: MIT */
/*
 * dlopen() and dlclose() of plug-ins, and the list of them.
 *
 * Objects that the dynamic loader initialises during our dlopen() are ours: the
 * thread-local startup_loading marks them, so initcalls_run() leaves them alone.
 * Each one becomes a struct plugin. The list keeps the order of initialisation,
 * and a plug-in can only come to need those before it, so needs form no circle.
 *
 * An object may stay mapped after our dlclose(): somebody else has it open, or
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

static pthread_mutex_t loader = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool holding;
static struct plugin *plugins; /* L */
static char nobody; /* what an object belongs to that is mapped, but no plug-in at the moment */

void loader_lock(void)
{
	pthread_mutex_lock(&loader);
	holding = true;
}

void loader_unlock(void)
{
	holding = false;
	pthread_mutex_unlock(&loader);
}

bool loader_is_held(void)
{
	return holding;
}

/* In a forked child the other threads are gone: nobody else is in dlopen(), and what they were loading stays undone. */
static void begin_child(void)
{
	if (!holding)
		pthread_mutex_init(&loader, NULL);
	plugin_forget_waits();
	for (struct plugin *plugin = plugins; plugin; plugin = plugin->next)
		if ((plugin->state == PLUGIN_LOADING || plugin->state == PLUGIN_GOING) &&
		    !pthread_equal(plugin->thread, pthread_self()))
			plugin->state = PLUGIN_STUCK;
}

__attribute__((constructor)) static void renew_over_fork(void)
{
	if (pthread_atfork(NULL, NULL, begin_child))
		startup_say("no memory for the fork handler of plug-ins: do not use them in a forked child");
}

struct plugin *plugin_list(void)
{
	return plugins;
}

struct plugin *plugin_find(const void *base)
{
	struct plugin *plugin = plugins;

	while (plugin && plugin->base != base)
		plugin = plugin->next;
	return plugin;
}

static void *base_of_handle(void *handle)
{
	struct link_map *map;

	return dlinfo(handle, RTLD_DI_LINKMAP, &map) ? NULL : startup_base(map->l_ld);
}

struct plugin *plugin_find_path(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
	struct plugin *plugin;

	if (!handle)
		return NULL;
	plugin = plugin_find(base_of_handle(handle));
	dlclose(handle);
	return plugin;
}

struct plugin *plugin_current(void)
{
	struct async_owner *owner = async_owner_enter(NULL);
	struct plugin *plugin;

	async_owner_enter(owner);
	startup_lock();
	plugin = plugins;
	while (plugin && &plugin->owner != owner)
		plugin = plugin->next;
	startup_unlock();
	return plugin;
}

/*
 * An object that our dlopen() initialised, marked @mark: the one mapped at @base (@own), or the first other one.
 * The former may have been mapped before, and be nobody's.
 */
static struct initcall_object *find_object(const void *mark, const void *base, bool own)
{
	struct initcall_object *object;

	startup_lock();
	for (object = startup_objects(); object; object = object->next) {
		const bool free_to_take = own && (!object->plugin || object->plugin == &nobody);

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
	object->plugin = &nobody;
	object->owner = NULL;
	object->level = 0;
	object->index = 0;
	startup_unlock();
}

void plugin_free(struct plugin *plugin)
{
	free(plugin->needs);
	free(plugin->ran);
	free(plugin);
}

/* A struct without needs, not on the list. Takes over @handle, if it succeeds. */
static struct plugin *new_plugin(void *handle, const char *path, struct plugin *loader_of_it, struct plugin *inside)
{
	struct plugin *plugin = calloc(1, sizeof(*plugin) + strlen(path) + 1);

	if (!plugin)
		return NULL;
	strcpy(plugin->path, path);
	plugin->handle = handle;
	plugin->base = base_of_handle(handle);
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

/* An object that @data, a plug-in, needs; 1: it is a plug-in and knows itself what it needs. */
static int need_plugin(void *base, void *data)
{
	struct plugin *plugin = data;
	struct plugin *need = base == plugin->base ? NULL : plugin_find(base);
	const int error = need ? add_need(plugin, need) : 0;

	return error ? error : !!need;
}

/* An object that was a plug-in and stayed mapped comes with whatever needs it, as if it had been mapped now. */
static int revive(void *base, void *mark)
{
	struct initcall_object *object;

	startup_lock();
	for (object = startup_objects(); object; object = object->next)
		if (object->base == base && object->plugin == &nobody)
			object->plugin = mark;
	startup_unlock();
	return 0;
}

/* Gives the plug-in its object, finds what it needs, and puts it on the list. */
static int enlist(struct plugin *plugin, struct initcall_object *object)
{
	const size_t entries = object ? startup_entries(object) : 0;
	struct plugin **link = &plugins;
	int error;

	if (object) {
		startup_lock();
		error = object->freed && !startup_finished(object) ? -EBUSY : 0;
		object->plugin = plugin;
		object->owner = &plugin->owner;
		startup_unlock();
		plugin->object = object;
		if (error)
			return plugin_fail(error, "plug-in %s is still mapped, though it was unloaded, and its init "
					   "code was freed; it cannot be loaded again", plugin->path);
	}
	plugin->ran = calloc(entries + 1, sizeof(struct initcall_entry *));
	error = plugin->ran ? plugin_walk_needs(plugin->handle, need_plugin, plugin) : -ENOMEM;
	if (error)
		return error == -ENOMEM ? plugin_fail(error, "plug-in %s: no memory", plugin->path) : error;
	startup_lock();
	while (*link)
		link = &(*link)->next;
	*link = plugin;
	startup_unlock();
	return 0;
}

/* Makes a plug-in, which @plugin needs, of an object that came with it. */
static int adopt(struct plugin *plugin, struct initcall_object *object)
{
	struct plugin *other = NULL;
	void *handle = NULL;
	Dl_info where;

	if (dladdr(object, &where))
		handle = dlopen(where.dli_fname, RTLD_NOW | RTLD_NOLOAD);
	if (handle)
		other = new_plugin(handle, where.dli_fname, plugin, plugin);
	if (other && !add_need(plugin, other)) {
		const int error = enlist(other, object);

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

/* dlopen(), with a cause if it fails. */
static int open_object(const char *path, void **handle)
{
	if (strchr(path, '/') && access(path, F_OK)) {
		const int error = -errno;

		return plugin_fail(error, "plug-in %s: %s", path, strerror(-error));
	}
	*handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	return *handle ? 0 : plugin_fail(-ELIBBAD, "plug-in: %s", dlerror());
}

int plugin_open(const char *path, struct plugin *inside, struct plugin **plugin)
{
	struct initcall_object *object;
	void *handle;
	int error;

	startup_loading = &handle; /* a mark that nobody else has */
	error = open_object(path, &handle);
	startup_loading = NULL;
	if (error)
		return error;
	*plugin = new_plugin(handle, path, NULL, inside);
	if (!*plugin) {
		dlclose(handle);
		return plugin_fail(-ENOMEM, "plug-in %s: no memory", path);
	}
	(*plugin)->users = 1;
	error = plugin_walk_needs(handle, revive, &handle);
	while (!error && (object = find_object(&handle, (*plugin)->base, false)))
		error = adopt(*plugin, object);
	while (error && (object = find_object(&handle, (*plugin)->base, false)))
		set_back(object);
	object = find_object(&handle, (*plugin)->base, true);
	if (!error)
		error = enlist(*plugin, object);
	else if (object)
		set_back(object);
	return error;
}

void plugin_close(struct plugin *plugin)
{
	struct plugin **link = &plugins;

	loader_lock();
	if (plugin->object)
		set_back(plugin->object);
	startup_lock();
	while (*link && *link != plugin)
		link = &(*link)->next;
	if (*link)
		*link = plugin->next;
	startup_unlock();
	dlclose(plugin->handle);
	loader_unlock();
	startup_lock();
	startup_wake();
	startup_unlock();
}
