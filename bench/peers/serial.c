/* SPDX-License-Identifier: MIT */
/* No calls: the items are worked on and appended one after the other. What a library for that has to be faster than. */
#include <stdlib.h>

#include "bench.h"

#define PROBED 16          /* items, by the shortest of which the whole is estimated */
#define MOST_NS 500000000u /* what takes longer is left out: items that sleep */

static _Noreturn void cannot(void)
{
	exit(2);
}

void peer_submit(void *data)
{
	(void)data;
	cannot();
}

static void start(unsigned threads)
{
	(void)threads;
}

static void enter(unsigned submitters, void (*body)(unsigned submitter))
{
	(void)submitters;
	(void)body;
	cannot();
}

static void run_one(void *data)
{
	peer_submit(data);
}

static void in_a_row(size_t count)
{
	uint64_t shortest_ns = UINT64_MAX;

	for (size_t i = 0; i < count; i++) {
		uint64_t begun_ns = i < PROBED ? now_ns() : 0;

		order_work(i);
		order_append(i);
		if (begun_ns && now_ns() - begun_ns < shortest_ns)
			shortest_ns = now_ns() - begun_ns;
		if (i == PROBED && shortest_ns > MOST_NS / count)
			cannot();
	}
}

const struct peer peer = {
	.name = "serial",
	.start = start,
	.enter = enter,
	.run_one = run_one,
	.ordered_wait = in_a_row,
	.ordered_retire = in_a_row,
};
