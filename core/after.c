/* SPDX-License-Identifier: MIT */
/*
 * What must not happen under the lock, done once it is dropped: waking, freeing, starting threads.
 *
 * A wake-up takes microseconds, and the thread that it wakes wants the lock first of all: under the lock it would run
 * into it. Freeing and starting may take locks of the C library or the kernel, under which a signal handler or a hook
 * of the program may want ours. The notes belong to the thread that drops the lock: it takes them along before it does,
 * so that two threads never do the same. Between the note and the deed others see the state as if it was done: a worker
 * that is to be woken has left the idle list and counts as active, a thread that is to be started is in pool.total.
 */
#include "core.h"

void rob_free_garbage(struct async_block *block)
{
	while (block) {
		struct async_block *next = block->next;

		port_free(block);
		block = next;
	}
}

/* A waiter may be gone as soon as its flag is raised: what is needed of it is read before (O3). */
static void wake_waiters(struct async_waiter *waiter)
{
	while (waiter) {
		struct async_waiter *next = waiter->next;

		port_unpark(&waiter->thread->parker, ROB_DONE); /* O3 */
		waiter = next;
	}
}

/* No thread could be made for this worker (NULL: there was no memory for one): by port_thread_start(), or later. */
void rob_start_failed(struct rob_worker *worker)
{
	port_lock(&rob.lock);
	if (worker) {
		worker->next = rob.pool.free;
		rob.pool.free = worker;
	}
	rob.pool.total--;
	rob.pool.active--;
	rob_pool_arrived();
	rob.pool.retry_ns = port_clock_ns() + WORKER_RETRY_NS;
	rob_pool_help_wanted();
	rob_pool_left();
	rob_unlock();
}

static struct rob_worker *worker_new(void)
{
	struct rob_worker *worker = port_alloc(sizeof(*worker));

	if (!worker)
		return NULL;
	memset(worker, 0, sizeof(*worker));
	port_lock(&rob.lock);
	worker->all_next = rob.pool.all;
	rob.pool.all = worker;
	rob_unlock();
	return worker;
}

static void start_worker(void)
{
	struct rob_worker *worker;

	port_lock(&rob.lock);
	worker = rob.pool.free;
	if (worker)
		rob.pool.free = worker->next;
	rob_unlock();
	if (!worker)
		worker = worker_new();
	if (!worker || port_thread_start(worker)) /* O7 */
		rob_start_failed(worker);
}

/*
 * Without a monitor no thread sees threads that block in the kernel, so nothing is
 * left to others and no call stands behind another in a lease. It is tried again.
 */
static void start_monitor(void)
{
	int error = port_thread_start(NULL); /* O7 */

	port_lock(&rob.lock);
	rob.pool.blind = error;
	if (error) {
		rob.pool.monitor_state = ROB_MONITOR_NONE;
		rob.pool.monitor_retry_ns = port_clock_ns() + WORKER_RETRY_NS;
		rob_pool_left();
		rob_recall_all();
		rob_pool_kick();
	}
	rob_unlock();
}

/* Drops the lock and does what was noted under it. */
static void unlock_and_follow_up(void)
{
	struct rob_after after = rob.after;

	rob.after = (struct rob_after){0};
	port_unlock(&rob.lock);
	wake_waiters(after.wake);
	rob_free_garbage(after.garbage);
	if (after.worker)
		port_unpark(&after.worker->thread->parker, ROB_WAKE); /* O3 */
	if (after.start)
		start_worker();
	if (after.start_monitor)
		start_monitor();
	if (after.wake_monitor)
		port_unpark(&rob.pool.monitor, ROB_WAKE); /* O3 */
}

/* Drops the lock, and does then what must not be done under it. */
void rob_unlock(void)
{
	const struct rob_after *after = &rob.after;

	rob.quick = rob_pool_quick();
	if (port_unlikely((uintptr_t)after->wake | (uintptr_t)after->garbage | (uintptr_t)after->worker | after->start |
			  after->start_monitor | after->wake_monitor))
		unlock_and_follow_up();
	else
		port_unlock(&rob.lock);
}
