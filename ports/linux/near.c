// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * NUMA: a call for a node runs on that node's processors. Its worker moves there,
 * which takes longer than most calls, and stays until it rests without another
 * call for that node since it last rested: it is woken where it last ran, so the
 * next call for the node finds it there. Nothing of this is paid for on a machine
 * of one node. Isolated processors are left alone.
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

	/* not num_online_nodes(), which counts bits */
	if (node < 0 || nr_online_nodes == 1 || node >= MAX_NUMNODES || !node_online(node) ||
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

/* The worker's processors from here on: those of the node (from 0), or all, but for isolated ones. Best effort. */
static void bind(struct port_task *self, int node)
{
	const struct cpumask *all = housekeeping_cpumask(HK_TYPE_KTHREAD);
	cpumask_var_t mask;

	if (node < 0) {
		if (!set_cpus_allowed_ptr(current, all))
			self->near_node = 0;
		return;
	}
	if (!alloc_cpumask_var(&mask, GFP_KERNEL))
		return;
	if (cpumask_and(mask, cpumask_of_node(node), all) && !set_cpus_allowed_ptr(current, mask))
		self->near_node = node + 1;
	free_cpumask_var(mask);
}

/* The worker is about to rest, or ends. */
void port_near_rest(struct port_task *self)
{
	if (self->near_node && !self->near_used)
		bind(self, -1);
	self->near_used = false;
}

/* A worker moves; the task of another waiter or scheduler stays where it is. */
void port_near_run(void *data, async_cookie_t cookie)
{
	struct port_near *near = data;
	struct rob_thread *thread = port_self();

	snprintf(near->name, sizeof(near->name), "%ps", near->func);
	port_name_store(&rob_current()->name, near->name);
	if (thread->worker) {
		struct port_task *self = port_task_of(thread);

		self->near_used = true;
		if (self->near_node != near->node + 1)
			bind(self, near->node);
	}
	near->func(near->data, cookie);
	port_name_store(&rob_current()->name, NULL);
	port_lock(&rob.lock); /* a report that has seen the name copies it in the same section */
	rob_unlock();
	port_free(near);
}
