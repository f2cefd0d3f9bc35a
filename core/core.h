/* SPDX-License-Identifier: MIT */
/*
 * The reorder buffer: what the files of the core share.
 *
 * Theory of operation
 *
 * Calls enter at the tail in cookie order (issue), are claimed from the head
 * in that order, complete in any order, and are forgotten block by block. A
 * call is a slot of 32 bytes; one with a retire step or an owner takes two.
 * Slots are in blocks. A block belongs to one domain; a domain's blocks form
 * a list in cookie order, each block's bits say which of its calls are in
 * progress, and a block without any leaves the list. So the lowest cookie in
 * progress of a domain is the lowest bit of its first block, and memory follows
 * the calls in progress, not the span of their cookies. A caller's entry, and
 * a call that runs inline without storage, are blocks of one call.
 *
 * The pending calls of all domains form one queue through their slots, in
 * cookie order. A call that is taken out of its middle (by a waiter or a
 * cancel) stays linked, dead, until it reaches the head or a sweep, which comes
 * when the dead outnumber the living: constant cost a call.
 *
 * A worker claims a lease of several short calls at a time. It begins each with
 * one compare-and-swap on its own lease word, which also says that those before
 * it are complete. Whoever holds the lock may cut the lease short (recall): the
 * calls not begun return to the queue. Waiters do so when a lease could delay
 * them, as does a worker that is about to wait. Completions are applied under
 * the lock, a lease at a time; one that failed is applied at once. Retire steps
 * whose turn comes one after the other are a lease, too.
 *
 * Everything here is guarded by rob.lock, except what says otherwise. What must
 * not happen under it (wake-ups, thread starts, freeing) is noted in
 * rob.after and done by rob_unlock(), the one way to drop the lock.
 *
 * Locking tags: L: rob.lock. O: only the owning thread. W: lease word rules.
 */
#ifndef CORE_H
#define CORE_H

#include "state.h"

/* ---- questions about a wait ---- */

/*
 * A victim leaves out the rest of its cycle. A call that ends the program leaves out what waits for it: those waits
 * do not return. Which waiters those are: rob_mark_left_out().
 */
static inline bool rob_leaves_dependents(const struct async_waiter *waiter)
{
	return waiter->leaves == ROB_LEAVES_CYCLE || (waiter->kind == ROB_WAIT_EXIT && waiter->thread->top);
}

/* Those among them have cookies below this. */
static inline async_cookie_t rob_leaves_below(const struct async_waiter *waiter)
{
	return waiter->kind == ROB_WAIT_EXIT ? ASYNC_COOKIE_MAX : waiter->cookie;
}

/* It runs no calls, and is no edge of a cycle. An exit's wait helps, until it gives up. */
static inline bool rob_is_timed(const struct async_waiter *waiter)
{
	return waiter->deadline_ns && waiter->kind != ROB_WAIT_EXIT;
}

/* Its thread holds registered calls back (quiesce): it leaves out those that are pending. */
static inline bool rob_is_holder(const struct async_waiter *waiter)
{
	return waiter->thread->quiesce && waiter->kind != ROB_WAIT_EXIT && waiter->kind != ROB_WAIT_QUIESCE;
}

/* ---- small helpers ---- */

/* No threads by configuration, or past the end: whoever has a call runs it. */
static inline bool rob_inline_only(void)
{
	return !rob.config.threads || rob.ended;
}

static inline async_cookie_t rob_cookie(const struct rob_slot *slot)
{
	return slot->place >> ROB_COOKIE_SHIFT;
}

static inline bool rob_is_wide(const struct rob_slot *slot)
{
	return slot->place & ROB_WIDE;
}

static inline struct rob_wide *rob_wide(struct rob_slot *slot)
{
	return (struct rob_wide *)(void *)(slot + 1);
}

static inline unsigned rob_index(const struct rob_slot *slot)
{
	return (unsigned)(slot->place & (ROB_WIDE - 1));
}

static inline uint64_t rob_bit(const struct rob_slot *slot)
{
	return (uint64_t)1 << rob_index(slot);
}

static inline struct rob_slot *rob_slots(struct async_block *block)
{
	return (struct rob_slot *)(void *)(block + 1);
}

static inline struct async_block *rob_block(struct rob_slot *slot)
{
	return (struct async_block *)(void *)(slot - rob_index(slot)) - 1;
}

static inline struct async_owner *rob_owner(struct rob_slot *slot)
{
	return rob_is_wide(slot) ? rob_wide(slot)->owner : NULL;
}

static inline bool rob_is_ordered(struct rob_slot *slot)
{
	return rob_is_wide(slot) && rob_wide(slot)->retire;
}

/* Its func has returned, and what is left is its retire step. */
static inline bool rob_func_done(struct rob_slot *slot)
{
	return rob_is_wide(slot) && (rob_wide(slot)->flags & ROB_FUNC_DONE);
}

static inline struct rob_slot *rob_lowest_bit(struct async_block *block, uint64_t bits)
{
	return rob_slots(block) + __builtin_ctzll(bits);
}

/* The call of the lowest cookie in progress, or NULL. */
static inline struct rob_slot *rob_lowest(struct async_domain *domain)
{
	return domain->first ? rob_lowest_bit(domain->first, domain->first->live) : NULL;
}

/* Calls of registered domains are held back while a thread quiesces. */
static inline bool rob_held_back(const struct async_domain *domain)
{
	return port_unlikely(rob.quiesce) && !domain->exclusive;
}

static inline bool rob_is_pending(struct rob_slot *slot)
{
	return rob_block(slot)->pending & rob_bit(slot);
}

/* The lowest cookie of the calls that this thread is in. Asked by it, or by others while it waits. */
static inline async_cookie_t rob_stack_lowest(const struct rob_thread *thread)
{
	const struct rob_frame *top = thread->top;

	if (!top)
		return ASYNC_COOKIE_MAX;
	return top->cookie < top->below ? top->cookie : top->below;
}

/*
 * The iterators over calls: those of a set of a block's bits; those of a domain, in cookie order; those of all domains
 * (registered ones first), block by block. @which is the set: live, or pending. break leaves the innermost block only.
 */
#define rob_for_bits(slot, block, set) \
	for (uint64_t bits_ = (set); bits_ && ((slot) = rob_lowest_bit(block, bits_)); bits_ &= bits_ - 1)

#define rob_for_domain(slot, domain, which) \
	for (struct async_block *block_ = (domain)->first; block_; block_ = block_->next) \
		rob_for_bits(slot, block_, block_->which)

#define rob_for_all_blocks(block) \
	for (unsigned kind_ = 0; kind_ < 2; kind_++) \
		for (struct async_block * (block) = rob.blocks[kind_]; block; (block) = (block)->all_next)

/* Of a lease's word: how many calls were begun, and the limit. */
static inline uint32_t rob_word_begun(uint32_t word)
{
	return word & 0xffff;
}

static inline uint32_t rob_word_limit(uint32_t word)
{
	return word >> 16;
}

/* The slot, the next of its block, gets the next cookie, and is in progress. */
static inline async_cookie_t rob_number(struct async_block *block, struct rob_slot *slot, unsigned width)
{
	slot->place = ++rob.last << ROB_COOKIE_SHIFT | (width == 2 ? ROB_WIDE : 0) | block->fill;
	block->live |= (uint64_t)1 << block->fill;
	block->fill = (uint8_t)(block->fill + width);
	return rob.last;
}

/* What waits look at without the lock (O4). A lower bound of the truth is enough. */
static inline void rob_publish_lowest(struct async_domain *domain, struct rob_slot *lowest)
{
	port_store64_release(&domain->lowest, lowest ? rob_cookie(lowest) : ASYNC_COOKIE_MAX); /* O4 */
}

/* ---- state.c ---- */

struct async_domain *rob_domain(struct async_domain *domain);
void rob_owner_refresh(struct async_owner *owner);

/* ---- buffer.c ---- */

void rob_block_append(struct async_domain *domain, struct async_block *block);
struct rob_slot *rob_slot_here(struct async_domain *domain, unsigned width);
struct async_block *rob_block_begin(struct async_domain *domain);
void rob_free_block(struct async_block *block);
unsigned rob_block_class(const struct async_domain *domain);
size_t rob_block_bytes(unsigned large);
void rob_block_add(struct async_block *block, unsigned large);
struct rob_slot *rob_slot_new(struct async_domain *domain, unsigned width);
void rob_slot_unused(struct rob_slot *slot);
void rob_issue(struct async_domain *domain, struct rob_slot *slot);
void rob_release(struct async_block *block, uint64_t mask);
void *rob_entry_mark(const struct async_entry *entry);
void rob_record_init(struct rob_record *record, enum rob_kind kind);

/* ---- tree.c ---- */

void rob_tree_insert(struct rob_node **root, struct rob_node *node, async_cookie_t key);
void rob_tree_remove(struct rob_node **root, struct rob_node *node);
struct rob_node *rob_tree_find(struct rob_node *root, async_cookie_t key);
struct rob_node *rob_tree_next(struct rob_node *node);

/* ---- frame.c ---- */

void rob_thread_list(struct rob_thread *self);
void rob_thread_unlist(struct rob_thread *self);
void rob_frame_push(struct rob_frame *frame, struct rob_thread *self);
void rob_frame_pop(struct rob_frame *frame, struct rob_thread *self);
void rob_frames_index(struct rob_thread *thread);
void rob_check_generation(struct rob_frame *frame);
struct rob_slot *rob_frame_slot(struct rob_frame *frame);
bool rob_on_stack(struct rob_thread *thread, struct rob_slot *slot);
bool rob_lease_registered(struct rob_lease *lease);
bool rob_registered_on_stack(struct rob_thread *thread);
bool rob_is_quiet(void);

/* ---- queue.c ---- */

void rob_queue_append(struct rob_slot *slot);
void rob_queue_insert(struct rob_slot *slot);
struct rob_slot *rob_queue_head(void);
void rob_queue_take(struct rob_slot *slot);
unsigned rob_queue_take_run(struct rob_slot **slots, unsigned most, async_cookie_t bound);

/* ---- condition.c ---- */

async_cookie_t rob_lowest_of_all(void);
bool rob_awaits(struct async_waiter *waiter, struct rob_slot *slot);
bool rob_left_out(struct async_waiter *waiter, struct rob_slot *slot);
struct rob_slot *rob_find(async_cookie_t cookie, struct async_domain *domain);
bool rob_awaits_any(struct async_waiter *waiter, bool left_out);
bool rob_awaits_newest(struct async_waiter *waiter);
bool rob_waits_for_self(struct async_waiter *waiter);
struct rob_slot *rob_help_slot(struct async_waiter *waiter);
bool rob_quiesced(struct async_domain *domain, struct rob_thread *self);
bool rob_quiesce_reached(struct rob_thread *thread);
struct rob_slot *rob_quiesce_claimable(void);

/* ---- deadlock.c ---- */

bool rob_deadlock_may_close(struct async_waiter *waiter);
void rob_deadlock_dependents(struct rob_thread *thread, async_cookie_t limit);
struct async_waiter *rob_deadlock_closing(struct async_waiter *waiter);
void rob_mark_left_out(struct async_waiter *waiter);

/* ---- pool.c ---- */

void rob_pool_brisk(struct rob_worker *worker, uint32_t calls);
void rob_idle_remove(struct rob_worker *worker);
void rob_idle_push(struct rob_worker *worker);
void rob_pool_arm(void);
void rob_pool_help_wanted(void);
void rob_pool_arrived(void);
uint64_t rob_pool_quick(void);
void rob_pool_kick(void);
bool rob_pool_bring(void);
void rob_pool_processors(unsigned count);
void rob_pool_narrow(void);
bool rob_pool_widen(uint64_t now_ns);
bool rob_pool_stuck(struct rob_thread *thread);
bool rob_pool_may_spill(void);
void rob_pool_block(struct rob_thread *thread);
void rob_pool_unblock(struct rob_thread *thread);
void rob_pool_left(void);

/* ---- waiters.c ---- */

bool rob_satisfied(struct async_waiter *waiter);
void rob_waiter_settle(struct async_waiter *waiter);
void rob_waiter_find_order(struct async_waiter *waiter);
enum rob_list rob_waiter_list(const struct async_waiter *waiter);
void rob_waiter_add(struct async_waiter *waiter);
void rob_waiter_remove(struct async_waiter *waiter);
void rob_waiter_victim(struct async_waiter *waiter);
void rob_waiter_satisfy(struct async_waiter *waiter);
void rob_waiters_special(void);
void rob_poke_callers(void);
void rob_poke_owner(struct async_owner *owner);
void rob_waiters_wake(struct async_domain *domain, bool exclusive);
void rob_waiters_call_done(async_cookie_t cookie);
void rob_deadlock_check(struct async_waiter *waiter);
void rob_now_pending(void);

/* ---- complete.c ---- */

void rob_progress(struct async_domain *domain, bool exclusive);
struct rob_slot *rob_turn_take(void);
void rob_finish(struct rob_slot *slot, int error);
void rob_flush(struct rob_lease *lease, uint32_t upto);
void rob_lease_link(struct rob_lease *lease);
void rob_lease_unlink(struct rob_lease *lease);
void rob_recall(struct rob_lease *lease);
void rob_recall_all(void);

/* ---- after.c ---- */

void rob_free_garbage(struct async_block *block);
void rob_unlock(void);

/* ---- report.c ---- */

void rob_watchdog(void);
void rob_deadlock_report(struct async_waiter *waiter);

/* ---- run.c ---- */

void rob_step(struct rob_slot *slot, struct rob_frame *frame, struct rob_thread *self, uint64_t how);
void rob_retire(struct rob_thread *self, bool any);
void rob_run(struct rob_slot *slot, struct rob_thread *self, uint64_t how);
void rob_run_left(struct rob_thread *self);

/* ---- lease.c ---- */

unsigned rob_lease_take(struct rob_lease *lease);
void rob_lease_take_retire(struct rob_lease *lease, struct rob_slot *slot);
uint64_t rob_lease_run(struct rob_lease *lease, struct rob_thread *self);

/* ---- wait.c ---- */

int rob_wait(struct async_waiter *waiter);

/* ---- fork.c ---- */

void rob_pool_reset(struct rob_worker *self);

/* ---- quiesce.c ---- */

void rob_quiesce_wait_end(void);

/* ---- schedule.c ---- */

async_cookie_t rob_schedule_thinking(async_func_t func, async_func_t retire, void *data, struct async_domain *domain,
				     bool try_only, const void *caller);

/* O1: whoever sees that the library has started sees what was set up. */
static inline void rob_lock(void)
{
	if (port_unlikely(!port_load_acquire(&rob.started))) /* O1 */
		rob_start();
	port_lock(&rob.lock);
}

#endif
