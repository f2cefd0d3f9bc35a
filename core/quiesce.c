/* SPDX-License-Identifier: MIT */
/*
 * Quiesce: a stretch in which no call of a registered domain runs.
 *
 * From the first begin on, workers claim calls of exclusive domains only. Calls
 * that run already go on; what they wait for they run themselves, and what they
 * run inline is part of them. begin waits until none is left on any stack. Other
 * threads' calls queue, whatever the limit; one without storage waits for the end.
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

int async_quiesce_begin(void)
{
	struct rob_thread *self = port_self();
	struct async_waiter waiter = {.kind = ROB_WAIT_QUIESCE};

	if (self->top) {
		port_log(
			2,
			"inorder: deadlock: async_quiesce_begin() in cookie %llu waits for that call; it returns -EDEADLK\n",
			(unsigned long long)self->top->cookie);
		return -EDEADLK;
	}
	rob_lock();
	self->quiesce++;
	rob.quiesce++;
	rob_recall_all();
	rob_poke_callers();
	rob_unlock();
	port_lock(&rob.lock);
	return rob_wait(&waiter);
}

/* Without workers the calls that queued meanwhile are run here. */
static void run_queued(struct rob_thread *self)
{
	struct rob_slot *slot;

	while (rob_inline_only() && !rob.quiesce && (slot = rob_queue_head())) {
		rob_queue_take(slot);
		rob_run(slot, self, 0);
	}
}

int async_quiesce_end(void)
{
	struct rob_thread *self = port_self();

	rob_lock();
	if (!self->quiesce) {
		rob_unlock();
		return -EINVAL;
	}
	self->quiesce--;
	if (!--rob.quiesce) {
		rob_waiters_odd();
		rob_pool_kick();
		run_queued(self);
	}
	rob_unlock();
	return 0;
}
