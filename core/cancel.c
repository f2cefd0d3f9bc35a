/* SPDX-License-Identifier: MIT */
/*
 * What is asked of a domain: its error, what its calls are like, and its calls back.
 *
 * A call that is cancelled is claimed under the lock like one that is run, so it is cancelled or runs, never both. It
 * is in progress until release() has returned, on this thread's stack: who awaits it meanwhile waits for that. What is
 * in leases and not begun is recalled first, so that it is found. Calls that are scheduled meanwhile are above the
 * bound, so this ends even if each release() schedules another.
 */
#include "core.h"

int rob_error(struct async_domain *domain, async_cookie_t *cookie, bool clear)
{
	int error;

	rob_lock();
	domain = rob_domain(domain);
	error = domain->error;
	if (cookie)
		*cookie = error ? domain->error_cookie : 0;
	if (clear)
		domain->error = 0;
	rob_unlock();
	return error;
}

void rob_hint(struct async_domain *domain, unsigned hints)
{
	rob_lock();
	rob_domain(domain)->hints = hints;
	rob_unlock();
}

/* A pending call that has not begun: a retire step that waits for its turn is what has begun. */
static bool may_cancel(struct rob_slot *slot)
{
	return rob_is_pending(slot) && !rob_func_done(slot);
}

/* The lowest pending call of the domain below the bound whose func has not run. */
static struct rob_slot *cancellable(struct async_domain *domain, async_cookie_t bound)
{
	struct rob_slot *slot;

	rob_for_domain(slot, domain, pending) {
		if (rob_cookie(slot) >= bound)
			return NULL;
		if (may_cancel(slot))
			return slot;
	}
	return NULL;
}

/* Takes one call back. With the lock held. */
static void cancel(struct rob_slot *slot, void (*release)(void *data, async_cookie_t cookie))
{
	struct rob_frame frame = {.slot = slot, .releasing = true};
	struct rob_thread *self = port_self();

	rob_queue_take(slot);
	if (rob_is_ordered(slot)) {
		rob_wide(slot)->retire = NULL;
		rob_block(slot)->domain->ordered--;
	}
	rob_frame_push(&frame, self);
	rob_unlock();
	if (release) {
		int held = port_hold();

		port_bars_exceptions();
		frame.cookie = rob_cookie(slot);
		release(slot->data, frame.cookie);
		rob_check_generation(&frame);
		port_let_go(held);
	}
	if (port_unlikely(port_traces())) {
		struct port_event event = {.type = ASYNC_TRACE_COMPLETED,
					   .cookie = rob_cookie(slot),
					   .arg = 1,
					   .domain = rob_block(slot)->domain,
					   .func = slot->func};

		port_trace(&event);
	}
	port_lock(&rob.lock);
	rob_frame_pop(&frame, self);
	rob_finish(slot, 0);
}

unsigned rob_cancel(struct async_domain *domain, void (*release)(void *data, async_cookie_t cookie))
{
	struct rob_slot *slot;
	async_cookie_t bound;
	unsigned count = 0;

	rob_lock();
	domain = rob_domain(domain);
	bound = rob.last + 1;
	rob_recall_all();
	while ((slot = cancellable(domain, bound))) {
		cancel(slot, release);
		count++;
	}
	rob_unlock();
	return count;
}

/* Claimed calls that have not begun return to the queue first, as they do for a wait. */
int rob_cancel_call(async_cookie_t cookie, struct async_domain *domain,
		    void (*release)(void *data, async_cookie_t cookie))
{
	struct rob_slot *slot;
	int error = 0;

	rob_lock();
	if (domain)
		domain = rob_domain(domain);
	slot = rob_find(cookie, domain);
	if (slot && !rob_is_pending(slot)) {
		rob_recall_all();
		slot = rob_find(cookie, domain); /* what was complete has been applied */
	}
	if (slot && may_cancel(slot))
		cancel(slot, release);
	else if (slot)
		error = -EBUSY;
	else
		error = cookie && cookie <= rob.last ? -ENOENT : -EINVAL;
	rob_unlock();
	return error;
}
