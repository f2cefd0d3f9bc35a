// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Kernel threads: a manager makes them ahead, because calls are scheduled where
 * none can be made: with interrupts off, under locks, before kthreadd runs.
 *
 * The core asks for a worker with port_thread_start(). If no thread is spare, that
 * is an order: the manager makes a thread for it. Where none can be made (before
 * the manager runs, without memory) the core is told so, calls are pending, waiters
 * may run what they await, and once there is a thread the core is told to try
 * again. None of the threads is freezable: devices resume by async calls.
 *
 * There are PORT_THREADS. Where all of them sleep and nothing is claimed, calls may
 * wait by completions, say, for calls that are pending: the manager lets more begin.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "internal.h"

#define RESERVE 8              /* spare threads */
#define RESERVE_BURST 64       /* as many at most, after the reserve was found empty */
#define BURST_JIFFIES (5 * HZ) /* after this long without another one the reserve shrinks again */
#define RETRY_JIFFIES (HZ / 100 ? HZ / 100 : 1)
#define STALLED_JIFFIES (HZ / 10) /* nothing was claimed by all the threads that there may be */
#define STALLED_MORE 32           /* then so many more may begin */

struct spare {
	struct port_task task;
	struct task_struct *kthread; /* pool_lock; NULL until it has been made */
	struct rob_worker *work;     /* pool_lock to set; what it is to be, or NULL */
	struct list_head node;       /* pool_lock: in spares */
};

static DEFINE_RAW_SPINLOCK(pool_lock);
static LIST_HEAD(spares);             /* pool_lock */
static unsigned int spare_count;      /* pool_lock */
static unsigned int wanted = RESERVE; /* pool_lock: this many spares */
static unsigned int threads;          /* pool_lock: of ours, spare or not */
static struct rob_worker *orders;     /* pool_lock: without a thread as yet, by next */
static bool failing;                  /* pool_lock: the last attempt to make a thread failed */
static bool refused;                  /* pool_lock: the core was told that there is none */
static struct task_struct *monitor;
static bool monitor_goes;
static DECLARE_COMPLETION(spare_came); /* while stopping */

/* ---- what the core calls ---- */

static int monitor_start(void)
{
	if (!READ_ONCE(monitor))
		return -EAGAIN;
	/* pairs with monitor_thread() */
	smp_store_release(&monitor_goes, true);
	wake_up_process(monitor);
	return 0;
}

/* With pool_lock held: no thread is spare. The manager makes one for the worker, unless it cannot. */
static int order(struct rob_worker *worker)
{
	wanted = min(2 * wanted, (unsigned int)RESERVE_BURST);
	if (failing || !READ_ONCE(port_manager)) {
		refused = true;
		return -EAGAIN;
	}
	worker->next = orders;
	orders = worker;
	return 0;
}

/* In any context, early ones included. */
int port_thread_start(struct rob_worker *worker)
{
	struct spare *spare;
	unsigned long flags;
	int error = 0;

	if (!worker)
		return monitor_start();
	raw_spin_lock_irqsave(&pool_lock, flags);
	spare = list_first_entry_or_null(&spares, struct spare, node);
	if (spare) {
		list_del_init(&spare->node);
		spare_count--;
		/* pairs with spare_wait() */
		smp_store_release(&spare->work, worker);
		wake_up_process(spare->kthread);
	} else {
		error = order(worker);
	}
	raw_spin_unlock_irqrestore(&pool_lock, flags);
	port_manager_wake();
	return error;
}

/* Threads that cannot be made now are made later. Without any, by configuration, there is no other way. */
bool port_may_help(bool nested)
{
	return !nested || rob_inline_only() || !rob.pool.retry_ns;
}

/* Blocked, not merely preempted, about to block, or being woken. */
bool port_thread_sleeps(int thread_id)
{
	const unsigned int blocked = TASK_NORMAL | TASK_RTLOCK_WAIT;
	struct task_struct *task;
	bool sleeps;

	rcu_read_lock();
	task = pid_task(find_pid_ns(thread_id, &init_pid_ns), PIDTYPE_PID);
	sleeps = task && (READ_ONCE(task->__state) & blocked) && !READ_ONCE(task->on_rq);
	rcu_read_unlock();
	return sleeps;
}

/*
 * False: it lacks a processor. One that sleeps, as the kernel's calls do, lacks none: more calls may begin beside it.
 * With one processor no call spins for its turn, so none asks.
 */
bool port_thread_runs(int thread_id)
{
	bool runs = true;
#ifdef CONFIG_SMP
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(find_pid_ns(thread_id, &init_pid_ns), PIDTYPE_PID);
	runs = !task || READ_ONCE(task->on_cpu) || READ_ONCE(task->__state) != TASK_RUNNING;
	rcu_read_unlock();
#endif
	return runs;
}

/* ---- workers ---- */

/* Waits until it is to be a worker. False: it is to end. */
static bool spare_wait(struct spare *spare)
{
	struct rob_worker *work;

	for (;;) {
		set_current_state(TASK_IDLE);
		/* pairs with port_thread_start() */
		work = smp_load_acquire(&spare->work);
		if (work || kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return work;
}

static void spare_push(struct spare *spare)
{
	unsigned long flags;
	bool surplus;

	raw_spin_lock_irqsave(&pool_lock, flags);
	spare->work = NULL;
	list_add(&spare->node, &spares);
	surplus = ++spare_count > wanted;
	if (READ_ONCE(port_stopping))
		complete(&spare_came);
	raw_spin_unlock_irqrestore(&pool_lock, flags);
	if (surplus)
		port_manager_wake();
}

static int worker_thread(void *data)
{
	struct spare *spare = data;

	port_enter(&spare->task);
	port_near_begin(&spare->task);
	while (spare_wait(spare)) {
		rob_worker_main(spare->work);
		spare->task.near_used = false;
		port_near_rest(&spare->task);
		port_store_relaxed(&spare->task.thread.parker.flags, 0);
		spare_push(spare);
	}
	port_leave(&spare->task);
	return 0;
}

/* By a pointer, since it does not return (port_park() ends its thread), and objtool differs over that by version. */
struct monitor_entry {
	void (*main)(void);
};

static const struct monitor_entry monitor_entry = {rob_monitor_main};

/* Not in the table of tasks: it schedules nothing and waits for nothing. */
static int monitor_thread(void *data)
{
	const struct monitor_entry *entry = data;

	for (;;) {
		set_current_state(TASK_IDLE);
		/* pairs with monitor_start() */
		if (smp_load_acquire(&monitor_goes) || kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	if (!kthread_should_stop()) {
		rob.pool.monitor.task = current;
		entry->main();
	}
	return 0;
}

/* ---- the manager ---- */

static int spare_make(void)
{
	static unsigned int number;
	struct spare *spare = port_fails_threads() ? NULL : kzalloc(sizeof(*spare), GFP_KERNEL);
	struct task_struct *task;
	unsigned long flags;

	if (!spare)
		return -ENOMEM;
	task = kthread_create(worker_thread, spare, "async/%u", number);
	if (IS_ERR(task)) {
		kfree(spare);
		return PTR_ERR(task);
	}
	number++;
	raw_spin_lock_irqsave(&pool_lock, flags);
	spare->kthread = task;
	threads++;
	if (orders) {
		INIT_LIST_HEAD(&spare->node);
		spare->work = orders;
		orders = orders->next;
	} else {
		list_add_tail(&spare->node, &spares);
		spare_count++;
	}
	raw_spin_unlock_irqrestore(&pool_lock, flags);
	wake_up_process(task);
	return 0;
}

/* A thread could be made, or could not: then the core is told of those that it has ordered. */
static void spare_made(int error)
{
	struct rob_worker *failed = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool_lock, flags);
	failing = error;
	if (error) {
		failed = orders;
		orders = NULL;
		refused |= failed != NULL;
	}
	raw_spin_unlock_irqrestore(&pool_lock, flags);
	while (failed) {
		struct rob_worker *worker = failed;

		failed = worker->next;
		rob_start_failed(worker);
	}
}

/* Ends one spare thread if there are more than that. */
static bool spare_end(unsigned int keep)
{
	struct spare *spare = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool_lock, flags);
	if (spare_count > keep) {
		spare = list_last_entry(&spares, struct spare, node);
		list_del_init(&spare->node);
		spare_count--;
		threads--;
	}
	raw_spin_unlock_irqrestore(&pool_lock, flags);
	if (!spare)
		return false;
	kthread_stop(spare->kthread);
	kfree(spare);
	return true;
}

struct state {
	unsigned int spares, wanted, threads;
	bool refused, ordered;
};

static struct state look(void)
{
	struct state state;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool_lock, flags);
	state = (struct state){spare_count, wanted, threads, refused, orders};
	raw_spin_unlock_irqrestore(&pool_lock, flags);
	return state;
}

/* The core was refused a worker; now there may be some. */
static void core_retry(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pool_lock, flags);
	refused = false;
	raw_spin_unlock_irqrestore(&pool_lock, flags);
	rob_lock();
	rob.pool.retry_ns = 0;
	rob_pool_kick();
	rob_unlock();
}

/* Whether all that was wanted could be made. */
static bool manage(void)
{
	int error = 0;

	port_memory_fill();
	while (!error && (look().ordered || look().spares < look().wanted) && !kthread_should_stop()) {
		error = spare_make();
		spare_made(error);
		if (!error && look().refused)
			core_retry();
	}
	if (look().refused && look().spares)
		core_retry();
	while (spare_end(look().wanted))
		;
	if (error)
		pr_warn_ratelimited(
			"async: cannot make a thread: error %d; until it can, calls wait, or run in those who await them\n",
			error);
	return !error && !port_memory_low();
}

/* With the core's lock held: there are as many threads as there may be. */
static bool at_limit(void)
{
	return rob.config.threads >= PORT_THREADS && rob.pool.total >= rob.config.threads;
}

static bool is_limited(void)
{
	bool limited;

	rob_lock();
	if (!rob.queue.pending && rob.config.threads > PORT_THREADS)
		rob.config.threads = PORT_THREADS;
	limited = at_limit();
	rob_unlock();
	return limited;
}

static u64 claimed_so_far(void)
{
	u64 claimed;

	rob_lock();
	claimed = rob.last - rob.queue.pending;
	rob_unlock();
	return claimed;
}

/* Sleeps for a while; if calls are pending and none was claimed meanwhile, more threads may begin. */
static void wait_at_limit(void)
{
	u64 before = claimed_so_far();

	if (schedule_timeout(STALLED_JIFFIES))
		return;
	rob_lock();
	if (at_limit() && rob.queue.pending && before == rob.last - rob.queue.pending) {
		rob.config.threads += STALLED_MORE;
		rob_pool_kick();
	}
	rob_unlock();
}

static void burst_is_over(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pool_lock, flags);
	wanted = RESERVE;
	raw_spin_unlock_irqrestore(&pool_lock, flags);
}

static void manager_rest(bool done)
{
	struct state state;

	set_current_state(TASK_IDLE);
	state = look();
	if (!done) {
		schedule_timeout(RETRY_JIFFIES);
	} else if (state.spares == state.wanted && !state.refused && !state.ordered && !port_memory_low() &&
		   !kthread_should_stop()) {
		if (is_limited())
			wait_at_limit();
		else if (state.wanted == RESERVE)
			schedule();
		else if (!schedule_timeout(BURST_JIFFIES))
			burst_is_over();
	}
	__set_current_state(TASK_RUNNING);
}

static int manager_thread(void *unused)
{
	while (!kthread_should_stop())
		manager_rest(manage());
	return 0;
}

int port_threads_begin(void)
{
	struct task_struct *task = kthread_run(monitor_thread, (void *)&monitor_entry, "async/monitor");

	if (IS_ERR(task))
		return PTR_ERR(task);
	WRITE_ONCE(monitor, task);
	task = kthread_run(manager_thread, NULL, "async/manager");
	if (IS_ERR(task)) {
		kthread_stop(monitor);
		WRITE_ONCE(monitor, NULL);
		return PTR_ERR(task);
	}
	WRITE_ONCE(port_manager, task);
	return 0;
}

/* Idle workers look up, see that all stops, and become spare. */
static void wake_idle(void)
{
	port_lock(&rob.lock);
	for (struct rob_worker *worker = rob.pool.idle; worker; worker = worker->next)
		wake_up_process(worker->thread->parker.task);
	rob_unlock();
}

/* No call is in progress, and none comes. */
void port_threads_end(void)
{
	struct task_struct *task = port_manager;

	WRITE_ONCE(port_manager, NULL);
	kthread_stop(task);
	spare_made(-ESHUTDOWN);
	WRITE_ONCE(port_stopping, true);
	while (look().threads) {
		if (spare_end(0))
			continue;
		wake_idle();
		wait_for_completion(&spare_came);
	}
	kthread_stop(monitor);
}
