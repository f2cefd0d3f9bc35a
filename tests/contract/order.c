// SPDX-License-Identifier: MIT OR GPL-2.0
/* Clause 2: workers claim in cookie order; waiters run only what they await. */
#include "harness.h"

TEST(one_worker_claims_in_cookie_order, .pools = P1)
{
	static struct record order;
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN_EXCLUSIVE(b);
	struct async_domain *domains[] = {NULL, &a, &b};
	struct gate gate;
	atomic_uint n = 0;

	gate_new(&gate, NULL);
	for (unsigned int i = 0; i < 3000; i++)
		async_schedule_domain(record, &order, domains[i % 3]);
	gate_end(&gate);
	while (atomic_load(&order.n) < 3000)
		sched_yield();
	CHECK(record_increasing(&order));
	async_schedule_domain(count, &n, &b);
	async_synchronize_full_domain(&a);
	async_synchronize_full_domain(&b);
	async_synchronize_full();
	CHECK_EQ(n, 1);
}

/* The first call that a worker takes is the lowest one: hold back everything, then let one go. */
static _Atomic async_cookie_t first_started;

static void note_first(void *data, async_cookie_t cookie)
{
	async_cookie_t none = 0;

	atomic_compare_exchange_strong(&first_started, &none, cookie);
}

TEST(a_lower_call_is_claimed_before_a_higher_one_of_another_domain, .pools = PSOME)
{
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN(b);

	for (unsigned int round = 0; round < 200; round++) {
		struct gate gates[2];
		unsigned int n = harness_threads() == 1 ? 1 : 2;
		async_cookie_t lowest;

		if (harness_threads() > 2)
			break; /* such a pool cannot be filled up */
		first_started = 0;
		gates_new(gates, n, &b);
		lowest = async_schedule_domain(note_first, NULL, &a);
		for (unsigned int i = 0; i < 20; i++)
			async_schedule_domain(note_first, NULL, &b);
		gate_end(&gates[n - 1]);
		while (!first_started)
			sched_yield();
		if (n == 1)
			CHECK_EQ(first_started, lowest);
		if (n == 2)
			gate_end(&gates[0]);
		async_synchronize_full();
		CHECK(first_started >= lowest);
	}
}

/*
 * Calls taken together by one worker must not be stuck behind one that blocks.
 * Everything is pending before the workers go on, and short calls come first,
 * so that they have reason to take many at once.
 */
static void strand(struct async_domain *a, struct async_domain *b)
{
	struct gate holders[2];
	struct gate blocker;
	atomic_uint n = 0;

	gate_init(&blocker);
	gates_new(holders, 2, a);
	for (unsigned int i = 0; i < 600; i++)
		async_schedule_domain(count, &n, b);
	async_schedule_domain(gate_call, &blocker, a);
	for (unsigned int i = 0; i < 600; i++)
		async_schedule_domain(count, &n, b);
	gate_end(&holders[0]);
	down(&blocker.begun);
	gate_end(&holders[1]);
	while (n < 1200) /* no wait of the library's: no thread but workers runs them */
		sched_yield();
	gate_end(&blocker);
	CHECK_EQ(async_synchronize_full_domain(a), 0);
	CHECK_EQ(async_synchronize_full_domain(b), 0);
}

TEST(a_batch_strands_no_call_behind_a_blocked_one, .pools = PMANY)
{
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN(b);

	for (unsigned int round = 0; round < 50; round++)
		strand(&a, &b);
}

static void check_not_in(const struct record *order, pid_t tid)
{
	for (unsigned int i = 0; i < order->n; i++)
		CHECK(order->tids[i] != tid);
}

static void check_order_in(const struct record *order, pid_t tid)
{
	async_cookie_t last = 0;

	for (unsigned int i = 0; i < order->n; i++) {
		if (order->tids[i] != tid)
			continue;
		CHECK(order->cookies[i] > last);
		last = order->cookies[i];
	}
}

/* All workers are busy. A thread waits for A; it may run A's calls itself, in order, and must not run others. */
TEST(a_waiter_runs_only_what_it_awaits, .pools = PMANY | P1)
{
	static struct record in_a, in_b, in_late;
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN(b);
	ASYNC_DOMAIN(busy);
	struct gate gates[2];
	struct waiter waiter;
	unsigned int n = harness_threads() == 1 ? 1 : 2;
	async_cookie_t bound = 0;

	gates_new(gates, n, &busy);
	for (unsigned int i = 0; i < 30; i++) {
		async_schedule_domain(record, &in_b, &b);
		bound = async_schedule_domain(record, &in_a, &a);
	}
	for (unsigned int i = 0; i < 30; i++)
		async_schedule_domain(record, &in_late, &a);
	waiter_start(&waiter, async_synchronize_cookie_domain, bound + 1, &a);
	quiet();
	gates_end(gates, n);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(in_a.n, 30);
	CHECK_EQ(in_b.n, 30);
	CHECK_EQ(in_late.n, 30);
	check_not_in(&in_b, waiter.actor.tid);
	check_not_in(&in_late, waiter.actor.tid);
	check_order_in(&in_a, waiter.actor.tid);
}

struct nest {
	struct record wanted;
	struct async_domain *inner, *outer;
	_Atomic pid_t tid;
	atomic_bool waits;
	atomic_uint strangers;
	bool finished;
};

static void stranger(void *data, async_cookie_t cookie)
{
	struct nest *nest = data;

	CHECK(!(nest->waits && nest->tid == tid_self()));
	nest->strangers++;
}

static void wait_inside(void *data, async_cookie_t cookie)
{
	struct nest *nest = data;

	nest->tid = tid_self();
	for (unsigned int i = 0; i < 20; i++) {
		async_schedule_domain(stranger, nest, nest->outer);
		async_schedule_domain(record, &nest->wanted, nest->inner);
	}
	nest->waits = true;
	CHECK_EQ(async_synchronize_full_domain(nest->inner), 0);
	nest->waits = false;
	CHECK_EQ(nest->wanted.n, 20);
	nest->finished = true;
}

/* A worker that waits runs what it awaits itself, or another one is added; it never runs strangers. */
TEST(a_waiting_worker_runs_only_what_it_awaits, .pools = PSOME)
{
	ASYNC_DOMAIN(inner);
	ASYNC_DOMAIN(outer);

	for (unsigned int round = 0; round < 50; round++) {
		static struct nest nest;

		memset(&nest, 0, sizeof(nest));
		nest.inner = &inner;
		nest.outer = &outer;
		async_schedule_domain(wait_inside, &nest, &outer);
		CHECK_EQ(async_synchronize_full(), 0);
		CHECK(nest.finished);
		CHECK_EQ(nest.strangers, 20);
		check_order_in(&nest.wanted, nest.tid);
	}
}
