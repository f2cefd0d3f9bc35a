// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * What calls cost. Compiled twice from this source, against the kernel's own async
 * calls and against ours, so that both can be measured in one boot. Uses what both
 * have. Wake-ups are counted: how often a task left the processor of its own in a
 * wait.
 *
 * A line in the log for each: "bench: IMPLEMENTATION WORKLOAD: time_us N wakeups N".
 */
#include <linux/async.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>

#define CALLS 1000
#define PLAIN 20000
#define ROUNDS 500

static atomic64_t wakeups;
static unsigned int in_order, out_of_order; /* of whoever's turn it is */
static async_cookie_t last;

static void print(const char *workload, s64 time_us)
{
	pr_info("bench: %s %s: time_us %lld wakeups %lld\n", ASYNC_IMPLEMENTATION, workload, time_us,
		(long long)atomic64_read(&wakeups));
	atomic64_set(&wakeups, 0);
}

static void begin_waiting(unsigned long *before)
{
	*before = current->nvcsw;
}

static void end_waiting(const unsigned long *before)
{
	atomic64_add(current->nvcsw - *before, &wakeups);
}

/* Something visible, which is to happen in program order. */
static void wait_for_turn(async_cookie_t cookie)
{
	unsigned long before;

	begin_waiting(&before);
	async_synchronize_cookie(cookie);
	end_waiting(&before);
	if (cookie > last)
		in_order++;
	else
		out_of_order++;
	last = cookie;
}

/* All stand behind the first, which takes its time. */
static void own_cookie(void *data, async_cookie_t cookie)
{
	if (!data)
		usleep_range(50000, 50010);
	wait_for_turn(cookie);
}

/* A probe: a device that takes 0 to 2 ms, then its name. */
static void probe(void *data, async_cookie_t cookie)
{
	unsigned long us = (unsigned long)data * 7919 % 2000;

	usleep_range(us, us + 10);
	wait_for_turn(cookie);
}

static void nothing(void *data, async_cookie_t cookie)
{
}

static void sleep_10_ms(void *data, async_cookie_t cookie)
{
	usleep_range(10000, 10010);
}

static void full_wait(void)
{
	unsigned long before;

	begin_waiting(&before);
	async_synchronize_full();
	end_waiting(&before);
}

static void many(const char *workload, async_func_t func, unsigned int calls)
{
	ktime_t since = ktime_get();

	for (unsigned long i = 0; i < calls; i++)
		async_schedule(func, (void *)i);
	full_wait();
	print(workload, ktime_us_delta(ktime_get(), since));
}

/* Scheduling alone, and until all are done. */
static void plain_calls(void)
{
	ktime_t since = ktime_get();
	s64 scheduled_us;

	for (unsigned int i = 0; i < PLAIN; i++)
		async_schedule(nothing, NULL);
	scheduled_us = ktime_us_delta(ktime_get(), since);
	full_wait();
	print("plain_20000", ktime_us_delta(ktime_get(), since));
	pr_info("bench: %s plain_20000_schedule: time_us %lld wakeups 0\n", ASYNC_IMPLEMENTATION, scheduled_us);
}

static void one_at_a_time(void)
{
	ktime_t since = ktime_get();

	for (unsigned int i = 0; i < ROUNDS; i++) {
		async_schedule(nothing, NULL);
		full_wait();
	}
	print("one_at_a_time_500", ktime_us_delta(ktime_get(), since));
}

static int __init begin(void)
{
	many("own_cookie_1000", own_cookie, CALLS);
	many("probe_1000", probe, CALLS);
	many("sleep_10_ms_1000", sleep_10_ms, CALLS);
	plain_calls();
	one_at_a_time();
	pr_info("bench: %s order: kept %u broken %u\n", ASYNC_IMPLEMENTATION, in_order, out_of_order);
	return out_of_order || in_order != 2 * CALLS ? -EIO : 0;
}

static void __exit end(void)
{
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("Benchmark of asynchronous function calls");
MODULE_LICENSE("Dual MIT/GPL");
