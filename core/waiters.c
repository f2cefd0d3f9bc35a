/* SPDX-License-Identifier: MIT */
/*
 * Registered waiters, and which of them a completion satisfies.
 *
 * A waiter for a domain, or for all, stands in a list sorted by its bound, so a
 * completion looks at the first only. A waiter for one call stands in a bucket
 * by its cookie. Waiters whose condition is not a matter of the lowest cookie
 * (they leave calls out, or await an owner) are the odd ones: they are looked at
 * each time, and are few.
 */
#include "core.h"

static async_cookie_t lowest_of_all(void)
{
	async_cookie_t lowest = ASYNC_COOKIE_MAX;

	for (struct async_block *block = rob.blocks[0]; block; block = block->all_next) {
		async_cookie_t cookie;

		if (rob_cookie(rob_slots(block)) > lowest)
			break; /* blocks come in the order of their first cookies */
		cookie = rob_cookie(rob_lowest_bit(block, block->live));
		if (cookie < lowest)
			lowest = cookie;
	}
	return lowest;
}

/* ---- what a waiter awaits ---- */

static bool matches(struct async_waiter *waiter, struct rob_slot *slot)
{
	struct async_domain *domain = rob_block(slot)->domain;

	switch (waiter->kind) {
	case ROB_WAIT_DOMAIN:
		return domain == waiter->domain && rob_cookie(slot) < waiter->bound;
	case ROB_WAIT_ALL:
		return (!domain->exclusive || waiter->everything) && rob_cookie(slot) < waiter->bound;
	case ROB_WAIT_CALL:
		return rob_cookie(slot) == waiter->bound;
	case ROB_WAIT_OWNER:
		return rob_owner(slot) == waiter->owner;
	default:
		return false; /* not a matter of single calls */
	}
}

/* Whether an ordered call of the owner gets its turn only after this one. */
static bool holds_up(struct rob_slot *slot, struct async_owner *owner)
{
	uint64_t bits = ~(rob_bit(slot) - 1);

	for (struct async_block *block = rob_block(slot); block; block = block->next, bits = ~(uint64_t)0)
		for (bits &= block->live; bits; bits &= bits - 1) {
			struct rob_slot *later = rob_lowest_bit(block, bits);

			if (rob_is_ordered(later) && rob_owner(later) == owner)
				return true;
		}
	return false;
}

/* Whether the waiter cannot go on before this call is complete, were it not for deadlocks. */
bool rob_awaits(struct async_waiter *waiter, struct rob_slot *slot)
{
	if (matches(waiter, slot))
		return true;
	if (waiter->kind == ROB_WAIT_OWNER)
		return holds_up(slot, waiter->owner);
	return waiter->order && rob_block(slot)->domain == waiter->order && rob_cookie(slot) < waiter->bound;
}

bool rob_on_stack(struct rob_thread *thread, struct rob_slot *slot)
{
	for (struct rob_frame *frame = thread->top; frame; frame = frame->parent)
		if (rob_frame_slot(frame) == slot)
			return true;
	return false;
}

/* An ordered call completes after all lower ones of its domain: is one of them on this stack? */
static bool follows_stack(struct rob_thread *thread, struct rob_slot *slot)
{
	for (struct rob_frame *frame = thread->top; frame; frame = frame->parent) {
		struct rob_slot *below = rob_frame_slot(frame);

		if (below && rob_block(below)->domain == rob_block(slot)->domain && below->place < slot->place)
			return true;
	}
	return false;
}

static bool stuck_behind(struct rob_thread *thread, struct rob_slot *slot)
{
	return rob_on_stack(thread, slot) || (rob_is_ordered(slot) && follows_stack(thread, slot));
}

/* Calls that cannot complete before this wait returns. Of a cycle: rob_deadlock_mark() comes first. */
bool rob_left_out(struct async_waiter *waiter, struct rob_slot *slot)
{
	if (stuck_behind(waiter->thread, slot))
		return true;
	if (waiter->holder && !rob_block(slot)->domain->exclusive && (rob_block(slot)->pending & rob_bit(slot)))
		return true; /* held back until this thread ends its quiescing */
	if (!waiter->deadlock)
		return false;
	for (struct async_waiter *other = rob.waiters; other; other = other->all_next)
		if (other->mark == rob.mark && stuck_behind(other->thread, slot))
			return true;
	return false;
}

/* The call in progress with this cookie, in the domain or anywhere (NULL). */
struct rob_slot *rob_find(async_cookie_t cookie, struct async_domain *domain)
{
	for (unsigned list = 0; list < 2; list++) {
		struct async_block *block = domain ? domain->last : rob.blocks_last[list];

		while (block) {
			for (uint64_t bits = block->live; bits; bits &= bits - 1) {
				struct rob_slot *slot = rob_lowest_bit(block, bits);

				if (rob_cookie(slot) == cookie)
					return slot;
				if (rob_cookie(slot) > cookie)
					break;
			}
			if (domain && rob_cookie(rob_slots(block)) <= cookie)
				break; /* a domain's blocks do not overlap */
			block = domain ? block->prev : block->all_prev;
		}
		if (domain)
			break;
	}
	return NULL;
}

/* Whether a call in progress is awaited and not left out. */
static bool awaits_any(struct async_waiter *waiter, bool left_out)
{
	for (unsigned list = 0; list < 2; list++) {
		for (struct async_block *block = rob.blocks[list]; block; block = block->all_next) {
			for (uint64_t bits = block->live; bits; bits &= bits - 1) {
				struct rob_slot *slot = rob_lowest_bit(block, bits);

				if (matches(waiter, slot) && rob_left_out(waiter, slot) == left_out)
					return true;
			}
		}
	}
	return false;
}

/* Whether calls of the waiter's own stack, or stuck behind them, are among those it awaits. */
bool rob_waits_for_self(struct async_waiter *waiter)
{
	struct rob_slot *call;

	if (waiter->holder)
		return awaits_any(waiter, true);
	if (!waiter->thread->top)
		return false;
	if (waiter->kind == ROB_WAIT_OWNER)
		return awaits_any(waiter, true);
	if (waiter->kind == ROB_WAIT_CALL) {
		call = rob_find(waiter->bound, waiter->domain);
		return call && rob_left_out(waiter, call);
	}
	for (struct rob_frame *frame = waiter->thread->top; frame; frame = frame->parent) {
		struct rob_slot *slot = rob_frame_slot(frame);

		if (slot && matches(waiter, slot))
			return true;
	}
	return false;
}

bool rob_satisfied(struct async_waiter *waiter)
{
	struct rob_slot *lowest;

	if (waiter->kind == ROB_WAIT_QUIET)
		return rob_is_quiet();
	if (waiter->kind == ROB_WAIT_OPEN)
		return !rob.quiesce;
	if (waiter->deadlock)
		rob_deadlock_mark(waiter);
	if (waiter->kind == ROB_WAIT_OWNER && !waiter->owner->in_progress)
		return true;
	if (waiter->leaves_out || waiter->holder || (waiter->kind == ROB_WAIT_OWNER && waiter->thread->top)) {
		if (awaits_any(waiter, false))
			return false;
		waiter->leaves_out |= awaits_any(waiter, true);
		return true;
	}
	switch (waiter->kind) {
	case ROB_WAIT_DOMAIN:
		lowest = rob_lowest(waiter->domain);
		return !lowest || rob_cookie(lowest) >= waiter->bound;
	case ROB_WAIT_ALL:
		if (waiter->everything)
			return !rob.blocks[0] && !rob.blocks[1];
		return lowest_of_all() >= waiter->bound;
	case ROB_WAIT_CALL:
		lowest = rob_find(waiter->bound, waiter->domain);
		waiter->order = lowest && rob_is_ordered(lowest) ? rob_block(lowest)->domain : NULL;
		return !lowest;
	default:
		return false;
	}
}

/* ---- the lists ---- */

static struct async_waiter **list_head(struct async_waiter *waiter)
{
	switch (waiter->list) {
	case ROB_IN_DOMAIN:
		return &waiter->domain->waiters;
	case ROB_IN_ALL:
		return &rob.all_waiters;
	case ROB_IN_BUCKET:
		return &rob.bucket[waiter->bound % ROB_BUCKETS];
	default:
		return &rob.odd;
	}
}

static struct async_waiter **list_tail(struct async_waiter *waiter)
{
	if (waiter->list == ROB_IN_DOMAIN)
		return &waiter->domain->waiters_last;
	return waiter->list == ROB_IN_ALL ? &rob.all_waiters_last : NULL;
}

/* Sorted by bound from the tail, where a new one mostly belongs; the unsorted lists at the head. */
static void list_insert(struct async_waiter *waiter)
{
	struct async_waiter **head = list_head(waiter), **tail = list_tail(waiter);
	struct async_waiter *prev = tail ? *tail : NULL;

	while (prev && prev->bound > waiter->bound)
		prev = prev->prev;
	waiter->prev = prev;
	waiter->next = prev ? prev->next : *head;
	if (prev)
		prev->next = waiter;
	else
		*head = waiter;
	if (waiter->next)
		waiter->next->prev = waiter;
	else if (tail)
		*tail = waiter;
}

static void list_remove(struct async_waiter *waiter)
{
	struct async_waiter **head = list_head(waiter), **tail = list_tail(waiter);

	if (waiter->prev)
		waiter->prev->next = waiter->next;
	else
		*head = waiter->next;
	if (waiter->next)
		waiter->next->prev = waiter->prev;
	else if (tail)
		*tail = waiter->prev;
}

static enum rob_list list_of(struct async_waiter *waiter)
{
	if (waiter->leaves_out || waiter->holder || waiter->kind >= ROB_WAIT_OWNER || waiter->everything)
		return ROB_IN_ODD;
	if (waiter->kind == ROB_WAIT_CALL)
		return ROB_IN_BUCKET;
	return waiter->kind == ROB_WAIT_ALL ? ROB_IN_ALL : ROB_IN_DOMAIN;
}

void rob_waiter_add(struct async_waiter *waiter)
{
	waiter->list = list_of(waiter);
	list_insert(waiter);
	waiter->all_prev = NULL;
	waiter->all_next = rob.waiters;
	if (waiter->all_next)
		waiter->all_next->all_prev = waiter;
	rob.waiters = waiter;
	rob.call_waiters += waiter->list == ROB_IN_BUCKET;
	rob.ascending += waiter->ascending;
	waiter->thread->waiter = waiter;
}

void rob_waiter_remove(struct async_waiter *waiter)
{
	list_remove(waiter);
	if (waiter->all_prev)
		waiter->all_prev->all_next = waiter->all_next;
	else
		rob.waiters = waiter->all_next;
	if (waiter->all_next)
		waiter->all_next->all_prev = waiter->all_prev;
	rob.call_waiters -= waiter->list == ROB_IN_BUCKET;
	rob.ascending -= waiter->ascending;
	waiter->list = ROB_NO_LIST;
	waiter->thread->waiter = NULL;
}

/* A waiter that has become the victim of a cycle is an odd one from now on. */
void rob_waiter_victim(struct async_waiter *waiter)
{
	rob_waiter_remove(waiter);
	waiter->deadlock = true;
	waiter->leaves_out = true;
	rob_waiter_add(waiter);
}

/* ---- completions ---- */

void rob_waiter_satisfy(struct async_waiter *waiter, struct rob_after *after)
{
	rob_waiter_remove(waiter);
	rob_pool_unblock(waiter->thread);
	waiter->next = after->wake;
	after->wake = waiter;
}

static void wake_below(struct async_waiter **head, async_cookie_t lowest, struct rob_after *after)
{
	while (*head && (*head)->bound <= lowest)
		rob_waiter_satisfy(*head, after);
}

void rob_waiters_odd(struct rob_after *after)
{
	struct async_waiter *waiter, *next;

	for (waiter = rob.odd; waiter; waiter = next) {
		next = waiter->next;
		if (rob_satisfied(waiter))
			rob_waiter_satisfy(waiter, after);
	}
}

/* Waiters inside calls shall look again: while quiescing begins they run what they await themselves. */
void rob_poke_callers(void)
{
	for (struct async_waiter *waiter = rob.waiters; waiter; waiter = waiter->all_next)
		if (waiter->cookie && !waiter->timed)
			port_unpark(&waiter->thread->parker, ROB_POKE); /* O3 */
}

/* Waiters inside calls for this owner shall look again: they await more. */
void rob_poke_owner(struct async_owner *owner)
{
	for (struct async_waiter *waiter = rob.odd; waiter; waiter = waiter->next)
		if (waiter->kind == ROB_WAIT_OWNER && waiter->owner == owner && waiter->cookie && !waiter->timed)
			port_unpark(&waiter->thread->parker, ROB_POKE); /* O3 */
}

/* Some calls of the domain have completed. */
void rob_waiters_wake(struct async_domain *domain, bool exclusive, struct rob_after *after)
{
	struct rob_slot *lowest = rob_lowest(domain);

	if (domain->waiters)
		wake_below(&domain->waiters, lowest ? rob_cookie(lowest) : ASYNC_COOKIE_MAX, after);
	if (rob.all_waiters && !exclusive)
		wake_below(&rob.all_waiters, lowest_of_all(), after);
	rob_waiters_odd(after);
}

/* The call of this cookie is complete. */
void rob_waiters_call_done(async_cookie_t cookie, struct rob_after *after)
{
	struct async_waiter *waiter = rob.bucket[cookie % ROB_BUCKETS], *next;

	for (; waiter; waiter = next) {
		next = waiter->next;
		if (waiter->bound == cookie)
			rob_waiter_satisfy(waiter, after);
	}
}
