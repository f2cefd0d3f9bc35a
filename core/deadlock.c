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
 * The search goes from a thread to those who await its calls, since they are few.
 * It touches rob.mark: a waiter is marked if its mark is rob.mark.
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
