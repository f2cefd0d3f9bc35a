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
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/isolation.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "internal.h"

struct port_near {
	async_func_t func;
	void *data;
	int node;
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

/* The processors of the node (-1: all) where calls may run: not those that isolcpus= or nohz_full= isolates. */
static bool may_run_on(struct cpumask *mask, int node)
{
	const struct cpumask *all = node < 0 ? cpu_possible_mask : cpumask_of_node(node);
	bool some;

	rcu_read_lock(); /* later kernels isolate processors while they run */
	some = cpumask_and(mask, all, housekeeping_cpumask(HK_TYPE_KTHREAD)) &&
	       cpumask_and(mask, mask, housekeeping_cpumask(HK_TYPE_DOMAIN));
	rcu_read_unlock();
	return some;
}

/* The thread's processors from here on: those of the node, or all. Best effort. */
static void bind(struct port_task *self, int node)
{
	cpumask_var_t mask;

	if (!alloc_cpumask_var(&mask, GFP_KERNEL))
		return;
	if (may_run_on(mask, node) && !set_cpus_allowed_ptr(current, mask))
		self->near_node = node + 1;
	free_cpumask_var(mask);
}

/* A thread begins. The kernel gives it processors that isolcpus= isolates, too. */
void port_near_begin(struct port_task *self)
{
	if (housekeeping_enabled(HK_TYPE_DOMAIN))
		bind(self, -1);
}

/* The worker is about to rest, or ends. */
void port_near_rest(struct port_task *self)
{
	if (self->near_node && !self->near_used)
		bind(self, -1);
	self->near_used = false;
}

/* What the current call was scheduled with, before it has begun. */
async_func_t port_near_func(void)
{
	struct port_near *near = rob_frame_slot(rob_current())->data;

	return near->func;
}

/* The call is as if it had been scheduled without a node: reports and traces have its function. */
static void unwrap(struct rob_slot *slot, struct port_near *near)
{
	port_lock(&rob.lock);
	slot->func = near->func;
	slot->data = near->data;
	rob_unlock();
}

/* A worker moves; the task of another waiter or scheduler stays where it is. */
void port_near_run(void *data, async_cookie_t cookie)
{
	struct port_near near = *(struct port_near *)data;
	struct rob_thread *thread = port_self();

	unwrap(rob_frame_slot(thread->top), &near);
	port_free(data);
	if (thread->worker) {
		struct port_task *self = port_task_of(thread);

		self->near_used = true;
		if (self->near_node != near.node + 1)
			bind(self, near.node);
	}
	near.func(near.data, cookie);
}
