/* SPDX-License-Identifier: MIT */
/* What the other tests do not come to: each was found missing by a mutation that nothing noticed. */
#include "harness.h"

static ASYNC_DOMAIN(to_cancel);
static unsigned int released;

static void release_and_schedule(void *data, async_cookie_t cookie)
{
	(void)cookie;
	if (++released < 1000)
		async_schedule_domain(nothing, data, &to_cancel);
}

/* A cancel takes back what was there when it was called, and ends. */
TEST(a_cancel_is_not_for_calls_scheduled_meanwhile, .pools = P1)
{
	struct gate gate;

	gate_init(&gate);
	gate_start(&gate, NULL);
	for (unsigned int i = 0; i < 3; i++)
		async_schedule_domain(nothing, NULL, &to_cancel);
	CHECK_EQ(async_cancel_domain(&to_cancel, release_and_schedule), 3);
	CHECK_EQ(released, 3);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* Many calls are taken out of the queue between others, which are all still run, in their order. */
TEST(calls_between_cancelled_ones_stay, .pools = P1)
{
	enum { EACH = 500 };
	static struct record order;
	ASYNC_DOMAIN(stays);
	struct gate gate;

	gate_init(&gate);
	gate_start(&gate, NULL);
	for (unsigned int i = 0; i < EACH; i++) {
		async_schedule_domain(record, &order, &stays);
		for (unsigned int j = 0; j < 3; j++)
			async_schedule_domain(nothing, NULL, &to_cancel);
	}
	CHECK_EQ(async_cancel_domain(&to_cancel, NULL), 3 * EACH);
	gate_end(&gate);
	while (order.n < EACH) /* no wait of the library's: nobody but the worker runs them */
		sched_yield();
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(order.n, EACH);
	CHECK(record_increasing(&order));
}

static atomic_uint spinning;

static void spin_for_others(void *data, async_cookie_t cookie)
{
	unsigned int all = *(unsigned int *)data;

	(void)cookie;
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

static void named(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	async_set_name("name_of_func");
}

static void wait_for_itself(void *data, async_cookie_t cookie)
{
	(void)cookie;
	CHECK_EQ(async_synchronize_full_domain(data), -EDEADLK);
}

/* A retire step goes by the name that func has set. */
TEST(a_retire_step_keeps_the_name, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	CHECK(async_schedule_ordered(named, wait_for_itself, &domain, &domain));
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(harness_count("name_of_func"), 1);
}
