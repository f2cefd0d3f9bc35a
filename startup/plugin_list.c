/* SPDX-License-Identifier: MIT */
/*
 * The list of plug-ins, and the lock under which it changes.
 *
 * The list keeps the order of startup_sort(), and a plug-in can only come to need those before it, so needs form no
 * circle. A change takes both locks, so whoever holds either one may walk the list.
 */
#include <pthread.h>
#include <stdlib.h>

#include "plugins.h"

static pthread_mutex_t loader = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool holding;
static struct plugin *plugins; /* L */
static struct plugin *opening; /* L: its dlopen() is in progress */

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

void plugin_list_in_child(void)
{
	if (!holding) {
		pthread_mutex_init(&loader, NULL);
		opening = NULL;
	}
	for (struct plugin *plugin = plugins; plugin; plugin = plugin->next)
		if ((plugin->state == PLUGIN_LOADING || plugin->state == PLUGIN_GOING) &&
		    !pthread_equal(plugin->thread, pthread_self()))
			plugin->state = PLUGIN_STUCK;
}

struct plugin *plugin_list(void)
{
	return plugins;
}

struct plugin *plugin_opening(void)
{
	return opening;
}

void plugin_set_opening(struct plugin *plugin)
{
	startup_lock();
	opening = plugin;
	startup_unlock();
}

void plugin_list_append(struct plugin *plugin)
{
	struct plugin **link = &plugins;

	startup_lock();
	while (*link)
		link = &(*link)->next;
	*link = plugin;
	startup_unlock();
}

void plugin_list_remove(struct plugin *plugin)
{
	struct plugin **link = &plugins;

	startup_lock();
	while (*link && *link != plugin)
		link = &(*link)->next;
	if (*link)
		*link = plugin->next;
	startup_unlock();
}

struct plugin *plugin_find(uintptr_t base)
{
	struct plugin *plugin = plugins;

	while (plugin && plugin->mapping.base != base)
		plugin = plugin->next;
	return plugin;
}

struct plugin *plugin_current(void)
{
	struct async_owner *owner = async_owner_enter(NULL);
	struct plugin *plugin;

	async_owner_enter(owner);
	if (!owner)
		return NULL;
	startup_lock();
	plugin = plugins;
	while (plugin && &plugin->owner != owner)
		plugin = plugin->next;
	if (opening && &opening->owner == owner)
		plugin = opening;
	startup_unlock();
	return plugin;
}

void plugin_free(struct plugin *plugin)
{
	free(plugin->needs);
	free(plugin->brought);
	free(plugin->ran);
	free(plugin);
}
