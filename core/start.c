/* SPDX-License-Identifier: MIT */
/*
 * First use, in a process and after a fork; the normal end; and whose calls they are when no thread knows.
 *
 * rob.started is 0 before the first call, after a fork, and after each wait of a normal exit: then the next call comes
 * here, and the port arms the exit again. Two threads may come here at once; the second finds all done under the lock.
 * That no thread sees "started" without what was set up: O1.
 */
#include "core.h"

/* The first call of all (O1: whoever sees started sees what was set up), or the first in a forked child. */
void rob_start(void)
{
	bool first;

	port_lock(&rob.lock);
	first = !port_load_relaxed(&rob.started); /* no order: written under the lock */
	if (!rob.generation) {
		rob.config.cold = COLD_BURST;
		rob.config.help_from = HELP_FROM;
		port_start(&rob.config);
		rob.generation = 1;
		rob_pool_processors(port_cpus());
		rob.pool.cold = rob.config.cold;
	}
	port_arm_exit();
	port_store_release(&rob.started, 1); /* O1 */
	if (first && rob.config.watchdog_s)
		rob_pool_arm(); /* the watchdog: the monitor runs in any case */
	rob_unlock();
}

int rob_before_start(int (*set)(const void *what), const void *what)
{
	int error;

	port_lock(&rob.lock);
	error = rob.generation ? -EBUSY : set(what);
	rob_unlock();
	return error;
}

void rob_set_owner_finder(rob_owner_finder find)
{
	rob_lock();
	rob.find_owner = find;
	rob_unlock();
}

/*
 * A normal end comes once before the destructors of what existed at first use; calls that destructors schedule are
 * started afresh (rob_start() asks for another such wait). Nothing is held back any more: who quiesced does not go on.
 */
bool rob_exit_begin(void)
{
	bool used;

	port_lock(&rob.lock);
	used = rob.generation;
	if (rob.quiesce) {
		rob.quiesce = 0;
		rob_waiters_special();
		rob_pool_kick();
	}
	rob_unlock();
	return used;
}

void rob_exit_end(bool last)
{
	port_lock(&rob.lock);
	rob.ended |= last;
	port_store_relaxed(&rob.started, 0); /* no order: under the lock; the next call asks for another wait at exit */
	rob_unlock();
}

/* Frees the storage that is kept for later calls. */
void rob_free_all(void)
{
	port_lock(&rob.lock);
	rob_queue_head(); /* calls that were claimed out of turn are in the queue until they come to its head */
	rob_unlock();
	for (unsigned i = 0; i < 2; i++) {
		rob_free_garbage(rob.spare[i]);
		rob.spare[i] = NULL;
	}
	while (rob.pool.all) {
		struct rob_worker *worker = rob.pool.all;

		rob.pool.all = worker->all_next;
		port_free(worker);
	}
}
