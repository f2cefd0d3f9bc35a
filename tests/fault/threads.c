/* SPDX-License-Identifier: MIT */
/* Threads that cannot be made: pending calls run in the waits that cover them, in threads tried again, or at exit. */
#include "faults.h"

#include <sys/wait.h>

static void no_threads(void)
{
	fault_arm(&fault_threads, 1, FOR_EVER);
}

static void threads_again(void)
{
	fault_disarm(&fault_threads);
}

static struct record in_a, in_b;

TEST(a_wait_runs_what_it_covers_in_order, .pools = PSOME)
{
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN(b);
	async_cookie_t middle = 0;

	no_threads();
	for (unsigned int i = 0; i < 100; i++) {
		async_cookie_t cookie = async_schedule_domain(record, &in_a, &a);

		async_schedule_domain(record, &in_b, &b);
		middle = i == 50 ? cookie : middle;
	}
	CHECK_EQ(in_a.n + in_b.n, 0);
	CHECK_EQ(async_synchronize_cookie_domain(middle, &a), 0);
	CHECK_EQ(in_a.n, 50);
	CHECK_EQ(in_b.n, 0);
	CHECK_EQ(async_synchronize_call(middle + 2, &a), 0);
	CHECK_EQ(in_a.n, 51);
	CHECK_EQ(in_a.cookies[50], middle + 2);
	CHECK_EQ(async_synchronize_full_domain(&a), 0);
	CHECK_EQ(in_a.n, 100);
	CHECK_EQ(in_b.n, 0);
	in_a.cookies[50] = in_a.cookies[49] + 1; /* that one was asked for by itself */
	for (unsigned int i = 52; i < 100; i++)
		CHECK(in_a.cookies[i] > in_a.cookies[i - 1]);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(in_b.n, 100);
	CHECK(record_increasing(&in_b));
	for (unsigned int i = 0; i < 100; i++)
		CHECK(in_a.tids[i] == tid_self() && in_b.tids[i] == tid_self());
	CHECK(fault_threads.failed > 0);
}

TEST(a_wait_for_all_runs_all_in_order, .pools = PSOME)
{
	static struct record order;
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN_EXCLUSIVE(exclusive);
	struct async_domain *domains[] = {NULL, &a};

	no_threads();
	for (unsigned int i = 0; i < 1000; i++) {
		async_schedule_domain(record, &order, domains[i % 2]);
		async_schedule_domain(record, &in_b, &exclusive);
	}
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(order.n, 1000);
	CHECK(record_increasing(&order));
	CHECK_EQ(in_b.n, 0);
	CHECK_EQ(async_synchronize_full_domain(&exclusive), 0);
	CHECK_EQ(in_b.n, 1000);
}

/* A thread that was made while threads could be, and waits when told to. */
struct later {
	struct actor actor;
	sem_t go;
	struct async_domain *domain;
	async_cookie_t bound;
};

static void wait_later(void *data)
{
	struct later *later = data;

	down(&later->go);
	CHECK_EQ(async_synchronize_cookie_domain(later->bound, later->domain), 0);
}

static void later_start(struct later *later, struct async_domain *domain)
{
	sem_init(&later->go, 0, 0);
	later->domain = domain;
	actor_start(&later->actor, wait_later, later);
}

/* One waiter runs the call that both await. The other has nothing to run: what is pending lies beyond its bound. */
TEST(a_waiter_runs_nothing_beyond_its_bound, .pools = PSOME)
{
	ASYNC_DOMAIN(a);
	struct later runner;
	struct later bystander;
	struct gate slow;

	gate_init(&slow);
	later_start(&runner, &a);
	later_start(&bystander, &a);
	no_threads();
	runner.bound = async_schedule_domain(gate_call, &slow, &a) + 1;
	bystander.bound = runner.bound;
	for (unsigned int i = 0; i < 20; i++)
		async_schedule_domain(record, &in_a, &a);
	up(&runner.go);
	down(&slow.begun);
	up(&bystander.go);
	quiet();
	CHECK_EQ(in_a.n, 0);
	CHECK(!bystander.actor.done);
	gate_open(&slow);
	actor_join(&runner.actor);
	actor_join(&bystander.actor);
	CHECK_EQ(in_a.n, 0);
	CHECK_EQ(async_synchronize_full_domain(&a), 0);
	CHECK_EQ(in_a.n, 20);
}

TEST(timed_waits_run_nothing_even_then, .pools = PSOME)
{
	ASYNC_DOMAIN(a);
	async_cookie_t cookie;

	no_threads();
	cookie = async_schedule_domain(record, &in_a, &a);
	CHECK_EQ(async_synchronize_cookie_timeout(cookie + 1, &a, 0), -ETIMEDOUT);
	CHECK_EQ(async_synchronize_cookie_timeout(cookie + 1, &a, 20000000), -ETIMEDOUT);
	CHECK_EQ(in_a.n, 0);
	CHECK_EQ(async_synchronize_full_domain(&a), 0);
	CHECK_EQ(in_a.n, 1);
}

static struct record retired;

static void retire(void *data, async_cookie_t cookie)
{
	record(&retired, cookie);
}

TEST(a_wait_for_an_ordered_call_runs_those_before_it, .pools = PSOME)
{
	ASYNC_DOMAIN(a);
	async_cookie_t cookie = 0;

	no_threads();
	for (unsigned int i = 0; i < 20; i++) {
		async_schedule_domain(record, &in_a, &a);
		async_schedule_domain(record, &in_b, NULL);
		cookie = async_schedule_ordered(record, retire, &in_a, &a);
		CHECK(cookie != 0);
	}
	async_schedule_domain(record, &in_b, &a);
	CHECK_EQ(async_synchronize_call(cookie, &a), 0);
	CHECK_EQ(in_a.n, 40);
	CHECK_EQ(retired.n, 20);
	CHECK(record_increasing(&retired));
	CHECK_EQ(in_b.n, 0);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(a_wait_for_an_owner_runs_its_calls, .pools = PSOME)
{
	ASYNC_OWNER(owner);
	ASYNC_DOMAIN_EXCLUSIVE(a);

	no_threads();
	for (unsigned int i = 0; i < 20; i++) {
		async_owner_enter(&owner);
		async_schedule_domain(record, &in_a, i & 1 ? &a : NULL);
		async_owner_enter(NULL);
		async_schedule_domain(record, &in_b, i & 1 ? &a : NULL);
	}
	CHECK_EQ(async_synchronize_owner(&owner), 0);
	CHECK_EQ(in_a.n, 20);
	CHECK_EQ(in_b.n, 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_full_domain(&a), 0);
}

static void parent(void *data, async_cookie_t cookie)
{
	ASYNC_DOMAIN_EXCLUSIVE(own);
	atomic_uint child = 0;

	async_schedule_domain(count, &child, &own);
	CHECK_EQ(async_synchronize_full_domain(&own), 0);
	CHECK_EQ(child, 1);
	count(data, cookie);
}

TEST(parents_and_children_without_any_thread, .pools = PSOME)
{
	atomic_uint n = 0;

	no_threads();
	for (unsigned int i = 0; i < 300; i++)
		async_schedule(parent, &n);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(n, 300);
}

/* Two threads wait for each other's lower calls; no other thread is there to run them. */
static struct async_domain chained = ASYNC_DOMAIN_INIT;

static void after_all_before(void *data, async_cookie_t cookie)
{
	CHECK_EQ(async_synchronize_cookie_domain(cookie, &chained), 0);
	record(data, cookie);
}

static void wait_for_chain(void *data)
{
	CHECK_EQ(async_synchronize_full_domain(&chained), 0);
}

TEST(a_chain_run_by_several_waiters, .pools = PSOME)
{
	struct actor actors[4];
	unsigned int started = 0;

	no_threads();
	for (unsigned int i = 0; i < 1000; i++)
		async_schedule_domain(after_all_before, &in_a, &chained);
	threads_again();
	for (; started < 4; started++)
		actor_start(&actors[started], wait_for_chain, NULL);
	for (unsigned int i = 0; i < started; i++)
		actor_join(&actors[i]);
	CHECK_EQ(in_a.n, 1000);
	CHECK(record_increasing(&in_a));
}

/* No thread waits: the calls run as soon as a thread can be made after all. */
TEST(threads_are_tried_again, .pools = PSOME)
{
	no_threads();
	for (unsigned int i = 0; i < 10; i++)
		async_schedule(record, &in_a);
	quiet();
	CHECK_EQ(in_a.n, 0);
	CHECK(fault_threads.failed > 0);
	threads_again();
	async_schedule(record, &in_a);
	while (in_a.n < 11)
		sched_yield();
	CHECK_EQ(async_synchronize_full(), 0);
	for (unsigned int i = 0; i < 11; i++)
		CHECK(in_a.tids[i] != tid_self());
}

static void say(void *data, async_cookie_t cookie)
{
	if (write(1, data, 1) != 1)
		_exit(20);
}

static void say_and_schedule(void *data, async_cookie_t cookie)
{
	say(data, cookie);
	async_schedule(say, data);
}

HELPER(leave_without_threads)
{
	no_threads();
	for (unsigned int i = 0; i < 20; i++) {
		async_schedule(say_and_schedule, (void *)(uintptr_t) "a");
		CHECK(async_schedule_ordered(say, say, (void *)(uintptr_t) "b", NULL));
	}
	exit(5);
}

TEST(without_threads_calls_run_at_exit, .pools = PSOME)
{
	CHECK_EQ(strlen(harness_exits("leave_without_threads", "", 5)->out), 80);
}
