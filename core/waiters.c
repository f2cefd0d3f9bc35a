/* SPDX-License-Identifier: MIT */
/*
 * Registered waiters, and which of them a completion satisfies.
 *
 * A waiter for a domain, or for all, stands in a list sorted by its bound, so a
 * completion looks at the first only. A waiter for one call stands in a tree
 * by its cookie. Waiters whose condition is not a matter of the lowest cookie
 * (they leave calls out, or await an owner) are the odd ones: they are looked at
 * each time, and are few.
 */
#include "core.h"

/* Whether its condition takes into account what is on stacks: then every call is looked at. */
static bool minds_stacks(const struct async_waiter *waiter)
{
	return waiter->leaves_out || waiter->holder || (waiter->kind == ROB_WAIT_OWNER && waiter->thread->top);
}

/* Whether nothing that it awaits is in progress. Changes nothing but the marks of a search. */
bool rob_satisfied(struct async_waiter *waiter)
{
	struct rob_slot *lowest;

	if (waiter->kind == ROB_WAIT_QUIET)
		return rob_is_quiet();
	if (waiter->kind == ROB_WAIT_OPEN)
		return !rob.quiesce;
	if (rob_leaves_dependents(waiter))
		rob_deadlock_mark(waiter);
	if (waiter->kind == ROB_WAIT_OWNER && !waiter->owner->in_progress)
		return true;
	if (minds_stacks(waiter))
		return !rob_awaits_any(waiter, false);
	switch (waiter->kind) {
	case ROB_WAIT_DOMAIN:
		lowest = rob_lowest(waiter->domain);
		return !lowest || rob_cookie(lowest) >= waiter->bound;
	case ROB_WAIT_ALL:
		if (waiter->everything)
			return !rob.blocks[0] && !rob.blocks[1];
		return rob_lowest_of_all() >= waiter->bound;
	case ROB_WAIT_CALL:
		return !rob_find(waiter->bound, waiter->domain);
	default:
		return false;
	}
}

/* It is satisfied, as rob_satisfied() has just said: were calls left out that are in progress? */
void rob_waiter_settle(struct async_waiter *waiter)
{
	if (waiter->kind < ROB_WAIT_QUIET && minds_stacks(waiter))
		waiter->leaves_out |= rob_awaits_any(waiter, true);
}

/* It is not satisfied: does the call that it waits for alone have to wait for its turn? */
void rob_waiter_find_order(struct async_waiter *waiter)
{
	struct rob_slot *slot = waiter->kind == ROB_WAIT_CALL ? rob_find(waiter->bound, waiter->domain) : NULL;

	waiter->order = slot && rob_is_ordered(slot) ? rob_block(slot)->domain : NULL;
}

/* ---- the lists ---- */

static struct async_waiter **list_head(struct async_waiter *waiter)
{
	switch (waiter->list) {
	case ROB_IN_DOMAIN:
		return &waiter->domain->waiters;
	case ROB_IN_ALL:
		return &rob.all_waiters;
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
		return ROB_IN_CALLS;
	return waiter->kind == ROB_WAIT_ALL ? ROB_IN_ALL : ROB_IN_DOMAIN;
}

void rob_waiter_add(struct async_waiter *waiter)
{
	waiter->list = list_of(waiter);
	waiter->swept = 0;
	if (waiter->list == ROB_IN_CALLS) {
		rob_tree_insert(&rob.calls, &waiter->node, waiter->bound);
		rob.ordered_calls += waiter->order != NULL;
	} else {
		list_insert(waiter);
	}
	if (waiter->cookie)
		rob_frames_index(waiter->thread);
	waiter->all_prev = NULL;
	waiter->all_next = rob.waiters;
	if (waiter->all_next)
		waiter->all_next->all_prev = waiter;
	rob.waiters = waiter;
	rob.ascending += waiter->ascending;
	rob.pool.spills += waiter->spills;
	waiter->thread->waiter = waiter;
}

void rob_waiter_remove(struct async_waiter *waiter)
{
	if (waiter->list == ROB_IN_CALLS) {
		rob_tree_remove(&rob.calls, &waiter->node);
		rob.ordered_calls -= waiter->order != NULL;
	} else {
		list_remove(waiter);
	}
	if (waiter->all_prev)
		waiter->all_prev->all_next = waiter->all_next;
	else
		rob.waiters = waiter->all_next;
	if (waiter->all_next)
		waiter->all_next->all_prev = waiter->all_prev;
	rob.ascending -= waiter->ascending;
	rob.pool.spills -= waiter->spills;
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
		if (!rob_satisfied(waiter))
			continue;
		rob_waiter_settle(waiter);
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
		wake_below(&rob.all_waiters, rob_lowest_of_all(), after);
	rob_waiters_odd(after);
}

/* The call of this cookie is complete. */
void rob_waiters_call_done(async_cookie_t cookie, struct rob_after *after)
{
	struct rob_node *node;

	while ((node = rob_tree_find(rob.calls, cookie)) && node->key == cookie)
		rob_waiter_satisfy((struct async_waiter *)(void *)node, after);
}

/* ---- cycles of waits ---- */

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
	uint32_t first;

	if (!rob.ascending || waiter->timed || !waiter->cookie)
		return;
	if (!rob_deadlock_may_close(waiter))
		return;
	rob_deadlock_dependents(waiter->thread, ASYNC_COOKIE_MAX);
	if (!rob_deadlock_closing(waiter))
		return;
	waiter->mark = first = rob.mark;
	for (other = rob.waiters; other; other = next) {
		next = other->all_next;
		if (other->mark - first > rob.mark - first)
			continue; /* what later searches mark was marked by the first, too */
		if (other->deadlock) {
			if (other != waiter && rob_satisfied(other)) {
				rob_waiter_settle(other);
				rob_waiter_satisfy(other, after);
			}
			continue;
		}
		rob_deadlock_mark(other);
		if (rob_deadlock_closing(other))
			make_victim(other, waiter);
	}
}

/* ---- new calls ---- */

/* A call has come to be pending: while others are held back, whoever awaits it runs it; else a worker may be needed. */
void rob_now_pending(struct rob_after *after)
{
	if (port_unlikely(rob.quiesce))
		rob_poke_callers();
	rob_pool_kick(after);
}
