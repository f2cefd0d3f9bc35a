/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * The vocabulary of ../harness.h in the kernel, so that the contract's tests (../contract) run there as they stand; and
 * what the tests of this folder share. All tests of a load run in one kernel: CHECK() logs what was wrong and goes on.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <linux/async.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/semaphore.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

/* ---- C11 and libc, as far as the contract's tests use them ---- */

typedef _Atomic bool atomic_bool;
typedef _Atomic int atomic_int;
typedef _Atomic unsigned int atomic_uint;
typedef struct semaphore sem_t; /* down() and up() are the kernel's own */

/* the kernel's have their arguments the other way round */
#define atomic_fetch_add(at, n) __atomic_fetch_add(at, n, __ATOMIC_SEQ_CST)
#define atomic_fetch_sub(at, n) __atomic_fetch_sub(at, n, __ATOMIC_SEQ_CST)
#define atomic_load(at) __atomic_load_n(at, __ATOMIC_SEQ_CST)
#define atomic_compare_exchange_strong(at, old, new) \
	__atomic_compare_exchange_n(at, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define atomic_signal_fence(order) barrier()
#define sem_init(sem, shared, n) sema_init(sem, n)
#define sched_yield() usleep_range(20, 100)
#define calloc(n, size) kvcalloc(n, size, GFP_KERNEL)
#define free(memory) kvfree(memory)
#define qsort(base, n, size, compare) sort(base, n, size, compare, NULL)
#define intptr_t long
#ifndef PRIu64
#define PRIu64 "llu"
#endif
#ifndef UINT64_MAX
#define UINT64_MAX U64_MAX
#endif
#ifndef UINT64_C
#define UINT64_C(n) n##ULL
#endif

/* ---- a test ---- */

enum {
	P0 = 1, /* serial=1: calls run in their callers */
	P1 = 0, /* that few threads there are never */
	P2 = 0,
	P256 = 8, /* PORT_THREADS: more than calls of a test block at once */
	PDEFAULT = 0,
	PSOME = P1 | P2 | P256,
	PMANY = P2 | P256,
	PALL = P0 | PSOME,
	/* of the kernel alone */
	PLOAD = 32,    /* with P256's, but not by a module that has an owner already */
	PFULL = 64,    /* pending=0 */
	PFEW = 128,    /* fail_threads=1, until one says otherwise */
	PHELPED = 256, /* fail_threads=1 until the end */
	PHOLD = 512,   /* no test: holds still for a while */
};

struct harness_test {
	const char *name;
	void (*body)(void);
	unsigned int pools;
	const char *env; /* of a program: there is none here */
	unsigned int limit_s;
	bool no_tsan, no_asan, no_kernel;
	const char *file;
};

/*
 * Pointers in a section, in the order of objects and in that of a file: the first, which ends nothing, is in helpers.c,
 * the last in the file that runs them.
 */
#if __has_attribute(__no_reorder__)
#define HARNESS_SECTION __used __section("harness_tests") __attribute__((__no_reorder__))
#else
#define HARNESS_SECTION __used __section("harness_tests")
#endif
#define TEST(id, ...) \
	static void id(void); \
	static const struct harness_test harness_##id = {.name = #id, .body = id, .file = __FILE__, __VA_ARGS__}; \
	static const struct harness_test *const harness_at_##id HARNESS_SECTION = &harness_##id; \
	static void id(void)

/* The first of these that is in a pool, after one before; NULL if there is none. */
const struct harness_test *const *harness_next(const struct harness_test *const *before, unsigned int pools);
/* Returns how many of its conditions did not hold. */
unsigned int harness_run(const struct harness_test *test, unsigned int threads);

__printf(3, 4) void harness_fail(const char *file, int line, const char *format, ...);
#define FAIL(...) harness_fail(__FILE__, __LINE__, __VA_ARGS__)
#define SCALE(n) ((n) / 10)
#define NESTING(n) (harness_threads() ? (n) : 8)
#define breathe() usleep_range(1, 10)

/* 0 where calls run in their callers */
unsigned int harness_threads(void);
/* The reports in the log since the test began; the caller frees it. */
char *harness_stderr(void);

static inline pid_t tid_self(void)
{
	return current->pid;
}

/* Until every thread of the port and of the tests sleeps: nothing happens unless we do it. */
void quiet(void);
/* Until the task is blocked, for at most two seconds. */
bool comes_to_rest(struct task_struct *task);
u64 voluntary_switches(pid_t tid);
unsigned int thread_count(void);
/* A page is given back, and poisoned, as soon as it may not be used any longer. */
void *page_new(void);
void page_poison(void *page);

struct actor {
	void (*run)(void *data);
	void *data;
	struct task_struct *task;
	pid_t tid;
	struct completion ended;
	atomic_bool done;
};

void actor_start(struct actor *actor, void (*run)(void *data), void *data);
void actor_join(struct actor *actor);

#include "actors.h"

#endif
