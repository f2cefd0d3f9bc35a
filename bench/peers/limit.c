/* SPDX-License-Identifier: MIT */
/*
 * What the machine allows: no library, only what a workload cannot do without. Calls go through a ring of pairs
 * {function, data} from the submitter to one other thread, which spins (W1, W5); work is shared out beforehand and
 * appended afterwards (W2); every call of W3 has a thread that sleeps already; W4 is one futex each way, W6 that
 * with a new thread.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "raw.h"

#define RING 8192
#define BATCH 64

struct pair {
	void (*function)(void *data);
	void *data;
};

static struct {
	struct pair *slot;
	size_t size, unsent;
	pthread_t reader;
	bool reading;
	_Alignas(128) _Atomic size_t written;
	_Alignas(128) _Atomic size_t read;
	_Atomic bool ended;
} ring;

static unsigned allowed; /* threads */

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

static pthread_t thread_new(void *(*body)(void *), void *data)
{
	pthread_t thread;
	pthread_attr_t attributes;
	int error;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 65536);
	error = pthread_create(&thread, &attributes, body, data);
	if (error)
		fail("pthread_create: %s", strerror(error));
	return thread;
}

/* ---- the ring ---- */

static void *ring_reader(void *unused)
{
	size_t at = 0;

	for (;;) {
		bool ended = ring.ended;
		size_t end = atomic_load_explicit(&ring.written, memory_order_acquire);

		for (; at != end; at++)
			ring.slot[at & (ring.size - 1)].function(ring.slot[at & (ring.size - 1)].data);
		atomic_store_explicit(&ring.read, at, memory_order_release);
		if (ended && at == ring.written)
			return unused;
		relax();
	}
}

void peer_submit(void *data)
{
	size_t at = ring.unsent;

	if (!ring.reading)
		ring.reader = thread_new(ring_reader, NULL);
	ring.reading = true;
	while (at - atomic_load_explicit(&ring.read, memory_order_acquire) >= ring.size)
		relax();
	ring.slot[at & (ring.size - 1)] = (struct pair){work_call, data};
	ring.unsent = at + 1;
	if (ring.unsent % BATCH == 0)
		atomic_store_explicit(&ring.written, ring.unsent, memory_order_release);
}

static void start(unsigned threads)
{
	allowed = threads;
	ring.size = RING;
	ring.slot = allocate(ring.size * sizeof(*ring.slot));
}

static void enter(unsigned submitters, void (*body)(unsigned submitter))
{
	if (submitters > 1)
		exit(2);
	body(0);
	if (!ring.reading)
		return;
	ring.written = ring.unsent;
	ring.ended = true;
	pthread_join(ring.reader, NULL);
	ring.unsent = 0;
	ring.written = 0;
	ring.read = 0;
	ring.reading = false;
	ring.ended = false;
}

/* ---- order ---- */

static size_t shared_count;

static void *every_other(void *first)
{
	for (size_t i = (size_t)first; i < shared_count; i += 2)
		order_work(i);
	return NULL;
}

/* Two threads, each with half of the work; of more than two (W3), the others sleep at the same time. */
static void ordered(size_t count)
{
	pthread_t other;

	shared_count = allowed == 2 ? count : 2 * ((count + allowed - 1) / allowed);
	other = thread_new(every_other, (void *)1);
	every_other((void *)0);
	pthread_join(other, NULL);
	for (size_t i = 0; i < count; i++)
		order_append(i);
}

/* ---- one call ---- */

static _Atomic uint32_t there;
static void *single;
static bool has_thread;

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
	while (*word == value)
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_set(_Atomic uint32_t *word, uint32_t value)
{
	*word = value;
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *single_runner(void *unused)
{
	for (;;) {
		futex_wait(&there, 0);
		work_call(single);
		futex_set(&there, 0);
	}
	return unused;
}

static void run_one(void *data)
{
	single = data;
	if (!has_thread)
		pthread_detach(thread_new(single_runner, NULL));
	has_thread = true;
	futex_set(&there, 1);
	futex_wait(&there, 1);
}

const struct peer peer = {
	.name = "limit",
	.start = start,
	.enter = enter,
	.run_one = run_one,
	.ordered_retire = ordered,
	.raw = raw_costs,
};
