/* SPDX-License-Identifier: MIT */
/* What a worker does: takes a lease, runs it, rests when there is none. */
#include "core.h"

/* More are active than processors are used: one that has done something may rest. */
static bool surplus(struct rob_worker *worker)
{
	return rob.pool.active > rob.pool.width && !rob.pool.eager && !worker->fresh && !worker->asleep;
}

/* Gives calls a moment to gather. Whether some did. */
static bool linger(struct rob_worker *worker)
{
	if (!worker->brisk || rob.pool.cpus == 1 || surplus(worker))
		return false;
	rob_unlock();
	for (unsigned i = port_spin_ns() ? WORKER_LINGER_SPINS : 0; i; i--) /* none comes meanwhile on one processor */
		port_relax();
	port_lock(&rob.lock);
	return rob.queue.pending && !rob.quiesce && !rob.pool.leaver;
}

/*
 * Waits for work. False: for too long, the worker is to end. One of those that
 * rest stays for ever: it is the first to be woken, mostly the only one, and a
 * timer would make each of its wake-ups dearer.
 */
static bool idle(struct rob_worker *worker)
{
	struct rob_pool *pool = &rob.pool;
	uint64_t deadline_ns = pool->kept ? port_clock_ns() + WORKER_IDLE_NS : 0;
	uint32_t flags;

	if (!worker->asleep)
		pool->active--;
	worker->asleep = false;
	worker->lease.size = 1;
	worker->lease.ended_ns = 0;
	rob_pool_brisk(worker, 0);
	rob_thread_unlist(worker->thread);
	if (port_unlikely(pool->leaver))
		return false;
	worker->fresh = false;
	rob_idle_push(worker);
	for (;;) { /* flags of a wait that is over may still come: again */
		uint64_t until_ns = worker->idle ? deadline_ns : 0; /* taken from the list: the flag is on its way */

		rob_unlock();
		flags = port_park(&worker->thread->parker, until_ns); /* O3 */
		port_lock(&rob.lock);
		if (flags & ROB_WAKE)
			break;
		/* Covered by chance: flags that come when the time is over: a matter of time */
		if (worker->idle && !flags) {
			rob_idle_remove(worker);
			return false;
		}
	}
	if (worker->fresh) /* else it is to end */
		rob_pool_arrived();
	return true;
}

/* Whether it has claimed a call that is said to block. */
static bool will_block(struct rob_worker *worker)
{
	struct rob_slot *slot = worker->lease.slot[0];

	return (rob_block(slot)->domain->hints & ROB_BLOCKS) && !worker->lease.frame.retiring;
}

/*
 * It counts as asleep from before its call on: what is pending gets another worker now, and not when the monitor has
 * seen this one sleep. The monitor does not look: a thread that has not come to sleep yet would count again.
 */
static void hinted_begin(struct rob_worker *worker)
{
	worker->hinted = true;
	if (!worker->asleep)
		rob.pool.active--;
	worker->asleep = true;
	rob_pool_brisk(worker, 0);
}

/* A wait inside the call may have counted it again. */
static void hinted_end(struct rob_worker *worker)
{
	worker->hinted = false;
	if (worker->asleep)
		rob.pool.active++;
	worker->asleep = false;
}

static void work(struct rob_worker *worker)
{
	uint64_t took_ns;

	worker->turn++;
	worker->fresh = false;
	if (port_unlikely(will_block(worker)))
		hinted_begin(worker);
	rob_pool_kick();
	took_ns = rob_lease_run(&worker->lease, worker->thread);
	if (port_unlikely(worker->thread->parked)) {
		rob_unlock();
		rob_wait_left(worker->thread);
		port_lock(&rob.lock);
	}
	if (port_unlikely(worker->hinted))
		hinted_end(worker);
	if (worker->asleep && took_ns < WORKER_SETTLED_NS) {
		worker->asleep = false;
		rob.pool.active++;
	}
	if (!worker->lease.frame.retiring)
		rob_pool_brisk(worker, !worker->asleep && worker->lease.size > 1 ? worker->lease.size : 0);
}

static void worker_init(struct rob_worker *worker)
{
	worker->thread = port_self();
	worker->thread->worker = worker;
	worker->thread_id = port_thread_id();
	worker->lease.size = 1;
	worker->fresh = true;
	worker->seen = 0;
	worker->turn = 0;
	rob_pool_arrived();
	rob.pool.retry_ns = 0;
}

/* What its own completions made ready comes first: it is the lowest of its domain. */
static bool take(struct rob_worker *worker)
{
	struct rob_slot *retire = worker->lease.retire;

	if (retire) {
		worker->lease.retire = NULL;
		rob_lease_take_retire(&worker->lease, retire);
		return true;
	}
	if (port_unlikely(rob.pool.width < rob.pool.cpus))
		rob_pool_widen(worker->lease.ended_ns);
	return !surplus(worker) && rob_lease_take(&worker->lease);
}

void rob_worker_main(struct rob_worker *worker)
{
	port_lock(&rob.lock);
	worker_init(worker);
	if (port_unlikely(port_traces())) {
		struct port_event event = {
			.type = ASYNC_TRACE_WORKER, .arg = rob.pool.total, .error = rob.pool.total > rob.pool.cpus};

		rob_unlock();
		port_trace(&event);
		port_lock(&rob.lock);
	}
	do {
		while ((!rob.pool.leaver || worker->lease.retire) && take(worker))
			work(worker);
	} while (linger(worker) || idle(worker));
	rob.pool.total--;
	worker->thread->worker = NULL;
	worker->thread = NULL;
	worker->ended_id = worker->thread_id;
	worker->thread_id = 0;
	worker->next = rob.pool.free;
	rob.pool.free = worker;
	rob_pool_left();
	rob_unlock();
}
