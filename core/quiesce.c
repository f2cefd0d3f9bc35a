/* SPDX-License-Identifier: MIT */
/*
 * Quiesce: a stretch in which no call of a registered domain runs.
 *
 * From the first begin on, workers claim calls of exclusive domains only. Calls
 * that run already go on; what they wait for they run themselves, and what they
 * run inline is part of them. begin waits until none is left on any stack. Other
 * threads' calls queue, whatever the limit; one without storage waits for the end.
 *
 *   begins (CPU 0)                              worker (CPU 1)
 *                                               runs call 0 of a lease of three
 *   lock: rob.quiesce is 1
 *   recalls leases: calls 1 and 2 go back
 *   call 0 is on a stack: parks as a special waiter
 *                                               lock: completes call 0, which counts as on the stack no more
 *                                               checks the special waiters: it is quiet, so CPU 0 is satisfied
 *                                               claims calls of exclusive domains only
 *   goes on (O3)
 *
 * Between the recall and the parking the lock is held, so call 0 cannot complete unseen.
 */
#include "core.h"

/* Waits for the end. Called and returns with the lock held. */
void rob_quiesce_wait_end(void)
{
	while (rob.quiesce) {
		struct async_waiter waiter = {.kind = ROB_WAIT_QUIESCE};

		rob_wait(&waiter);
		port_lock(&rob.lock);
	}
}

int rob_quiesce_begin(void)
{
	struct rob_thread *self = port_self();
	struct async_waiter waiter = {.kind = ROB_WAIT_QUIESCE};

	rob_lock();
	self->quiesce++;
	rob.quiesce++;
	rob_recall_all();
	rob_poke_callers();
	rob_unlock();
	port_lock(&rob.lock);
	return rob_wait(&waiter);
}

int rob_quiesce_end(void)
{
	struct rob_thread *self = port_self();

	rob_lock();
	if (!self->quiesce) {
		rob_unlock();
		return -EINVAL;
	}
	self->quiesce--;
	if (!--rob.quiesce) {
		rob_waiters_special();
		rob_pool_kick();
		rob_run_left(self);
	}
	rob_unlock();
	return 0;
}
