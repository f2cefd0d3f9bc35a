/* SPDX-License-Identifier: MIT */
/*
 * Shutdown: every thread of the library ends, and the next call starts afresh.
 *
 * From the end of the full wait on no worker takes a call, and none is started
 * (rob.pool.leaver). A worker that comes to rest ends instead, as does the
 * monitor; the last wakes the leaver. Calls that other threads schedule
 * meanwhile stay pending, and start workers at the end.
 *
 *   leaver (CPU 0)                              worker (CPU 1)
 *   lock: is rob.pool.leaver, wakes idle ones
 *   pool.total is not 0: unlock, parks
 *                                               lock: no lease is taken while there is a leaver
 *                                               total--, notes its id, ROB_POKE (O3), unlock
 *   lock: pool.total is 0                       (is still in the process, on its stack)
 *   waits until the system has no such thread
 *
 * So the process has none of these threads any more when the caller goes on.
 */
#include "core.h"

/* Idle workers are woken as for work, and see that there is none. */
static void wake_all(void)
{
	struct rob_worker *worker;

	while ((worker = rob.pool.idle)) {
		rob_idle_remove(worker);
		rob.pool.active++;
		port_unpark(&worker->thread->parker, ROB_WAKE); /* O3 */
	}
	if (rob.pool.monitor_state != ROB_MONITOR_NONE)
		port_unpark(&rob.pool.monitor, ROB_POKE); /* O3 */
}

/* They are no longer ours, and still in the process for a moment. */
static void wait_until_gone(void)
{
	for (struct rob_worker *worker = rob.pool.all; worker; worker = worker->all_next) {
		if (worker->ended_id)
			port_thread_gone(worker->ended_id);
		worker->ended_id = 0;
	}
	if (rob.pool.monitor_id)
		port_thread_gone(rob.pool.monitor_id);
	rob.pool.monitor_id = 0;
}

static void end_threads(struct rob_thread *self)
{
	struct rob_pool *pool = &rob.pool;

	port_store_relaxed(&rob.started, 0); /* no order: under the lock */
	wake_all();
	while (pool->total || pool->monitor_state != ROB_MONITOR_NONE) {
		rob_unlock();
		port_park(&self->parker, 0); /* O3 */
		port_lock(&rob.lock);
	}
	rob_unlock();
	wait_until_gone();
	port_lock(&rob.lock);
	pool->leaver = NULL;
	pool->cold = rob.config.cold;
	pool->cold_ns = 0;
	pool->asked = false;
	rob_pool_kick();
	rob_pool_help_wanted();
	rob_unlock();
}

int rob_shutdown(void)
{
	struct rob_thread *self = port_self();
	bool used;

	port_lock(&rob.lock);
	used = rob.generation;
	rob_unlock();
	if (!used)
		return 0;
	rob_wait_exit(0);
	port_lock(&rob.lock);
	if (rob.pool.leaver) {
		rob_unlock();
		return -EBUSY;
	}
	rob.pool.leaver = self;
	end_threads(self);
	return 0;
}
