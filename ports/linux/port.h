/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * The kernel's port: what the core needs of the world, in the kernel. The core
 * includes this file and its own; nothing else.
 *
 * The lock is a raw spinlock with interrupts off, since calls are scheduled with
 * interrupts off, too. Workers are kernel threads that a manager makes ahead
 * (thread.c). A task's struct rob_thread is found by a hash on current (task.c);
 * a task that has none holds nothing of the core: no_task.
 */
#ifndef PORT_H
#define PORT_H

#include <linux/async.h>
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

#ifndef UINT64_MAX
#define UINT64_MAX U64_MAX
#endif
#ifndef UINT32_MAX
#define UINT32_MAX U32_MAX
#endif

#define port_likely(x) likely(x)
#define port_unlikely(x) unlikely(x)

struct rob_thread;
struct rob_worker;
struct seq_file;

/* ---- atomics ---- */

typedef atomic_t port_u32;
typedef const char *port_name;

static inline u32 port_load_relaxed(port_u32 *p)
{
	return (u32)atomic_read(p);
}

static inline u32 port_load_acquire(port_u32 *p)
{
	return (u32)atomic_read_acquire(p);
}

static inline void port_store_relaxed(port_u32 *p, u32 value)
{
	atomic_set(p, (int)value);
}

static inline void port_store_release(port_u32 *p, u32 value)
{
	atomic_set_release(p, (int)value);
}

static inline bool port_cas_acq_rel(port_u32 *p, u32 *old, u32 value)
{
	return atomic_try_cmpxchg(p, (int *)old, (int)value);
}

static inline const char *port_name_load(port_name *p)
{
	/* pairs with port_name_store() */
	return smp_load_acquire(p);
}

static inline void port_name_store(port_name *p, const char *name)
{
	/* pairs with port_name_load() */
	smp_store_release(p, name);
}

static inline u64 port_load64_acquire(u64 *p)
{
	/* pairs with port_store64_release() */
	return smp_load_acquire(p);
}

static inline void port_store64_release(u64 *p, u64 value)
{
	/* pairs with port_load64_acquire() */
	smp_store_release(p, value);
}

static inline void port_relax(void)
{
	cpu_relax();
}

#define PORT_SPIN_NS 40000

/* Some wake-ups; none with one processor, where the turn cannot come meanwhile. */
static inline u64 port_spin_ns(void)
{
	return num_online_cpus() > 1 ? PORT_SPIN_NS : 0;
}

/* ---- the lock: there is one, so that lockdep and spinlock debugging know it from the start ---- */

struct port_lock {
	port_u32 word;       /* for the core's sake, which clears it in a forked child */
	unsigned long flags; /* L: of the interrupts of who holds it */
};

extern raw_spinlock_t port_core_lock;

/* What the core takes in one function it drops in another; __acquire() and __release() tell sparse not to mind. */
static inline void port_lock(struct port_lock *lock)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&port_core_lock, flags);
	lock->flags = flags;
	__release(&port_core_lock);
}

static inline void port_unlock(struct port_lock *lock)
{
	unsigned long flags = lock->flags;

	__acquire(&port_core_lock);
	raw_spin_unlock_irqrestore(&port_core_lock, flags);
}

/* ---- parker ---- */

#define PORT_PARKED 0x80000000u

struct port_parker {
	port_u32 flags;
	struct task_struct *task; /* constant while others can know the parker */
};

void port_unpark(struct port_parker *parker, u32 flags);
u32 port_park(struct port_parker *parker, u64 deadline_ns);

/* ---- memory, clock, thread, log ---- */

void *port_alloc(size_t bytes);
void port_free(void *memory);

/* Also while the clocks are suspended. */
static inline u64 port_clock_ns(void)
{
	return ktime_get_mono_fast_ns();
}

struct rob_thread *port_self(void);

static inline int port_thread_id(void)
{
	return task_pid_nr(current);
}

#define port_format snprintf

#define PORT_LOG_WARN 2 /* the core's descriptor for reports of misuse: the kernel's log */
#define PORT_LOG_FILE 3 /* what port_report() writes to */

__printf(2, 3) void port_log(int fd, const char *format, ...);
void port_report(struct seq_file *file);
void async_report(int fd);

/* ---- trace ---- */

enum async_trace_type {
	ASYNC_TRACE_SCHEDULED,
	ASYNC_TRACE_INLINE,
	ASYNC_TRACE_STARTED,
	ASYNC_TRACE_RETURNED,
	ASYNC_TRACE_RETIRING,
	ASYNC_TRACE_COMPLETED,
	ASYNC_TRACE_WAITING,
	ASYNC_TRACE_CONTINUED,
	ASYNC_TRACE_WORKER,
};

#include "event.h"

extern atomic_t port_tracepoints; /* how many of ours are on */
bool port_debug_lines(void);

static inline bool port_traces(void)
{
	return unlikely(atomic_read(&port_tracepoints)) || port_debug_lines();
}

void port_trace(const struct port_event *event);
void port_trace_lines(const struct port_event *event);

static inline void port_symbol(async_func_t func, char *text, size_t bytes)
{
	snprintf(text, bytes, "%pS", func);
}

/* ---- threads ---- */

void port_start(struct port_config *config);

/* Nothing: whoever ends it waits (module.c). */
static inline void port_arm_exit(void)
{
}

/*
 * So many calls run at once before one has to be seen asleep for another to begin. The kernel's calls sleep, waiting
 * for devices, and that one does so is seen only by and by: not the number of processors.
 */
#define PORT_AT_ONCE 64U

/*
 * So many threads, as in the stock kernel. Beyond them waits run what they await. Calls that wait for each other by
 * other means get more, by and by (thread.c).
 */
#define PORT_THREADS 512U

static inline unsigned int port_cpus(void)
{
	return max(num_online_cpus(), PORT_AT_ONCE);
}

/* One for each processor: as many as may run at once would each cost a switch before a call of a stream is done. */
static inline unsigned int port_wakes(unsigned int used)
{
	return min(used, num_online_cpus());
}

int port_thread_start(struct rob_worker *worker);

static inline void port_run_starter(void (*run)(void))
{
	run();
}

/* Inline, so that objtool sees that it does not return. */
static inline void __noreturn port_thread_exit(void)
{
	kthread_complete_and_exit(NULL, 0);
}

bool port_thread_sleeps(int thread_id);

/* Not asked for: PORT_AT_ONCE is as many at once, always. */
static inline u64 port_thread_used_ns(int thread_id)
{
	return 0;
}

static inline bool port_slept_since(u64 *before, unsigned int times)
{
	return false;
}

bool port_thread_runs(int thread_id);

/* A task does not end inside a call. */
static inline int port_hold(void)
{
	return 0;
}

static inline void port_let_go(int before)
{
	(void)before;
}

/*
 * Whether a wait inside of a call that a waiter runs may run a call, too. Not while threads cannot be made: then
 * nothing keeps it from running out of stack.
 */
bool port_may_help(bool nested);

static inline void port_thread_gone(int thread_id)
{
	(void)thread_id;
}

/* Half of it is used up: another thread runs what this one waits for. */
static inline bool port_stack_low(void)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);

	return here - (unsigned long)task_stack_page(current) < THREAD_SIZE / 2;
}

/* Where exceptions exist: none leaves a function that runs a call. */
#define port_bars_exceptions() ((void)0)

#endif
