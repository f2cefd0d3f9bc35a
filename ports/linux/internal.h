/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* What the files of the kernel's port share. */
#ifndef INTERNAL_H
#define INTERNAL_H

#include "core.h"

typedef void (*port_release)(void *data, async_cookie_t cookie);

/*
 * A task that has something of the core on its stack, or may soon: a worker for
 * its whole life, another task while it waits, runs a call itself, or loads a
 * module. An interrupt is a task of its own here.
 */
struct port_task {
	struct rob_thread thread;
	struct hlist_node node;  /* bucket lock */
	unsigned long key;       /* constant while in the table */
	unsigned int requests;   /* core lock: modules that it asks for, and waits until they are loaded */
	struct async_load *load; /* core lock: it waits for the calls of this load */
	port_release release;    /* its own: what async_cancel_domain() was given */
	int near_node;           /* its own: the node that a worker is bound to, plus 1; or 0 */
	bool near_used;          /* its own: it has run a call for that node since it last rested */
};

struct rob_thread *port_enter(struct port_task *task);
void port_leave(struct port_task *task);

static inline struct port_task *port_task_of(struct rob_thread *thread)
{
	return container_of(thread, struct port_task, thread);
}

/* ---- manager.c ---- */

/* Has it look what there is to do. In any context. */
void port_manager_wake(void);
extern struct task_struct *port_manager; /* NULL: it does not run */
extern bool port_stopping;               /* threads end, and none begins */

/* ---- thread.c ---- */

int port_threads_begin(void);
void port_threads_end(void);

#ifdef CONFIG_ASYNC_DEBUG
bool port_fails_threads(void);
#else
static inline bool port_fails_threads(void)
{
	return false;
}
#endif

/* ---- memory.c ---- */

bool port_memory_low(void);
void port_memory_fill(void);
void port_memory_end(void);

/* Whether memory cannot be asked for here, nor a call be run that may sleep. */
static inline bool port_in_atomic(void)
{
	return IS_ENABLED(CONFIG_PREEMPT_COUNT) ? !preemptible() : irqs_disabled() || in_interrupt();
}

/* ---- load.c ---- */

void port_loads_end(void);

/* ---- entry.c ---- */

struct async_entry *port_entry_get(void);
void port_entry_issued(struct async_entry *entry);

/* ---- near.c ---- */

struct port_near;

struct port_near *port_near_new(async_func_t func, void *data, int node);
void port_near_free(struct port_near *near);
void *port_near_release(struct rob_slot *slot, void *data);
async_func_t port_near_func(void);
void port_near_run(void *data, async_cookie_t cookie);
void port_near_begin(struct port_task *self);
void port_near_rest(struct port_task *self);

/* ---- debugfs.c ---- */

void port_debugfs_begin(void);
void port_debugfs_end(void);

struct port_counters {
	atomic64_t wakes; /* of waiters */
	atomic64_t poked; /* of those, to look again */
};

extern struct port_counters port_counters;

#endif
