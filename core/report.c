/* SPDX-License-Identifier: MIT */
/*
 * Who runs, since when, and who waits for whom: taken down under the lock, so that one report is of one instant. The
 * port puts it into words, without the lock. What is pointed to may be gone by then, so names are copied, and a call's
 * function is looked up in the program and not in the call.
 */
#include "core.h"

#define REPORT_CALLS 16 /* of a deadlock; the rest is left out */

static struct rob_row *add(struct rob_snapshot *snapshot)
{
	static struct rob_row overflow; /* written, never read: a snapshot that grew meanwhile is cut */

	if (snapshot->count < snapshot->capacity)
		return &snapshot->rows[snapshot->count++];
	snapshot->count++;
	return &overflow;
}

/* With the lock held. No more of the string is looked at than is kept. */
static void set_name(struct rob_row *row, const char *name)
{
	if (name)
		port_format(row->name, sizeof(row->name), "%.63s", name);
}

/* Names the call of a frame: func has set the name, retire goes by it. False: it is between two calls of a lease. */
static bool name_call(struct rob_call *call, struct rob_frame *frame)
{
	struct rob_slot *slot = rob_frame_slot(frame);

	*call = (struct rob_call){.name = port_name_load(&frame->name)}; /* O6 */
	/* Covered by chance: who waits is inside a call, so there is a slot */
	if (!slot)
		return false;
	call->func = slot->func;
	call->cookie = rob_cookie(slot);
	if (!call->name && rob_func_done(slot))
		call->name = rob_wide(slot)->name;
	return true;
}

static void add_frames(struct rob_snapshot *snapshot, struct rob_thread *thread)
{
	for (struct rob_frame *frame = thread->top; frame; frame = frame->parent) {
		struct rob_call call;
		struct rob_row *row;

		if (!name_call(&call, frame))
			continue;
		row = add(snapshot);
		*row = (struct rob_row){.thread_id = thread->id,
					.call = call,
					.retiring = rob_func_done(rob_frame_slot(frame)),
					.since_ns = frame->since_ns};
		set_name(row, call.name);
	}
}

/* The lowest call that holds the waiter up. Blocks are in the order of their first cookies, calls in a block too. */
static async_cookie_t lowest_awaited(struct async_waiter *waiter)
{
	async_cookie_t lowest = ASYNC_COOKIE_MAX;
	struct rob_slot *slot;

	rob_for_all_blocks(block) {
		if (rob_cookie(rob_slots(block)) >= lowest)
			break;
		rob_for_bits(slot, block, block->live) {
			if (rob_cookie(slot) >= lowest)
				break;
			/* Covered by chance: the wait has not found out yet that it awaits its own stack */
			if (rob_awaits(waiter, slot) && !rob_on_stack(waiter->thread, slot))
				lowest = rob_cookie(slot);
		}
	}
	return lowest == ASYNC_COOKIE_MAX ? 0 : lowest;
}

static void add_waiter(struct rob_snapshot *snapshot, struct async_waiter *waiter)
{
	struct rob_row *row = add(snapshot);

	*row = (struct rob_row){.thread_id = waiter->thread->id,
				.waits = true,
				.quiesces = waiter->thread->quiesce,
				.call = {.cookie = waiter->cookie},
				.kind = waiter->kind,
				.domain = waiter->domain,
				.bound = waiter->bound,
				.awaited = lowest_awaited(waiter)};
	if (waiter->owner)
		set_name(row, waiter->owner->name);
}

/* Fills in what fits; count says how much there was. */
void rob_snapshot(struct rob_snapshot *snapshot)
{
	snapshot->count = 0;
	rob_lock();
	for (struct rob_thread *thread = rob.threads; thread; thread = thread->next)
		add_frames(snapshot, thread);
	for (struct rob_thread *thread = rob.threads; thread; thread = thread->next)
		if (thread->waiter)
			add_waiter(snapshot, thread->waiter);
	snapshot->pending = rob.queue.pending;
	snapshot->workers = rob.pool.total;
	snapshot->active = rob.pool.active;
	snapshot->processors = rob.pool.cpus;
	snapshot->used = rob.pool.width;
	snapshot->last = rob.last;
	rob_unlock();
	snapshot->now_ns = port_clock_ns();
}

/* Reports once that a call has run for longer than the limit. */
void rob_watchdog(void)
{
	uint64_t limit_ns = (uint64_t)rob.config.watchdog_s * 1000000000u, now_ns = port_clock_ns();
	bool late = false;

	port_lock(&rob.lock);
	for (struct rob_thread *thread = rob.threads; thread; thread = thread->next) {
		for (struct rob_frame *frame = thread->top; frame; frame = frame->parent) {
			if (frame->warned || !rob_frame_slot(frame) || now_ns < frame->since_ns + limit_ns)
				continue;
			frame->warned = true;
			late = true;
		}
	}
	rob_unlock();
	if (late)
		port_overdue(rob.config.watchdog_s);
}

/* ---- a cycle of waits ---- */

static unsigned collect_self(struct async_waiter *waiter, struct rob_call *calls)
{
	unsigned count = 0;

	for (struct rob_frame *frame = waiter->thread->top; frame && count < REPORT_CALLS; frame = frame->parent) {
		struct rob_slot *slot = rob_frame_slot(frame);

		/* Covered by chance: who waits is inside a call, so there is a slot */
		if (slot && (frame == waiter->thread->top || rob_awaits(waiter, slot)))
			name_call(&calls[count++], frame);
	}
	return count;
}

static unsigned collect_cycle(struct async_waiter *waiter, struct rob_call *calls)
{
	unsigned count = 0;
	struct async_waiter *other;

	name_call(&calls[count++], waiter->thread->top);
	rob_mark_left_out(waiter);
	/* Not covered: a cycle of more than 16 waits; a wait for oneself that is cut is tested */
	for (other = rob_deadlock_closing(waiter); other && count < REPORT_CALLS; other = other->visit.via)
		name_call(&calls[count++], other->thread->top);
	return count;
}

/* Called and returns with the lock held; drops it for the port to find names and to write. */
void rob_deadlock_report(struct async_waiter *waiter)
{
	struct rob_call calls[REPORT_CALLS];
	bool cycle = waiter->leaves == ROB_LEAVES_CYCLE;
	unsigned count = cycle ? collect_cycle(waiter, calls) : collect_self(waiter, calls);

	rob_unlock();
	port_deadlock(calls, count, cycle, waiter->cookie);
	port_lock(&rob.lock);
}
