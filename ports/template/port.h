/* SPDX-License-Identifier: MIT */
/*
 * A port to start from: what the core needs of the world. Copy this folder, replace the bodies of port.c by
 * what your system has, and put it on the include path before core/. The core includes this file, its own, and
 * nothing else. As it stands it makes a library for one thread, which a test compiles and runs.
 *
 * Need: fixed-width types, bool, errno values, memset and memcpy, _Static_assert
 *       the public types and calls (async.h, or what the system has in its place)
 *       the order named by each atomic operation; a full one is never needed
 *       a lock, a parker, memory, a clock, the current thread, a log, the trace
 *       threads that may fail to start, and whether one of them is blocked
 */
#ifndef PORT_H
#define PORT_H

#include <errno.h>
#include <inorder/async.h>
#include <inorder/trace.h>
#include <string.h>

#include "event.h"

#define port_likely(x) __builtin_expect(!!(x), 1)
#define port_unlikely(x) __builtin_expect(!!(x), 0)

struct rob_thread;
struct rob_worker;

/* ---- atomics: words that threads share without the lock ---- */

typedef struct {
	uint32_t value;
} port_u32;
typedef struct {
	const char *value;
} port_name;

uint32_t port_load_relaxed(port_u32 *p);
uint32_t port_load_acquire(port_u32 *p);
void port_store_relaxed(port_u32 *p, uint32_t value);
void port_store_release(port_u32 *p, uint32_t value);
/* On failure *old is what stands there, acquired. */
bool port_cas_acq_rel(port_u32 *p, uint32_t *old, uint32_t value);
const char *port_name_load(port_name *p);             /* acquire */
void port_name_store(port_name *p, const char *name); /* release */
/* A word of the public types. */
uint64_t port_load64_acquire(uint64_t *p);
void port_store64_release(uint64_t *p, uint64_t value);
/* In a loop that waits for another processor. */
void port_relax(void);
/* The longest that a short call may spin for its turn, in ns: some wake-ups; 0 with one processor. */
uint64_t port_spin_ns(void);

/* ---- a lock (held for well under a microsecond), and a parker for each thread ---- */

struct port_lock {
	port_u32 word; /* 0: free */
};
struct port_parker {
	port_u32 flags;
};

void port_lock(struct port_lock *lock);   /* acquire */
void port_unlock(struct port_lock *lock); /* release */
/*
 * Raises flags (release). The access that raises them is the last: the thread may be gone at once. May be called with
 * the lock held.
 */
void port_unpark(struct port_parker *parker, uint32_t flags);
/* Sleeps until a flag is raised, takes and returns all (acquire). 0: deadline_ns has passed; a deadline of 0: none. */
uint32_t port_park(struct port_parker *parker, uint64_t deadline_ns);

/* ---- memory, clock, thread, log: the first and the last never with the core's lock held ---- */

void *port_alloc(size_t bytes); /* or NULL */
void port_free(void *memory);
uint64_t port_clock_ns(void); /* monotonic */
/*
 * Whether a waiter may run what it awaits; nested: it stands inside a call that stands inside a call. Small stacks say
 * no.
 */
bool port_may_help(bool nested);
/* Whether so little of this thread's stack is left that calls should not nest deeper. */
bool port_stack_low(void);
struct rob_thread *port_self(void); /* zeroed when a thread begins */
int port_thread_id(void);
__attribute__((format(printf, 3, 4))) int port_format(char *text, size_t bytes, const char *format, ...);
__attribute__((format(printf, 2, 3))) void port_log(int fd, const char *format, ...);

/* ---- trace ---- */

bool port_traces(void); /* one predictable branch where it is off */
void port_trace(const struct port_event *event);
void port_symbol(async_func_t func, char *text, size_t bytes);

/* ---- threads ---- */

/* Once, with the core's lock held, before anything else. */
void port_start(struct port_config *config);
/*
 * With the core's lock held, at first use and again after port_exit(false): see to it that a normal end of the process
 * calls port_exit().
 */
void port_arm_exit(void);
unsigned port_cpus(void);
/* While calls sleep, how many threads may be on their way at once, if so many processors are used. */
static inline unsigned port_wakes(unsigned used)
{
	return used;
}
/* Returns once a thread of this id, which has ended or is about to, is gone. */
void port_thread_gone(int thread_id);
/* A thread in rob_worker_main(worker), or rob_monitor_main() for NULL. 0 or a negative errno: then none comes. */
int port_thread_start(struct rob_worker *worker);
/* Runs what starts several threads: in the calling thread, unless that one must not start any. */
static inline void port_run_starter(void (*run)(void))
{
	run();
}
_Noreturn void port_thread_exit(void);
/*
 * Around a call that a thread of the program may run: the thread must not end inside. Returns what port_let_go() takes.
 */
int port_hold(void);
void port_let_go(int before);
/* Whether the thread of this port_thread_id() is blocked; merely not running is not that. */
bool port_thread_sleeps(int thread_id);
/* Processor time that it has used, in ns; 0 where that is not known. With the core's lock. */
uint64_t port_thread_used_ns(int thread_id);
/* Whether threads have gone to sleep so many times since @before was noted; notes it anew. False where not known. */
bool port_slept_since(uint64_t *before, unsigned times);
/* Whether it has a processor just now; true where that is not known. Without the core's lock. */
bool port_thread_runs(int thread_id);

/* Where exceptions exist: none leaves a function that runs a call. */
#define port_bars_exceptions() ((void)0)

#endif
