/* SPDX-License-Identifier: MIT */
/*
 * What each thread has of the core: the calls on its stack and its wait. A port keeps one struct rob_thread a thread,
 * zeroed when the thread begins, and hands it out by port_self().
 *
 * Locking tags: L: rob.lock. O: only the owning thread.
 */
#ifndef CORE_THREAD_H
#define CORE_THREAD_H

#include "port.h"

struct rob_lease;
struct rob_slot;
struct rob_worker;

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

/* Why a thread is unparked. */
#define ROB_WAKE 1u /* worker: there is work */
#define ROB_DONE 2u /* waiter: satisfied, no longer registered; the waker is done with it */
#define ROB_POKE 4u /* waiter: look again: help, or report a deadlock */

/* EXIT: of a normal end, for exclusive domains too. QUIESCE: rob_quiesce_reached(), not a matter of single calls. */
enum rob_wait_kind { ROB_WAIT_DOMAIN, ROB_WAIT_ALL, ROB_WAIT_EXIT, ROB_WAIT_CALL, ROB_WAIT_OWNER, ROB_WAIT_QUIESCE };

enum rob_list { ROB_IN_DOMAIN, ROB_IN_ALL, ROB_IN_CALLS, ROB_IN_SPECIAL };

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
 * it is in follows from its kind and from what it leaves out: waiters.c.
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

#endif
