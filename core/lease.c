/* SPDX-License-Identifier: MIT */
/*
 * Leases: the calls that a worker has claimed.
 *
 * The lease word holds how many calls were begun and the limit. Its owner adds
 * one to begin the next (O2 in docs/ORDERING.md: release, so that what the calls
 * before it wrote is visible to whoever reads the word); whoever holds the lock
 * may lower the limit to what was begun. Both use compare-and-swap, so a call is
 * begun or recalled, never both.
 *
 * With the word at "begun", calls below begun - 1 are complete, and begun - 1
 * runs or has just returned: its owner is then on its way to the lock.
 *
 *   owner (CPU 0), without the lock             recall (CPU 1), with the lock
 *   returns from call 0
 *   word 1|4 -> 2|4 (O2, release)               reads 2|4 (O2, acquire): call 0 is complete, and what it wrote is seen
 *   runs call 1                                 word 2|4 -> 2|2: calls 2 and 3 go back to the queue
 *   word 2|4 -> 3|4 fails: reads 2|2            completes call 0; call 1 stays the owner's
 *   takes the lock, completes call 1
 *
 * Had the owner been first, recall's compare-and-swap would have failed and been tried with 3|4.
 */
#include "core.h"

/*
 * A completion is seen at the end of its lease. So a lease goes on from a call
 * only to cookies below this bound: no waiter can be satisfied by the former and
 * not need the latter too.
 */
static async_cookie_t extent(struct async_domain *domain)
{
	async_cookie_t bound = ASYNC_COOKIE_MAX;

	if (port_likely(!rob.waiting))
		return bound;
	if (rob.special || rob.calls)
		return 0;
	if (domain->waiters)
		bound = domain->waiters->bound;
	if (!domain->exclusive && rob.all_waiters && rob.all_waiters->bound < bound)
		bound = rob.all_waiters->bound;
	return bound;
}

/* Whether a lease may go on from prev to slot. */
static bool extends(struct rob_slot *prev, struct rob_slot *slot)
{
	struct async_domain *domain, *next;

	if (rob_func_done(slot) || rob_func_done(prev))
		return false;
	if (port_likely(!rob.waiting))
		return true;
	domain = rob_block(prev)->domain;
	next = rob_block(slot)->domain;
	if (rob_cookie(slot) >= extent(domain))
		return false;
	if (domain->waiters && next != domain)
		return false;
	return domain->exclusive || !rob.all_waiters || !next->exclusive;
}

/* Its slots are filled: the word lets its owner begin them. Others may look at it once it is linked. */
static void begin(struct rob_lease *lease, uint32_t count)
{
	lease->count = count;
	lease->flushed = 0;
	port_store_relaxed(&lease->word, count << 16); /* no order: others learn of it later, under the lock */
	if (count > 1) {
		rob_lease_link(lease);
		rob_pool_arm();
	}
}

/* Claims calls from the head of the queue. Returns how many. */
unsigned rob_lease_take(struct rob_lease *lease)
{
	uint64_t share = rob.queue.pending / (rob.pool.active + !rob.pool.brisk) + 1;
	uint32_t most = share < lease->size ? (uint32_t)share : lease->size;
	struct rob_slot *slot;
	uint32_t count = 0;

	if (rob.pool.blind)
		most = 1;
	lease->domain = NULL;
	if (port_unlikely(rob.quiesce)) {
		slot = rob_quiesce_claimable();
		if (slot) {
			rob_queue_take(slot);
			lease->slot[count++] = slot;
		}
		most = 0;
	}
	while (count < most && (slot = rob_queue_head())) {
		struct async_domain *domain = rob_block(slot)->domain;

		if (count && (domain->hints || !extends(lease->slot[count - 1], slot)))
			break;
		if (domain->hints)
			most = 1;
		if (!count)
			lease->domain = domain;
		else if (lease->domain != domain)
			lease->domain = NULL;
		count += rob_queue_take_run(lease->slot + count, most - count, extent(domain));
	}
	lease->gather = count > 1 && count < lease->size && !rob.waiting && port_spin_ns();
	lease->frame.retiring = count && rob_func_done(lease->slot[0]);
	begin(lease, count);
	return count;
}

/* The retire steps that may follow one which is ready: nothing else of the domain is in progress between them. */
static uint32_t ready_run(struct rob_slot *slot, struct rob_slot **slots)
{
	struct async_block *block = rob_block(slot);
	uint64_t bits = block->live & ~(rob_bit(slot) - 1);
	async_cookie_t bound = extent(block->domain);
	uint32_t count = 0;

	for (;;) {
		for (; bits && count < ROB_LEASE; bits &= bits - 1) {
			slot = rob_lowest_bit(block, bits);
			if (count && (!rob_is_ordered(slot) || !rob_func_done(slot) || rob_cookie(slot) >= bound))
				return count;
			rob_wide(slot)->flags |= ROB_READY;
			slots[count++] = slot;
		}
		block = block->next;
		if (!block || count == ROB_LEASE)
			return count;
		bits = block->live;
	}
}

/* Takes a retire step that is ready and claimed, and those that follow it. */
void rob_lease_take_retire(struct rob_lease *lease, struct rob_slot *slot)
{
	lease->domain = rob_block(slot)->domain;
	lease->gather = false;
	lease->frame.retiring = true;
	begin(lease, ready_run(slot, lease->slot));
}

/* A leased call that cannot complete with its lease: it failed. */
static void finish_now(struct rob_lease *lease, uint32_t index, struct rob_thread *self)
{
	int error = lease->frame.error;

	port_lock(&rob.lock);
	rob.turn.any = true;
	rob_flush(lease, index);
	lease->flushed = index + 1;
	if (lease->flushed == lease->count)
		rob_lease_unlink(lease); /* no thread may look at what it held */
	rob_finish(lease->slot[index], error);
	rob_retire(self, true);
	rob_unlock();
}

static void run_leased(struct rob_lease *lease, uint32_t index, struct rob_thread *self)
{
	struct rob_slot *slot = lease->slot[index];
	struct rob_frame *frame = &lease->frame;

	port_bars_exceptions();
	if (port_unlikely(rob_is_wide(slot) || port_traces())) {
		rob_step(slot, frame, self, 0);
	} else {
		frame->cookie = rob_cookie(slot);
		slot->func(slot->data, frame->cookie);
		rob_check_generation(frame);
	}
	if (port_unlikely(frame->error))
		finish_now(lease, index, self);
	if (port_unlikely(frame->error || port_name_load(&frame->name))) { /* O6 */
		frame->error = 0;
		port_name_store(&frame->name, NULL); /* O6 */
	}
	self->owner = NULL;
}

static void lease_resize(struct rob_lease *lease, uint32_t begun, uint64_t took_ns)
{
	if (lease->single)
		lease->single--;
	else if (took_ns > LEASE_SINGLE_NS)
		lease->size = 1;
	else if (took_ns > LEASE_SHRINK_NS && lease->size > 1)
		lease->size /= 2;
	/* Covered by chance: how long calls take decides */
	else if (took_ns < LEASE_GROW_NS && begun == lease->size && lease->size < ROB_LEASE)
		lease->size *= 2;
}

/*
 * Calls come in while the worker is fast: it gives them a moment to gather, so that the lock, whose line the
 * submitter needs for each call, is taken once for many.
 */
static void gather(void)
{
	for (unsigned i = 0; i < LEASE_GATHER_SPINS; i++)
		port_relax();
}

/*
 * Its calls are of several domains, whose lines the thread that schedules has: asked for together, before the lock is
 * taken, and not one after the other under it.
 */
static void ask_for_domains(struct rob_lease *lease, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct async_domain *domain = rob_block(lease->slot[i])->domain;

		__builtin_prefetch(domain, 1);
		__builtin_prefetch(&domain->lowest, 1);
	}
}

/*
 * Runs the lease. Called and returns with the lock held; lease->retire is to be
 * taken next. Returns how long it took, in ns.
 */
uint64_t rob_lease_run(struct rob_lease *lease, struct rob_thread *self)
{
	uint32_t word = port_load_relaxed(&lease->word); /* no order: its own begins */
	uint64_t now_ns;

	lease->frame.lease = lease;
	lease->frame.since_ns = lease->ended_ns ? lease->ended_ns : port_clock_ns();
	rob_frame_push(&lease->frame, self);
	rob_unlock();
	while (rob_word_begun(word) < rob_word_limit(word)) {
		if (!port_cas_acq_rel(&lease->word, &word, word + 1)) /* O2 */
			continue;
		run_leased(lease, rob_word_begun(word), self);
		word = port_load_relaxed(&lease->word); /* no order: a lower limit fails the compare-and-swap */
	}
	now_ns = port_clock_ns();
	if (lease->gather && now_ns - lease->frame.since_ns < LEASE_GROW_NS)
		gather();
	if (!lease->domain)
		ask_for_domains(lease, rob_word_begun(word));
	port_lock(&rob.lock);
	rob.turn.any = true;
	rob_flush(lease, rob_word_begun(word));
	lease->retire = rob_turn_take();
	rob_lease_unlink(lease);
	rob_frame_pop(&lease->frame, self);
	lease->count = 0;
	lease->ended_ns = now_ns;
	if (!lease->frame.retiring) /* retire steps say nothing about the calls */
		lease_resize(lease, rob_word_begun(word), now_ns - lease->frame.since_ns);
	return now_ns - lease->frame.since_ns;
}
