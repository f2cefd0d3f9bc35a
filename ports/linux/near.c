// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * NUMA: a call for a node runs on that node's processors. Its worker moves there
 * for the call and is free again after it. Nothing of this is paid for on a
 * machine of one node.
 */
#include <linux/cpumask.h>
#include <linux/nodemask.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/isolation.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "internal.h"

#define NAME_BYTES 64

struct port_near {
	async_func_t func;
	void *data;
	int node;
	char name[NAME_BYTES]; /* the call's, which reports would call port_near_run */
};

/* What to schedule in place of func; NULL: func itself, since it does not matter where. */
struct port_near *port_near_new(async_func_t func, void *data, int node)
{
	struct port_near *near;

	if (num_online_nodes() == 1 || node < 0 || node >= MAX_NUMNODES || !node_online(node) ||
	    cpumask_empty(cpumask_of_node(node)))
		return NULL;
	near = port_alloc(sizeof(*near));
	if (near)
		*near = (struct port_near){.func = func, .data = data, .node = node};
	return near;
}

void port_near_free(struct port_near *near)
{
	port_free(near);
}

/* What a call was scheduled with that is taken back. */
void *port_near_release(struct rob_slot *slot, void *data)
{
	struct port_near *near = data;

	if (slot->func != port_near_run)
		return data;
	data = near->data;
	port_free(near);
	return data;
}

/* A worker, that is: the task of another waiter or scheduler stays where it is. */
void port_near_run(void *data, async_cookie_t cookie)
{
	struct port_near *near = data;
	bool moves = port_self()->worker;

	snprintf(near->name, sizeof(near->name), "%ps", near->func);
	rob_async_set_name(near->name);
	/* best effort: processors may have gone meanwhile */
	if (moves && set_cpus_allowed_ptr(current, cpumask_of_node(near->node)))
		moves = false;
	near->func(near->data, cookie);
	if (moves)
		set_cpus_allowed_ptr(current, housekeeping_cpumask(HK_TYPE_KTHREAD)); /* as threads begin */
	rob_async_set_name(NULL);
	port_lock(&rob.lock); /* a report that has seen the name copies it in the same section */
	port_unlock(&rob.lock);
	port_free(near);
}
