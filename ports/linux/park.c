// SPDX-License-Identifier: MIT OR GPL-2.0
/* Sleeping until others raise flags. */
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>

#include "internal.h"

DEFINE_RAW_SPINLOCK(port_core_lock);

struct port_counters port_counters;

/*
 * The access that raises the flags is the last to the parker: its thread may go
 * on, and end, at once. The task is read before; RCU keeps what it points to.
 * Should the thread have gone on to sleep elsewhere, it is woken there for
 * nothing, which every sleeper in the kernel allows for.
 */
void port_unpark(struct port_parker *parker, u32 flags)
{
	struct task_struct *task;
	bool parked;

	rcu_read_lock();
	task = parker->task;
	parked = (u32)atomic_fetch_or_release((int)flags, &parker->flags) & PORT_PARKED;
	if (parked)
		wake_up_process(task);
	rcu_read_unlock();
	if (flags & (ROB_DONE | ROB_POKE))
		atomic64_inc(&port_counters.wakes);
	if (flags & ROB_POKE)
		atomic64_inc(&port_counters.poked);
}

/* Threads without work do not count as load, nor as hung. */
static unsigned int sleep_state(struct port_parker *parker)
{
	struct rob_thread *thread;

	if (parker == &rob.pool.monitor)
		return TASK_IDLE;
	thread = container_of(parker, struct rob_thread, parker);
	return thread->worker && !thread->top ? TASK_IDLE : TASK_UNINTERRUPTIBLE;
}

#define FAR_NS NSEC_PER_SEC

/* False when the time is over. Far away it need not be exact, and the timer wheel is cheaper. */
static bool sleep_until(u64 deadline_ns)
{
	u64 now_ns;
	ktime_t until;

	if (!deadline_ns) {
		schedule();
		return true;
	}
	now_ns = port_clock_ns();
	if (deadline_ns > now_ns + FAR_NS)
		return schedule_timeout(min_t(u64, nsecs_to_jiffies(deadline_ns - now_ns) + 1, MAX_JIFFY_OFFSET));
	until = ns_to_ktime(deadline_ns);
	return schedule_hrtimeout(&until, HRTIMER_MODE_ABS);
}

/* False when the time is over, or the thread is to end. */
static bool sleep_while_parked(struct port_parker *parker, u64 deadline_ns)
{
	unsigned int state = sleep_state(parker);
	bool in_time = true;

	while (in_time) {
		set_current_state(state);
		if (port_load_acquire(&parker->flags) != PORT_PARKED)
			break;
		if (state == TASK_IDLE && (READ_ONCE(port_stopping) || kthread_should_stop()))
			in_time = false;
		else
			in_time = sleep_until(deadline_ns);
	}
	__set_current_state(TASK_RUNNING);
	return in_time;
}

/* A worker without a call is about to rest. */
static void rest(struct port_parker *parker)
{
	struct rob_thread *thread = container_of(parker, struct rob_thread, parker);

	if (parker != &rob.pool.monitor && thread->worker && !thread->top)
		port_near_rest(port_task_of(thread));
}

u32 port_park(struct port_parker *parker, u64 deadline_ns)
{
	u32 expected = 0, flags;

	rest(parker);

	if (port_cas_acq_rel(&parker->flags, &expected, PORT_PARKED))
		sleep_while_parked(parker, deadline_ns);
	flags = (u32)atomic_xchg(&parker->flags, 0) & ~PORT_PARKED;
	if (parker == &rob.pool.monitor && kthread_should_stop())
		port_thread_exit(); /* it holds nothing here, and would look on for ever */
	return flags;
}
