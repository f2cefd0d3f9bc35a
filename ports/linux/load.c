// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Loading modules: a load waits for its own module's calls, and for those without
 * an owner, not for everybody's.
 *
 * The owner of a call is inherited from the call that schedules it; else it is the
 * load whose module's init runs in this task; else there is none. It is not the
 * module that holds the function: libata holds ahci's. Calls without an owner are
 * waited for by every load, so that none is missed which a full wait would cover.
 *
 * A call that has a module loaded, and waits for it, cannot complete before the
 * load does. Loads leave such calls out, and those that wait for such calls in
 * their turn, and say so. A call that begins to wait for such a call later on tells
 * no thread, so while there is one, loads that wait are looked after by the clock.
 */
#include <linux/async_load.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/printk.h>
#include <linux/workqueue.h>

#include "internal.h"

#define LOOK_AGAIN_JIFFIES (HZ / 10)

struct async_load {
	struct async_owner owner;
	struct port_task task;      /* while init runs */
	struct rob_thread *thread;  /* of it */
	struct async_owner *before; /* its owner before */
	struct list_head node;      /* core lock: in ended */
	bool left_out;              /* core lock */
	char name[64];
};

static LIST_HEAD(ended);      /* core lock: loads that are done, some calls of whose modules are not */
static unsigned int requests; /* core lock: calls that have a module loaded now */

/* ---- calls that cannot complete before a load does ---- */

static bool awaits_request(struct rob_thread *thread, struct rob_slot *slot)
{
	if (rob_on_stack(thread, slot))
		return true;
	rob_deadlock_dependents(thread, ASYNC_COOKIE_MAX); /* who waits, directly or not, for what this thread runs */
	for (struct rob_thread *other = rob.threads; other; other = other->next)
		if (other->waiter && other->waiter->visit.mark == rob.mark && rob_on_stack(other, slot))
			return true;
	return false;
}

static bool is_stuck(struct rob_slot *slot)
{
	if (likely(!requests))
		return false;
	for (struct rob_thread *thread = rob.threads; thread; thread = thread->next)
		if (port_task_of(thread)->requests && awaits_request(thread, slot))
			return true;
	return false;
}

/* A load that waits for a call which is stuck now checks again. With the core's lock held. */
static void poke_loads(void)
{
	struct rob_thread *thread, *next;

	for (thread = rob.threads; thread; thread = next) {
		struct async_waiter *waiter = thread->waiter;
		struct rob_slot *slot;

		next = thread->next; /* one whose wait is over may leave the list */
		if (!waiter || waiter->kind != ROB_WAIT_CALL || !port_task_of(thread)->load)
			continue;
		slot = rob_find(waiter->bound, NULL);
		if (slot && is_stuck(slot))
			rob_waiter_satisfy(waiter);
	}
}

static void look_again(struct work_struct *work);
static DECLARE_DELAYED_WORK(look_again_work, look_again);

static void look_again(struct work_struct *work)
{
	bool again;

	rob_lock();
	poke_loads();
	again = requests;
	rob_unlock();
	if (again)
		schedule_delayed_work(&look_again_work, LOOK_AGAIN_JIFFIES);
}

/**
 * async_request_begin - say that current has a module loaded, and waits for it
 * @name: the module, for the report
 *
 * Does nothing outside of a call.
 */
void async_request_begin(const char *name)
{
	struct rob_thread *self = port_self();

	if (!self->top)
		return;
	pr_warn_once(
		"async: cookie %llu has module %s loaded and waits for it; better load it before, or do not wait\n",
		self->top->cookie, name);
	rob_lock();
	port_task_of(self)->requests++;
	requests++;
	poke_loads();
	rob_unlock();
	schedule_delayed_work(&look_again_work, LOOK_AGAIN_JIFFIES);
}
EXPORT_SYMBOL_GPL(async_request_begin);

/**
 * async_request_end - the module that current asked for is loaded, or is not to be had
 */
void async_request_end(void)
{
	struct rob_thread *self = port_self();

	if (!self->top)
		return;
	rob_lock();
	port_task_of(self)->requests--;
	requests--;
	rob_unlock();
}
EXPORT_SYMBOL_GPL(async_request_end);

/* ---- loads ---- */

/* Frees the loads whose calls are all complete: no thread can schedule for them any more. */
static void free_ended(void)
{
	struct async_load *load, *next;
	LIST_HEAD(done);

	rob_lock();
	list_for_each_entry_safe(load, next, &ended, node)
	{
		if (!load->owner.in_progress)
			list_move(&load->node, &done);
	}
	rob_unlock();
	list_for_each_entry_safe(load, next, &done, node)
	{
		port_free(load);
	}
}

/**
 * async_load_begin - from here on current runs the init of a module
 * @name: the module
 *
 * Return: for the other three; NULL without memory, which they accept.
 */
struct async_load *async_load_begin(const char *name)
{
	struct async_load *load = port_alloc(sizeof(*load));

	free_ended();
	if (!load)
		return NULL;
	memset(load, 0, sizeof(*load));
	strscpy(load->name, name, sizeof(load->name));
	load->owner.name = load->name;
	load->thread = port_enter(&load->task);
	load->before = load->thread->owner;
	load->thread->owner = &load->owner;
	return load;
}
EXPORT_SYMBOL_GPL(async_load_begin);

/**
 * async_load_init_done - the init has returned
 * @load: from async_load_begin()
 */
void async_load_init_done(struct async_load *load)
{
	if (!load)
		return;
	load->thread->owner = load->before;
	port_leave(&load->task);
}
EXPORT_SYMBOL_GPL(async_load_init_done);

struct stuck {
	async_cookie_t cookie;
	async_func_t func;
};

/* A call that the load waits for, or 0; of those left out the first. */
static async_cookie_t next_awaited(struct async_load *load, struct stuck *stuck)
{
	async_cookie_t cookie = 0;

	rob_lock();
	for (struct async_block *block = rob.blocks[0]; block && !cookie; block = block->all_next) {
		struct rob_slot *slot;

		rob_for_bits(slot, block, block->live) {
			struct async_owner *owner = rob_owner(slot);

			if (owner && owner != &load->owner)
				continue;
			if (!is_stuck(slot)) {
				cookie = rob_cookie(slot);
				break;
			}
			if (!load->left_out && !stuck->cookie)
				*stuck = (struct stuck){rob_cookie(slot), slot->func};
		}
	}
	load->left_out |= stuck->cookie != 0;
	rob_unlock();
	return cookie;
}

static void wait_for_calls(struct async_load *load, struct port_task *self)
{
	struct stuck stuck = {};
	async_cookie_t cookie;

	while ((cookie = next_awaited(load, &stuck))) {
		int error;

		self->load = load;
		error = rob_wait_call(cookie, NULL, 0);
		self->load = NULL;
		if (error) { /* a load inside of a call, which was reported: the full wait leaves out that call */
			rob_wait_full(NULL);
			break;
		}
	}
	if (stuck.cookie)
		pr_warn("async: deadlock: the load of module %s would wait for %pS (cookie %llu), which waits for a module to be loaded; it goes on without\n",
			load->name, stuck.func, stuck.cookie);
}

/**
 * async_load_wait - wait for the module's own calls, and for those without an owner
 * @load: from async_load_begin(); NULL: for all
 *
 * Context: may sleep.
 */
void async_load_wait(struct async_load *load)
{
	struct port_task task;

	might_sleep();
	if (!load) {
		async_synchronize_full();
		return;
	}
	wait_for_calls(load, port_task_of(port_enter(&task)));
	port_leave(&task);
}
EXPORT_SYMBOL_GPL(async_load_wait);

/**
 * async_load_end - the module is loaded, or is not
 * @load: from async_load_begin(); gone afterwards
 */
void async_load_end(struct async_load *load)
{
	if (!load)
		return;
	rob_lock();
	list_add(&load->node, &ended);
	rob_unlock();
	free_ended();
}
EXPORT_SYMBOL_GPL(async_load_end);

/* No call is in progress any more. */
void port_loads_end(void)
{
	cancel_delayed_work_sync(&look_again_work);
	free_ended();
}
