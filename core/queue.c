/* SPDX-License-Identifier: MIT */
/*
 * The queue of pending calls, all domains, in cookie order.
 *
 * Singly linked through the slots. A slot taken from the middle stays linked,
 * dead. Entries are the exception: they go back to their owner, so they know
 * their predecessor and are unlinked at once.
 */
#include "core.h"

#define SWEEP_SLACK 64 /* dead slots that are not worth a sweep */

static struct rob_record *entry_of(struct rob_slot *slot)
{
	struct async_block *block = slot ? rob_block(slot) : NULL;

	return block && block->kind == ROB_ENTRY ? (struct rob_record *)(void *)block : NULL;
}

static bool is_pending(struct rob_slot *slot)
{
	return rob_block(slot)->pending & rob_bit(slot);
}

static void set_pending(struct rob_slot *slot)
{
	rob_block(slot)->pending |= rob_bit(slot);
	rob.queue.pending++;
	if (rob_is_wide(slot))
		rob_wide(slot)->flags |= ROB_QUEUED;
}

static void clear_pending(struct rob_slot *slot)
{
	rob_block(slot)->pending &= ~rob_bit(slot);
	rob.queue.pending--;
}

/* Links slot behind prev, or at the head for NULL. */
static void link_after(struct rob_slot *prev, struct rob_slot *slot)
{
	struct rob_slot **link = prev ? &prev->next : &rob.queue.head;
	struct rob_record *entry;

	slot->next = *link;
	*link = slot;
	if ((entry = entry_of(slot)))
		entry->prev = prev;
	if (!slot->next)
		rob.queue.tail = slot;
	else if ((entry = entry_of(slot->next)))
		entry->prev = slot;
}

/* Unlinks what follows prev, or the head for NULL. */
static struct rob_slot *unlink_after(struct rob_slot *prev)
{
	struct rob_slot **link = prev ? &prev->next : &rob.queue.head;
	struct rob_slot *slot = *link;
	struct rob_record *entry;

	*link = slot->next;
	if (!slot->next)
		rob.queue.tail = prev;
	else if ((entry = entry_of(slot->next)))
		entry->prev = prev;
	if (rob_is_wide(slot))
		rob_wide(slot)->flags &= ~ROB_QUEUED;
	slot->next = NULL;
	return slot;
}

static void bury(struct rob_slot *slot, struct rob_after *after)
{
	struct async_block *block = rob_block(slot);

	rob.queue.dead--;
	if (!--block->dead && !block->live && block->kind == ROB_TABLE)
		rob_free_block(block, after);
}

/* A call with the highest cookie of all. */
void rob_queue_append(struct rob_slot *slot)
{
	link_after(rob.queue.tail, slot);
	set_pending(slot);
}

/* A call that comes back: its cookie is near the head's. */
void rob_queue_insert(struct rob_slot *slot)
{
	struct rob_slot *prev = NULL;

	if (rob_is_wide(slot) && (rob_wide(slot)->flags & ROB_QUEUED)) { /* dead in its place */
		rob_block(slot)->dead--;
		rob.queue.dead--;
		set_pending(slot);
		return;
	}
	for (struct rob_slot *next = rob.queue.head; next && next->place < slot->place; next = next->next)
		prev = next;
	link_after(prev, slot);
	set_pending(slot);
}

/* The pending call of the lowest cookie, or NULL. */
struct rob_slot *rob_queue_head(struct rob_after *after)
{
	while (rob.queue.head && !is_pending(rob.queue.head))
		bury(unlink_after(NULL), after);
	return rob.queue.head;
}

static void sweep(struct rob_after *after)
{
	struct rob_slot *prev = NULL;

	for (struct rob_slot *slot = rob.queue.head; slot; slot = prev ? prev->next : rob.queue.head) {
		if (is_pending(slot))
			prev = slot;
		else
			bury(unlink_after(prev), after);
	}
}

/* Claims a pending call, wherever it stands. */
void rob_queue_take(struct rob_slot *slot, struct rob_after *after)
{
	struct rob_record *entry = entry_of(slot);

	clear_pending(slot);
	if (slot == rob.queue.head) {
		unlink_after(NULL);
	} else if (entry) {
		unlink_after(entry->prev);
	} else {
		rob_block(slot)->dead++;
		if (++rob.queue.dead > rob.queue.pending + SWEEP_SLACK)
			sweep(after);
	}
}

/*
 * How many calls follow each other in the queue from its head on, which is
 * pending, as the bits of its block tell: the slots themselves were written by
 * another processor, and following their links would take a cache line each.
 */
static unsigned run_length(struct rob_slot *head)
{
	struct async_block *block = rob_block(head);
	uint64_t pending = block->pending >> rob_index(head);

	if (rob_index(head) < block->from)
		return 1;
	if (block->width == 1)
		return (unsigned)__builtin_ctzll(~pending);
	return (unsigned)__builtin_ctzll(~(pending | 0xaaaaaaaaaaaaaaaau)) / 2;
}

/* As below, several that follow each other, most of them at most. */
static unsigned take_several(struct rob_slot **slots, unsigned run, unsigned most, async_cookie_t bound)
{
	struct rob_slot *slot = rob.queue.head, *last = slot;
	struct async_block *block = rob_block(slot);
	unsigned width = rob_is_wide(slot) ? 2 : 1, count = 0;
	async_cookie_t cookie = rob_cookie(slot);
	struct rob_record *entry;
	uint64_t mask = 0;

	if (most > run)
		most = run;
	do {
		if (width == 2) {
			if (count && rob_func_done(slot))
				break;
			rob_wide(slot)->flags &= ~ROB_QUEUED;
		}
		mask |= (uint64_t)1 << (rob_index(last) + count * width);
		slots[count++] = slot;
		slot += width;
	} while (count < most && cookie + count < bound && !rob_func_done(last));
	last += (count - 1) * width;
	slot = rob.queue.head = count < run ? last + width : last->next;
	if (!slot)
		rob.queue.tail = NULL;
	else if ((entry = entry_of(slot)))
		entry->prev = NULL;
	block->pending &= ~mask;
	rob.queue.pending -= count;
	return count;
}

/*
 * Claims calls from the head, which is pending: as many as follow each other in
 * one block, and have cookies below bound; at least one. A retire step stays alone.
 */
unsigned rob_queue_take_run(struct rob_slot **slots, unsigned most, async_cookie_t bound)
{
	unsigned run = run_length(rob.queue.head);

	if (run > 1)
		return take_several(slots, run, most, bound);
	clear_pending(rob.queue.head);
	slots[0] = unlink_after(NULL);
	return 1;
}
