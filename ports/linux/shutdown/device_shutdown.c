// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Unrelated devices shut down side by side.
 *
 * device_shutdown() takes one device after the other, the last one first. Here a
 * device has to wait for its children and its consumers alone, if its subsystem
 * lets it suspend and resume asynchronously (device_enable_async_suspend(), or
 * power/async in sysfs): that promises that there are no other dependencies. All
 * others are shut down by the caller, one after the other, as before.
 *
 * No thread stands behind a device that waits. A device counts what must come
 * before it; who brings the count to zero schedules its call, whose entry is part
 * of the node, so scheduling cannot fail. A device that has nothing to be called
 * is passed at once.
 */
#include <linux/async.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/device/bus.h>
#include <linux/moduleparam.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "base.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "device_shutdown."

static bool async = true;
module_param(async, bool, 0644);
MODULE_PARM_DESC(async, "shut down devices side by side if they may suspend side by side");

struct edge;

struct shutdown_node {
	struct device *dev;
	struct device *parent;      /* held */
	struct shutdown_node *next; /* the parent's, or NULL */
	struct edge *suppliers;
	atomic_t before;         /* children and consumers that are not shut down, and 1 until the walk was here */
	bool alone;              /* shut down by the walk */
	struct completion ready; /* of those: before is 0 */
	struct async_entry entry;
};

struct edge {
	struct shutdown_node *supplier;
	struct edge *next;
};

/* All devices that there are at one moment, the last one first. */
struct shutdown {
	struct shutdown_node *nodes;
	struct edge *edges;
	unsigned int count, most, edge_count, most_edges;
};

static ASYNC_DOMAIN_EXCLUSIVE(shutting_down);

static bool has_callback(struct device *dev)
{
	return (dev->class && dev->class->shutdown_pre) || (dev->bus && dev->bus->shutdown) ||
	       (dev->driver && dev->driver->shutdown);
}

static void node_shutdown(struct shutdown_node *node)
{
	device_shutdown_one(node->dev, device_shutdown_locks_parent(node->dev) ? node->parent : NULL);
}

/* ---- who comes next ---- */

static void node_call(void *data, async_cookie_t cookie);

/* One less comes before this node. True: nothing is left, nothing is to be called, its caller goes on with it. */
static bool node_passes(struct shutdown_node *node)
{
	if (!atomic_dec_and_test(&node->before))
		return false;
	if (node->alone)
		complete(&node->ready);
	else if (has_callback(node->dev))
		async_schedule_entry(&node->entry, node_call, NULL, node, &shutting_down);
	else
		return true;
	return false;
}

/* Shuts the device down, and those after it for which there is nothing to be called. */
static void node_run(struct shutdown_node *node)
{
	do {
		node_shutdown(node);
		for (struct edge *edge = node->suppliers; edge; edge = edge->next)
			if (node_passes(edge->supplier))
				node_run(edge->supplier);
		node = node->next;
	} while (node && node_passes(node));
}

static void node_call(void *data, async_cookie_t cookie)
{
	struct shutdown_node *node = data;

	async_set_name(dev_name(node->dev));
	node_run(node);
}

/* ---- what is to be shut down ---- */

static void node_add(struct shutdown *all, struct device *dev)
{
	struct shutdown_node *node = &all->nodes[all->count++];

	node->dev = get_device(dev);
	node->parent = get_device(dev->parent);
	node->alone = has_callback(dev) && !device_async_suspend_enabled(dev);
	atomic_set(&node->before, 1);
	init_completion(&node->ready);
	list_del_init(&dev->kobj.entry);
	if (dev->p)
		dev->p->shutdown = node;
}

static unsigned int count_devices(void)
{
	struct kobject *kobj;
	unsigned int count = 0;

	spin_lock(&devices_kset->list_lock);
	list_for_each_entry(kobj, &devices_kset->list, entry) count++;
	spin_unlock(&devices_kset->list_lock);
	return count;
}

/* Takes at most all->most devices off the list. */
static void take_devices(struct shutdown *all)
{
	spin_lock(&devices_kset->list_lock);
	while (all->count < all->most && !list_empty(&devices_kset->list))
		node_add(all, list_entry(devices_kset->list.prev, struct device, kobj.entry));
	spin_unlock(&devices_kset->list_lock);
}

/* The node of a device that is taken after this one, or NULL: then there is no order to be kept. */
static struct shutdown_node *later(struct shutdown_node *node, struct device *dev)
{
	struct shutdown_node *found = dev && dev->p ? dev->p->shutdown : NULL;

	return found > node ? found : NULL;
}

static unsigned int count_suppliers(struct shutdown *all)
{
	struct device_link *link;
	unsigned int count = 0;

	for (unsigned int i = 0; i < all->count; i++)
		list_for_each_entry_rcu(link, &all->nodes[i].dev->links.suppliers, c_node,
					device_links_read_lock_held()) count++;
	return count;
}

static void add_supplier(struct shutdown *all, struct shutdown_node *node, struct device_link *link)
{
	struct shutdown_node *supplier = later(node, link->supplier);
	struct edge *edge;

	if (!supplier || (link->flags & DL_FLAG_SYNC_STATE_ONLY) || all->edge_count == all->most_edges)
		return;
	edge = &all->edges[all->edge_count++];
	edge->supplier = supplier;
	edge->next = node->suppliers;
	node->suppliers = edge;
	atomic_inc(&supplier->before);
}

static void link_nodes(struct shutdown *all)
{
	struct device_link *link;

	for (unsigned int i = 0; i < all->count; i++) {
		struct shutdown_node *node = &all->nodes[i];

		node->next = later(node, node->parent);
		if (node->next)
			atomic_inc(&node->next->before);
		list_for_each_entry_rcu(link, &node->dev->links.suppliers, c_node, device_links_read_lock_held())
			add_supplier(all, node, link);
	}
}

/* False without memory: then the list is as it was. */
static bool collect(struct shutdown *all)
{
	int links;

	all->most = count_devices();
	all->nodes = kvcalloc(all->most, sizeof(*all->nodes), GFP_KERNEL);
	if (!all->nodes)
		return false;
	take_devices(all);
	links = device_links_read_lock();
	all->most_edges = count_suppliers(all);
	device_links_read_unlock(links);
	all->edges = kvcalloc(all->most_edges + 1, sizeof(*all->edges), GFP_KERNEL | __GFP_NOFAIL);
	links = device_links_read_lock();
	link_nodes(all);
	device_links_read_unlock(links);
	return true;
}

static void give_back(struct shutdown *all)
{
	for (unsigned int i = 0; i < all->count; i++) {
		struct shutdown_node *node = &all->nodes[i];

		if (node->dev->p)
			node->dev->p->shutdown = NULL;
		put_device(node->dev);
		put_device(node->parent);
	}
	kvfree(all->edges);
	kvfree(all->nodes);
}

static void walk(struct shutdown *all)
{
	for (unsigned int i = 0; i < all->count; i++) {
		struct shutdown_node *node = &all->nodes[i];

		if (node_passes(node)) {
			node_run(node);
		} else if (node->alone) {
			wait_for_completion(&node->ready);
			node_run(node);
		}
	}
	async_synchronize_full_domain(&shutting_down);
}

/**
 * device_shutdown_async - shut down all devices, unrelated ones side by side
 *
 * Return: false if that is switched off, or there is no memory: nothing, or not all, was shut down.
 */
bool device_shutdown_async(void)
{
	while (async && count_devices()) {
		struct shutdown all = {};

		if (!collect(&all))
			return false;
		walk(&all);
		if (initcall_debug)
			pr_info("device_shutdown: %u devices, %u links between them\n", all.count, all.edge_count);
		give_back(&all);
	}
	return async;
}
