/* SPDX-License-Identifier: MIT */
/*
 * The structures of the reorder buffer, and the one state. How they work together: core.h.
 *
 * Locking tags: L: rob.lock. O: only the owning thread. W: lease word rules (lease.c).
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "list.h"
#include "rob.h"
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

struct rob_worker {
	/* What waking it takes stands together. */
	struct rob_thread *thread;      /* O: until it runs; then constant */
	struct rob_worker *prev, *next; /* L: idle list, last in first out; or free list */
	bool idle;                      /* L: parked without work */
	bool blocked;                   /* L: parked in a wait */
	bool asleep;                    /* L: seen blocked in the kernel; not counted as active */
	bool hinted;                    /* L: in a call that is said to block: counts as asleep while it runs it */
	bool fresh;                     /* L: has run nothing since it was woken or started */
	uint32_t brisk;                 /* L: its calls are short, it will be back soon: how many it takes; or 0 */
	uint32_t turn;                  /* L: leases so far, in this thread */
	int thread_id;                  /* L: 0 without a thread */
	int ended_id;                   /* L: of its last thread, once that has ended */
	uint64_t seen;                  /* L: the monitor's: turn and calls begun when last looked at */
	uint64_t used_ns;               /* L: processor time when last asked for, in the first burst; or 0 */
	struct rob_worker *all_next;    /* constant once linked: every worker ever; reused, never freed */
	struct rob_lease lease;
};

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
	struct rob_worker *kept;        /* the first of the idle ones if it rests without a limit */
	unsigned total;                 /* threads, starting ones included */
	unsigned spills;                /* registered waiters that spill: so many workers more than the limit */
	unsigned active;                /* threads believed to be running calls or about to */
	uint64_t brisk;                 /* sum of the workers' */
	unsigned cpus;
	unsigned width;   /* so many of them are used: fewer while turns come late (rob_pool_narrow()) */
	uint64_t calm_ns; /* for how long they are fewer */
	uint64_t narrowed_ns, widened_ns;
	unsigned burst;   /* extra threads to wake or start, since others are asleep */
	bool blind;       /* no monitor could be started */
	bool eager;       /* calls have blocked in the kernel recently: idle workers are woken at once */
	unsigned cold;    /* so many more may be started at once: whether calls block is not known yet */
	uint64_t cold_ns; /* when half of these were started; 0: not yet */
	uint64_t slept;   /* how often threads had slept then */
	bool asked;       /* whether the first burst sleeps; or it need not be: its calls nest, or are waited for */
	unsigned coming;  /* woken or started, and not there yet */
	bool bringing;    /* the monitor brings a burst in: no other thread starts or wakes workers */
	struct rob_thread *leaver;           /* waits for all threads to end; none is started meanwhile */
	int monitor_id;                      /* of a monitor that has ended */
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
	struct async_waiter *special;
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

#endif
