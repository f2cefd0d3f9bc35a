/* SPDX-License-Identifier: MIT */
/*
 * Cycles of waits.
 *
 * A waiter awaits calls; a call on the stack of a thread that waits in turn
 * cannot complete before that wait returns. A thread is in one wait at a time
 * and must have everything that it awaits, so a cycle is a deadlock and nothing
 * else is. Timed waits and threads of the program (nobody awaits them) are never
 * part of one.
 *
 * In a cycle some waiter awaits a call with a cookie above the lowest on its own
 * stack: otherwise cookies would fall all the way round. As long as no such
 * ascending waiter exists there is nothing to search.
 *
 * Two searches. Each new wait is searched forwards, to the waiters whose calls it
 * awaits: mostly there are none. Who belongs to a cycle that was found is searched
 * backwards, from a thread to those who await its calls. Both touch rob.mark: a
 * waiter is marked if its mark is rob.mark.
 */
#include "core.h"

static bool awaits_stack(struct async_waiter *waiter, struct rob_thread *thread)
{
	for (struct rob_frame *frame = thread->top; frame; frame = frame->parent) {
		struct rob_slot *slot = rob_frame_slot(frame);

		if (slot && rob_awaits(waiter, slot))
			return true;
	}
	return false;
}

/* How many of the calls that are on stacks of waiters, and may be awaited by this one, are on its own. */
static unsigned own_stacked(struct async_waiter *waiter, struct async_domain *domain)
{
	unsigned count = 0;

	for (struct rob_frame *frame = waiter->thread->top; frame; frame = frame->parent) {
		struct rob_slot *slot = rob_frame_slot(frame);

		count += slot && (!domain || rob_block(slot)->domain == domain);
	}
	return count;
}

/*
 * Whether this waiter may await a call that another waiter has on its stack: others have some of that domain. A
 * chain of waits, each for a call in a domain of its own that has not begun, is not searched at each step.
 */
static bool may_await_waiters(struct async_waiter *waiter)
{
	struct async_domain *domain = NULL;
	struct rob_slot *slot;

	if (waiter->kind == ROB_WAIT_DOMAIN) {
		domain = waiter->domain;
	} else if (waiter->kind == ROB_WAIT_CALL) {
		slot = rob_find(waiter->bound, waiter->domain);
		if (!slot)
			return false;
		domain = rob_block(slot)->domain;
	}
	return (domain ? domain->stacked : rob.stacked) > own_stacked(waiter, domain);
}

/*
 * Whether this waiter, which is registered, awaits a call on its own stack through other waiters. Most await nobody who
 * waits, and the search, which goes from a waiter to those whose calls it awaits, ends where it begins.
 */
bool rob_deadlock_closes(struct async_waiter *self)
{
	struct async_waiter *work = self;

	rob.mark++;
	self->work = NULL;
	while (work) {
		struct async_waiter *waiter = work;

		work = waiter->work;
		if (!may_await_waiters(waiter))
			continue;
		for (struct async_waiter *other = rob.waiters; other; other = other->all_next) {
			if (other == waiter || other->mark == rob.mark || other->timed)
				continue;
			if (!awaits_stack(waiter, other->thread))
				continue;
			if (other == self)
				return true;
			other->mark = rob.mark;
			other->work = work;
			work = other;
		}
	}
	return false;
}

/* Marks the waiters with cookies below limit that await, directly or through each other, calls of the thread. */
void rob_deadlock_dependents(struct rob_thread *thread, async_cookie_t limit)
{
	struct async_waiter *work = NULL, *via = NULL;

	rob.mark++;
	for (;;) {
		for (struct async_waiter *waiter = rob.waiters; waiter; waiter = waiter->all_next) {
			if (waiter->mark == rob.mark || waiter->timed || !waiter->cookie || waiter->cookie >= limit)
				continue;
			if (waiter->thread == thread || !awaits_stack(waiter, thread))
				continue;
			waiter->mark = rob.mark;
			waiter->via = via;
			waiter->work = work;
			work = waiter;
		}
		if (!work)
			return;
		via = work;
		thread = work->thread;
		work = work->work;
	}
}

/* A marked waiter whose thread holds a call that this waiter awaits, or NULL: then there is no cycle through it. */
struct async_waiter *rob_deadlock_closing(struct async_waiter *waiter)
{
	for (struct async_waiter *other = rob.waiters; other; other = other->all_next)
		if (other != waiter && other->mark == rob.mark && awaits_stack(waiter, other->thread))
			return other;
	return NULL;
}

/*
 * Marks the rest of the cycles in which this waiter has the highest cookie; for an exit, all that wait for its calls.
 */
void rob_deadlock_mark(struct async_waiter *victim)
{
	rob_deadlock_dependents(victim->thread, victim->everything ? ASYNC_COOKIE_MAX : victim->cookie);
}
