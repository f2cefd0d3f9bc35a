// SPDX-License-Identifier: MIT OR GPL-2.0
/* async_synchronize_call(), and the waits with a time limit. */
#include "harness.h"

TEST(the_wait_for_one_call_is_for_that_call_alone, .pools = P0 | P256)
{
	ASYNC_DOMAIN(domain);
	ASYNC_DOMAIN(other);
	struct gate lower;
	struct gate wanted;
	struct waiter waits[2];

	gate_new(&lower, &domain);
	gate_new(&wanted, &domain);
	waiter_start(&waits[0], async_synchronize_call, wanted.cookie, &domain);
	waiter_start(&waits[1], async_synchronize_call, wanted.cookie, NULL);
	CHECK_EQ(async_synchronize_call(wanted.cookie, &other), 0);
	CHECK_WAITING(waits, 2);
	gate_end(&wanted);
	CHECK_DONE(waits, 2);
	CHECK(!lower.done);
	CHECK_EQ(async_synchronize_call(wanted.cookie, &domain), 0);
	gate_end(&lower);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(one_call_of_any_domain_even_exclusive, .pools = P0 | PMANY)
{
	ASYNC_DOMAIN_EXCLUSIVE(exclusive);
	struct gate gate;
	struct waiter waiter;

	gate_new(&gate, &exclusive);
	waiter_start(&waiter, async_synchronize_call, gate.cookie, NULL);
	CHECK_WAITING(&waiter, 1);
	gate_end(&gate);
	CHECK_EQ(waiter_join(&waiter), 0);
}

TEST(a_pending_call_is_waited_for, .pools = P1)
{
	ASYNC_DOMAIN(domain);
	struct gate gate;
	struct waiter waiter;
	atomic_uint n = 0;
	async_cookie_t cookie;

	gate_new(&gate, &domain);
	async_schedule_domain(count, &n, &domain);
	cookie = async_schedule_domain(count, &n, &domain);
	async_schedule_domain(count, &n, &domain);
	waiter_start(&waiter, async_synchronize_call, cookie, &domain);
	gate_end(&gate);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK(n >= 1);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(answers_for_cookies_that_are_not_in_progress, .pools = PALL)
{
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN(b);
	async_cookie_t first;
	async_cookie_t last = 0;

	CHECK_EQ(async_synchronize_call(0, NULL), -EINVAL);
	CHECK_EQ(async_synchronize_call(0, &a), -EINVAL);
	CHECK_EQ(async_synchronize_call(ASYNC_COOKIE_MAX, NULL), -EINVAL);
	first = async_schedule_domain(nothing, NULL, &a);
	for (unsigned int i = 0; i < SCALE(100000); i++)
		last = async_schedule_domain(nothing, NULL, i & 1 ? &a : &b);
	CHECK_EQ(async_synchronize_call(last + 1, NULL), -EINVAL);
	CHECK_EQ(async_synchronize_call(last + 1000000, &b), -EINVAL);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_call(first, NULL), 0);
	CHECK_EQ(async_synchronize_call(first, &a), 0);
	CHECK_EQ(async_synchronize_call(first, &b), 0);
	CHECK_EQ(async_synchronize_call(last, NULL), 0);
	CHECK_EQ(async_synchronize_call(last + 1, NULL), -EINVAL);
}

TEST(a_time_limit, .pools = P0 | PMANY)
{
	ASYNC_DOMAIN(domain);
	struct gate gate;
	async_cookie_t cookie;

	cookie = gate_new(&gate, &domain);
	CHECK_EQ(async_synchronize_cookie_timeout(cookie + 1, &domain, 0), -ETIMEDOUT);
	CHECK_EQ(async_synchronize_cookie_timeout(cookie + 1, &domain, 1000000), -ETIMEDOUT);
	CHECK_EQ(async_synchronize_cookie_timeout(cookie + 1, NULL, 1000000), -ETIMEDOUT);
	CHECK_EQ(async_synchronize_cookie_timeout(cookie, &domain, 0), 0);
	CHECK_EQ(async_synchronize_cookie_timeout(cookie, NULL, UINT64_MAX), 0);
	CHECK(!gate.done);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_cookie_timeout(cookie + 1, &domain, 0), 0);
}

static int wait_long(async_cookie_t cookie, struct async_domain *domain)
{
	return async_synchronize_cookie_timeout(cookie, domain, UINT64_C(3600000000000));
}

static int wait_for_ever(async_cookie_t cookie, struct async_domain *domain)
{
	return async_synchronize_cookie_timeout(cookie, domain, UINT64_MAX);
}

TEST(a_timed_wait_ends_with_its_call, .pools = P0 | PMANY)
{
	ASYNC_DOMAIN(domain);
	struct gate gate;
	struct waiter waits[3];

	gate_new(&gate, &domain);
	waiter_start(&waits[0], wait_long, gate.cookie + 1, &domain);
	waiter_start(&waits[1], wait_for_ever, gate.cookie + 1, &domain);
	waiter_start(&waits[2], wait_long, gate.cookie + 1, NULL);
	CHECK_WAITING(waits, 3);
	gate_end(&gate);
	CHECK_DONE(waits, 3);
}

/* The only worker is busy. A timed wait leaves the pending call alone; waiters that gave up leave no trace. */
TEST(a_timed_wait_runs_no_call, .pools = P1)
{
	ASYNC_DOMAIN(busy);
	ASYNC_DOMAIN(domain);
	static struct record order;
	struct gate gate;
	async_cookie_t cookie;

	gate_new(&gate, &busy);
	cookie = async_schedule_domain(record, &order, &domain);
	for (unsigned int i = 0; i < 20; i++)
		CHECK_EQ(async_synchronize_cookie_timeout(cookie + 1, &domain, i * 500000), -ETIMEDOUT);
	CHECK_EQ(order.n, 0);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_cookie_timeout(cookie + 1, &domain, UINT64_MAX), 0);
	CHECK_EQ(order.n, 1);
	CHECK(order.tids[0] != tid_self());
	CHECK_EQ(async_synchronize_full(), 0);
}

static void give_up_often(void *data)
{
	struct async_domain *domain = data;

	for (unsigned int i = 0; i < SCALE(2000); i++) {
		async_cookie_t cookie = async_schedule_domain(nothing, NULL, domain);
		int result = async_synchronize_cookie_timeout(cookie + 1, domain, i % 40 * 1000);

		CHECK(result == 0 || result == -ETIMEDOUT);
	}
}

/* Time-outs that race with completions. */
TEST(timed_waits_give_up_cleanly, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	actors_run(4, give_up_often, &domain);
	CHECK_EQ(async_synchronize_full(), 0);
}

#ifndef __KERNEL__
/* Of two calls that do not end, one is let go: the wait for it ends, the other goes on timing out. */
TEST(one_call_is_waited_for_at_most_for_a_time, .pools = P0 | PMANY)
{
	ASYNC_DOMAIN(domain);
	struct gate slow, other;
	async_cookie_t cookie, lower;

	lower = gate_new(&other, &domain);
	cookie = gate_new(&slow, &domain);
	CHECK_EQ(async_synchronize_call_timeout(cookie, &domain, 0), -ETIMEDOUT);
	CHECK_EQ(async_synchronize_call_timeout(cookie, NULL, 1000000), -ETIMEDOUT);
	CHECK_EQ(async_synchronize_call_timeout(0, &domain, 0), -EINVAL);
	CHECK_EQ(async_synchronize_call_timeout(cookie + 1, &domain, 0), -EINVAL);
	gate_end(&slow);
	CHECK_EQ(async_synchronize_call_timeout(cookie, &domain, UINT64_MAX), 0);
	CHECK_EQ(async_synchronize_call_timeout(lower, &domain, 1000000), -ETIMEDOUT);
	gate_end(&other);
	CHECK_EQ(async_synchronize_call_timeout(lower, NULL, UINT64_MAX), 0);
	CHECK_EQ(async_synchronize_full(), 0);
}
#endif
