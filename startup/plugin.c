/* SPDX-License-Identifier: MIT */
/*
 * Loading and unloading plug-ins.
 *
 * The loader lock covers dlopen() and the making of the structs, so that no
 * thread sees an object mapped and not on the list. Initcalls run after that,
 * beside other loads; whoever comes to need a plug-in that another thread is
 * still loading waits until it is up.
 *
 * users counts the holders: plugin_load()s, and plug-ins that need it. The last
 * one to let go, in whatever thread, runs the exit functions, waits for the
 * calls and closes the object. A load that fails lets go too, so it is undone
 * by the very same steps.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include <inorder/trace.h>

#include "plugins.h"

enum { ON_ITS_WAY_OUT = 1u << PLUGIN_GOING | 1u << PLUGIN_FAILED };

/* A load or unload has come to its end: what else there is to know about it was only of use during it. */
static void set_state(struct plugin *plugin, enum plugin_state state, int error)
{
	startup_lock();
	plugin->state = state;
	plugin->error = error;
	plugin->inside = NULL;
	plugin->loader = NULL;
	plugin->settling = false;
	startup_wake();
	startup_unlock();
}

/* Runs the functions that undo one initcall. */
static void undo(const struct initcall_object *object, const struct initcall_entry *done)
{
	for (size_t i = 0; i < startup_entries(object); i++) {
		const struct initcall_entry *entry = &object->start[i];
		uint64_t since_ns;

		if (entry->level != INITCALL_LEVEL_exit || entry->init != done->init)
			continue;
		since_ns = async_trace_calling(entry->exit, entry->name);
		entry->exit();
		async_trace_called(entry->exit, entry->name, 0, since_ns);
	}
}

/* Undoes the initcalls that succeeded, last one first. */
static void run_exits(struct plugin *plugin)
{
	struct async_owner *before = async_owner_enter(&plugin->owner);

	while (plugin->ran_count)
		undo(plugin->object, plugin->ran[--plugin->ran_count]);
	async_owner_enter(before);
}

/* Lets go of a plug-in; the last one takes it down. Return: 0, or -EDEADLK: then it is still held, and stuck. */
static int put(struct plugin *plugin, struct plugin *inside)
{
	bool last;
	int error;

	startup_lock();
	last = plugin->users == 1;
	if (last) {
		plugin->state = PLUGIN_GOING;
		plugin->inside = inside;
		plugin->thread = pthread_self();
	} else {
		plugin->users--;
	}
	startup_unlock();
	if (!last)
		return 0;
	run_exits(plugin);
	error = async_synchronize_owner(&plugin->owner);
	if (error) {
		set_state(plugin, PLUGIN_STUCK, error);
		return plugin_fail(error, "plug-in %s stays: its own call waits for its unload", plugin->path);
	}
	plugin_close(plugin);
	for (size_t i = plugin->needs_count; i--;)
		put(plugin->needs[i], inside);
	plugin_free(plugin);
	return 0;
}

/* Waits for what other threads load and this plug-in needs. */
static int wait_for_needs(struct plugin *plugin)
{
	for (size_t i = 0; i < plugin->needs_count; i++) {
		struct plugin *need = plugin->needs[i];
		const int error = plugin_wait_while(need, 1u << PLUGIN_LOADING, plugin, false);

		if (error)
			return error;
		if (need->state == PLUGIN_FAILED)
			return plugin_fail(need->error, "plug-in %s: the load of %s, which it needs, failed: %s",
					   plugin->path, need->path, strerror(-need->error));
	}
	return 0;
}

/* Waits for the calls of a plug-in whose initcalls have run. */
static int settle(struct plugin *plugin)
{
	startup_lock();
	plugin->settling = true;
	startup_wake();
	startup_unlock();
	return async_synchronize_owner(&plugin->owner);
}

/* Runs the initcalls of one plug-in. */
static int bring_up(struct plugin *plugin, unsigned int flags)
{
	struct initcall_pass pass = {.plugin = plugin, .owner = &plugin->owner, .stop = true, .ran = plugin->ran};
	int error = wait_for_needs(plugin);

	if (error)
		return error;
	error = startup_pass(&pass);
	plugin->ran_count = pass.ran_count;
	if (pass.failed)
		return plugin_fail(error, "plug-in %s: initcall %s failed: %s", plugin->path, pass.failed->name,
				   strerror(-error));
	if (!error && !(flags & PLUGIN_ASYNC))
		error = settle(plugin);
	return error ? plugin_fail(error, "plug-in %s: its calls wait for its load", plugin->path) : 0;
}

static bool is_loaded_by(const struct plugin *plugin, const struct plugin *loader)
{
	bool is;

	startup_lock();
	is = plugin->loader == loader;
	startup_unlock();
	return is;
}

/* Brings up what came with the plug-in, and then the plug-in. What is not reached counts as failed. */
static int bring_all_up(struct plugin *plugin, unsigned int flags)
{
	int error = 0;

	for (size_t i = 0; i <= plugin->needs_count; i++) {
		struct plugin *next = i < plugin->needs_count ? plugin->needs[i] : plugin;

		if (!is_loaded_by(next, plugin))
			continue;
		error = error ? error : bring_up(next, next == plugin ? flags : 0);
		set_state(next, error ? PLUGIN_FAILED : PLUGIN_LIVE, error);
	}
	return error;
}

/* Holds a plug-in that is loaded already, once it is up. Called with startup_lock(), returns without. */
static int hold(struct plugin *plugin, struct plugin *inside)
{
	int error;

	if (plugin == inside) {
		startup_unlock();
		return plugin_refuse("plug-in %s cannot load itself from its own initcall or call (call %llu)",
				     plugin->path, (unsigned long long)async_current_cookie());
	}
	plugin->users++;
	error = plugin_wait_while(plugin, 1u << PLUGIN_LOADING, inside, true);
	if (!error && plugin->state == PLUGIN_FAILED)
		error = plugin_fail(plugin->error, "plug-in %s: its load in another thread failed: %s", plugin->path,
				    strerror(-plugin->error));
	if (error)
		put(plugin, inside);
	return error;
}

/* What to do about a plug-in that was found on the list. Called with startup_lock(), returns without. */
static int use_loaded(struct plugin *loaded, struct plugin *inside, struct plugin **plugin)
{
	int error;

	switch (loaded->state) {
	case PLUGIN_LOADING:
	case PLUGIN_LIVE:
		*plugin = loaded;
		return hold(loaded, inside);
	case PLUGIN_STUCK:
		startup_unlock();
		return plugin_fail(-EBUSY, "plug-in %s is half loaded or unloaded, and stays so", loaded->path);
	case PLUGIN_FAILED:
	case PLUGIN_GOING:
		break;
	}
	error = plugin_wait_while(loaded, ON_ITS_WAY_OUT, inside, true);
	return error ? error : -EAGAIN;
}

/* Undoes a load that failed. Return: @error, after a wait for what was in the way if that is -EAGAIN. */
static int give_up(struct plugin *plugin, struct plugin *inside, int error)
{
	struct plugin *const blocker = plugin->blocker;

	put(plugin, inside);
	if (error == -EAGAIN && plugin_wait_while(blocker, ON_ITS_WAY_OUT, inside, false))
		error = -EDEADLK;
	return error;
}

/* One try. -EAGAIN: an unload was in the way, and is over. */
static int try_load(const char *path, struct plugin *inside, unsigned int flags, struct plugin **plugin)
{
	struct plugin *loaded;
	int error;

	loader_lock();
	loaded = plugin_find_path(path);
	if (loaded) {
		startup_lock();
		loader_unlock();
		return use_loaded(loaded, inside, plugin);
	}
	error = plugin_open(path, inside, plugin);
	loader_unlock();
	if (!error)
		error = bring_all_up(*plugin, flags);
	return error && *plugin ? give_up(*plugin, inside, error) : error;
}

int plugin_load(const char *path, unsigned int flags, struct plugin **plugin)
{
	struct plugin *const inside = plugin_current();
	int error;

	*plugin = NULL;
	if (flags & ~PLUGIN_ASYNC)
		return plugin_fail(-EINVAL, "plug-in %s: unknown flags %#x", path, flags);
	if (loader_is_held())
		return plugin_refuse("plug-in %s: a constructor or destructor cannot load it; an initcall can", path);
	error = startup_blacklist_environment();
	if (error)
		return plugin_fail(error, "plug-in %s: no memory", path);
	async_domain_error(NULL, NULL); /* traces begin with the library's first use */
	do
		error = try_load(path, inside, flags, plugin);
	while (error == -EAGAIN);
	if (error)
		*plugin = NULL;
	return error;
}

/* Whether letting go of @plugin takes down one whose initcall or call this thread is in. Needs startup_lock(). */
static bool takes_down(const struct plugin *plugin, const struct plugin *inside)
{
	if (plugin->users > 1)
		return false;
	if (plugin_encloses(plugin, inside))
		return true;
	for (size_t i = 0; i < plugin->needs_count; i++)
		if (takes_down(plugin->needs[i], inside))
			return true;
	return false;
}

int plugin_unload(struct plugin *plugin)
{
	struct plugin *const inside = plugin_current();
	bool itself;

	if (loader_is_held())
		return plugin_refuse("plug-in %s: a constructor or destructor cannot unload it", plugin->path);
	startup_lock();
	itself = inside && takes_down(plugin, inside);
	startup_unlock();
	if (itself)
		return plugin_refuse("plug-in %s cannot be unloaded from an initcall or call of %s (call %llu), which "
				     "it would have to wait for",
				     plugin->path, inside->path, (unsigned long long)async_current_cookie());
	return put(plugin, inside);
}

void *plugin_symbol(struct plugin *plugin, const char *name)
{
	void *address = dlsym(plugin->handle, name);

	if (!address)
		plugin_fail(0, "plug-in %s: no symbol %s", plugin->path, name);
	return address;
}

struct async_owner *plugin_owner(struct plugin *plugin)
{
	return &plugin->owner;
}

/* Holds the first plug-in after @before that is up. */
static struct plugin *hold_next(const struct plugin *before)
{
	struct plugin *plugin;

	startup_lock();
	plugin = before ? before->next : plugin_list();
	while (plugin && plugin->state != PLUGIN_LIVE)
		plugin = plugin->next;
	if (plugin)
		plugin->users++;
	startup_unlock();
	return plugin;
}

size_t startup_free_plugins(void)
{
	struct plugin *const inside = plugin_current();
	struct plugin *plugin = hold_next(NULL);
	size_t bytes = 0;

	while (plugin) {
		struct plugin *const next = hold_next(plugin);
		struct initcall_object *object = plugin->object;

		if (object && !async_synchronize_owner(&plugin->owner)) {
			startup_lock();
			object = object->freed ? NULL : object;
			if (object)
				object->freed = 1;
			startup_unlock();
			bytes += object ? startup_free_object(object) : 0;
		}
		put(plugin, inside);
		plugin = next;
	}
	return bytes;
}
