/* SPDX-License-Identifier: MIT */
/*
 * Whose call is it, if the thread that schedules it has no owner? That is so in
 * the threads that a plug-in makes, and in the program's where they are in a
 * function of the plug-in. It is the plug-in's whose code schedules the call. But
 * a call is never left to a plug-in while the function that it runs is in another
 * one that may go before it: then it is that one's.
 *
 * A library that came with plug-ins and is none itself counts as a part of each
 * one that needs it; of the first that is not on its way out, where one is wanted.
 *
 * The core asks with its lock held, so startup_lock() comes after that one. Most
 * addresses are the program's, and known by their distance without a lock. A
 * thread that is in a plug-in came there after the limits were set, so it sees
 * them, or later ones; and those cover the plug-in as long as it is on the list.
 */
#include <stdatomic.h>

#include <owner.h>

#include "plugins.h"

/* The addresses that plug-ins are in; changed under the loader lock. */
static _Atomic uintptr_t lowest = UINTPTR_MAX;
static _Atomic uintptr_t highest;

static bool is_near(uintptr_t address)
{
	return address >= atomic_load_explicit(&lowest, memory_order_relaxed) &&
	       address < atomic_load_explicit(&highest, memory_order_relaxed);
}

static bool holds(const struct plugin *plugin, uintptr_t address)
{
	bool found = startup_maps(plugin->mapping, address);

	for (size_t i = 0; !found && i < plugin->brought_count; i++)
		found = startup_maps(plugin->brought[i], address);
	return found;
}

/* Whether what stands there stays at least as long as the plug-in. */
static bool keeps(const struct plugin *plugin, uintptr_t address)
{
	bool found = holds(plugin, address);

	for (size_t i = 0; !found && i < plugin->needs_count; i++)
		found = keeps(plugin->needs[i], address);
	return found;
}

/* Objects that are being opened have run no constructor before they were noted. */
static struct plugin *find_opening(uintptr_t address)
{
	struct plugin *opening = plugin_opening();
	const struct initcall_object *object = opening ? startup_objects() : NULL;

	while (object && !(object->plugin == opening && address >= object->base && address < object->end))
		object = object->next;
	return object ? opening : NULL;
}

static struct plugin *find_holder(uintptr_t address)
{
	struct plugin *going = NULL;

	if (!is_near(address))
		return NULL;
	for (struct plugin *plugin = plugin_list(); plugin; plugin = plugin->next) {
		if (!holds(plugin, address))
			continue;
		if (plugin->state != PLUGIN_GOING)
			return plugin;
		going = going ? going : plugin;
	}
	return going ? going : find_opening(address);
}

static struct async_owner *find_owner(const void *caller, async_func_t func, async_func_t retire)
{
	uintptr_t runs = (uintptr_t)func;
	struct plugin *scheduler, *runner;

	if (!is_near((uintptr_t)caller) && !is_near(runs) && !is_near((uintptr_t)retire))
		return NULL;
	startup_lock();
	scheduler = find_holder((uintptr_t)caller);
	runner = find_holder(runs);
	if (!runner && retire) {
		runs = (uintptr_t)retire;
		runner = find_holder(runs);
	}
	if (scheduler && (!runner || keeps(scheduler, runs)))
		runner = scheduler;
	startup_unlock();
	return runner ? &runner->owner : NULL;
}

static void stretch(struct mapping *limits, struct mapping mapping)
{
	limits->base = mapping.base < limits->base ? mapping.base : limits->base;
	limits->end = mapping.end > limits->end ? mapping.end : limits->end;
}

void plugin_owners_update(void)
{
	struct mapping limits = {UINTPTR_MAX, 0};

	for (const struct plugin *plugin = plugin_list(); plugin; plugin = plugin->next) {
		stretch(&limits, plugin->mapping);
		for (size_t i = 0; i < plugin->brought_count; i++)
			stretch(&limits, plugin->brought[i]);
	}
	if (plugin_opening())
		limits = (struct mapping){0, UINTPTR_MAX};
	atomic_store_explicit(&lowest, limits.base, memory_order_relaxed);
	atomic_store_explicit(&highest, limits.end, memory_order_relaxed);
	rob_set_owner_finder(limits.end ? find_owner : NULL);
}
