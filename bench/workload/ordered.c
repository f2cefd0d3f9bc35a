/* SPDX-License-Identifier: MIT */
/* W2 and W3: work out of order, then append in order. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "spin.h"
#include "work.h"

#define SLEEP_NS 10000000

static size_t *appended;
static size_t length;
static bool sleeps;

/* 0 to 2 microseconds for this index, the same in every run and with every peer. */
static uint64_t turns_for(size_t index)
{
	uint64_t hash = (index + 1) * 0x9e3779b97f4a7c15u;

	hash ^= hash >> 29;
	hash *= 0xbf58476d1ce4e5b9u;
	return (hash >> 32) * 2 * options.spin >> 32;
}

void order_work(size_t index)
{
	struct timespec left = {0, SLEEP_NS};

	if (!sleeps) {
		spin(turns_for(index));
		return;
	}
	while (nanosleep(&left, &left))
		;
}

/* Other workloads than these order nothing. */
void order_append(size_t index)
{
	if (!appended)
		return;
	appended[length++] = index;
}

static void check(size_t count)
{
	if (length != count)
		fail("%zu items were to be appended, and %zu were", count, length);
	for (size_t i = 0; i < length; i++)
		if (appended[i] != i)
			fail("item %zu stands in place %zu", appended[i], i);
}

/* Returns the time that it took. */
static uint64_t run_once(void (*ordered)(size_t count), size_t count)
{
	uint64_t begun_ns = now_ns(), took_ns;

	length = 0;
	ordered(count);
	took_ns = now_ns() - begun_ns;
	check(count);
	return took_ns;
}

static void run(void (*ordered)(size_t count))
{
	uint64_t cold_ns, warm_ns;

	if (!ordered) {
		fprintf(stderr, "bench-%s: this peer has no such order\n", peer.name);
		exit(2);
	}
	peer.start(options.threads);
	appended = allocate(options.calls * sizeof(*appended));
	cold_ns = run_once(ordered, sleeps ? options.calls : options.calls / 10 + 1);
	if (sleeps) /* a pool that grows with need has all its threads after this */
		run_once(ordered, options.calls);
	warm_ns = run_once(ordered, options.calls);
	if (sleeps) {
		put("warm_ms", (double)warm_ns / 1e6);
		put("cold_ms", (double)cold_ns / 1e6);
	} else {
		put("item_ns", (double)warm_ns / (double)options.calls);
	}
}

void work_order_wait(void)
{
	run(peer.ordered_wait);
}

void work_order_retire(void)
{
	run(peer.ordered_retire);
}

void work_sleep_wait(void)
{
	sleeps = true;
	run(peer.ordered_wait);
}

void work_sleep_retire(void)
{
	sleeps = true;
	run(peer.ordered_retire);
}
