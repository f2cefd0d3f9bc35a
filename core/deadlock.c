/* SPDX-License-Identifier: MIT */
/*
 * Cycles of waits.
 *
 * A waiter awaits calls; a call on the stack of a thread that waits in turn
 * cannot complete before that wait returns. A thread is in one wait at a time
 * and must have everything that it awaits, so a cycle is a deadlock and nothing
 * else is. Timed waits and threads of the program (no thread awaits them) are never
 * part of one.
 *
 * In a cycle some waiter awaits a call with a cookie above the lowest on its own
 * stack: otherwise cookies would fall all the way round. As long as no such
 * ascending waiter exists there is nothing to search.
 *
 * A new wait closes a cycle, or none does. First a few calls that it needs are looked
 * at: mostly nothing that waits is behind them. Otherwise the search goes from its
 * thread to those who await the calls there, by the lists and trees that wake them,
 * and looks at each at most once. It touches rob.mark: a waiter is marked if its mark
 * is rob.mark.
 */
#include "core.h"

/* From a wait to those that it needs. */
struct walk {
	struct async_waiter *start, *work[DEADLOCK_AHEAD];
	unsigned count; /* of work */
	unsigned looks; /* left */
};

/* From a thread to the waits that need it. */
struct search {
	struct rob_thread *start;
	async_cookie_t limit;
	struct async_waiter *via;  /* whose stack is looked at; NULL: the start */
	struct async_waiter *work; /* found, not looked at; by visit.next */
	bool no_special;           /* all special waiters are marked that may be */
};

static bool awaits_stack(struct async_waiter *waiter, struct rob_thread *thread)
{
	for (struct rob_frame *frame = thread->top; frame; frame = frame->parent) {
		struct rob_slot *slot = rob_frame_slot(frame);

		/* Covered by chance: between two calls of a lease its thread does not wait */
		if (slot && rob_awaits(waiter, slot))
			return true;
	}
	return false;
}

/* Only waits inside of calls hold others up, and a timed one ends in any case. */
static bool is_edge(const struct async_waiter *waiter)
{
	return waiter->cookie && !rob_is_timed(waiter);
}

/* ---- forward: whose calls does a wait need? ---- */

/* Follows the waits of the threads that have the call on their stacks. False: too many, or back to the start. */
static bool follow(struct walk *walk, struct async_waiter *from, async_cookie_t cookie)
{
	struct rob_node *node = rob_tree_find(rob.frames, cookie);

	if (!walk->looks--)
		return false;
	for (; node && node->key == cookie; node = rob_tree_next(node)) {
		struct rob_thread *thread = ((struct rob_frame *)(void *)node)->thread;
		struct async_waiter *waiter = thread->waiter;

		if (!waiter || !is_edge(waiter) || waiter == from)
			continue;
		if (waiter == walk->start || walk->count == DEADLOCK_AHEAD)
			return false;
		walk->work[walk->count++] = waiter;
	}
	return true;
}

static bool follow_below(struct walk *walk, struct async_waiter *from, struct async_domain *domain,
			 async_cookie_t bound)
{
	struct rob_slot *slot;

	rob_for_domain(slot, domain, live) {
		if (rob_cookie(slot) >= bound)
			return true;
		if (!follow(walk, from, rob_cookie(slot)))
			return false;
	}
	return true;
}

static bool follow_all(struct walk *walk, struct async_waiter *waiter)
{
	if (waiter->kind == ROB_WAIT_DOMAIN)
		return follow_below(walk, waiter, waiter->domain, waiter->bound);
	if (waiter->kind != ROB_WAIT_CALL)
		return false;
	if (waiter->order && !follow_below(walk, waiter, waiter->order, waiter->bound))
		return false;
	return follow(walk, waiter, waiter->bound);
}

/*
 * Mostly a wait needs few calls, and the threads that run these do not wait, or not for long chains: then a look at
 * them says that there is no cycle. True: there may be one.
 */
bool rob_deadlock_may_close(struct async_waiter *waiter)
{
	struct walk walk = {.start = waiter, .work = {waiter}, .count = 1, .looks = DEADLOCK_LOOKS};

	while (walk.count)
		if (!follow_all(&walk, walk.work[--walk.count]))
			return true;
	return false;
}

/* ---- backward: who needs the calls of a thread? ---- */

static bool may_note(const struct search *search, const struct async_waiter *waiter)
{
	return waiter->visit.mark != rob.mark && is_edge(waiter) && waiter->cookie < search->limit &&
	       waiter->thread != search->start;
}

static void note(struct search *search, struct async_waiter *waiter)
{
	if (!may_note(search, waiter))
		return;
	waiter->visit.mark = rob.mark;
	waiter->visit.via = search->via;
	waiter->visit.next = search->work;
	search->work = waiter;
}

/* Waiters with bounds above the cookie, from the list's end; those that this search has gone through are left out. */
static void note_above(struct search *search, struct async_waiter *last, async_cookie_t cookie)
{
	struct async_waiter *waiter = last;

	if (!last)
		return;
	if (last->visit.swept == rob.mark)
		waiter = last->visit.reached;
	for (; waiter && waiter->bound > cookie; waiter = waiter->prev)
		note(search, waiter);
	last->visit.swept = rob.mark;
	last->visit.reached = waiter;
}

/* Those that await the call itself, or, behind it, one that retires in its turn. */
static void note_calls(struct search *search, struct async_domain *domain, async_cookie_t cookie)
{
	struct rob_node *node = rob_tree_find(rob.calls, cookie);

	for (; node && (node->key == cookie || rob.ordered_calls); node = rob_tree_next(node)) {
		struct async_waiter *waiter = (struct async_waiter *)(void *)node;

		if (node->key == cookie || waiter->order == domain)
			note(search, waiter);
	}
}

/* There are many of them where many calls wait for all: then mostly the first call that is looked at marks them all. */
static void note_special(struct search *search, struct rob_slot *slot)
{
	bool left = false;

	if (search->no_special)
		return;
	for (struct async_waiter *waiter = rob.special; waiter; waiter = waiter->next) {
		if (!may_note(search, waiter))
			continue;
		if (rob_awaits(waiter, slot))
			note(search, waiter);
		else
			left = true;
	}
	search->no_special = !left;
}

static void note_waiters(struct search *search, struct rob_slot *slot)
{
	struct async_domain *domain = rob_block(slot)->domain;

	note_above(search, domain->waiters_last, rob_cookie(slot));
	if (!domain->exclusive)
		note_above(search, rob.all_waiters_last, rob_cookie(slot));
	note_calls(search, domain, rob_cookie(slot));
	note_special(search, slot);
}

/* Marks the waiters with cookies below limit that await, directly or through each other, calls of the thread. */
void rob_deadlock_dependents(struct rob_thread *thread, async_cookie_t limit)
{
	struct search search = {.start = thread, .limit = limit};

	if (!++rob.mark)
		rob.mark = 1;
	for (;;) {
		for (struct rob_frame *frame = thread->top; frame; frame = frame->parent) {
			struct rob_slot *slot = rob_frame_slot(frame);

			if (slot)
				note_waiters(&search, slot);
		}
		if (!search.work)
			return;
		search.via = search.work;
		thread = search.work->thread;
		search.work = search.work->visit.next;
	}
}

/* A marked waiter whose thread holds a call that this waiter awaits, or NULL: then there is no cycle through it. */
struct async_waiter *rob_deadlock_closing(struct async_waiter *waiter)
{
	for (struct rob_thread *thread = rob.threads; thread; thread = thread->next) {
		struct async_waiter *other = thread->waiter;

		if (other && other != waiter && other->visit.mark == rob.mark && awaits_stack(waiter, thread))
			return other;
	}
	return NULL;
}

/* Marks what a wait leaves out beside its own stack: the rest of its cycles, or all that wait for an exit's calls. */
void rob_mark_left_out(struct async_waiter *waiter)
{
	if (rob_leaves_dependents(waiter))
		rob_deadlock_dependents(waiter->thread, rob_leaves_below(waiter));
}
