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

#define REPORT_CALLS 16

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
static void mark_dependents(struct rob_thread *thread, async_cookie_t limit)
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
static struct async_waiter *closing(struct async_waiter *waiter)
{
	for (struct async_waiter *other = rob.waiters; other; other = other->all_next)
		if (other != waiter && other->mark == rob.mark && awaits_stack(waiter, other->thread))
			return other;
	return NULL;
}

/* Marks the rest of the cycles in which this waiter has the highest cookie. */
void rob_deadlock_mark(struct async_waiter *victim)
{
	mark_dependents(victim->thread, victim->cookie);
}

static void make_victim(struct async_waiter *waiter, struct async_waiter *caller)
{
	rob_waiter_victim(waiter);
	if (waiter != caller)
		port_unpark(&waiter->thread->parker, ROB_POKE); /* O3 */
}

/*
 * Does this wait, just registered, close a cycle? Its victim, the waiter with the
 * highest cookie, is told. One that is a victim already leaves out more from now.
 */
void rob_deadlock_check(struct async_waiter *waiter, struct rob_after *after)
{
	struct async_waiter *other, *next;

	if (!rob.ascending || waiter->timed || !waiter->cookie)
		return;
	mark_dependents(waiter->thread, ASYNC_COOKIE_MAX);
	if (!closing(waiter))
		return;
	for (other = rob.waiters; other; other = other->all_next)
		other->candidate = other == waiter || other->mark == rob.mark;
	for (other = rob.waiters; other; other = next) {
		next = other->all_next;
		if (!other->candidate)
			continue;
		if (other->deadlock) {
			if (other != waiter && rob_satisfied(other))
				rob_waiter_satisfy(other, after);
			continue;
		}
		rob_deadlock_mark(other);
		if (closing(other))
			make_victim(other, waiter);
	}
}

/* ---- the report ---- */

struct named_call {
	async_func_t func;
	const char *name;
	async_cookie_t cookie;
};

static void name_call(struct named_call *call, struct rob_frame *frame)
{
	struct rob_slot *slot = rob_frame_slot(frame);

	call->func = slot ? slot->func : NULL;
	call->name = port_name_load(&frame->name); /* O6 */
	if (slot && !call->name && rob_func_done(slot))
		call->name = rob_wide(slot)->name;
	call->cookie = slot ? rob_cookie(slot) : frame->cookie;
}

static unsigned collect_self(struct async_waiter *waiter, struct named_call *calls)
{
	unsigned count = 0;

	for (struct rob_frame *frame = waiter->thread->top; frame && count < REPORT_CALLS; frame = frame->parent) {
		struct rob_slot *slot = rob_frame_slot(frame);

		if (slot && (frame == waiter->thread->top || rob_awaits(waiter, slot)))
			name_call(&calls[count++], frame);
	}
	return count;
}

static unsigned collect_cycle(struct async_waiter *waiter, struct named_call *calls)
{
	unsigned count = 0;
	struct async_waiter *other;

	name_call(&calls[count++], waiter->thread->top);
	rob_deadlock_mark(waiter);
	for (other = closing(waiter); other && count < REPORT_CALLS; other = other->via)
		name_call(&calls[count++], other->thread->top);
	return count;
}

static size_t put(char *text, size_t used, size_t bytes, const struct named_call *call, const char *between)
{
	char symbol[160];
	int length;

	if (call->name || !call->func)
		port_format(symbol, sizeof(symbol), "%s", call->name ? call->name : "?");
	else
		port_symbol(call->func, symbol, sizeof(symbol));
	length = port_format(text + used, bytes - used, "%s%s (cookie %llu)", between, symbol,
			     (unsigned long long)call->cookie);
	return length < 0 || (size_t)length >= bytes - used ? bytes - 1 : used + (size_t)length;
}

/*
 * Says on standard error who waits for whom. Called and returns with the lock
 * held; drops it to find names and to write.
 */
void rob_deadlock_report(struct async_waiter *waiter)
{
	struct named_call calls[REPORT_CALLS];
	bool cycle = waiter->deadlock;
	unsigned count = cycle ? collect_cycle(waiter, calls) : collect_self(waiter, calls);
	char text[1536] = "";
	size_t used = 0;

	port_unlock(&rob.lock);
	for (unsigned i = 0; i < count; i++)
		used = put(text, used, sizeof(text), &calls[i], !i ? "" : cycle ? ", which waits for " : " inside ");
	if (cycle)
		used = put(text, used, sizeof(text), &calls[0], ", which waits for ");
	port_log(2, "inorder: deadlock: %s%s; the wait in cookie %llu leaves %s out and returns -EDEADLK\n", text,
		 cycle ? "" : " waits for itself", (unsigned long long)waiter->cookie, cycle ? "the others" : "that");
	port_lock(&rob.lock);
}
