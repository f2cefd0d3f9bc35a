/* SPDX-License-Identifier: MIT */
/* OpenMP tasks and ordered loops: with gcc that is libgomp, with clang libomp. */
#include <omp.h>

#include "bench.h"

static unsigned team;

void peer_submit(void *data)
{
#pragma omp task firstprivate(data)
	work_call(data);
}

static void start(unsigned threads)
{
	team = threads;
	omp_set_dynamic(0);
	omp_set_num_threads((int)threads);
}

static void enter(unsigned submitters, void (*body)(unsigned submitter))
{
	if (submitters > team)
		fail("%u submitters need a team of as many threads, not %u", submitters, team);
#pragma omp parallel
	{
		unsigned number = (unsigned)omp_get_thread_num();

		if (number < submitters)
			body(number);
	}
}

static void run_one(void *data)
{
	peer_submit(data);
#pragma omp taskwait
}

static void ordered_wait(size_t count)
{
#pragma omp parallel for ordered schedule(dynamic, 1)
	for (size_t i = 0; i < count; i++) {
		order_work(i);
#pragma omp ordered
		order_append(i);
	}
}

static void fork_join(void **child, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		peer_submit(child[i]);
#pragma omp taskwait
}

const struct peer peer = {
	.name = OPENMP_NAME,
	.start = start,
	.enter = enter,
	.run_one = run_one,
	.ordered_wait = ordered_wait,
	.ordered_retire = ordered_by_buffer,
	.fork_join = fork_join,
	.nested = true,
	.main_helps = 1,
};
