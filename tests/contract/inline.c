// SPDX-License-Identifier: MIT OR GPL-2.0
/* Clause 5: inline calls, the limit, and the variants that never run inline. */
#include "harness.h"

TEST(an_inline_call_is_in_progress_for_every_waiter, .pools = P0)
{
	ASYNC_DOMAIN(domain);
	struct gate gate;
	struct waiter waits[5];

	gate_new(&gate, &domain);
	waiter_start(&waits[0], wait_full, 0, &domain);
	waiter_start(&waits[1], wait_all, 0, NULL);
	waiter_start(&waits[2], async_synchronize_cookie_domain, gate.cookie + 1, &domain);
	waiter_start(&waits[3], async_synchronize_cookie_domain, gate.cookie + 1, NULL);
	waiter_start(&waits[4], async_synchronize_call, gate.cookie, &domain);
	CHECK_WAITING(waits, 5);
	gate_end(&gate);
	CHECK_DONE(waits, 5);
}

TEST(without_workers_calls_run_inline, .pools = P0)
{
	static struct record order;
	async_cookie_t cookie = 0;
	unsigned int threads = thread_count();

	for (unsigned int i = 0; i < 100; i++) {
		async_schedule(record, &order);
		CHECK_EQ(order.n, i + 1);
		CHECK_EQ(order.tids[i], tid_self());
		CHECK(!async_try_schedule(record, &order, NULL, &cookie));
		CHECK_EQ(order.n, i + 1);
	}
	CHECK_EQ(thread_count(), threads);
	CHECK(record_increasing(&order));
}

TEST(a_failed_try_burns_no_cookie_without_workers, .pools = P0)
{
	async_cookie_t first = async_schedule(nothing, NULL);
	async_cookie_t second = async_schedule(nothing, NULL);
	async_cookie_t cookie = 0;

	CHECK(!async_try_schedule(nothing, NULL, NULL, &cookie));
	CHECK_EQ(async_schedule(nothing, NULL) - second, second - first);
}

/* INORDER_PENDING=8: eight are pending, the ninth runs inline. */
static void fill_to_the_limit(struct record *order, unsigned int limit, struct async_domain *domain)
{
	for (unsigned int i = 0; i < limit; i++) {
		CHECK(async_schedule_domain(record, order, domain));
		CHECK_EQ(order->n, 0);
	}
}

static void check_limit(unsigned int limit, struct async_domain *domain)
{
	struct gate gate;
	struct record *order = calloc(1, sizeof(*order));

	CHECK(order);
	gate_new(&gate, NULL);
	fill_to_the_limit(order, limit, domain);
	for (unsigned int i = 1; i <= 5; i++) {
		async_cookie_t cookie = async_schedule_domain(record, order, domain);

		CHECK_EQ(order->n, i);
		CHECK_EQ(order->cookies[i - 1], cookie);
		CHECK_EQ(order->tids[i - 1], tid_self());
	}
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_full_domain(domain), 0);
	CHECK_EQ(order->n, limit + 5);
	free(order);
}

TEST(the_limit_of_pending_calls_is_exact, .pools = P1, .env = "INORDER_PENDING=8")
{
	ASYNC_DOMAIN(domain);
	ASYNC_DOMAIN_EXCLUSIVE(exclusive);

	for (unsigned int round = 0; round < 20; round++)
		check_limit(8, round & 1 ? &exclusive : &domain);
}

TEST(a_limit_of_one, .pools = P1, .env = "INORDER_PENDING=1")
{
	ASYNC_DOMAIN(domain);

	check_limit(1, &domain);
	check_limit(1, &domain);
}

TEST(the_limit_counts_all_domains, .pools = P1, .env = "INORDER_PENDING=8")
{
	static struct record order;
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN_EXCLUSIVE(b);
	struct gate gate;

	gate_new(&gate, NULL);
	fill_to_the_limit(&order, 4, &a);
	fill_to_the_limit(&order, 4, &b);
	async_schedule(record, &order);
	CHECK_EQ(order.n, 1);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full_domain(&b), 0);
	CHECK_EQ(async_synchronize_full(), 0);
}

static atomic_uint ran_inline, ran_elsewhere;

static void where(void *data, async_cookie_t cookie)
{
	atomic_fetch_add(tid_self() == (pid_t)(intptr_t)data ? &ran_inline : &ran_elsewhere, 1);
}

static void schedule_many(void *data)
{
	for (unsigned int i = 0; i < 200; i++)
		async_schedule(where, (void *)(intptr_t)tid_self());
}

TEST(many_threads_do_not_overrun_the_limit, .pools = P1, .env = "INORDER_PENDING=50")
{
	for (unsigned int round = 0; round < 20; round++) {
		struct gate gate;

		ran_inline = ran_elsewhere = 0;
		gate_new(&gate, NULL);
		actors_run(8, schedule_many, NULL);
		CHECK_EQ(ran_inline, 1600 - 50);
		CHECK_EQ(ran_elsewhere, 0);
		gate_open(&gate);
		while (ran_elsewhere < 50)
			sched_yield();
		CHECK_EQ(async_synchronize_full(), 0);
	}
}

struct two {
	struct record func, retire;
};

static void two_func(void *data, async_cookie_t cookie)
{
	record(&((struct two *)data)->func, cookie);
}

static void two_retire(void *data, async_cookie_t cookie)
{
	record(&((struct two *)data)->retire, cookie);
}

TEST(at_the_limit_only_func_of_an_ordered_call_runs_inline, .pools = P1, .env = "INORDER_PENDING=2")
{
	static struct two two;
	ASYNC_DOMAIN(domain);
	struct gate gate;
	struct waiter waiter;
	async_cookie_t cookie;

	gate_new(&gate, &domain);
	async_schedule(nothing, NULL);
	async_schedule(nothing, NULL);
	cookie = async_schedule_ordered(two_func, two_retire, &two, &domain);
	CHECK(cookie != 0);
	CHECK_EQ(two.func.n, 1);
	CHECK_EQ(two.func.cookies[0], cookie);
	CHECK_EQ(two.func.tids[0], tid_self());
	waiter_start(&waiter, async_synchronize_call, cookie, &domain);
	CHECK_WAITING(&waiter, 1);
	CHECK_EQ(two.retire.n, 0);
	gate_end(&gate);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK_EQ(two.retire.n, 1);
	CHECK_EQ(two.retire.cookies[0], cookie);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(without_workers_a_retire_step_waits_for_its_turn, .pools = P0)
{
	static struct two two;
	ASYNC_DOMAIN(domain);
	struct gate gate;
	struct waiter waiter;
	async_cookie_t cookie;

	gate_new(&gate, &domain);
	cookie = async_schedule_ordered(two_func, two_retire, &two, &domain);
	CHECK_EQ(two.func.n, 1);
	CHECK_EQ(two.retire.n, 0);
	waiter_start(&waiter, async_synchronize_call, cookie, NULL);
	CHECK_WAITING(&waiter, 1);
	CHECK_EQ(two.retire.n, 0);
	gate_end(&gate);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK_EQ(two.retire.n, 1);
	CHECK(async_schedule_ordered(two_func, two_retire, &two, &domain));
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(two.retire.n, 2);
}

/* At the limit a try says so, runs nothing and leaves no gap in the cookies. */
TEST(try_schedule_never_runs_inline, .pools = P1, .env = "INORDER_PENDING=4")
{
	static struct record order;
	struct gate gate;
	async_cookie_t cookie = 0;
	async_cookie_t first;
	async_cookie_t second;

	gate_new(&gate, NULL);
	first = async_schedule(record, &order);
	second = async_schedule(record, &order);
	CHECK(async_try_schedule(record, &order, NULL, &cookie));
	CHECK_EQ(cookie - second, second - first);
	CHECK(async_try_schedule(record, &order, NULL, &cookie));
	for (unsigned int i = 0; i < 10; i++) {
		async_cookie_t unused = 0;

		CHECK(!async_try_schedule(record, &order, NULL, &unused));
	}
	CHECK_EQ(order.n, 0);
	CHECK_EQ(async_schedule(nothing, NULL) - cookie, second - first);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(order.n, 4);
	for (unsigned int i = 0; i < 4; i++)
		CHECK(order.cookies[i] >= first && order.cookies[i] <= cookie);
	CHECK(async_try_schedule(record, &order, NULL, &cookie));
	CHECK_EQ(async_synchronize_full(), 0);
}

static sem_t lock;

static void take_lock(void *data, async_cookie_t cookie)
{
	down(&lock);
	count(data, cookie);
	up(&lock);
}

/* The caller holds the lock that the call takes. */
TEST(try_schedule_under_the_callers_lock, .pools = PALL, .env = "INORDER_PENDING=3")
{
	atomic_uint n = 0;
	unsigned int accepted = 0;
	async_cookie_t cookie;

	sem_init(&lock, 0, 0);
	for (unsigned int i = 0; i < 1000; i++)
		accepted += async_try_schedule(take_lock, &n, NULL, &cookie);
	up(&lock);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(n, accepted);
	CHECK(harness_threads() == 0 ? accepted == 0 : accepted > 0);
}

static struct async_entry many_entries[500];

TEST(no_limit_applies_to_entries, .pools = P1, .env = "INORDER_PENDING=4")
{
	static struct record order;
	struct gate gate;

	gate_new(&gate, NULL);
	for (unsigned int i = 0; i < 500; i++)
		CHECK(async_schedule_entry(&many_entries[i], record, i & 1 ? nothing : NULL, &order, NULL));
	CHECK_EQ(order.n, 0);
	gate_end(&gate);
	while (order.n < 500)
		sched_yield();
	for (unsigned int i = 0; i < 500; i++)
		CHECK(order.tids[i] != tid_self());
	CHECK_EQ(async_synchronize_full(), 0);
}
