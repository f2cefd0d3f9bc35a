/* SPDX-License-Identifier: MIT */
/*
 * The queue of pending calls, all domains, in cookie order.
 *
 * Singly linked through the slots. A slot taken from the middle stays linked,
 * dead. Entries are the exception: they go back to their owner, so they know
 * their predecessor and are unlinked at once.
 *
 * Claiming is under the lock, whoever does it: a worker at the head, a waiter or a cancel anywhere. A call is pending
 * exactly while its bit in the block is set; the links only give its place.
 */
#include "core.h"

/* Covered by chance: few places ask for NULL */
static struct rob_record *entry_of(struct rob_slot *slot)
{
	struct async_block *block = slot ? rob_block(slot) : NULL;

	return block && block->kind == ROB_ENTRY ? (struct rob_record *)(void *)block : NULL;
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

static void bury(struct rob_slot *slot)
{
	struct async_block *block = rob_block(slot);

	rob.queue.dead--;
	/* Covered by chance: records leave the queue when they die */
	if (!--block->dead && !block->live && block->kind == ROB_TABLE)
		rob_free_block(block);
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
struct rob_slot *rob_queue_head(void)
{
	while (rob.queue.head && !rob_is_pending(rob.queue.head))
		bury(unlink_after(NULL));
	return rob.queue.head;
}

static void sweep(void)
{
	struct rob_slot *prev = NULL;

	for (struct rob_slot *slot = rob.queue.head; slot; slot = prev ? prev->next : rob.queue.head) {
		if (rob_is_pending(slot))
			prev = slot;
		else
			bury(unlink_after(prev));
	}
}

/* Claims a pending call, wherever it stands. */
void rob_queue_take(struct rob_slot *slot)
{
	struct rob_record *entry = entry_of(slot);

	clear_pending(slot);
	if (slot == rob.queue.head) {
		unlink_after(NULL);
	} else if (entry) {
		unlink_after(entry->prev);
	} else {
		rob_block(slot)->dead++;
		if (++rob.queue.dead > rob.queue.pending + ROB_SWEEP_SLACK)
			sweep();
	}
}

/*
 * How many calls, most at most, follow each other in the queue from its head on and are
 * neighbours in one block. The block's bits say which are pending. Cookies only rise in a
 * block: if the last of count neighbours has a cookie that is count - 1 higher, theirs are
 * consecutive, and nothing stands between them in the queue. So only the lines of the first
 * and the last are read: another processor wrote the slots, and to follow their links would
 * take a cache line each, one after the other. A plain call may end a row of wide ones:
 * take_several() looks.
 */
static unsigned run_length(struct rob_slot *head, unsigned most)
{
	uint64_t pending = rob_block(head)->pending >> rob_index(head);
	unsigned width = rob_is_wide(head) ? 2 : 1, count;
	struct rob_slot *last;

	if (head->next != head + width)
		return 1;
	if (width == 1)
		count = (unsigned)__builtin_ctzll(~pending);
	else
		count = (unsigned)__builtin_ctzll(~(pending | 0xaaaaaaaaaaaaaaaau)) / 2;
	if (count > most)
		count = most;
	last = head + (count - 1) * width;
	if (rob_is_wide(last) && width == 1)
		last = head + --count - 1; /* the first of wide ones ends a row of plain ones */
	return rob_cookie(last) - rob_cookie(head) == count - 1 ? count : 1;
}

/* Claims up to count neighbours from the head on, as run_length() says, with cookies below bound. Returns how many. */
static unsigned take_several(struct rob_slot **slots, unsigned count, async_cookie_t bound)
{
	struct rob_slot *slot = rob.queue.head, *last = NULL;
	struct async_block *block = rob_block(slot);
	unsigned width = rob_is_wide(slot) ? 2 : 1, taken = 0;
	async_cookie_t cookie = rob_cookie(slot);
	uint64_t bit = rob_bit(slot), mask = 0;
	struct rob_record *entry;

	do {
		if (width == 2) {
			/* Covered by chance: a retire step comes back to the head, so it mostly begins runs */
			if (!rob_is_wide(slot) || (last && rob_func_done(slot)))
				break;
			rob_wide(slot)->flags &= ~ROB_QUEUED;
		}
		mask |= bit << taken * width;
		last = slots[taken++] = slot;
		slot += width;
		/* Covered by chance: a retire step comes back to the head, so it mostly begins runs */
	} while (taken < count && cookie + taken < bound && !(width == 2 && rob_func_done(last)));
	block->pending &= ~mask;
	rob.queue.pending -= taken;
	slot = rob.queue.head = last->next;
	if (!slot)
		rob.queue.tail = NULL;
	else if ((entry = entry_of(slot)))
		entry->prev = NULL;
	return taken;
}

/*
 * Claims calls from the head, which is pending: as many as follow each other in
 * one block, and have cookies below bound; at least one. A retire step stays alone.
 */
unsigned rob_queue_take_run(struct rob_slot **slots, unsigned most, async_cookie_t bound)
{
	unsigned count = run_length(rob.queue.head, most);

	if (count > 1)
		return take_several(slots, count, bound);
	clear_pending(rob.queue.head);
	slots[0] = unlink_after(NULL);
	return 1;
}
