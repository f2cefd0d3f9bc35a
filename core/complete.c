/* SPDX-License-Identifier: MIT */
/*
 * Completions: whose turn it is, who is woken, and what of a lease is taken back.
 *
 * A call completes here and nowhere else, under the lock: its error is noted, its slot is released, the waiters that it
 * satisfies are taken out of their lists, and the retire step whose turn has come is made ready. A recall completes
 * calls too: those that are over, as the lease word says.
 *
 * The order within a completion is part of the contract. A waiter of turn_has_come() (wait.c) reads domain->lowest
 * without the lock, and may free the domain as soon as it has read that nothing is left:
 *
 *   completer (CPU 0), with the lock            waiter (CPU 1), without it
 *   releases the slot
 *   takes satisfied waiters out of the domain
 *   makes the next retire step ready
 *   publishes domain->lowest (O4)       ---->   reads it: what the calls wrote is visible
 *   (does not touch the domain any more)        returns, frees the domain
 */
#include "core.h"

static void note_error(struct async_domain *domain, async_cookie_t cookie, int error)
{
	if (!error || (domain->error && domain->error_cookie < cookie))
		return;
	domain->error = error;
	domain->error_cookie = cookie;
}

/* The turn of an ordered call has come: the caller runs its retire step, or it goes back to the queue. */
static void retire_ready(struct rob_slot *slot)
{
	rob_wide(slot)->flags |= ROB_READY;
	/* Covered by chance: an exclusive call gets its turn while others quiesce */
	if (!rob.turn.retire && (rob.turn.any || rob.turn.own == slot) && !rob_held_back(rob_block(slot)->domain)) {
		rob.turn.retire = slot;
		return;
	}
	rob_queue_insert(slot);
	rob_now_pending();
}

/* The retire step that this thread is to run, of those that its completions have made ready; or NULL. */
struct rob_slot *rob_turn_take(void)
{
	struct rob_slot *slot = rob.turn.retire;

	rob.turn = (struct rob_turn){0};
	return slot;
}

/*
 * Some calls of the domain have completed: who can go on now? Publishing the
 * lowest cookie comes last: where none is left, the domain may be gone at once.
 */
void rob_progress(struct async_domain *domain, bool exclusive)
{
	struct rob_slot *lowest = rob_lowest(domain);

	if (rob.waiting)
		rob_waiters_wake(domain, exclusive);
	if (domain->ordered && rob_is_ordered(lowest) &&
	    (rob_wide(lowest)->flags & (ROB_FUNC_DONE | ROB_READY)) == ROB_FUNC_DONE)
		retire_ready(lowest);
	rob_publish_lowest(domain, lowest);
}

/* Func has returned, or retire has, or the call was cancelled (then it has no retire step any more). */
void rob_finish(struct rob_slot *slot, int error)
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
				retire_ready(slot);
			if (rob.quiesce)
				rob_waiters_special();
			return;
		}
		error = wide->error;
		if (wide->retire)
			domain->ordered--;
		if (wide->owner)
			wide->owner->in_progress--;
	}
	note_error(domain, cookie, error);
	rob_release(block, rob_bit(slot));
	if (rob.calls)
		rob_waiters_call_done(cookie);
	rob_progress(domain, exclusive);
}

/* Applies the completions of plain calls from the first not flushed to upto, as far as they are in one block. */
static void flush_block(struct rob_lease *lease, uint32_t upto)
{
	struct async_block *block = rob_block(lease->slot[lease->flushed]);
	struct async_domain *domain = block->domain;
	bool exclusive = domain->exclusive;
	uint64_t mask = 0;

	while (lease->flushed < upto) {
		struct rob_slot *slot = lease->slot[lease->flushed];

		if (rob_is_wide(slot) || rob_block(slot) != block)
			break;
		mask |= rob_bit(slot);
		if (rob.calls)
			rob_waiters_call_done(rob_cookie(slot));
		lease->flushed++;
	}
	rob_release(block, mask);
	rob_progress(domain, exclusive);
}

/* Applies the completions of a lease's calls below upto. They have set no error. */
void rob_flush(struct rob_lease *lease, uint32_t upto)
{
	while (lease->flushed < upto) {
		struct rob_slot *slot = lease->slot[lease->flushed];

		if (rob_is_wide(slot)) {
			lease->flushed++;
			rob_finish(slot, 0);
		} else {
			flush_block(lease, upto);
		}
	}
}

void rob_lease_link(struct rob_lease *lease)
{
	rob_list_push(rob.leases, lease, prev, next);
	lease->open = true;
}

void rob_lease_unlink(struct rob_lease *lease)
{
	if (lease->open)
		rob_list_remove(rob.leases, lease, prev, next);
	lease->open = false;
}

/* A retire step behind the one that runs is not ready any more: its turn comes when that one is complete. */
static void give_back(struct rob_slot *slot)
{
	if (!rob_func_done(slot) || rob_lowest(rob_block(slot)->domain) == slot)
		rob_queue_insert(slot);
	else
		rob_wide(slot)->flags &= ~ROB_READY;
}

/* Takes back what is not begun, and applies what is complete (O2: what those calls wrote comes with the word). */
void rob_recall(struct rob_lease *lease)
{
	uint32_t word = port_load_acquire(&lease->word); /* O2 */
	uint32_t begun, limit;

	if (!lease->open)
		return; /* one call, about to begin: it may still be linked in the queue's middle */
	do {
		begun = rob_word_begun(word);
		limit = rob_word_limit(word);
	} while (begun < limit && !port_cas_acq_rel(&lease->word, &word, begun << 16 | begun)); /* O2 */
	for (uint32_t i = limit; i-- > begun;)
		give_back(lease->slot[i]);
	rob_lease_unlink(lease);
	if (begun < limit)
		rob_pool_kick();
	if (begun > 1)
		rob_flush(lease, begun - 1);
}

void rob_recall_all(void)
{
	while (rob.leases)
		rob_recall(rob.leases);
}
