/* SPDX-License-Identifier: MIT */
/*
 * Running one call: its steps, and the retire steps that it makes ready.
 *
 * The frame is pushed before the lock is dropped and popped after it is taken again: whoever holds the lock and sees
 * a call in progress finds it in the queue, in a lease, made ready (rob.turn), or on a stack. It is popped before the
 * call completes, so that waiters which check stacks (special ones) do not take it for one that still runs. A call that
 * made a retire step ready runs that itself, one after the other and not one in the other: a chain of them needs no
 * stack.
 */
#include "core.h"

static void trace_step(enum async_trace_type type, struct rob_slot *slot, struct rob_frame *frame, uint64_t arg,
		       uint64_t since_ns)
{
	struct port_event event = {.type = type,
				   .cookie = rob_cookie(slot),
				   .arg = arg,
				   .domain = rob_block(slot)->domain,
				   .func = slot->func,
				   .name = port_name_load(&frame->name), /* O6 */
				   .error = frame->error,
				   .since_ns = since_ns};

	if (rob_is_wide(slot)) {
		if (!event.name)
			event.name = rob_wide(slot)->name;
		/* Covered by chance: an ordered call that failed in both steps, traced */
		if (!event.error)
			event.error = rob_wide(slot)->error;
	}
	port_trace(&event);
}

/* Runs func or retire, as the frame says, without the lock. */
void rob_step(struct rob_slot *slot, struct rob_frame *frame, struct rob_thread *self, uint64_t how)
{
	uint64_t since_ns = port_traces() ? port_clock_ns() : 0;
	enum async_trace_type end = ASYNC_TRACE_COMPLETED;

	port_bars_exceptions();
	self->owner = rob_owner(slot);
	frame->cookie = rob_cookie(slot);
	if (port_unlikely(since_ns))
		trace_step(frame->retiring ? ASYNC_TRACE_RETIRING : ASYNC_TRACE_STARTED, slot, frame, how, 0);
	if (frame->retiring)
		rob_wide(slot)->retire(slot->data, frame->cookie);
	else
		slot->func(slot->data, frame->cookie);
	rob_check_generation(frame);
	if (port_unlikely(since_ns)) {
		if (rob_is_ordered(slot) && !frame->retiring)
			end = ASYNC_TRACE_RETURNED;
		trace_step(end, slot, frame, 0, since_ns);
	}
	if (rob_is_wide(slot) && !frame->retiring &&
	    port_name_load(&frame->name)) /* O6; others read it once func is done */
		rob_wide(slot)->name = port_name_load(&frame->name);
}

/*
 * One step of a claimed call. Called and returns with the lock held. What it makes ready is in rob.turn: its own retire
 * step, or any.
 */
static void run_step(struct rob_slot *slot, struct rob_thread *self, uint64_t how, bool any)
{
	struct rob_frame frame = {.slot = slot, .since_ns = port_clock_ns(), .retiring = rob_func_done(slot)};
	int held;

	rob_frame_push(&frame, self);
	rob_unlock();
	held = port_hold();
	rob_step(slot, &frame, self, how);
	port_let_go(held);
	port_lock(&rob.lock);
	rob_frame_pop(&frame, self);
	rob.turn = (struct rob_turn){.any = any, .own = slot};
	rob_finish(slot, frame.error);
}

/* Runs what the last completion made ready for this thread. With the lock held. */
void rob_retire(struct rob_thread *self, bool any)
{
	struct rob_slot *slot;

	while ((slot = rob_turn_take()))
		run_step(slot, self, 0, any);
}

/* Runs a claimed call in this thread; how goes to the trace. Called and returns with the lock held. */
void rob_run(struct rob_slot *slot, struct rob_thread *self, uint64_t how)
{
	bool any = rob_inline_only(); /* no other thread would run them */

	run_step(slot, self, how, any);
	rob_retire(self, any);
}

/* Without workers: runs what was left in the queue, for want of stack or since calls were held back. With the lock. */
void rob_run_left(struct rob_thread *self)
{
	struct rob_slot *slot;

	/* Covered by chance: quiescing, or the exit, begins between two inline calls */
	while (rob_inline_only() && !rob.quiesce && (slot = rob_queue_head())) {
		rob_queue_take(slot);
		rob_run(slot, self, 0);
	}
}
