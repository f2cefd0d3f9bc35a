/* SPDX-License-Identifier: MIT */
/*
 * The POSIX port: what the core needs of the world, on Linux' pthreads and
 * futexes. The core includes this file and its own; nothing else.
 *
 * Need: fixed-width types and the public types (async.h)
 *       atomic operations, the order in their name
 *       a lock; a parker (sleep until flags are raised)
 *       memory, clock, the current thread, log, trace
 *       threads that may fail to start, and whether one sleeps
 */
#ifndef PORT_H
#define PORT_H

#include <errno.h>
#include <inorder/async.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "trace.h"

#define port_likely(x) __builtin_expect(!!(x), 1)
#define port_unlikely(x) __builtin_expect(!!(x), 0)

struct rob_thread;
struct rob_worker;

/* ---- atomics; whose orders they carry: docs/ORDERING.md ---- */

/*
 * In a program built with ThreadSanitizer, or run under helgrind, the library is mostly not watched: it reports what
 * its atomic operations order (checkers.c).
 */
#if defined(__SANITIZE_THREAD__)
#define PORT_SEES_ITSELF 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PORT_SEES_ITSELF 1
#endif
#endif
#ifdef PORT_SEES_ITSELF
#define port_saw(what, p) ((void)(p))
#else
/* Set before there are threads. */
extern bool port_watched_by_checker __attribute__((visibility("hidden")));
void port_saw_acquire(void *word, size_t bytes);
void port_saw_release(void *word, size_t bytes);
#define port_saw(what, p) \
	(port_unlikely(port_watched_by_checker) ? port_saw_##what((void *)(uintptr_t)(p), sizeof(*(p))) : (void)0)
#endif

typedef _Atomic uint32_t port_u32;
typedef const char *_Atomic port_name;

static inline uint32_t port_load_relaxed(port_u32 *p)
{
	return atomic_load_explicit(p, memory_order_relaxed);
}

/* O1, O2, O3 */
static inline uint32_t port_load_acquire(port_u32 *p)
{
	uint32_t value = atomic_load_explicit(p, memory_order_acquire);

	port_saw(acquire, p);
	return value;
}

static inline void port_store_relaxed(port_u32 *p, uint32_t value)
{
	atomic_store_explicit(p, value, memory_order_relaxed);
}

/* O1 */
static inline void port_store_release(port_u32 *p, uint32_t value)
{
	port_saw(release, p);
	atomic_store_explicit(p, value, memory_order_release);
}

/* O4; for a word of the public types, which cannot be declared atomic. */
static inline uint64_t port_load64_acquire(uint64_t *p)
{
	uint64_t value = __atomic_load_n(p, __ATOMIC_ACQUIRE);

	port_saw(acquire, p);
	return value;
}

/* O4 */
static inline void port_store64_release(uint64_t *p, uint64_t value)
{
	port_saw(release, p);
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

/* O3 */
static inline uint32_t port_xchg_acq_rel(port_u32 *p, uint32_t value)
{
	uint32_t before;

	port_saw(release, p);
	before = atomic_exchange_explicit(p, value, memory_order_acq_rel);
	port_saw(acquire, p);
	return before;
}

/* O3 */
static inline uint32_t port_or_release(port_u32 *p, uint32_t bits)
{
	port_saw(release, p);
	return atomic_fetch_or_explicit(p, bits, memory_order_release);
}

/* O2, O3. On failure *old is what stands there. */
static inline bool port_cas_acq_rel(port_u32 *p, uint32_t *old, uint32_t value)
{
	bool done;

	port_saw(release, p);
	done = atomic_compare_exchange_strong_explicit(p, old, value, memory_order_acq_rel, memory_order_acquire);
	port_saw(acquire, p);
	return done;
}

/* O6 */
static inline const char *port_name_load(port_name *p)
{
	return atomic_load_explicit(p, memory_order_acquire);
}

/* O6 */
static inline void port_name_store(port_name *p, const char *name)
{
	atomic_store_explicit(p, name, memory_order_release);
}

static inline void port_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* ---- futex ---- */

/*
 * The kernel's own types: where time_t has 64 bits and a long 32, as with musl or
 * -D_TIME_BITS=64, SYS_futex would read the halves of another structure.
 */
#if defined(SYS_futex_time64) && __SIZEOF_LONG__ == 4
#define PORT_FUTEX SYS_futex_time64 /* Linux 5.1 */
typedef int64_t port_time;
#else
#define PORT_FUTEX SYS_futex
typedef long port_time;
#endif

struct port_timespec {
	port_time seconds, nanoseconds;
};

static inline void port_futex_wake(port_u32 *word, int count)
{
	int saved = errno;

	syscall(PORT_FUTEX, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
	errno = saved;
}

/* Sleeps while *word is expected, until deadline_ns (0: no limit). False when the time is over. */
bool port_futex_wait(port_u32 *word, uint32_t expected, uint64_t deadline_ns);

/* ---- lock: 0 free, else held; whether another thread spins for it, or sleeps ---- */

#define PORT_HELD 1u
#define PORT_SLEEPER 2u
#define PORT_SPINNER 4u

struct port_lock {
	port_u32 word;
};

void port_lock_slow(struct port_lock *lock);
void port_unlock_slow(struct port_lock *lock, uint32_t word);

/* O5: what was done under the lock before is seen. */
static inline void port_lock(struct port_lock *lock)
{
	uint32_t expected = 0;

	if (port_unlikely(!atomic_compare_exchange_strong_explicit(&lock->word, &expected, PORT_HELD,
								   memory_order_acquire, memory_order_relaxed)))
		port_lock_slow(lock);
	port_saw(acquire, lock);
}

/* O5 */
static inline void port_unlock(struct port_lock *lock)
{
	uint32_t word;

	port_saw(release, lock);
	word = atomic_exchange_explicit(&lock->word, 0, memory_order_release);
	if (port_unlikely(word != PORT_HELD))
		port_unlock_slow(lock, word);
}

/* ---- parker: one thread sleeps until others raise flags ---- */

#define PORT_PARKED 0x80000000u

struct port_parker {
	port_u32 flags;
};

/*
 * Raises flags (O3). The last access to the parker's memory is the one that raises
 * them: its thread may go on, and end, at once. (A futex wake of an address
 * that is gone is harmless.)
 */
static inline void port_unpark(struct port_parker *parker, uint32_t flags)
{
	if (port_or_release(&parker->flags, flags) & PORT_PARKED)
		port_futex_wake(&parker->flags, 1);
}

/* A worker without a call goes to sleep, or comes back: it takes no signals meanwhile. Whether it is one. */
bool port_rest_begin(void);
void port_rest_end(void);

/* The longest that a short call may spin for its turn, in ns: some wake-ups; 0 with one processor. */
uint64_t port_spin_ns(void);

/*
 * Sleeps until a flag is raised; takes and returns all of them. 0: deadline_ns (CLOCK_MONOTONIC) has passed; 0: none.
 */
uint32_t port_park(struct port_parker *parker, uint64_t deadline_ns);

/* ---- memory, clock, thread, log ---- */

/* The helper of this thread, a monitor with a table of descriptors of its own, not the program's (files.c); or NULL. */
extern __thread struct port_helper *port_apart;
/* Runs it here; if this thread is apart, in one that is not. */
int port_in_program(int (*run)(void *data), void *data);
void *port_alloc_apart(size_t bytes);
void port_free_apart(void *memory);

static inline void *port_alloc(size_t bytes)
{
	int saved = errno;
	void *memory = port_unlikely(port_apart) ? port_alloc_apart(bytes) : malloc(bytes);

	errno = saved;
	return memory;
}

static inline void port_free(void *memory)
{
	if (port_unlikely(port_apart))
		port_free_apart(memory);
	else
		free(memory);
}

/* CLOCK_MONOTONIC */
static inline uint64_t port_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

extern __thread struct rob_thread port_thread;

static inline struct rob_thread *port_self(void)
{
	return &port_thread;
}

extern __thread int port_tid;

/* The kernel's id of this thread; remembered. */
static inline int port_thread_id(void)
{
	if (port_unlikely(!port_tid))
		port_tid = (int)syscall(SYS_gettid);
	return port_tid;
}

#define port_format snprintf

/* One write to fd (2: where misuse is reported); what does not fit into 2 KB is cut. */
__attribute__((format(printf, 2, 3))) void port_log(int fd, const char *format, ...);

static inline bool port_traces(void)
{
	/* No order: sinks are looked at again under the trace's own lock */
	return __atomic_load_n(&port_tracing, __ATOMIC_RELAXED);
}

/*
 * Whether a waiter may run what it awaits; nested: it stands inside a call that stands inside a call. Small stacks say
 * no.
 */
static inline bool port_may_help(bool nested)
{
	(void)nested;
	return true;
}

/* Whether so little of this thread's stack is left that calls should not nest deeper: a quarter. */
bool port_stack_low(void);

/*
 * In a function that runs a call: an exception that comes there ends the program, and who would catch it is behind the
 * library. The function has a personality, which refuses; debuggers and backtraces do not ask it. Elsewhere there are
 * no tables to unwind by.
 */
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__)
#define port_bars_exceptions() __asm__ volatile(".cfi_personality 0x1b, port_personality")
#else
#define port_bars_exceptions() ((void)0)
#endif

/* ---- threads ---- */

/* Fills the configuration, starts the trace. Once, before anything else, with the core's lock held. */
void port_start(struct port_config *config);
/* A normal exit waits before the destructors of what exists now. With the core's lock held. */
void port_arm_exit(void);
extern port_u32 port_processors;
/* Processors that this process may use, at least 1. */
unsigned port_cpus(void);
/* While calls sleep, how many threads may be on their way at once, if so many processors are used. */
static inline unsigned port_wakes(unsigned used)
{
	return used;
}
/* Starts a thread in rob_worker_main(worker), or in rob_monitor_main() for NULL. 0 or -errno. */
int port_thread_start(struct rob_worker *worker);
/* Runs what starts several threads. A monitor that is apart asks its helper once, and not for each of them. */
void port_run_starter(void (*run)(void));
/* Of a worker, as configured; 0: the default. Set by port_start(). */
extern uint32_t port_stack_bytes;
/* Ends the calling thread. */
_Noreturn void port_thread_exit(void);

extern __thread bool port_watched;
void port_watch_thread(void);

/*
 * Around a call that a thread of the program may run: it is not cancelled meanwhile,
 * and should it end inside, by pthread_exit(), the program ends with a message.
 */
static inline int port_hold(void)
{
	int before = 0;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	if (port_unlikely(!port_watched))
		port_watch_thread();
	return before;
}

static inline void port_let_go(int before)
{
	pthread_setcancelstate(before, &before);
}

/* Returns once the kernel has no such thread of this process any more; soon, it has ended. */
void port_thread_gone(int thread_id);

/* Whether the thread is blocked in the kernel; merely being off a processor is not that. */
bool port_thread_sleeps(int thread_id);

/* Processor time that the thread has used, in ns; 0: it cannot be asked. */
uint64_t port_thread_used_ns(int thread_id);

/*
 * Whether threads of the process have gone to sleep so many times since @before was noted; notes it anew. False where
 * it must not be asked.
 */
bool port_slept_since(uint64_t *before, unsigned times);

/* Whether the thread has a processor just now, or cannot be asked. */
bool port_thread_runs(int thread_id);

#endif
