/* SPDX-License-Identifier: MIT */
/*
 * The reorder buffer: what the files of the core share.
 *
 * Theory of operation
 *
 * Calls enter at the tail in cookie order (issue), are claimed from the head
 * in that order, complete in any order, and are forgotten block by block. A
 * call is a slot of 32 bytes; one with a retire step or an owner takes two.
 * Slots stand in blocks. A block belongs to one domain; a domain's blocks form
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

#include "port.h"

#include "list.h"
#include "owner.h"
#include "tuning.h"

/* Slot.place: cookie, whether two slots wide, index in the block. Compares as the cookie does. */
#define ROB_INDEX_BITS 6
#define ROB_WIDE ((uint64_t)1 << ROB_INDEX_BITS)
#define ROB_COOKIE_SHIFT (ROB_INDEX_BITS + 1)

struct rob_slot {
	async_func_t func;
	void *data;
	uint64_t place;
	struct rob_slot *next; /* L: in the queue */
};

/* The second slot of a wide call. */
struct rob_wide {
	async_func_t retire;
	struct async_owner *owner;
	const char *name; /* kept from func for retire */
	int error;
	uint32_t flags; /* L: */
};

#define ROB_FUNC_DONE 1u /* waits for its turn to retire */
#define ROB_QUEUED 2u    /* linked in the queue, dead or alive */
#define ROB_READY 4u     /* its turn has come: the retire step is queued, claimed or runs */

enum rob_kind { ROB_TABLE, ROB_ENTRY, ROB_RECORD };

/* L: a run of calls of one domain. In the domain's list while live. */
struct async_block {
	struct async_domain *domain;
	struct async_block *prev, *next;         /* of the domain */
	struct async_block *all_prev, *all_next; /* of all registered, or all exclusive, domains */
	uint64_t live;                           /* in progress */
	uint64_t pending;                        /* of those, in the queue and not claimed */
	uint8_t fill, capacity;
	uint8_t kind;
	uint8_t dead; /* slots still linked in the queue though claimed */
};

/* A block of one call: what struct async_entry is, and what an inline call has on its stack. */
struct rob_record {
	struct async_block block;
	struct rob_slot slot;
	struct rob_wide wide;
	struct rob_slot *prev; /* in the queue */
};

_Static_assert(sizeof(struct rob_slot) == 4 * sizeof(void *) || sizeof(void *) < 8, "a pending call takes 32 bytes");
_Static_assert((ROB_LEASE & (ROB_LEASE - 1)) == 0, "leases grow by doubling");
_Static_assert(sizeof(struct rob_wide) == sizeof(struct rob_slot) || sizeof(void *) < 8, "a wide call is two slots");
_Static_assert(sizeof(struct async_block) == 64 || sizeof(void *) < 8, "a block's header is a cache line");
_Static_assert(sizeof(struct rob_record) <= sizeof(((struct async_entry *)0)->storage), "an entry holds a call");

/* Of a search tree (tree.c). L: */
struct rob_node {
	struct rob_node *left, *right, *up;
	async_cookie_t key;
	uint32_t weight;
};

/* A call on some thread's stack. */
struct rob_frame {
	struct rob_node node;      /* L: of rob.frames, by cookie, once its thread has waited */
	struct rob_thread *thread; /* L: constant while pushed */
	struct rob_frame *parent;  /* L: pushed and popped under the lock */
	struct rob_slot *slot;     /* L: NULL for a lease: see rob_frame_slot() */
	struct rob_lease *lease;   /* L: */
	async_cookie_t cookie;     /* O: */
	async_cookie_t below;      /* O: the lowest cookie of the frames below this one */
	struct async_owner *owner; /* O: the thread's before this call */
	port_name name;            /* written by the owner, read by reports */
	uint64_t since_ns;         /* L: */
	int error;                 /* O: */
	bool retiring;             /* set under the lock, before it runs */
	bool releasing;            /* L: its call was cancelled: it does not run */
	bool warned;               /* L: the watchdog has reported it */
	bool indexed;              /* L: in rob.frames */
	unsigned forks;            /* O: */
};

/* A worker's claimed calls. */
struct rob_lease {
	port_u32 word;               /* W: begun in the low half, limit in the high half */
	uint32_t count;              /* L: */
	uint32_t flushed;            /* L: completions that have been applied */
	uint32_t size;               /* O: how many to take next */
	uint32_t single;             /* O: leases of one call to go, since a call waited */
	uint64_t ended_ns;           /* O: when the lease before ended; 0: the worker was idle since */
	struct async_domain *domain; /* L: of all its calls, or NULL if they differ */
	bool gather;             /* O: to end it late, since calls that come meanwhile are taken with the same lock */
	bool open;               /* L: in the list of leases that may hold calls not begun */
	struct rob_slot *retire; /* L: what its completions made ready, to be run next */
	struct rob_lease *prev, *next; /* L: of that list */
	struct rob_frame frame;
	struct rob_slot *slot[ROB_LEASE]; /* L: written while the lease is closed */
};

/* Why a thread is unparked. */
#define ROB_WAKE 1u /* worker: there is work */
#define ROB_DONE 2u /* waiter: satisfied, no longer registered; the waker is done with it */
#define ROB_POKE 4u /* waiter: look again: help, or report a deadlock */

struct rob_worker {
	/* What waking it takes stands together. */
	struct rob_thread *thread;      /* O: until it runs; then constant */
	struct rob_worker *prev, *next; /* L: idle list, last in first out; or free list */
	bool idle;                      /* L: parked without work */
	bool blocked;                   /* L: parked in a wait */
	bool asleep;                    /* L: seen blocked in the kernel; not counted as active */
	bool fresh;                     /* L: has run nothing since it was brought in */
	uint32_t brisk;                 /* L: its calls are short, it will be back soon: how many it takes; or 0 */
	uint32_t turn;                  /* L: leases so far */
	int thread_id;                  /* L: 0 without a thread */
	int ended_id;                   /* L: of its last thread, once that has ended */
	uint64_t seen;                  /* L: the monitor's: turn and calls begun when last looked at */
	struct rob_worker *all_next;    /* constant once linked: every worker ever; reused, never freed */
	struct rob_lease lease;
};

/* EXIT: of a normal end, for exclusive domains too. QUIESCE: rob_quiesce_reached(), not a matter of single calls. */
enum rob_wait_kind { ROB_WAIT_DOMAIN, ROB_WAIT_ALL, ROB_WAIT_EXIT, ROB_WAIT_CALL, ROB_WAIT_OWNER, ROB_WAIT_QUIESCE };

enum rob_list { ROB_IN_DOMAIN, ROB_IN_ALL, ROB_IN_CALLS, ROB_IN_ODD };

/* What a wait leaves out: nothing; what is stuck behind its own stack; the rest of a cycle too, whose victim it is. */
enum rob_left_out { ROB_LEAVES_NOTHING, ROB_LEAVES_OWN, ROB_LEAVES_CYCLE };

/* What a search for cycles (deadlock.c) notes at the waiters that it meets. Means nothing between searches. */
struct rob_visit {
	uint32_t mark;                /* the search that has met it last; 0: none */
	uint32_t swept;               /* of a list's last waiter: the search that has gone through the list */
	struct async_waiter *via;     /* whose stack it awaits */
	struct async_waiter *next;    /* met before it, and still to be looked at */
	struct async_waiter *reached; /* of a list's last waiter: where the search is to go on */
};

/*
 * One wait. L: all of it while it is registered, that is while thread->waiter is it. Which list
 * it stands in follows from its kind and from what it leaves out: waiters.c.
 */
struct async_waiter {
	struct rob_node node; /* of rob.calls, by cookie */
	enum rob_wait_kind kind;
	enum rob_left_out leaves;
	struct async_domain *domain;
	struct async_owner *owner;
	struct async_domain *order; /* of the one call waited for, if it has a retire step; while registered */
	async_cookie_t bound;       /* exclusive; of a call: its cookie */
	struct rob_thread *thread;
	async_cookie_t cookie; /* of the call that waits; 0: none */
	uint64_t deadline_ns;  /* 0: none */
	bool reported;
	struct async_waiter *prev, *next; /* of the list it is in, by bound */
	struct rob_visit visit;
};

struct rob_thread {
	struct port_parker parker;
	struct rob_frame *top;          /* L: to change; the owner reads it freely */
	struct async_owner *owner;      /* O: */
	struct rob_worker *worker;      /* O: NULL on threads of the program */
	struct async_waiter *waiter;    /* L: &wait while it is registered */
	struct rob_thread *prev, *next; /* L: of rob.threads */
	unsigned quiesce;               /* O: begins that it has not ended */
	bool listed;                    /* L: */
	int id;                         /* L: set when listed */
	/*
	 * Its wait. Not on its stack: a signal handler may leave the wait by siglongjmp(), and what is registered
	 * stays until this thread waits again, or ends. At most one is: who runs a call for progress is in no list.
	 */
	struct async_waiter wait;
	bool spills; /* L: counted in rob.pool.spills: it has too little stack left to run what it awaits */
	bool waits;  /* O: in a wait, or it has left one */
	bool parked; /* O: registered; outside of park() the wait was left */
};

/*
 * A victim leaves out the rest of its cycle. A call that ends the program leaves out what waits for it: those waits
 * do not return. Which waiters those are: rob_mark_left_out().
 */
static inline bool rob_leaves_dependents(const struct async_waiter *waiter)
{
	return waiter->leaves == ROB_LEAVES_CYCLE || (waiter->kind == ROB_WAIT_EXIT && waiter->thread->top);
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

/*
 * L: what must not happen under the lock is noted here and done by the thread that drops it, which takes the notes
 * along. rob_unlock() is the one way to drop the lock. Only the short ways of schedule.c use port_unlock() itself:
 * they note nothing, and change nothing that rob.quick depends on.
 */
struct rob_after {
	struct async_waiter *wake;   /* satisfied waiters, by next */
	struct async_block *garbage; /* to be freed, by next */
	struct rob_worker *worker;   /* to be woken */
	bool start;                  /* a worker is to be started */
	bool start_monitor, wake_monitor;
};

/*
 * L: of the thread that applies completions: which retire steps it runs itself. Set before, read by rob_turn_take()
 * after, without dropping the lock in between.
 */
struct rob_turn {
	bool any;                /* each that the completions make ready */
	struct rob_slot *own;    /* or that of this call, which it has just run */
	struct rob_slot *retire; /* the one that it is to run */
};

struct rob_queue {
	struct rob_slot *head, *tail;
	uint64_t pending; /* alive */
	uint64_t dead;
};

struct rob_pool {
	struct rob_worker *all;         /* every worker ever */
	struct rob_worker *idle, *free; /* without work; without a thread */
	unsigned total;                 /* threads, starting ones included */
	unsigned spills;                /* registered waiters that spill: so many workers more than the limit */
	unsigned active;                /* threads believed to be running calls or about to */
	uint64_t brisk;                 /* sum of the workers' */
	unsigned cpus;
	unsigned burst;            /* extra threads to bring in, since others are asleep */
	bool blind;                /* no monitor could be started */
	bool eager;                /* calls block in the kernel, of late: idle workers are brought in at once */
	bool waking;               /* a wake-up or start is in flight */
	struct rob_thread *leaver; /* waits for all threads to end; none is started meanwhile */
	int monitor_id;            /* of a monitor that has ended */
	uint64_t retry_ns, monitor_retry_ns; /* no worker, no monitor is started before this time */
	struct port_parker monitor;
	enum { ROB_MONITOR_NONE, ROB_MONITOR_PARKED, ROB_MONITOR_TICKS } monitor_state;
};

struct rob {
	/* One cache line: what scheduling a plain call touches. */
	__attribute__((aligned(64))) struct port_lock lock;
	unsigned generation; /* L: of the process: fork begins a new one; never 0 once started */
	async_cookie_t last; /* L: the last cookie given */
	uint64_t quick;      /* L: with fewer pending, scheduling needs no thought; never more than rob_pool_quick() */
	struct rob_queue queue; /* L: */
	struct rob_after after; /* L: */
	struct rob_turn turn;   /* L: */

	struct async_block *blocks[2]; /* L: live ones, oldest first: registered, exclusive */
	struct async_block *blocks_last[2];
	struct async_block *spare[2]; /* L: free blocks: small, large */
	unsigned spares[2];
	struct rob_lease *leases;   /* L: open, of several calls */
	struct rob_thread *threads; /* L: with calls on their stacks, or in a wait; workers, until they rest */
	unsigned waiting;           /* L: registered waiters: those of rob.threads */
	struct async_waiter *all_waiters, *all_waiters_last;
	struct async_waiter *odd;
	struct rob_node *calls;  /* L: waiters for one call, by its cookie */
	struct rob_node *frames; /* L: calls on the stacks of threads that have waited in them, by cookie */
	unsigned ordered_calls;  /* L: of rob.calls, waiters for a call with a retire step */
	unsigned ascending;
	uint32_t mark;
	rob_owner_finder find_owner; /* L: of calls that have none from their thread; NULL: they have none */
	struct rob_pool pool;        /* L: */
	struct port_config config;
	__attribute__((aligned(64))) struct async_domain main_domain;
	port_u32 started;
	/* Every call that returns reads this, not the generation, which is in the lock's line. Changes in a child. */
	unsigned forks;
	unsigned quiesce; /* L: begins without their end */
	unsigned exits;   /* L: waits of calls that end the program */
	bool ended;       /* L: past the exit's full wait: calls run inline */
};

extern struct rob rob;

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
	port_store64_release(&domain->lowest, lowest ? rob_cookie(lowest) : ASYNC_COOKIE_MAX);
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
void rob_block_add(void *memory, unsigned large);
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
uint64_t rob_pool_quick(void);
void rob_pool_kick(void);
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
void rob_waiters_odd(void);
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
void rob_start_failed(struct rob_worker *worker);
void rob_pool_watch(void);

/* ---- start.c ---- */

void rob_start(void);

/* ---- report.c ---- */

void rob_watchdog(uint64_t limit_ns);
void rob_deadlock_report(struct async_waiter *waiter);

/* ---- run.c ---- */

void rob_step(struct rob_slot *slot, struct rob_frame *frame, struct rob_thread *self, uint64_t how);
void rob_retire(struct rob_thread *self, bool any);
void rob_run(struct rob_slot *slot, struct rob_thread *self, uint64_t how);

/* ---- monitor.c ---- */

void rob_monitor_main(void);

/* ---- lease.c ---- */

unsigned rob_lease_take(struct rob_lease *lease);
void rob_lease_take_retire(struct rob_lease *lease, struct rob_slot *slot);
uint64_t rob_lease_run(struct rob_lease *lease, struct rob_thread *self);

/* ---- wait.c ---- */

int rob_wait(struct async_waiter *waiter);
void rob_wait_left(struct rob_thread *self);
int rob_wait_exit(uint64_t deadline_ns);

/* ---- worker.c ---- */

void rob_worker_main(struct rob_worker *worker);

/* ---- fork.c ---- */

void rob_fork_prepare(void);
void rob_fork_parent(void);
void rob_pool_reset(struct rob_worker *self);
void rob_fork_child(void);

/* ---- life.c ---- */

void rob_exit(bool last);

/* ---- quiesce.c ---- */

void rob_quiesce_wait_end(void);

/* O1: whoever sees that the library has started sees what was set up. */
static inline void rob_lock(void)
{
	if (port_unlikely(!port_load_acquire(&rob.started)))
		rob_start();
	port_lock(&rob.lock);
}

#endif
