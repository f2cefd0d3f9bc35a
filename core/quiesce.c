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

static bool registered_on_stack(struct rob_thread *thread)
{
	for (struct rob_frame *frame = thread->top; frame; frame = frame->parent) {
		if (frame->releasing)
			continue;
		if (frame->lease ? rob_lease_registered(frame->lease) : !rob_block(frame->slot)->domain->exclusive)
			return true;
	}
	return false;
}

/* No call of a registered domain is on a stack. */
bool rob_is_quiet(void)
{
	for (struct rob_thread *thread = rob.threads; thread; thread = thread->next)
		if (registered_on_stack(thread))
			return false;
	return true;
}

/*
 * Whether this thread must not start a call of the domain itself now. A call that
 * still runs may wait for this one through a call of an exclusive domain: until it
 * is quiet, calls of these start what they await, too.
 */
bool rob_quiesced(struct async_domain *domain, struct rob_thread *self)
{
	if (port_likely(!rob.quiesce) || domain->exclusive || registered_on_stack(self))
		return false;
	return !self->top || rob_is_quiet();
}

/* The first pending call that may be claimed while others are held back. */
struct rob_slot *rob_quiesce_claimable(struct rob_after *after)
{
	for (struct rob_slot *slot = rob_queue_head(after); slot; slot = slot->next)
		if ((rob_block(slot)->pending & rob_bit(slot)) && rob_block(slot)->domain->exclusive)
			return slot;
	return NULL;
}

/* A call has come to be pending: while others are held back, whoever awaits it runs it; else a worker may be needed. */
void rob_now_pending(struct rob_after *after)
{
	if (port_unlikely(rob.quiesce))
		rob_poke_callers();
	rob_pool_kick(after);
}

/* Waits for the end. Called and returns with the lock held. */
void rob_quiesce_wait_end(void)
{
	while (rob.quiesce) {
		struct async_waiter waiter = {.kind = ROB_WAIT_OPEN};

		rob_wait(&waiter);
		port_lock(&rob.lock);
	}
}

int async_quiesce_begin(void)
{
	struct rob_thread *self = port_self();
	struct async_waiter waiter = {.kind = ROB_WAIT_QUIET};
	struct rob_after after = {0};

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
	rob_recall_all(&after);
	rob_poke_callers();
	rob_unlock(&after);
	port_lock(&rob.lock);
	return rob_wait(&waiter);
}

/* Without workers the calls that queued meanwhile are run here. */
static void run_queued(struct rob_thread *self, struct rob_after *after)
{
	struct rob_slot *slot;

	while (rob_inline_only() && !rob.quiesce && (slot = rob_queue_head(after))) {
		rob_queue_take(slot, after);
		rob_run(slot, self, 0, after);
	}
}

int async_quiesce_end(void)
{
	struct rob_thread *self = port_self();
	struct rob_after after = {0};

	rob_lock();
	if (!self->quiesce) {
		port_unlock(&rob.lock);
		return -EINVAL;
	}
	self->quiesce--;
	if (!--rob.quiesce) {
		rob_waiters_odd(&after);
		rob_pool_kick(&after);
		run_queued(self, &after);
	}
	rob_unlock(&after);
	return 0;
}
