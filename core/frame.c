/* SPDX-License-Identifier: MIT */
/*
 * What is on the threads' stacks: frames of calls, and who of them is of a registered domain.
 *
 * A frame is pushed and popped by its own thread, under the lock, so whoever holds the lock may walk the frames of
 * every thread. The frame of a lease stands for one call after the other: which, the lease word says.
 *
 * The word may move on while it is read, from outside the lock:
 *
 *   reader (CPU 0), with the lock               owner (CPU 1)
 *   reads begun: call 2                         returns from call 2
 *                                               begins call 3
 *   takes call 2 for the one that runs
 *
 * That does no harm: call 2 is in progress until its completion is applied, which takes the lock, so its slot stays.
 * A thread that waits is in no danger of it: its word stands still.
 */
#include "core.h"

void rob_thread_list(struct rob_thread *self)
{
	if (self->listed)
		return;
	self->listed = true;
	self->id = port_thread_id();
	rob_list_push(rob.threads, self, prev, next);
}

/* It has no call on its stack and does not wait; a worker stays until it rests. */
void rob_thread_unlist(struct rob_thread *self)
{
	if (!self->listed || self->top || self->waiter)
		return;
	rob_list_remove(rob.threads, self, prev, next);
	self->listed = false;
}

void rob_frame_push(struct rob_frame *frame, struct rob_thread *self)
{
	frame->parent = self->top;
	frame->owner = self->owner;
	frame->below = rob_stack_lowest(self);
	frame->error = 0;
	frame->forks = rob.forks;
	frame->warned = false;
	frame->thread = self;
	frame->indexed = false;
	port_name_store(&frame->name, NULL); /* O6 */
	self->top = frame;
	rob_thread_list(self);
}

void rob_frame_pop(struct rob_frame *frame, struct rob_thread *self)
{
	if (frame->indexed)
		rob_tree_remove(&rob.frames, &frame->node);
	self->top = frame->parent;
	self->owner = frame->owner;
	if (!self->worker)
		rob_thread_unlist(self);
}

/* In a forked child the call that forked does not exist: returning from it ends the thread. */
void rob_check_generation(struct rob_frame *frame)
{
	if (port_unlikely(frame->forks != rob.forks))
		port_thread_exit();
}

/* The call of this frame while it is in progress, or NULL. (Reads the word of O2, and needs no order.) */
struct rob_slot *rob_frame_slot(struct rob_frame *frame)
{
	struct rob_lease *lease = frame->lease;
	uint32_t begun;

	if (!lease)
		return frame->slot;
	begun = rob_word_begun(port_load_acquire(&lease->word)); /* O2 */
	return begun > lease->flushed ? lease->slot[begun - 1] : NULL;
}

/*
 * The thread waits: searches for cycles find it by the cookies of its calls. What is found stays in the index until it
 * is popped, so a frame is entered once, however often its thread waits: the frame of a lease, too, for a call that
 * waits is the last of its lease.
 */
void rob_frames_index(struct rob_thread *thread)
{
	for (struct rob_frame *frame = thread->top; frame && !frame->indexed; frame = frame->parent) {
		struct rob_slot *slot = rob_frame_slot(frame);

		if (!slot)
			continue;
		rob_tree_insert(&rob.frames, &frame->node, rob_cookie(slot));
		frame->indexed = true;
	}
}

bool rob_on_stack(struct rob_thread *thread, struct rob_slot *slot)
{
	for (struct rob_frame *frame = thread->top; frame; frame = frame->parent)
		if (rob_frame_slot(frame) == slot)
			return true;
	return false;
}

/* Whether a call that has been claimed for this lease, begun or not, is of a registered domain. */
bool rob_lease_registered(struct rob_lease *lease)
{
	uint32_t limit = rob_word_limit(port_load_relaxed(&lease->word)); /* no order: limits change under the lock */

	for (uint32_t i = lease->flushed; i < limit; i++)
		if (!rob_block(lease->slot[i])->domain->exclusive)
			return true;
	return false;
}

bool rob_registered_on_stack(struct rob_thread *thread)
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
		if (rob_registered_on_stack(thread))
			return false;
	return true;
}
