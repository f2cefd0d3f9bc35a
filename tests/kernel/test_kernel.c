// SPDX-License-Identifier: MIT OR GPL-2.0
/* What is the kernel's alone: contexts, NUMA, devices, the names of old. */
#include <linux/device.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/topology.h>

#include "selftest.h"

struct seen {
	atomic_t calls;
	bool atomic, async, no_freeze;
	int node;
};

static void look_around(void *data, async_cookie_t cookie)
{
	struct seen *seen = data;

	/* several such calls may write the same */
	WRITE_ONCE(seen->atomic, in_interrupt() || irqs_disabled());
	WRITE_ONCE(seen->async, current_is_async() && async_current_cookie() == cookie);
	WRITE_ONCE(seen->no_freeze, current->flags & PF_NOFREEZE);
	WRITE_ONCE(seen->node, numa_node_id());
	usleep_range(1000, 2000); /* it may */
	atomic_inc(&seen->calls);
}

static struct seen from_hardirq, from_softirq;
static bool async_in_hardirq, async_in_softirq;

static enum hrtimer_restart in_hardirq_context(struct hrtimer *timer)
{
	async_in_hardirq = current_is_async() || async_current_cookie();
	async_schedule(look_around, &from_hardirq);
	return HRTIMER_NORESTART;
}

static void in_softirq_context(struct timer_list *timer)
{
	async_in_softirq = current_is_async() || async_current_cookie();
	async_schedule(look_around, &from_softirq);
}

static void check_seen(const struct seen *seen, int calls)
{
	CHECK(atomic_read(&seen->calls) == calls);
	CHECK(!seen->atomic && seen->async && seen->no_freeze);
}

static void scheduled_with_interrupts_off(void)
{
	static DEFINE_RAW_SPINLOCK(lock);
	struct seen seen = {};
	unsigned long flags;

	for (unsigned int i = 0; i < 200; i++) {
		raw_spin_lock_irqsave(&lock, flags);
		async_schedule(look_around, &seen);
		CHECK(irqs_disabled());
		raw_spin_unlock_irqrestore(&lock, flags);
	}
	CHECK(!async_synchronize_full());
	check_seen(&seen, 200);
}

/* A call that spins until the interrupt has come while it was current: that is not inside of it. */
static void spin(void *data, async_cookie_t cookie)
{
	struct hrtimer *timer = data;
	u64 until = ktime_get_ns() + 10 * NSEC_PER_SEC;

	hrtimer_start(timer, ns_to_ktime(NSEC_PER_MSEC), HRTIMER_MODE_REL_PINNED_HARD);
	while (hrtimer_active(timer) && ktime_get_ns() < until)
		cpu_relax();
}

static void scheduled_in_a_hardirq(void)
{
	struct hrtimer timer;

	memset(&from_hardirq, 0, sizeof(from_hardirq));
	async_in_hardirq = false;
	hrtimer_init_on_stack(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	timer.function = in_hardirq_context;
	async_schedule(spin, &timer);
	CHECK(!async_synchronize_full());
	hrtimer_cancel(&timer);
	destroy_hrtimer_on_stack(&timer);
	CHECK(!async_synchronize_full());
	CHECK(!async_in_hardirq);
	check_seen(&from_hardirq, 1);
}

static void scheduled_in_a_softirq(void)
{
	struct timer_list timer;

	memset(&from_softirq, 0, sizeof(from_softirq));
	timer_setup_on_stack(&timer, in_softirq_context, 0);
	mod_timer(&timer, jiffies + 1);
	msleep(50);
	del_timer_sync(&timer);
	destroy_timer_on_stack(&timer);
	CHECK(!async_synchronize_full());
	CHECK(!async_in_softirq);
	check_seen(&from_softirq, 1);
}

static void take_lock(void *data, async_cookie_t cookie)
{
	spin_lock(data);
	spin_unlock(data);
}

/* What must not run in the caller does not, under a lock that it takes. */
static void tried_under_a_lock(void)
{
	static DEFINE_SPINLOCK(lock);
	async_cookie_t cookie = 0;

	spin_lock(&lock);
	for (unsigned int i = 0; i < 100; i++)
		CHECK(async_try_schedule(take_lock, &lock, NULL, &cookie) && cookie);
	spin_unlock(&lock);
	CHECK(!async_synchronize_full());
}

static void the_node_is_honoured(void)
{
	unsigned int nodes = 0;
	int node;

	for_each_online_node(node)
	{
		struct seen seen = {.node = -1};

		if (cpumask_empty(cpumask_of_node(node)))
			continue;
		for (unsigned int i = 0; i < 5; i++) {
			async_schedule_node(look_around, &seen, node);
			CHECK(!async_synchronize_full());
			CHECK(seen.node == node);
			/* and the thread is free again */
			async_schedule(look_around, &seen);
			CHECK(!async_synchronize_full());
		}
		check_seen(&seen, 10);
		nodes++;
	}
	pr_info("    # nodes:%u\n", nodes);
}

static void look_at_device(void *data, async_cookie_t cookie)
{
	struct device *dev = data;

	atomic_inc((atomic_t *)dev_get_drvdata(dev));
}

static void calls_for_devices(void)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	struct device *dev = root_device_register("inorder_selftest");
	atomic_t calls = ATOMIC_INIT(0);

	CHECK(!IS_ERR(dev));
	if (IS_ERR(dev))
		return;
	dev_set_drvdata(dev, &calls);
	CHECK(async_schedule_dev(look_at_device, dev));
	CHECK(async_schedule_dev_domain(look_at_device, dev, &domain));
	CHECK(async_schedule_dev_nocall(look_at_device, dev));
	CHECK(!async_synchronize_full_domain(&domain));
	CHECK(!async_synchronize_full());
	CHECK(atomic_read(&calls) == 3);
	root_device_unregister(dev);
}

static void nested_schedule(void *data, async_cookie_t cookie)
{
	async_schedule(count_call, data);
}

static void calls_schedule_calls(void)
{
	atomic_t calls = ATOMIC_INIT(0);

	for (unsigned int i = 0; i < 500; i++)
		async_schedule(nested_schedule, &calls);
	CHECK(!async_synchronize_full());
	CHECK(atomic_read(&calls) == 500);
}

static void schedule_and_wait(void *data)
{
	for (unsigned int i = 0; i < 300; i++) {
		ASYNC_DOMAIN_EXCLUSIVE(domain);
		async_cookie_t cookie = 0;

		for (unsigned int k = 0; k < i % 9; k++)
			cookie = async_schedule_domain(count_call, data, &domain);
		if (i % 3 == 0)
			CHECK(!async_synchronize_cookie_domain(cookie, &domain));
		CHECK(!async_synchronize_full_domain(&domain));
		if (i % 50 == 0)
			CHECK(!async_synchronize_full());
	}
}

static void many_tasks_at_once(void)
{
	atomic_t calls = ATOMIC_INIT(0);
	struct actor actors[8];

	for (unsigned int i = 0; i < ARRAY_SIZE(actors); i++)
		actor_start(&actors[i], schedule_and_wait, &calls);
	for (unsigned int i = 0; i < ARRAY_SIZE(actors); i++)
		actor_join(&actors[i]);
	CHECK(atomic_read(&calls) == 8 * (300 / 9 * 36 + 3)); /* 33 rounds of 0 to 8, then 0, 1, 2 */
}

/* More than there are threads, as a rule. */
#define CROWD 640

struct crowd {
	atomic_t begun;
	struct completion all_have;
};

/* Not a wait for calls: nothing knows whom it waits for. */
static void wait_for_the_last(void *data, async_cookie_t cookie)
{
	struct crowd *crowd = data;

	if (atomic_inc_return(&crowd->begun) == CROWD)
		complete_all(&crowd->all_have);
	wait_for_completion(&crowd->all_have);
}

static void calls_wait_for_more_calls_than_there_are_threads(void)
{
	struct crowd crowd = {};

	init_completion(&crowd.all_have);
	for (unsigned int i = 0; i < CROWD; i++)
		async_schedule(wait_for_the_last, &crowd);
	CHECK(!async_synchronize_full());
	CHECK(atomic_read(&crowd.begun) == CROWD);
}

struct descent {
	struct async_domain domain;
	unsigned int left; /* the call that runs last is the only one that writes it */
};

static void descend(void *data, async_cookie_t cookie)
{
	struct descent *descent = data;
	async_cookie_t next;

	if (!descent->left)
		return;
	descent->left--;
	next = async_schedule_domain(descend, descent, &descent->domain);
	CHECK(!async_synchronize_call(next, &descent->domain));
}

static void waits_nest_deeper_than_there_are_threads(void)
{
	struct descent descent = {.domain = ASYNC_DOMAIN_EXCLUSIVE_INIT, .left = 2 * CROWD};

	async_schedule_domain(descend, &descent, &descent.domain);
	CHECK(!async_synchronize_full_domain(&descent.domain));
	CHECK(!descent.left);
}

const struct test kernel_tests[] = {
	{"scheduled_with_interrupts_off", scheduled_with_interrupts_off},
	{"scheduled_in_a_hardirq", scheduled_in_a_hardirq},
	{"scheduled_in_a_softirq", scheduled_in_a_softirq},
	{"tried_under_a_lock", tried_under_a_lock},
	{"the_node_is_honoured", the_node_is_honoured},
	{"calls_for_devices", calls_for_devices},
	{"calls_schedule_calls", calls_schedule_calls},
	{"many_tasks_at_once", many_tasks_at_once},
	{"calls_wait_for_more_calls_than_there_are_threads", calls_wait_for_more_calls_than_there_are_threads},
	{"waits_nest_deeper_than_there_are_threads", waits_nest_deeper_than_there_are_threads},
	{}};
