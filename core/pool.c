/* SPDX-License-Identifier: MIT */
/*
 * How many workers run.
 *
 * As many as there are processors, of those that are not blocked. One wake-up is
 * in flight at a time: who is brought in brings in the next if calls are left.
 * A worker that parks in a wait is replaced at once. One that blocks in the
 * kernel is seen by the monitor, which looks at workers that have not moved on
 * since its last look, and then lets more in, twice as many each time. Calls that
 * only compute get no more threads, except one after each long time in which
 * nothing was claimed, in case they wait for each other by spinning.
 *
 * A worker whose calls are short is back for more before another could be woken:
 * few pending calls are left to it. Before it rests it lingers for less than a
 * wake-up takes, and before it ends a lease that was not full it lets calls gather,
 * so that the lock is taken once for many. Should its calls not be so short after
 * all, the monitor brings others in.
 *
 * Where no worker can be brought in, waits run what they await: a worker always,
 * since nobody replaces it; another thread when no worker is active. When the last
 * active worker blocks, a waiter that can help is poked.
 */
#include "core.h"

#define IDLE_NS 5000000000u /* an idle worker ends after this */
#define RETRY_NS 10000000u  /* after a thread could not be started */
#define SETTLED_NS 50000u   /* a lease so short did not block */
#define LINGER_SPINS 32     /* some 500 ns */
#define LEASES_LEFT 4       /* pending calls that are left to brisk workers, in leases */

static bool can_start(void)
{
	struct rob_pool *pool = &rob.pool;

	return pool->total < rob.config.threads && (!pool->retry_ns || port_clock_ns() >= pool->retry_ns);
}

/* ---- bringing workers in ---- */

/* Its calls are short, as far as is known: it takes so many at a time, or 0. */
void rob_pool_brisk(struct rob_worker *worker, uint32_t calls)
{
	if (worker->brisk != calls) {
		rob.pool.brisk += calls;
		rob.pool.brisk -= worker->brisk;
		worker->brisk = calls;
	}
	if (calls && rob.pool.eager)
		rob.pool.eager = false;
}

static void idle_remove(struct rob_worker *worker)
{
	if (worker->prev)
		worker->prev->next = worker->next;
	else
		rob.pool.idle = worker->next;
	if (worker->next)
		worker->next->prev = worker->prev;
	worker->idle = false;
}

static void idle_push(struct rob_worker *worker)
{
	worker->prev = NULL;
	worker->next = rob.pool.idle;
	if (worker->next)
		worker->next->prev = worker;
	rob.pool.idle = worker;
	worker->idle = true;
}

/* The monitor shall watch: calls wait while the workers are busy, or a lease holds several. */
void rob_pool_arm(struct rob_after *after)
{
	struct rob_pool *pool = &rob.pool;

	if (pool->monitor_state == ROB_MONITOR_TICKS || (pool->blind && port_clock_ns() < pool->monitor_retry_ns))
		return;
	if (pool->monitor_state == ROB_MONITOR_NONE)
		after->start_monitor = true;
	else if (pool->monitor_state == ROB_MONITOR_PARKED)
		after->wake_monitor = true;
	pool->monitor_state = ROB_MONITOR_TICKS;
}

/* A waiter that can run a pending call is told to look, if nobody else will run it. */
void rob_pool_help_wanted(struct rob_after *after)
{
	struct async_waiter *helper = NULL;
	struct rob_slot *lowest = NULL;

	if (rob.pool.active || rob.pool.waking || rob.pool.idle || !rob.queue.pending || can_start())
		return;
	for (struct async_waiter *waiter = rob.waiters; waiter; waiter = waiter->all_next) {
		struct rob_slot *slot;

		if (waiter->timed)
			continue;
		if (waiter->deadlock)
			rob_deadlock_mark(waiter);
		slot = rob_help_slot(waiter, after);
		if (slot && (!lowest || slot->place < lowest->place) &&
		    !rob_quiesced(rob_block(slot)->domain, waiter->thread)) {
			lowest = slot;
			helper = waiter;
		}
	}
	if (helper)
		port_unpark(&helper->thread->parker, ROB_POKE); /* O3 */
}

static void bring_in(struct rob_after *after)
{
	struct rob_pool *pool = &rob.pool;

	if (pool->idle) {
		after->worker = pool->idle;
		idle_remove(after->worker);
		after->worker->fresh = true;
	} else if (can_start() ||
		   (!pool->total && rob.config.threads)) { /* with no thread at all, it is tried each time */
		after->start = true;
		pool->total++;
	} else {
		rob_pool_arm(after);
		rob_pool_help_wanted(after);
		return;
	}
	if (pool->active >= pool->cpus && pool->burst)
		pool->burst--;
	pool->active++;
	pool->waking = true;
}

/* There are as many active workers as there shall be. */
static bool enough(void)
{
	struct rob_pool *pool = &rob.pool;

	return pool->active >= pool->cpus && !pool->burst && !(pool->eager && pool->idle);
}

/* So many pending calls are left to workers whose calls are short: they will be taken soon. */
static uint64_t left_to_others(void)
{
	return rob.pool.blind ? 0 : LEASES_LEFT * rob.pool.brisk;
}

/* With fewer calls pending, one more can be scheduled without thought: rob_pool_kick() would do nothing. */
uint64_t rob_pool_quick(void)
{
	struct rob_pool *pool = &rob.pool;
	uint64_t left;

	if (rob_inline_only() || rob.find_owner || rob.quiesce)
		return 0;
	if (pool->waking)
		return rob.config.pending;
	if (pool->monitor_state != ROB_MONITOR_TICKS)
		return 0;
	if (enough() || (pool->active < pool->cpus && !pool->idle && pool->active && pool->total >= rob.config.threads))
		return rob.config.pending;
	left = left_to_others();
	return left < rob.config.pending ? left : rob.config.pending;
}

/* Calls are pending: brings a worker in if there should be one more. */
void rob_pool_kick(struct rob_after *after)
{
	struct rob_pool *pool = &rob.pool;

	if (!rob.queue.pending || pool->waking || rob_inline_only())
		return;
	if (enough() || rob.queue.pending < left_to_others()) {
		rob_pool_arm(after);
		return;
	}
	bring_in(after);
}

static void start_failed(struct rob_worker *worker)
{
	struct rob_after after = {0};

	port_lock(&rob.lock);
	if (worker) {
		worker->next = rob.pool.free;
		rob.pool.free = worker;
	}
	rob.pool.total--;
	rob.pool.active--;
	rob.pool.waking = false;
	rob.pool.retry_ns = port_clock_ns() + RETRY_NS;
	rob_pool_help_wanted(&after);
	rob_unlock(&after);
}

static struct rob_worker *worker_new(void)
{
	struct rob_worker *worker = port_alloc(sizeof(*worker));

	if (!worker)
		return NULL;
	memset(worker, 0, sizeof(*worker));
	port_lock(&rob.lock);
	worker->all_next = rob.pool.all;
	rob.pool.all = worker;
	port_unlock(&rob.lock);
	return worker;
}

static void start_worker(void)
{
	struct rob_worker *worker;

	port_lock(&rob.lock);
	worker = rob.pool.free;
	if (worker)
		rob.pool.free = worker->next;
	port_unlock(&rob.lock);
	if (!worker)
		worker = worker_new();
	if (!worker || port_thread_start(worker, rob.config.stack_bytes)) /* O7 */
		start_failed(worker);
}

/*
 * Without a monitor nobody sees threads that block in the kernel, so nothing is
 * left to others and no call stands behind another in a lease. It is tried again.
 */
static void start_monitor(void)
{
	struct rob_after after = {0};
	int error = port_thread_start(NULL, 0); /* O7 */

	port_lock(&rob.lock);
	rob.pool.blind = error;
	if (error) {
		rob.pool.monitor_state = ROB_MONITOR_NONE;
		rob.pool.monitor_retry_ns = port_clock_ns() + RETRY_NS;
		rob_recall_all(&after);
		rob_pool_kick(&after);
	}
	rob_unlock(&after);
}

/* What had to wait until the lock was dropped. */
void rob_pool_after(struct rob_after *after)
{
	if (after->worker)
		port_unpark(&after->worker->thread->parker, ROB_WAKE); /* O3 */
	if (after->start)
		start_worker();
	if (after->start_monitor)
		start_monitor();
	if (after->wake_monitor)
		port_unpark(&rob.pool.monitor, ROB_WAKE);
	after->worker = NULL;
	after->start = after->start_monitor = after->wake_monitor = false;
}

/* ---- waits ---- */

/* Whether a wait in this thread has to run what it awaits. */
bool rob_pool_stuck(struct rob_thread *thread)
{
	if (rob_inline_only() || rob.quiesce)
		return true;
	if (rob.pool.idle || rob.pool.waking || can_start())
		return false;
	return thread->worker || !rob.pool.active;
}

/* The thread is about to park in a wait. */
void rob_pool_block(struct rob_thread *thread, struct rob_after *after)
{
	struct rob_worker *worker = thread->worker;

	if (worker) {
		if (!worker->asleep)
			rob.pool.active--;
		worker->asleep = false;
		worker->blocked = true;
		rob_pool_brisk(worker, 0);
	}
	if (!rob.queue.pending)
		return;
	rob_pool_kick(after);
	rob_pool_help_wanted(after);
}

void rob_pool_unblock(struct rob_thread *thread)
{
	struct rob_worker *worker = thread->worker;

	if (!worker || !worker->blocked)
		return;
	worker->blocked = false;
	rob.pool.active++;
}

/* ---- workers ---- */

/* More are active than processors: one that has done something may rest. */
static bool surplus(struct rob_worker *worker)
{
	return rob.pool.active > rob.pool.cpus && !rob.pool.eager && !worker->fresh && !worker->asleep;
}

/* Gives calls a moment to gather. Whether some did. */
static bool linger(struct rob_worker *worker, struct rob_after *after)
{
	if (!worker->brisk || rob.pool.cpus == 1 || surplus(worker))
		return false;
	rob_unlock(after);
	for (unsigned i = 0; i < LINGER_SPINS; i++)
		port_relax();
	port_lock(&rob.lock);
	return rob.queue.pending && !rob.quiesce;
}

/*
 * Waits for work. False: for too long, the worker is to end. The first of those
 * that rest stays for ever: it is the last to be woken, mostly the only one, and
 * a timer would make each of its wake-ups dearer.
 */
static bool idle(struct rob_worker *worker, struct rob_after *after)
{
	struct rob_pool *pool = &rob.pool;
	uint64_t deadline_ns = pool->idle ? port_clock_ns() + IDLE_NS : 0;
	uint32_t flags;

	if (!worker->asleep)
		pool->active--;
	worker->asleep = false;
	worker->lease.size = 1;
	worker->lease.ended_ns = 0;
	rob_pool_brisk(worker, 0);
	rob_thread_unlist(worker->thread);
	idle_push(worker);
	for (;;) { /* flags of a wait that is over may still come: again */
		uint64_t until_ns = worker->idle ? deadline_ns : 0; /* taken from the list: the flag is on its way */

		rob_unlock(after);
		flags = port_park(&worker->thread->parker, until_ns); /* O3 */
		port_lock(&rob.lock);
		if (flags & ROB_WAKE)
			break;
		if (worker->idle && !flags) {
			idle_remove(worker);
			return false;
		}
	}
	pool->waking = false;
	return true;
}

static void work(struct rob_worker *worker, struct rob_after *after)
{
	uint64_t took_ns;

	worker->turn++;
	worker->fresh = false;
	rob_pool_kick(after);
	took_ns = rob_lease_run(&worker->lease, worker->thread, after);
	if (worker->asleep && took_ns < SETTLED_NS) {
		worker->asleep = false;
		rob.pool.active++;
	}
	rob_pool_brisk(worker, !worker->asleep && worker->lease.size > 1 ? worker->lease.size : 0);
}

static void worker_init(struct rob_worker *worker)
{
	worker->thread = port_self();
	worker->thread->worker = worker;
	worker->thread_id = port_thread_id();
	worker->lease.size = 1;
	worker->fresh = true;
	worker->seen = 0;
	rob.pool.waking = false;
	rob.pool.retry_ns = 0;
}

/* What its own completions made ready comes first: it is the lowest of its domain. */
static bool take(struct rob_worker *worker, struct rob_after *after)
{
	if (after->retire) {
		rob_lease_take_retire(&worker->lease, after);
		return true;
	}
	return !surplus(worker) && rob_lease_take(&worker->lease, after);
}

void rob_worker_main(struct rob_worker *worker)
{
	struct rob_after after = {0};

	port_lock(&rob.lock);
	worker_init(worker);
	if (port_unlikely(port_traces())) {
		struct port_event event = {
			.type = ASYNC_TRACE_WORKER, .arg = rob.pool.total, .error = rob.pool.total > rob.pool.cpus};

		rob_unlock(&after);
		port_trace(&event);
		port_lock(&rob.lock);
	}
	after.accepts_retire = true;
	do {
		while (take(worker, &after))
			work(worker, &after);
	} while (linger(worker, &after) || idle(worker, &after));
	rob.pool.total--;
	worker->thread->worker = NULL;
	worker->thread = NULL;
	worker->thread_id = 0;
	worker->next = rob.pool.free;
	rob.pool.free = worker;
	rob_unlock(&after);
}

/* Has the monitor run in any case, for the watchdog. */
void rob_pool_watch(void)
{
	struct rob_after after = {0};

	port_lock(&rob.lock);
	rob_pool_arm(&after);
	rob_unlock(&after);
}

/* In a forked child: no thread but this one is left. What it was as a worker is never used again: its call looks at it. */
void rob_pool_reset(struct rob_worker *self)
{
	struct rob_pool *pool = &rob.pool;
	struct rob_worker *worker, *all = pool->all;

	memset(pool, 0, sizeof(*pool));
	pool->cpus = port_cpus();
	while ((worker = all)) {
		all = worker->all_next;
		if (worker == self)
			continue;
		memset(worker, 0, sizeof(*worker));
		worker->next = pool->free;
		pool->free = worker;
		worker->all_next = pool->all;
		pool->all = worker;
	}
}
