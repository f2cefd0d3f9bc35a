/* SPDX-License-Identifier: MIT */
/* What single operations of this machine cost: the median of several rounds of each. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../workload/work.h"
#include "raw.h"

#define ROUNDS 7

static _Alignas(128) _Atomic uint64_t shared;
static _Alignas(128) _Atomic uint32_t ball;
static _Atomic bool stop;

static void empty(void *data)
{
	__asm__ volatile("" ::"r"(data));
}

static void calls(size_t count)
{
	void (*volatile function)(void *) = empty;

	for (size_t i = 0; i < count; i++)
		function(NULL);
}

static void atomics(size_t count)
{
	for (size_t i = 0; i < count; i++)
		atomic_fetch_add(&shared, 1);
}

static void mutexes(size_t count)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	for (size_t i = 0; i < count; i++) {
		pthread_mutex_lock(&lock);
		pthread_mutex_unlock(&lock);
	}
}

static void allocations(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		void *memory = malloc(64);

		__asm__ volatile("" ::"r"(memory) : "memory");
		free(memory);
	}
}

static void clocks(size_t count)
{
	for (size_t i = 0; i < count; i++)
		now_ns();
}

static void system_calls(size_t count)
{
	for (size_t i = 0; i < count; i++)
		syscall(SYS_getppid);
}

static void pages(size_t count)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, count * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("cannot map %zu pages", count);
	madvise(memory, count * page, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < count; i++)
		((volatile char *)memory)[i * page] = 1;
	munmap(memory, count * page);
}

static void *returns(void *data)
{
	return data;
}

static pthread_t start(void *(*body)(void *))
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, body, NULL);

	if (error)
		fail("pthread_create: %s", strerror(error));
	return thread;
}

static void threads(size_t count)
{
	for (size_t i = 0; i < count; i++)
		pthread_join(start(returns), NULL);
}

/* The other side of what follows. */
static void *adds(void *data)
{
	while (!stop)
		atomic_fetch_add(&shared, 1);
	return data;
}

static void *spins(void *data)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		if (atomic_load_explicit(&ball, memory_order_acquire) == 1)
			atomic_store_explicit(&ball, 0, memory_order_release);
	return data;
}

static void *sleeps(void *data)
{
	while (!stop) {
		syscall(SYS_futex, &ball, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
		if (ball != 1)
			continue;
		ball = 0;
		syscall(SYS_futex, &ball, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return data;
}

static void lines(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		atomic_store_explicit(&ball, 1, memory_order_release);
		while (atomic_load_explicit(&ball, memory_order_acquire))
			;
	}
}

/* There and back is two wake-ups. */
static void wakes(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ball = 1;
		syscall(SYS_futex, &ball, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		while (ball)
			syscall(SYS_futex, &ball, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* In nanoseconds, for one. */
static double cost(void (*operation)(size_t count), size_t count)
{
	double each[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t begun_ns = now_ns();

		operation(count);
		each[i] = (double)(now_ns() - begun_ns) / (double)count;
	}
	qsort(each, ROUNDS, sizeof(each[0]), compare);
	return each[ROUNDS / 2];
}

static double cost_beside(void *(*other)(void *), void (*operation)(size_t count), size_t count)
{
	pthread_t thread;
	double each;

	stop = false;
	ball = 0;
	thread = start(other);
	each = cost(operation, count);
	stop = true;
	ball = 2;
	syscall(SYS_futex, &ball, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	pthread_join(thread, NULL);
	return each;
}

void raw_costs(void)
{
	put("call_ns", cost(calls, 200000));
	put("atomic_ns", cost(atomics, 200000));
	put("atomic_both_ns", cost_beside(adds, atomics, 100000));
	put("mutex_ns", cost(mutexes, 200000));
	put("malloc_ns", cost(allocations, 100000));
	put("clock_ns", cost(clocks, 50000));
	put("syscall_ns", cost(system_calls, 20000));
	put("line_ns", cost_beside(spins, lines, 20000) / 2);
	put("wake_ns", cost_beside(sleeps, wakes, 2000) / 2);
	put("thread_ns", cost(threads, 100));
	put("page_ns", cost(pages, 1000));
}
