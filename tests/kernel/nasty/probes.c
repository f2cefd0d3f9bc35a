// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * What runs beside a case: a hard timer, whose greatest delay shows for how long interrupts were off, and a thread that
 * sleeps and wakes, whose greatest gap shows for how long none could run; it counts tasks, too.
 */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/version.h>

#include "nasty.h"

#define PERIOD_NS 100000

static struct hrtimer probe_timer;
static s64 probe_max_ns;
static u64 probe_count;

static enum hrtimer_restart probe(struct hrtimer *timer)
{
	s64 late = ktime_to_ns(ktime_sub(ktime_get(), hrtimer_get_expires(timer)));

	if (late > probe_max_ns)
		probe_max_ns = late;
	probe_count++;
	hrtimer_forward_now(timer, ns_to_ktime(PERIOD_NS));
	return HRTIMER_RESTART;
}

unsigned long probes_free_pages(void)
{
	struct sysinfo info;

	si_meminfo(&info);
	return info.freeram;
}

static struct task_struct *sampler;
static s64 sampler_max_ns;
static u64 sampler_count;
static unsigned long most_tasks, least_free;

static int sample(void *unused)
{
	ktime_t before = ktime_get();

	while (!kthread_should_stop()) {
		s64 gap;
		unsigned int tasks = 0;

		usleep_range(1000, 1100);
		gap = ktime_to_ns(ktime_sub(ktime_get(), before));
		if (gap > sampler_max_ns)
			sampler_max_ns = gap;
		sampler_count++;
		if (sampler_count % 50 == 0) {
			struct task_struct *task;
			unsigned long free = probes_free_pages();

			rcu_read_lock();
			for_each_process(task) tasks++;
			rcu_read_unlock();
			if (tasks > most_tasks)
				most_tasks = tasks;
			if (!least_free || free < least_free)
				least_free = free;
		}
		before = ktime_get();
	}
	return 0;
}

void probes_begin(void)
{
	probe_max_ns = sampler_max_ns = 0;
	probe_count = sampler_count = 0;
	most_tasks = least_free = 0;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(&probe_timer, probe, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
#else
	hrtimer_init(&probe_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	probe_timer.function = probe;
#endif
	hrtimer_start(&probe_timer, ns_to_ktime(PERIOD_NS), HRTIMER_MODE_REL_PINNED_HARD);
	sampler = kthread_run(sample, NULL, "nasty-sampler");
}

void probes_end(void)
{
	hrtimer_cancel(&probe_timer);
	if (!IS_ERR(sampler))
		kthread_stop(sampler);
	SAY("irqs off at most %lld us (%llu looks); others kept waiting at most %lld us (%llu looks); tasks at most %lu; free pages at least %lu",
	    probe_max_ns / 1000, probe_count, sampler_max_ns / 1000, sampler_count, most_tasks, least_free);
}
