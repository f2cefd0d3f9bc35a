// SPDX-License-Identifier: MIT OR GPL-2.0
/* What is the kernel's alone: contexts, NUMA, devices, calls that sleep in the kernel. */
#include <linux/device.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/nodemask.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/topology.h>

#include "harness.h"

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

static void in_hardirq_context(struct irq_work *work)
{
	async_in_hardirq = current_is_async() || async_current_cookie();
	async_schedule(look_around, &from_hardirq);
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

TEST(scheduled_with_interrupts_off, .pools = P256)
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
	struct irq_work *work = data;
	u64 until = ktime_get_ns() + 10 * NSEC_PER_SEC;

	irq_work_queue(work);
	while (irq_work_is_busy(work) && ktime_get_ns() < until)
		cpu_relax();
}

TEST(scheduled_in_a_hardirq, .pools = P256)
{
	static struct irq_work work = IRQ_WORK_INIT_HARD(in_hardirq_context);

	memset(&from_hardirq, 0, sizeof(from_hardirq));
	async_in_hardirq = false;
	async_schedule(spin, &work);
	CHECK(!async_synchronize_full());
	irq_work_sync(&work);
	CHECK(!async_synchronize_full());
	CHECK(!async_in_hardirq);
	check_seen(&from_hardirq, 1);
}

TEST(scheduled_in_a_softirq, .pools = P256)
{
	static struct timer_list timer; /* kernels differ in the calls for those on the stack */

	memset(&from_softirq, 0, sizeof(from_softirq));
	timer_setup(&timer, in_softirq_context, 0);
	mod_timer(&timer, jiffies + 1);
	msleep(50);
	timer_delete_sync(&timer);
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
TEST(tried_under_a_lock, .pools = P256)
{
	static DEFINE_SPINLOCK(lock);
	async_cookie_t cookie = 0;

	spin_lock(&lock);
	for (unsigned int i = 0; i < 100; i++)
		CHECK(async_try_schedule(take_lock, &lock, NULL, &cookie) && cookie);
	spin_unlock(&lock);
	CHECK(!async_synchronize_full());
}

TEST(the_node_is_honoured, .pools = P256)
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

/* Workers claim some of them meanwhile; each either runs or is taken back, and some of them are, on whatever node. */
static atomic_uint released;

static void release(void *data, async_cookie_t cookie)
{
	CHECK(current_is_async() && async_current_cookie() == cookie);
	released++;
}

TEST(calls_for_a_node_are_taken_back, .pools = P256)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	unsigned int taken = 0;
	atomic_uint ran = 0;

	released = 0;
	for (unsigned int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < 100; i++)
			async_schedule_node_domain(count, &ran, i % 2 ? first_online_node : NUMA_NO_NODE, &domain);
		taken += async_cancel_domain(&domain, release);
	}
	CHECK(!async_synchronize_full_domain(&domain));
	CHECK(taken);
	CHECK_EQ(released, taken);
	CHECK_EQ(ran + taken, 2000);
	CHECK(!async_cancel_domain(&domain, release));
}

static void look_at_device(void *data, async_cookie_t cookie)
{
	count(dev_get_drvdata(data), cookie);
}

TEST(calls_for_devices, .pools = P256)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	struct device *dev = root_device_register("inorder_selftest");
	atomic_uint calls = 0;

	CHECK(!IS_ERR(dev));
	if (IS_ERR(dev))
		return;
	dev_set_drvdata(dev, &calls);
	CHECK(async_schedule_dev(look_at_device, dev));
	CHECK(async_schedule_dev_domain(look_at_device, dev, &domain));
	CHECK(async_schedule_dev_nocall(look_at_device, dev));
	CHECK(!async_synchronize_full_domain(&domain));
	CHECK(!async_synchronize_full());
	CHECK(calls == 3);
	root_device_unregister(dev);
}

static void sleep_20_ms(void *data, async_cookie_t cookie)
{
	usleep_range(20000, 21000);
}

/* Calls that block in the kernel, unknown to us, hold others up for a moment only. */
TEST(sleeping_calls_overlap, .pools = P256)
{
	ktime_t since = ktime_get();
	s64 took_ms;

	for (unsigned int i = 0; i < 64; i++)
		async_schedule(sleep_20_ms, NULL);
	CHECK(!async_synchronize_full());
	took_ms = ktime_ms_delta(ktime_get(), since);
	CHECK(took_ms >= 20 && took_ms < 640); /* one after the other: 1280 */
}

TEST(one_sleeps_while_many_pass, .pools = P256)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	atomic_uint calls = 0;
	struct gate gate;

	gate_new(&gate, &domain);
	for (unsigned int i = 0; i < 20000; i++)
		async_schedule_domain(count, &calls, &domain);
	while (calls < 20000)
		usleep_range(100, 1000);
	CHECK(!gate.done);
	gate_end(&gate);
	CHECK(!async_synchronize_full_domain(&domain));
}

TEST(misuse_is_refused, .pools = P256)
{
	CHECK_EQ(async_synchronize_owner(NULL), -EINVAL);
	async_set_name("outside");
	async_set_error(-EIO);
	CHECK_EQ(async_domain_error(NULL, NULL), 0);
}

static void nested_schedule(void *data, async_cookie_t cookie)
{
	async_schedule(count, data);
}

TEST(calls_schedule_calls, .pools = P256)
{
	atomic_uint calls = 0;

	for (unsigned int i = 0; i < 500; i++)
		async_schedule(nested_schedule, &calls);
	CHECK(!async_synchronize_full());
	CHECK(calls == 500);
}

static void schedule_and_wait(void *data)
{
	for (unsigned int i = 0; i < 300; i++) {
		ASYNC_DOMAIN_EXCLUSIVE(domain);
		async_cookie_t cookie = 0;

		for (unsigned int k = 0; k < i % 9; k++)
			cookie = async_schedule_domain(count, data, &domain);
		if (i % 3 == 0)
			CHECK(!async_synchronize_cookie_domain(cookie, &domain));
		CHECK(!async_synchronize_full_domain(&domain));
		if (i % 50 == 0)
			CHECK(!async_synchronize_full());
	}
}

TEST(many_tasks_at_once, .pools = P256)
{
	atomic_uint calls = 0;

	actors_run(8, schedule_and_wait, &calls);
	CHECK(calls == 8 * (300 / 9 * 36 + 3)); /* 33 rounds of 0 to 8, then 0, 1, 2 */
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

TEST(calls_wait_for_more_calls_than_there_are_threads, .pools = P256)
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

TEST(waits_nest_deeper_than_there_are_threads, .pools = P256)
{
	struct descent descent = {.domain = ASYNC_DOMAIN_EXCLUSIVE_INIT, .left = 2 * CROWD};

	async_schedule_domain(descend, &descent, &descent.domain);
	CHECK(!async_synchronize_full_domain(&descent.domain));
	CHECK(!descent.left);
}
