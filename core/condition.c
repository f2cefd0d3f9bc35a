/* SPDX-License-Identifier: MIT */
/*
 * What a waiter awaits: questions about calls in progress and stacks, asked under the lock. Nothing here changes
 * anything.
 */
#include "core.h"

async_cookie_t rob_lowest_of_all(void)
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

static bool matches(struct async_waiter *waiter, struct rob_slot *slot)
{
	struct async_domain *domain = rob_block(slot)->domain;

	switch (waiter->kind) {
	case ROB_WAIT_DOMAIN:
		return domain == waiter->domain && rob_cookie(slot) < waiter->bound;
	case ROB_WAIT_ALL:
		return !domain->exclusive && rob_cookie(slot) < waiter->bound;
	case ROB_WAIT_EXIT:
		return true;
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
	uint64_t from = ~(rob_bit(slot) - 1);
	struct rob_slot *later;

	for (struct async_block *block = rob_block(slot); block; block = block->next, from = ~(uint64_t)0)
		rob_for_bits(later, block, block->live & from)
			if (rob_is_ordered(later) && rob_owner(later) == owner)
				return true;
	return false;
}

/* Whether the waiter cannot go on before this call is complete, were it not for deadlocks. */
bool rob_awaits(struct async_waiter *waiter, struct rob_slot *slot)
{
	if (matches(waiter, slot))
		return true;
	if (waiter->kind == ROB_WAIT_OWNER)
		return holds_up(slot, waiter->owner);
	/* Covered by chance: a wait for an ordered call, and one above it, in torture */
	return waiter->order && rob_block(slot)->domain == waiter->order && rob_cookie(slot) < waiter->bound;
}

/* An ordered call completes after all lower ones of its domain: is one of them on this stack? */
static bool follows_stack(struct rob_thread *thread, struct rob_slot *slot)
{
	for (struct rob_frame *frame = thread->top; frame; frame = frame->parent) {
		struct rob_slot *below = rob_frame_slot(frame);

		/* Covered by chance: as in awaits_stack() */
		if (below && rob_block(below)->domain == rob_block(slot)->domain && below->place < slot->place)
			return true;
	}
	return false;
}

static bool stuck_behind(struct rob_thread *thread, struct rob_slot *slot)
{
	return rob_on_stack(thread, slot) || (rob_is_ordered(slot) && follows_stack(thread, slot));
}

static bool is_marked(const struct rob_thread *thread)
{
	return thread->waiter && thread->waiter->visit.mark == rob.mark;
}

/* The same for the threads of all marked waiters: these wait inside of calls, so their stacks are indexed. */
static bool stuck_behind_marked(struct rob_slot *slot)
{
	struct rob_node *node = rob_tree_find(rob.frames, rob_cookie(slot));

	for (; node && node->key == rob_cookie(slot); node = rob_tree_next(node))
		if (is_marked(((struct rob_frame *)(void *)node)->thread))
			return true;
	if (!rob_is_ordered(slot))
		return false;
	for (struct rob_thread *thread = rob.threads; thread; thread = thread->next)
		if (is_marked(thread) && follows_stack(thread, slot))
			return true;
	return false;
}

/* Calls that cannot complete before this wait returns. Of a cycle: rob_mark_left_out() comes first. */
bool rob_left_out(struct async_waiter *waiter, struct rob_slot *slot)
{
	if (rob_leaves_dependents(waiter) && stuck_behind_marked(slot))
		return true;
	if (stuck_behind(waiter->thread, slot))
		return true;
	/* Covered by chance: one by one */
	return rob_is_holder(waiter) && !rob_block(slot)->domain->exclusive &&
	       rob_is_pending(slot); /* held back until this thread ends its quiescing */
}

/* The call in progress with this cookie, in that block. */
static struct rob_slot *find_in(struct async_block *block, async_cookie_t cookie)
{
	struct rob_slot *slot;

	rob_for_bits(slot, block, block->live)
		if (rob_cookie(slot) >= cookie)
			return rob_cookie(slot) == cookie ? slot : NULL;
	return NULL;
}

/* Whether that cookie may be one of the block's: they only rise in it. */
static bool may_hold(struct async_block *block, async_cookie_t cookie)
{
	struct rob_slot *last = rob_slots(block) + (63 - __builtin_clzll(block->live));

	return rob_cookie(rob_slots(block)) <= cookie && cookie <= rob_cookie(last);
}

/* The call in progress with this cookie, in the domain or anywhere (NULL). Its steps are blocks, not calls. */
struct rob_slot *rob_find(async_cookie_t cookie, struct async_domain *domain)
{
	for (unsigned list = 0; list < 2; list++) {
		struct async_block *block = domain ? domain->last : rob.blocks_last[list];

		while (block) {
			struct rob_slot *slot = may_hold(block, cookie) ? find_in(block, cookie) : NULL;

			if (slot)
				return slot;
			if (domain && rob_cookie(rob_slots(block)) <= cookie)
				break; /* a domain's blocks do not overlap */
			block = domain ? block->prev : block->all_prev;
		}
		if (domain)
			break;
	}
	return NULL;
}

/* One of a set of a block's bits. */
static uint64_t pick(uint64_t bits, bool oldest)
{
	return oldest ? bits & -bits : (uint64_t)1 << (63 - __builtin_clzll(bits));
}

static bool awaits_in(struct async_waiter *waiter, struct async_block *block, bool left_out, bool oldest_first)
{
	for (uint64_t bits = block->live, bit; bits; bits &= ~bit) {
		struct rob_slot *slot = rob_lowest_bit(block, bit = pick(bits, oldest_first));

		if (matches(waiter, slot) && rob_left_out(waiter, slot) == left_out)
			return true;
	}
	return false;
}

/*
 * Whether a call in progress is awaited, and is left out, or is not. Calls on stacks are old, so the newest come first:
 * one that is not left out is found soon. A holder leaves out what is pending, the newest.
 */
bool rob_awaits_any(struct async_waiter *waiter, bool left_out)
{
	bool up = rob_is_holder(waiter);

	for (unsigned list = 0; list < 2; list++) {
		struct async_block *block = up ? rob.blocks[list] : rob.blocks_last[list];

		for (; block; block = up ? block->all_next : block->all_prev)
			if (awaits_in(waiter, block, left_out, up))
				return true;
	}
	return false;
}

/* Whether it is on the stack of a thread whose wait may be left out, or may wait for a turn behind such a call. */
static bool may_be_stuck(struct async_waiter *waiter, struct rob_slot *slot)
{
	struct rob_node *node = rob_tree_find(rob.frames, rob_cookie(slot));

	for (; node && node->key == rob_cookie(slot); node = rob_tree_next(node)) {
		struct async_waiter *other = ((struct rob_frame *)(void *)node)->thread->waiter;

		if (other && other->cookie < rob_leaves_below(waiter))
			return true;
	}
	return rob_is_ordered(slot) || rob_on_stack(waiter->thread, slot);
}

/*
 * Whether one look is enough to say that the wait is not over: the newest call is awaited, and no wait that may be left
 * out holds it up. Of many victims all but the highest are passed over so.
 */
bool rob_awaits_newest(struct async_waiter *waiter)
{
	struct async_block *block = waiter->kind == ROB_WAIT_DOMAIN ? waiter->domain->last : rob.blocks_last[0];
	struct rob_slot *slot;

	if (!block || rob_is_holder(waiter))
		return false;
	slot = rob_lowest_bit(block, pick(block->live, false));
	return matches(waiter, slot) && !may_be_stuck(waiter, slot);
}

/*
 * Whether calls of the waiter's own stack, or stuck behind them, are among those it awaits.
 * Covered by chance: a plain thread has no stack of calls, and is not asked.
 */
bool rob_waits_for_self(struct async_waiter *waiter)
{
	struct rob_slot *call;

	if (rob_is_holder(waiter))
		return rob_awaits_any(waiter, true);
	if (!waiter->thread->top)
		return false;
	if (waiter->kind == ROB_WAIT_OWNER)
		return rob_awaits_any(waiter, true);
	if (waiter->kind == ROB_WAIT_CALL) {
		call = rob_find(waiter->bound, waiter->domain);
		return call && rob_left_out(waiter, call);
	}
	for (struct rob_frame *frame = waiter->thread->top; frame; frame = frame->parent) {
		call = rob_frame_slot(frame);
		if (call && matches(waiter, call))
			return true;
	}
	return false;
}

static struct rob_slot *pending_in(struct async_waiter *waiter, struct async_domain *domain)
{
	struct rob_slot *slot;

	rob_for_domain(slot, domain, pending) {
		if (!rob_awaits(waiter, slot))
			return NULL; /* cookies only rise from here */
		/* Covered by chance: one that is stuck behind the stack of the waiter, in torture */
		if (!rob_left_out(waiter, slot))
			return slot;
	}
	return NULL;
}

static struct rob_slot *pending_anywhere(struct async_waiter *waiter)
{
	for (struct rob_slot *slot = rob.queue.head; slot; slot = slot->next) {
		if (waiter->kind == ROB_WAIT_ALL && rob_cookie(slot) >= waiter->bound)
			break; /* the queue is in cookie order */
		/* Covered by chance: in torture */
		if (rob_is_pending(slot) && rob_awaits(waiter, slot) && !rob_left_out(waiter, slot))
			return slot;
	}
	return NULL;
}

/* The lowest pending call that the waiter awaits, or NULL. */
struct rob_slot *rob_help_slot(struct async_waiter *waiter)
{
	struct rob_slot *slot;

	/* Covered by chance: a port with small stacks says no; the POSIX port never does */
	if (waiter->kind == ROB_WAIT_QUIESCE || !port_may_help(waiter->thread->top && waiter->thread->top->parent))
		return NULL;
	if (waiter->kind == ROB_WAIT_DOMAIN)
		return pending_in(waiter, waiter->domain);
	if (waiter->kind != ROB_WAIT_CALL)
		return pending_anywhere(waiter);
	if (waiter->order)
		slot = pending_in(waiter, waiter->order);
	else
		slot = rob_find(waiter->bound, waiter->domain);
	return slot && rob_is_pending(slot) ? slot : NULL;
}

/*
 * Whether this thread must not start a call of the domain itself now. A call that
 * still runs may wait for this one through a call of an exclusive domain: until it
 * is quiet, calls of these start what they await, too.
 */
bool rob_quiesced(struct async_domain *domain, struct rob_thread *self)
{
	return rob_held_back(domain) && !rob_registered_on_stack(self) && (!self->top || rob_is_quiet());
}

/* What a wait for quiescing waits for: a thread that has begun it for quiet, another one for its end. */
bool rob_quiesce_reached(struct rob_thread *thread)
{
	return thread->quiesce ? rob_is_quiet() : !rob.quiesce;
}

/* The first pending call that may be claimed while others are held back. */
struct rob_slot *rob_quiesce_claimable(void)
{
	for (struct rob_slot *slot = rob.queue.head; slot; slot = slot->next)
		if (rob_is_pending(slot) && rob_block(slot)->domain->exclusive)
			return slot;
	return NULL;
}
