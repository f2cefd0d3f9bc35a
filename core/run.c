/* SPDX-License-Identifier: MIT */
/* Running calls and completing them: frames, steps, whose turn it is. */
#include "core.h"

/* ---- frames ---- */

static void thread_list(struct rob_thread *self)
{
	if (self->listed)
		return;
	self->listed = true;
	self->id = port_thread_id();
	self->prev = NULL;
	self->next = rob.threads;
	if (self->next)
		self->next->prev = self;
	rob.threads = self;
}

void rob_thread_unlist(struct rob_thread *self)
{
	if (!self->listed)
		return;
	if (self->prev)
		self->prev->next = self->next;
	else
		rob.threads = self->next;
	if (self->next)
		self->next->prev = self->prev;
	self->listed = false;
}

void rob_frame_push(struct rob_frame *frame, struct rob_thread *self)
{
	frame->parent = self->top;
	frame->owner = self->owner;
	frame->error = 0;
	frame->forks = rob.forks;
	frame->warned = false;
	port_name_store(&frame->name, NULL); /* O6 */
	self->top = frame;
	thread_list(self);
}

void rob_frame_pop(struct rob_frame *frame, struct rob_thread *self)
{
	self->top = frame->parent;
	self->owner = frame->owner;
	if (!self->top && !self->worker)
		rob_thread_unlist(self);
}

/* In a forked child the call that forked does not exist: returning from it ends the thread. */
void rob_check_generation(struct rob_frame *frame)
{
	if (port_unlikely(frame->forks != rob.forks))
		port_thread_exit();
}

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

/* ---- completion ---- */

static void note_error(struct async_domain *domain, async_cookie_t cookie, int error)
{
	if (!error || (domain->error && domain->error_cookie < cookie))
		return;
	domain->error = error;
	domain->error_cookie = cookie;
}

/* The turn of an ordered call has come: the caller runs its retire step, or it goes back to the queue. */
static void retire_ready(struct rob_slot *slot, struct rob_after *after)
{
	rob_wide(slot)->flags |= ROB_READY;
	if (!after->retire && (after->accepts_retire || after->own == slot) &&
	    (!rob.quiesce || rob_block(slot)->domain->exclusive)) {
		after->retire = slot;
		return;
	}
	rob_queue_insert(slot);
	rob_now_pending(after);
}

/*
 * Some calls of the domain have completed: who can go on now? Publishing the
 * lowest cookie comes last: where none is left, the domain may be gone at once.
 */
void rob_progress(struct async_domain *domain, bool exclusive, struct rob_after *after)
{
	struct rob_slot *lowest = rob_lowest(domain);

	if (rob.waiters)
		rob_waiters_wake(domain, exclusive, after);
	if (domain->ordered && rob_is_ordered(lowest) &&
	    (rob_wide(lowest)->flags & (ROB_FUNC_DONE | ROB_READY)) == ROB_FUNC_DONE)
		retire_ready(lowest, after);
	rob_publish_lowest(domain, lowest);
}

/* Func has returned, or retire has, or the call was cancelled (then it has no retire step any more). */
void rob_finish(struct rob_slot *slot, int error, struct rob_after *after)
{
	struct async_block *block = rob_block(slot);
	struct async_domain *domain = block->domain;
	async_cookie_t cookie = rob_cookie(slot);
	bool exclusive = domain->exclusive;

	if (rob_is_wide(slot)) {
		struct rob_wide *wide = rob_wide(slot);

		if (error)
			wide->error = error;
		if (wide->retire && !(wide->flags & ROB_FUNC_DONE)) {
			wide->flags |= ROB_FUNC_DONE;
			if (rob_lowest(domain) == slot)
				retire_ready(slot, after);
			if (rob.quiesce)
				rob_waiters_odd(after);
			return;
		}
		error = wide->error;
		if (wide->retire)
			domain->ordered--;
		if (wide->owner)
			wide->owner->in_progress--;
	}
	note_error(domain, cookie, error);
	rob_release(block, rob_bit(slot), after);
	if (rob.call_waiters)
		rob_waiters_call_done(cookie, after);
	rob_progress(domain, exclusive, after);
}

/* ---- single calls ---- */

/* One step of a claimed call. Called and returns with the lock held. */
static void run_step(struct rob_slot *slot, struct rob_thread *self, uint64_t how, struct rob_after *after)
{
	struct rob_frame frame = {.slot = slot, .since_ns = port_clock_ns(), .retiring = rob_func_done(slot)};
	int held;

	rob_frame_push(&frame, self);
	rob_unlock(after);
	held = port_hold();
	rob_step(slot, &frame, self, how);
	port_let_go(held);
	port_lock(&rob.lock);
	rob_frame_pop(&frame, self);
	after->own = slot;
	rob_finish(slot, frame.error, after);
	after->own = NULL;
}

/* Runs what the last completion made ready, for callers that accept it. With the lock held. */
void rob_retire(struct rob_thread *self, struct rob_after *after)
{
	struct rob_slot *slot;

	while ((slot = after->retire)) {
		after->retire = NULL;
		run_step(slot, self, 0, after);
	}
}

/* Runs a claimed call in this thread; how goes to the trace. Called and returns with the lock held. */
void rob_run(struct rob_slot *slot, struct rob_thread *self, uint64_t how, struct rob_after *after)
{
	after->accepts_retire = rob_inline_only();
	run_step(slot, self, how, after);
	rob_retire(self, after);
	after->accepts_retire = false;
}
