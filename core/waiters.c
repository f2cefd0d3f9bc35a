/* SPDX-License-Identifier: MIT */
/*
 * Registered waiters, and which of them a completion satisfies.
 *
 * A waiter for a domain, or for all, is in a list sorted by its bound, so a
 * completion looks at the first only. A waiter for one call is in a tree
 * by its cookie. Waiters whose condition is not a matter of the lowest cookie
 * (they leave calls out, or await an owner) are the special ones: they are checked
 * each time, and are few.
 */
#include "core.h"

/* Whether its condition takes into account what is on stacks: then every call is looked at. */
static bool minds_stacks(const struct async_waiter *waiter)
{
	return waiter->leaves || rob_is_holder(waiter) || (waiter->kind == ROB_WAIT_OWNER && waiter->thread->top);
}

/* Whether nothing that it awaits is in progress. Changes nothing but the marks of a search. */
bool rob_satisfied(struct async_waiter *waiter)
{
	struct rob_slot *lowest;

	if (waiter->kind == ROB_WAIT_QUIESCE)
		return rob_quiesce_reached(waiter->thread);
	if (rob_leaves_dependents(waiter) && rob_awaits_newest(waiter))
		return false; /* mostly, without a search */
	rob_mark_left_out(waiter);
	if (waiter->kind == ROB_WAIT_OWNER && !waiter->owner->in_progress)
		return true;
	if (minds_stacks(waiter))
		return !rob_awaits_any(waiter, false);
	switch (waiter->kind) {
	case ROB_WAIT_DOMAIN:
		lowest = rob_lowest(waiter->domain);
		return !lowest || rob_cookie(lowest) >= waiter->bound;
	case ROB_WAIT_ALL:
		return rob_lowest_of_all() >= waiter->bound;
	case ROB_WAIT_EXIT:
		return !rob.blocks[0] && !rob.blocks[1];
	case ROB_WAIT_CALL:
		return !rob_find(waiter->bound, waiter->domain);
	default:
		return false;
	}
}

/* It is satisfied, as rob_satisfied() has just said: were calls left out that are in progress? */
void rob_waiter_settle(struct async_waiter *waiter)
{
	if (waiter->kind != ROB_WAIT_QUIESCE && !waiter->leaves && minds_stacks(waiter) && rob_awaits_any(waiter, true))
		waiter->leaves = ROB_LEAVES_OWN;
}

/* It is not satisfied: does the call that it waits for alone have to wait for its turn? */
void rob_waiter_find_order(struct async_waiter *waiter)
{
	struct rob_slot *slot = waiter->kind == ROB_WAIT_CALL ? rob_find(waiter->bound, waiter->domain) : NULL;

	waiter->order = slot && rob_is_ordered(slot) ? rob_block(slot)->domain : NULL;
}

/* ---- the lists ---- */

enum rob_list rob_waiter_list(const struct async_waiter *waiter)
{
	/* Covered by chance: their combinations, in torture */
	if (minds_stacks(waiter) || waiter->kind >= ROB_WAIT_OWNER || waiter->kind == ROB_WAIT_EXIT)
		return ROB_IN_SPECIAL;
	if (waiter->kind == ROB_WAIT_CALL)
		return ROB_IN_CALLS;
	return waiter->kind == ROB_WAIT_ALL ? ROB_IN_ALL : ROB_IN_DOMAIN;
}

/* Whether it may await higher cookies than those of its own stack. */
static bool ascends(const struct async_waiter *waiter)
{
	return !rob_is_timed(waiter) && waiter->thread->top &&
	       (waiter->kind == ROB_WAIT_OWNER || waiter->bound > rob_stack_lowest(waiter->thread));
}

/* Among waiters sorted by bound, the last before its place: searched from the end, where a new one mostly belongs. */
static struct async_waiter *before(const struct async_waiter *waiter, struct async_waiter *last)
{
	while (last && last->bound > waiter->bound)
		last = last->prev;
	return last;
}

void rob_waiter_add(struct async_waiter *waiter)
{
	struct async_domain *domain = waiter->domain;

	waiter->visit.swept = 0;
	switch (rob_waiter_list(waiter)) {
	case ROB_IN_DOMAIN:
		rob_list_insert(domain->waiters, domain->waiters_last, waiter, before(waiter, domain->waiters_last),
				prev, next);
		break;
	case ROB_IN_ALL:
		rob_list_insert(rob.all_waiters, rob.all_waiters_last, waiter, before(waiter, rob.all_waiters_last),
				prev, next);
		break;
	case ROB_IN_CALLS:
		rob_tree_insert(&rob.calls, &waiter->node, waiter->bound);
		rob.ordered_calls += waiter->order != NULL;
		break;
	default:
		rob_list_push(rob.special, waiter, prev, next);
	}
	if (waiter->cookie)
		rob_frames_index(waiter->thread);
	rob.waiting++;
	rob.ascending += ascends(waiter);
	waiter->thread->waiter = waiter;
	rob_thread_list(waiter->thread);
}

void rob_waiter_remove(struct async_waiter *waiter)
{
	struct async_domain *domain = waiter->domain;

	switch (rob_waiter_list(waiter)) {
	case ROB_IN_DOMAIN:
		rob_list_unlink(domain->waiters, domain->waiters_last, waiter, prev, next);
		break;
	case ROB_IN_ALL:
		rob_list_unlink(rob.all_waiters, rob.all_waiters_last, waiter, prev, next);
		break;
	case ROB_IN_CALLS:
		rob_tree_remove(&rob.calls, &waiter->node);
		rob.ordered_calls -= waiter->order != NULL;
		break;
	default:
		rob_list_remove(rob.special, waiter, prev, next);
	}
	rob.waiting--;
	rob.ascending -= ascends(waiter);
	waiter->thread->waiter = NULL;
	if (!waiter->thread->worker)
		rob_thread_unlist(waiter->thread);
}

/* A waiter that has become the victim of a cycle is a special one from now on. */
void rob_waiter_victim(struct async_waiter *waiter)
{
	rob_waiter_remove(waiter);
	waiter->leaves = ROB_LEAVES_CYCLE;
	rob_waiter_add(waiter);
}

/* ---- completions ---- */

void rob_waiter_satisfy(struct async_waiter *waiter)
{
	rob_waiter_remove(waiter);
	rob_pool_unblock(waiter->thread);
	waiter->next = rob.after.wake;
	rob.after.wake = waiter;
}

static void wake_below(struct async_waiter **head, async_cookie_t lowest)
{
	while (*head && (*head)->bound <= lowest)
		rob_waiter_satisfy(*head);
}

static void recheck(struct async_waiter *waiter)
{
	if (!rob_satisfied(waiter))
		return;
	rob_waiter_settle(waiter);
	rob_waiter_satisfy(waiter);
}

void rob_waiters_special(void)
{
	struct async_waiter *waiter, *next;

	for (waiter = rob.special; waiter; waiter = next) {
		next = waiter->next;
		recheck(waiter);
	}
}

static void poke(struct async_waiter *waiter)
{
	/* Covered by chance: a timed wait inside a call while quiescing begins */
	if (waiter->cookie && !rob_is_timed(waiter))
		port_unpark(&waiter->thread->parker, ROB_POKE); /* O3 */
}

/* Waiters inside calls check again: while quiescing begins they run what they await themselves. */
void rob_poke_callers(void)
{
	for (struct rob_thread *thread = rob.threads; thread; thread = thread->next)
		if (thread->waiter)
			poke(thread->waiter);
}

/* Waiters inside calls for this owner check again: they await more. */
void rob_poke_owner(struct async_owner *owner)
{
	for (struct async_waiter *waiter = rob.special; waiter; waiter = waiter->next)
		/* Not covered: there is no timed wait for an owner */
		if (waiter->kind == ROB_WAIT_OWNER && waiter->owner == owner)
			poke(waiter);
}

/* Some calls of the domain have completed. */
void rob_waiters_wake(struct async_domain *domain, bool exclusive)
{
	struct rob_slot *lowest = rob_lowest(domain);

	if (domain->waiters)
		wake_below(&domain->waiters, lowest ? rob_cookie(lowest) : ASYNC_COOKIE_MAX);
	if (rob.all_waiters && !exclusive)
		wake_below(&rob.all_waiters, rob_lowest_of_all());
	rob_waiters_special();
}

/* The call of this cookie is complete. */
void rob_waiters_call_done(async_cookie_t cookie)
{
	struct rob_node *node;

	while ((node = rob_tree_find(rob.calls, cookie)) && node->key == cookie)
		rob_waiter_satisfy((struct async_waiter *)(void *)node);
}

/* ---- cycles of waits ---- */

static void make_victim(struct async_waiter *waiter, struct async_waiter *caller)
{
	rob_waiter_victim(waiter);
	if (waiter != caller)
		port_unpark(&waiter->thread->parker, ROB_POKE); /* O3 */
}

/* Does this wait, just registered, close a cycle? The victim, that with the highest cookie, is woken to report. */
void rob_deadlock_check(struct async_waiter *waiter)
{
	struct rob_thread *thread, *next;
	uint32_t first;

	if (!rob.ascending || rob_is_timed(waiter) || !waiter->cookie)
		return;
	if (!rob_deadlock_may_close(waiter))
		return;
	rob_deadlock_dependents(waiter->thread, ASYNC_COOKIE_MAX);
	if (!rob_deadlock_closing(waiter))
		return;
	waiter->visit.mark = first = rob.mark;
	for (thread = rob.threads; thread; thread = next) {
		struct async_waiter *other = thread->waiter;

		next = thread->next; /* one that is satisfied may leave the list */
		if (!other || other->visit.mark - first > rob.mark - first)
			continue; /* what later searches mark was marked by the first, too */
		if (other->cookie < waiter->cookie)
			continue; /* this wait is above it: in none of the new cycles is it the highest */
		if (other->leaves == ROB_LEAVES_CYCLE) {
			if (other != waiter)
				recheck(other); /* it leaves out more from now on */
			continue;
		}
		rob_deadlock_dependents(thread, other->cookie);
		if (rob_deadlock_closing(other))
			make_victim(other, waiter);
	}
}

/* ---- new calls ---- */

/* A call has come to be pending: while others are held back, whoever awaits it runs it; else a worker may be needed. */
void rob_now_pending(void)
{
	if (port_unlikely(rob.quiesce))
		rob_poke_callers();
	rob_pool_kick();
}
