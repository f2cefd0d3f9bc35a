/* SPDX-License-Identifier: MIT */
/*
 * The simulating port: the core's sources, unchanged, on a deterministic
 * scheduler. Same names as ports/posix/port.h; chosen by include path.
 *
 * Every atomic operation, lock, park, unpark, allocation and thread start is a
 * scheduling point: it names its place in the source, so that the explorer can
 * say which were reached. All threads are contexts in one thread of the system.
 * What the core reads and writes plainly is seen by the compiler's own
 * instrumentation (-fsanitize=thread, without its run-time library: memory.c).
 */
#ifndef PORT_H
#define PORT_H

#include <errno.h>
#include <inorder/async.h>
#include <inorder/trace.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"

#define port_likely(x) __builtin_expect(!!(x), 1)
#define port_unlikely(x) __builtin_expect(!!(x), 0)
#define PORT_CACHE_LINE 64

struct rob_thread;
struct rob_worker;

/* A place in the source where another thread may go on. All of them stand in one section. */
struct sim_site {
	const char *file, *operation;
	unsigned line;
	unsigned reached;  /* how often */
	unsigned switched; /* how often another thread went on here */
};

#define SIM_SITE(name) \
	(__extension__({ \
		static struct sim_site site \
			__attribute__((section("sim_sites"), used)) = {__FILE__, name, __LINE__, 0, 0}; \
		&site; \
	}))

/* ---- atomics ---- */

enum sim_order { SIM_RELAXED = 0, SIM_ACQUIRE = 1, SIM_RELEASE = 2, SIM_ACQ_REL = 3 };

/* Structures, so that no plain access compiles. */
typedef struct {
	uint32_t value;
} port_u32;
typedef struct {
	const char *value;
} port_name;

uint32_t sim_load(port_u32 *p, enum sim_order order, struct sim_site *site);
void sim_store(port_u32 *p, uint32_t value, enum sim_order order, struct sim_site *site);
uint32_t sim_xchg(port_u32 *p, uint32_t value, enum sim_order order, struct sim_site *site);
uint32_t sim_or(port_u32 *p, uint32_t bits, enum sim_order order, struct sim_site *site);
bool sim_cas(port_u32 *p, uint32_t *old, uint32_t value, enum sim_order order, struct sim_site *site);
const char *sim_word_load(port_name *p, enum sim_order order, struct sim_site *site);
const char *sim_name_load(port_name *p, enum sim_order order, struct sim_site *site);
void sim_name_store(port_name *p, const char *name, enum sim_order order, struct sim_site *site);

#define port_load_relaxed(p) sim_load(p, SIM_RELAXED, SIM_SITE("load_relaxed"))
#define port_load_acquire(p) sim_load(p, SIM_ACQUIRE, SIM_SITE("load_acquire"))
#define port_store_relaxed(p, v) sim_store(p, v, SIM_RELAXED, SIM_SITE("store_relaxed"))
#define port_store_release(p, v) sim_store(p, v, SIM_RELEASE, SIM_SITE("store_release"))
#define port_xchg_acq_rel(p, v) sim_xchg(p, v, SIM_ACQ_REL, SIM_SITE("xchg_acq_rel"))
#define port_or_release(p, v) sim_or(p, v, SIM_RELEASE, SIM_SITE("or_release"))
#define port_cas_acq_rel(p, old, v) sim_cas(p, old, v, SIM_ACQ_REL, SIM_SITE("cas_acq_rel"))
/* Whoever loads a name goes on to read it: its first byte counts as read. */
#define port_name_load(p) sim_name_load(p, SIM_ACQUIRE, SIM_SITE("name_load"))
#define port_name_store(p, v) sim_name_store(p, v, SIM_RELEASE, SIM_SITE("name_store"))
/* Words of the public types: as names, which are as wide. */
#define port_load64_acquire(p) \
	((uint64_t)(uintptr_t)sim_word_load((port_name *)(void *)(p), SIM_ACQUIRE, SIM_SITE("load64_acquire")))
#define port_store64_release(p, v) \
	sim_name_store((port_name *)(void *)(p), (const char *)(uintptr_t)(v), SIM_RELEASE, SIM_SITE("store64_release"))
/* Time passes while a thread spins, in cases that want spinning. */
uint64_t sim_spin_ns(void);
void sim_relax(void);
#define port_spin_ns() sim_spin_ns()
#define port_relax() sim_relax()
#define port_may_help(nested) ((void)(nested), true)

/* SIM_SHALLOW: calls do not nest at all. */
bool port_stack_low(void);

/* Another thread may go on here. */
void sim_point(struct sim_site *site);

/* ---- lock, parker ---- */

struct port_lock {
	port_u32 word;
};

struct port_parker {
	port_u32 flags;
};

void sim_lock(struct port_lock *lock, struct sim_site *site);
void sim_unlock(struct port_lock *lock, struct sim_site *site);
uint32_t sim_park(struct port_parker *parker, uint64_t deadline_ns, enum sim_order order, struct sim_site *site);
void sim_unpark(struct port_parker *parker, uint32_t flags, enum sim_order order, struct sim_site *site);

#define port_lock(l) sim_lock(l, SIM_SITE("lock"))
#define port_unlock(l) sim_unlock(l, SIM_SITE("unlock"))
#define port_park(p, deadline_ns) sim_park(p, deadline_ns, SIM_ACQUIRE, SIM_SITE("park"))
#define port_unpark(p, flags) sim_unpark(p, flags, SIM_RELEASE, SIM_SITE("unpark"))

/* ---- memory, clock, thread, log ---- */

void *sim_alloc(size_t bytes, struct sim_site *site);
void sim_free(void *memory, struct sim_site *site);
void *sim_memset(void *memory, int value, size_t bytes);

#define port_alloc(bytes) sim_alloc(bytes, SIM_SITE("alloc"))
#define port_free(memory) sim_free(memory, SIM_SITE("free"))
#undef memset
#define memset sim_memset

uint64_t port_clock_ns(void);
struct rob_thread *port_self(void);
int port_thread_id(void);

#define port_format snprintf
__attribute__((format(printf, 2, 3))) void port_log(int fd, const char *format, ...);

/* ---- trace: events are counted, and each is a scheduling point ---- */

bool port_traces(void);
void sim_trace(const struct port_event *event, struct sim_site *site);
#define port_trace(event) sim_trace(event, SIM_SITE("trace"))
void port_symbol(async_func_t func, char *text, size_t bytes);

/* ---- threads ---- */

void port_start(struct port_config *config);

/* Nothing: whoever ends it calls port_exit(). */
static inline void port_arm_exit(void)
{
}
unsigned port_cpus(void);
#define port_wakes(used) (used)
/* A thread that has told that it ends does nothing more. */
#define port_thread_gone(thread_id) ((void)(thread_id))
int sim_thread_start(struct rob_worker *worker, struct sim_site *site);
#define port_thread_start(worker) sim_thread_start(worker, SIM_SITE("thread_start"))
#define port_run_starter(run) run()
_Noreturn void port_thread_exit(void);
/* Threads are not cancelled here. */
#define port_hold() 0
#define port_let_go(before) ((void)(before))
bool port_thread_sleeps(int thread_id);
/* Threads do not compute here, but sleep. */
#define port_thread_used_ns(thread_id) ((void)(thread_id), (uint64_t)1)
static inline bool port_slept_since(uint64_t *before, unsigned times)
{
	*before += times;
	return true;
}
/* Only one thread runs here, and it is the one that asks. */
#define port_thread_runs(thread_id) ((void)(thread_id), false)

/* Where exceptions exist: none leaves a function that runs a call. */
#define port_bars_exceptions() ((void)0)

#endif
