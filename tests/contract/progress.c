// SPDX-License-Identifier: MIT OR GPL-2.0
/* Clause 6: progress with any number of threads. */
#include "harness.h"

static void parent_of_one(void *data, async_cookie_t cookie)
{
	ASYNC_DOMAIN_EXCLUSIVE(own);
	atomic_uint child = 0;

	CHECK(async_schedule_domain(count, &child, &own));
	CHECK_EQ(async_synchronize_full_domain(&own), 0);
	CHECK_EQ(child, 1);
	count(data, cookie);
}

TEST(parents_wait_for_children_in_domains_of_their_own, .pools = PALL)
{
	atomic_uint n = 0;
	unsigned int parents = harness_threads() == 256 ? 1000 : 300;

	for (unsigned int i = 0; i < parents; i++)
		CHECK(async_schedule(parent_of_one, &n));
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(n, parents);
}

static struct async_domain shared = ASYNC_DOMAIN_EXCLUSIVE_INIT;

static void parent_in_shared(void *data, async_cookie_t cookie)
{
	atomic_uint child = 0;
	async_cookie_t own = async_schedule_domain(count, &child, &shared);

	CHECK(own > cookie);
	CHECK_EQ(async_synchronize_cookie_domain(own + 1, &shared), 0);
	CHECK_EQ(child, 1);
	count(data, cookie);
}

TEST(parents_wait_for_children_in_one_domain, .pools = PALL)
{
	atomic_uint n = 0;

	for (unsigned int i = 0; i < 300; i++)
		async_schedule(parent_in_shared, &n);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(n, 300);
	CHECK_EQ(async_synchronize_full_domain(&shared), 0);
}

/* The parents are all pending before the first runs, so that workers fill up with them. */
TEST(parents_that_were_pending_together, .pools = PSOME)
{
	struct gate gate;
	atomic_uint n = 0;

	gate_new(&gate, NULL);
	for (unsigned int i = 0; i < 300; i++)
		async_schedule(i & 1 ? parent_of_one : parent_in_shared, &n);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(n, 300);
}

struct level {
	atomic_uint *deepest;
	unsigned int depth;
};

static void nest(void *data, async_cookie_t cookie)
{
	struct level *level = data;
	struct level next = {level->deepest, level->depth - 1};
	ASYNC_DOMAIN_EXCLUSIVE(own);

	atomic_fetch_add(level->deepest, 1);
	if (!level->depth)
		return;
	CHECK(async_schedule_domain(nest, &next, &own));
	CHECK_EQ(async_synchronize_full_domain(&own), 0);
}

TEST(nesting_deeper_than_the_pool, .pools = PALL)
{
	atomic_uint n = 0;
	struct level level = {&n, NESTING(SCALE(1000))};

	CHECK(async_schedule(nest, &level));
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(n, NESTING(SCALE(1000)) + 1);
}

static struct async_domain chained = ASYNC_DOMAIN_INIT;

static void after_all_before(void *data, async_cookie_t cookie)
{
	CHECK_EQ(async_synchronize_cookie_domain(cookie, &chained), 0);
	record(data, cookie);
}

/* Each call waits for all before it, as the 2009 callers do. */
TEST(a_chain_of_a_thousand_calls, .pools = PALL)
{
	static struct record order;

	for (unsigned int i = 0; i < 1000; i++)
		CHECK(async_schedule_domain(after_all_before, &order, &chained));
	CHECK_EQ(async_synchronize_full_domain(&chained), 0);
	CHECK_EQ(order.n, 1000);
	CHECK(record_increasing(&order));
}

enum { LINKS = 600 };
static _Atomic async_cookie_t link_cookies[LINKS + 1];
static atomic_uint links_done;

static void after_the_next(void *data, async_cookie_t cookie)
{
	uintptr_t i = (uintptr_t)data;

	if (i + 1 < LINKS)
		CHECK_EQ(async_synchronize_call(link_cookies[i + 1], &chained), 0);
	atomic_fetch_add(&links_done, 1);
}

/* The other way round: each waits for the one that was scheduled after it. */
TEST(a_chain_against_the_order, .pools = PSOME)
{
	struct gate gates[2];
	unsigned int n = harness_threads() == 1 ? 1 : 2;

	if (harness_threads() == 256)
		n = 0;
	gates_new(gates, n, NULL);
	if (n == 0) {
		for (uintptr_t i = LINKS; i-- > 0;)
			link_cookies[i] = async_schedule_domain(after_the_next, (void *)i, &chained);
	} else {
		for (uintptr_t i = 0; i < LINKS; i++)
			link_cookies[i] = async_schedule_domain(after_the_next, (void *)i, &chained);
	}
	gates_end(gates, n);
	CHECK_EQ(async_synchronize_full_domain(&chained), 0);
	CHECK_EQ(links_done, LINKS);
	CHECK_EQ(async_synchronize_full(), 0);
}

static void wait_for_gate(void *data, async_cookie_t cookie)
{
	struct gate *gate = data;

	up(&gate->begun);
	CHECK_EQ(async_synchronize_full_domain(gate->domain), 0);
}

/* All workers wait for one call that a plain thread will end: others must not be held up. */
TEST(a_worker_that_waits_is_compensated_for, .pools = PMANY)
{
	ASYNC_DOMAIN_EXCLUSIVE(slow);
	ASYNC_DOMAIN(others);
	struct gate gate;
	atomic_uint n = 0;

	gate_new(&gate, &slow);
	for (unsigned int i = 0; i < 300; i++)
		async_schedule(wait_for_gate, &gate);
	down(&gate.begun);
	for (unsigned int i = 0; i < 100; i++)
		async_schedule_domain(count, &n, &others);
	CHECK_EQ(async_synchronize_full_domain(&others), 0);
	CHECK_EQ(n, 100);
	CHECK(!gate.done);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

static void schedule_and_count(void *data)
{
	atomic_uint *n = data;
	ASYNC_DOMAIN(own);

	for (unsigned int i = 0; i < SCALE(5000); i++) {
		async_schedule(count, n);
		async_schedule_domain(count, n, &own);
		if (i % 16 == 0)
			async_schedule_ordered(count, nothing, n, &own);
		if (i % 64 == 0)
			CHECK_EQ(async_synchronize_full_domain(&own), 0);
	}
	CHECK_EQ(async_synchronize_full_domain(&own), 0);
}

TEST(scheduling_from_many_threads, .pools = PALL)
{
	atomic_uint n = 0;
	unsigned int each = SCALE(5000) * 2 + (SCALE(5000) + 15) / 16;

	actors_run(8, schedule_and_count, &n);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(n, 8 * each);
}

/* Blocked calls do not stop the pool from growing; calls that only compute do not make it grow. */
TEST(the_pool_grows_for_blocked_calls, .pools = P256)
{
	static struct gate gates[100];

	for (unsigned int i = 0; i < 100; i++) {
		gate_init(&gates[i]);
		async_schedule(gate_call, &gates[i]);
	}
	for (unsigned int i = 0; i < 100; i++)
		down(&gates[i].begun);
	for (unsigned int i = 0; i < 100; i++)
		gate_open(&gates[i]);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* As many calls block at once as there may be workers, and not one more. */
TEST(the_pool_stays_within_its_size, .pools = PSOME, .no_kernel = true)
{
	enum { CALLS = 300 };
	static struct gate gates[CALLS];
	unsigned int limit = harness_threads();
	unsigned int begun = 0;

	for (unsigned int i = 0; i < CALLS; i++) {
		gate_init(&gates[i]);
		async_schedule(gate_call, &gates[i]);
	}
	for (unsigned int i = 0; i < limit; i++)
		down(&gates[i].begun);
	quiet();
	for (unsigned int i = limit; i < CALLS; i++)
		begun += gates[i].cookie != 0;
	if (begun)
		FAIL("%u calls run at once, INORDER_THREADS=%u", limit + begun, limit);
	for (unsigned int i = 0; i < CALLS; i++)
		gate_open(&gates[i]);
	CHECK_EQ(async_synchronize_full(), 0);
}

#ifndef __KERNEL__
static atomic_uint spinning;

static void spin_for_others(void *data, async_cookie_t cookie)
{
	unsigned int all = *(unsigned int *)data;

	spinning++;
	while (spinning < all)
		sched_yield();
}

/* They compute as far as anybody can see, and more of them than there are processors. */
TEST(calls_that_spin_for_each_other_end, .pools = P256)
{
	cpu_set_t set;
	unsigned int all;

	CHECK(!sched_getaffinity(0, sizeof(set), &set));
	all = (unsigned int)CPU_COUNT(&set) + 2;
	for (unsigned int i = 0; i < all; i++)
		async_schedule(spin_for_others, &all);
	CHECK_EQ(async_synchronize_full(), 0);
}
#endif
