/* SPDX-License-Identifier: MIT */
/*
 * How many workers run.
 *
 * As many as there are processors, of those that are not blocked; at first some more. One wake-up is
 * in flight at a time, or one a processor while calls sleep: who is started starts or wakes the next if calls are left.
 * A worker that parks in a wait is replaced at once. One that blocks in the
 * kernel is seen by the monitor, which looks at workers that have not moved on
 * since its last look, and then lets more in, four for each of them. Calls that
 * only compute get no more threads, except one after each long time in which
 * nothing was claimed, in case they wait for each other by spinning.
 *
 * A worker whose calls are short is back for more before another could be woken:
 * few pending calls are left to it. Before it rests it lingers for less than a
 * wake-up takes, and before it ends a lease that was not full it lets calls gather,
 * so that the lock is taken once for many. Should its calls not be so short after
 * all, the monitor brings others in.
 *
 * While turns come late, fewer processors are used: rob_pool_narrow().
 *
 * Where no worker can be had, waits run what they await: a worker always,
 * since no thread replaces it; another thread when no worker is active. When the last
 * active worker blocks, a waiter that can help is poked.
 *
 * A submitter on the short way (issue.h) wakes no thread, so what it relies on must not change unseen: whatever changes
 * what rob_pool_kick() would do drops the lock by rob_unlock(), which computes rob.quick anew. A worker that rests:
 *
 *   worker (CPU 1)                              submitter (CPU 0)
 *   lock: the queue is empty
 *   joins the idle list, is brisk no more
 *   rob_unlock(): rob.quick is 0
 *                                               lock: not fewer pending than rob.quick: goes the long way
 *                                               rob_pool_kick(): takes the worker from the idle list
 *                                               rob_unlock(): raises ROB_WAKE (O3)
 *   port_park(): the flag is there, or comes
 *
 * Had the submitter been first, the worker would have found its call in the queue.
 */
#include "core.h"

static bool can_start(void)
{
	struct rob_pool *pool = &rob.pool;

	return !pool->leaver && pool->total < (uint64_t)rob.config.threads + pool->spills &&
	       (!pool->retry_ns || port_clock_ns() >= pool->retry_ns);
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
	if (!calls)
		return;
	if (rob.pool.eager)
		rob.pool.eager = false;
	if (rob.pool.cold)
		rob.pool.cold = 0;
}

void rob_idle_remove(struct rob_worker *worker)
{
	/* Covered by chance: an idle worker ends that is not the last to have become idle */
	rob_list_remove(rob.pool.idle, worker, prev, next);
	if (rob.pool.kept == worker)
		rob.pool.kept = NULL;
	worker->idle = false;
}

/*
 * The one that is kept is the first to be woken, and stays in front. A worker that rests has found no call: of a larger
 * first burst nothing is left for later calls, which may compute.
 */
void rob_idle_push(struct rob_worker *worker)
{
	struct rob_worker *kept = rob.pool.kept;

	if (rob.pool.cold > rob.config.cold)
		rob.pool.cold = 0;
	if (kept)
		rob_list_push(kept->next, worker, prev, next);
	else
		rob_list_push(rob.pool.idle, worker, prev, next);
	if (kept)
		worker->prev = kept;
	else
		rob.pool.kept = worker;
	worker->idle = true;
}

/* The monitor has to watch: calls wait while the workers are busy, or a lease holds several. */
void rob_pool_arm(void)
{
	struct rob_pool *pool = &rob.pool;

	if (pool->leaver || pool->monitor_state == ROB_MONITOR_TICKS ||
	    (pool->blind && port_clock_ns() < pool->monitor_retry_ns))
		return;
	if (pool->monitor_state == ROB_MONITOR_NONE)
		rob.after.start_monitor = true;
	/* Not covered: the other two states have been asked for */
	else if (pool->monitor_state == ROB_MONITOR_PARKED)
		rob.after.wake_monitor = true;
	pool->monitor_state = ROB_MONITOR_TICKS;
}

/* Whether it awaits cookies below all pending ones only. The queue is not empty. */
static bool awaits_claimed(const struct async_waiter *waiter)
{
	async_cookie_t first = rob_cookie(rob.queue.head);

	if (waiter->kind == ROB_WAIT_CALL)
		return waiter->bound < first;
	return (waiter->kind == ROB_WAIT_DOMAIN || waiter->kind == ROB_WAIT_ALL) && waiter->bound <= first;
}

/*
 * Wakes a waiter that can run a pending call, if no other thread will run it. There can be as many waiters as
 * threads: most await what has been claimed, and are passed over at once.
 */
void rob_pool_help_wanted(void)
{
	struct async_waiter *helper = NULL;
	struct rob_slot *lowest = NULL;
	unsigned left = rob.waiting;

	if (rob.pool.active || rob.pool.coming || rob.pool.idle || !rob.queue.pending || can_start())
		return;
	for (struct rob_thread *thread = rob.threads; thread && left; thread = thread->next) {
		struct async_waiter *waiter = thread->waiter;
		struct rob_slot *slot;

		if (!waiter)
			continue;
		left--;
		if (rob_is_timed(waiter) || awaits_claimed(waiter))
			continue;
		/* Covered by chance: a wait of a broken cycle while no thread can be had, in torture */
		rob_mark_left_out(waiter);
		slot = rob_help_slot(waiter);
		if (slot && (!lowest || slot->place < lowest->place) &&
		    !rob_quiesced(rob_block(slot)->domain, thread)) {
			lowest = slot;
			helper = waiter;
		}
	}
	if (helper)
		port_unpark(&helper->thread->parker, ROB_POKE); /* O3 */
}

/* Notes how much processor time each worker has used; how much the time is since the last note, and in how many. */
static uint64_t note_used(unsigned *count)
{
	uint64_t sum_ns = 0;

	for (struct rob_worker *worker = rob.pool.all; worker; worker = worker->all_next) {
		uint64_t used_ns = worker->thread_id ? port_thread_used_ns(worker->thread_id) : 0;

		if (worker->used_ns) {
			sum_ns += used_ns - worker->used_ns;
			++*count;
		}
		worker->used_ns = used_ns;
	}
	return sum_ns;
}

/* Whether so many workers or more have begun their first call, and each that has is in it, and not in a wait. */
static bool in_first_calls(unsigned least)
{
	unsigned begun = 0;

	for (struct rob_worker *worker = rob.pool.all; worker; worker = worker->all_next) {
		if (!worker->thread_id)
			continue;
		if (worker->blocked || worker->turn > 1 || (worker->turn && !worker->lease.count))
			return false;
		begun += worker->turn;
	}
	return begun >= least;
}

/*
 * Whether the calls of the first burst sleep: many have begun and none has returned, and since the middle of the burst
 * those that were there have used little time, and threads have gone to sleep about as often as others were started.
 * Each of these alone may be due to a busy machine.
 */
static bool first_calls_sleep(void)
{
	struct rob_pool *pool = &rob.pool;
	unsigned count = 0, half = rob.config.cold / 2;
	uint64_t used_ns;

	if (!in_first_calls(half) || !port_slept_since(&pool->slept, half - half / 4))
		return false;
	used_ns = note_used(&count);
	return count && used_ns <= (port_clock_ns() - pool->cold_ns) / COLD_USED_SHARE;
}

/*
 * One of the first burst is spent. Calls that sleep get many more threads at once; not those that compute, each of
 * which would take memory beside the others, nor where calls schedule calls or are waited for: waits will run them.
 */
static void spend_cold(void)
{
	struct rob_pool *pool = &rob.pool;
	const struct rob_thread *self = port_self();
	unsigned count = 0;

	pool->cold--;
	if (self->top || self->worker || rob.waiting)
		pool->asked = true;
	if (pool->cold == rob.config.cold / 2 && !pool->cold_ns && port_slept_since(&pool->slept, 0)) {
		note_used(&count);
		pool->cold_ns = port_clock_ns();
	} else if (!pool->cold && pool->cold_ns && !pool->asked) {
		pool->asked = true;
		if (first_calls_sleep())
			pool->cold = COLD_MORE;
	}
}

/* False: no worker can be had, and a waiter was asked to help. */
static bool bring_in(void)
{
	struct rob_pool *pool = &rob.pool;

	if (pool->idle) {
		rob.after.worker = pool->idle;
		rob_idle_remove(rob.after.worker);
		rob.after.worker->fresh = true;
		if (!pool->idle && pool->eager && rob.queue.pending > pool->coming + 1 &&
		    pool->monitor_state == ROB_MONITOR_TICKS)
			rob.after.wake_monitor = true; /* it looks seldom while there were any */
		/* Covered by chance: that no worker runs and none may be started */
	} else if (can_start() ||
		   (!pool->total && rob.config.threads)) { /* with no thread at all, it is tried each time */
		rob.after.start = true;
		pool->total++;
	} else {
		pool->cold = 0; /* there are all that there may be: scheduling is short again */
		rob_pool_arm();
		rob_pool_help_wanted();
		return false;
	}
	if (pool->active >= pool->width && pool->burst)
		pool->burst--;
	else if (pool->cold)
		spend_cold();
	pool->active++;
	pool->coming++;
	return true;
}

/* There are as many active workers as there should be. */
static bool enough(void)
{
	struct rob_pool *pool = &rob.pool;

	return pool->active >= pool->width && !pool->burst && !pool->cold && !(pool->eager && pool->idle);
}

/*
 * For so many pending calls those that are on their way are enough: one mostly, since calls that are short are gone
 * before another comes. While calls sleep, one for each processor. At first one for each call: until calls have shown
 * that they are short they may block, so each gets a worker at once, from the thread that schedules it: a chain in
 * which each worker starts the next would take as long as the processors are busy with other things. Nor do workers
 * that have come help it: to start threads by two at a time takes longer than by one, since both want the process's
 * map of memory.
 */
static uint64_t provided_for(void)
{
	struct rob_pool *pool = &rob.pool;

	if (pool->bringing)
		return UINT64_MAX;
	if (pool->cold)
		return pool->coming;
	if (pool->eager)
		return pool->coming < port_wakes(pool->width) ? pool->coming : UINT64_MAX;
	return pool->coming ? UINT64_MAX : 0;
}

/* Who was woken or started is there. */
void rob_pool_arrived(void)
{
	rob.pool.coming--;
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

	if (!pool->coming && pool->monitor_state != ROB_MONITOR_TICKS)
		return 0;
	/* No order: written under the lock */
	if (rob_inline_only() || rob.find_owner || rob.quiesce || pool->leaver || !port_load_relaxed(&rob.started))
		return 0;
	left = provided_for();
	if (left)
		return left < rob.config.pending ? left : rob.config.pending;
	if (enough() ||
	    (pool->active < pool->width && !pool->idle && pool->active && pool->total >= rob.config.threads))
		return rob.config.pending;
	left = left_to_others();
	return left < rob.config.pending ? left : rob.config.pending;
}

/* Calls are pending: brings a worker in if there should be one more. False: as bring_in() says. */
static bool kick(void)
{
	if (rob.queue.pending <= provided_for() || rob_inline_only() || rob.pool.leaver)
		return true;
	if (enough() || rob.queue.pending < left_to_others()) {
		rob_pool_arm();
		return true;
	}
	return bring_in();
}

void rob_pool_kick(void)
{
	kick();
}

/* Starts or wakes the next worker of a burst: for the monitor. False: there are enough, or there can be no more. */
bool rob_pool_bring(void)
{
	struct rob_pool *pool = &rob.pool;
	unsigned before = pool->burst;

	if (!pool->burst || rob.queue.pending <= pool->coming || pool->leaver || rob_inline_only() || !bring_in())
		return false;
	/* Covered by chance: the workers that were there have parked meanwhile */
	if (pool->burst == before)
		pool->burst--;
	return true;
}

/* ---- turns that come late ---- */

void rob_pool_processors(unsigned count)
{
	rob.pool.cpus = rob.pool.width = count;
}

/*
 * A short call has spun for its turn in vain, and the thread whose turn it is has no processor: others want them. A
 * row of such threads costs a wake-up and a wait for a processor for each call, which is many times the calls' work.
 * Half as many workers stall more seldom, and one alone finds each turn there. Who has completed a call rests then, so
 * the calls that were claimed come to their end one after the other, and no further ones are claimed beside them.
 */
void rob_pool_narrow(void)
{
	struct rob_pool *pool = &rob.pool;
	uint64_t now_ns = port_clock_ns();

	/* Covered by chance: two that are late with one turn; a monitor that could not be started */
	if (pool->width == 1 || pool->blind || (pool->narrowed_ns && now_ns - pool->narrowed_ns < NARROW_AGAIN_NS))
		return;
	if (now_ns - pool->widened_ns >= pool->calm_ns)
		pool->calm_ns = CALM_FIRST_NS;
	else if (pool->calm_ns < CALM_MOST_NS) /* Covered by chance: a stall that follows another */
		pool->calm_ns *= CALM_GROWTH;
	pool->narrowed_ns = now_ns;
	pool->width /= 2;
	/* These let in more than that: calls are known to be short; the monitor finds again what is asleep. */
	pool->cold = pool->burst = 0;
	pool->eager = false;
}

/* Twice as many workers again, after a calm time. Whether there may be more now. */
bool rob_pool_widen(uint64_t now_ns)
{
	struct rob_pool *pool = &rob.pool;

	/* Covered by chance: a matter of time */
	if (pool->width == pool->cpus || now_ns < pool->narrowed_ns + pool->calm_ns ||
	    now_ns < pool->widened_ns + pool->calm_ns)
		return false;
	pool->widened_ns = now_ns;
	/* Covered by chance: more than two processors */
	pool->width = 2 * pool->width < pool->cpus ? 2 * pool->width : pool->cpus;
	return true;
}

/* ---- waits ---- */

/* What a wait looks at grows with the calls below it on its stack. */
static bool is_shallow(const struct rob_thread *thread)
{
	unsigned depth = 0;

	for (const struct rob_frame *frame = thread->top; frame && depth < HELP_DEPTH; frame = frame->parent)
		depth++;
	return depth < HELP_DEPTH;
}

/* Whether a wait in this thread has to run what it awaits. */
bool rob_pool_stuck(struct rob_thread *thread)
{
	if (rob_inline_only() || rob.quiesce)
		return true;
	if (thread->worker && rob.config.help_from && rob.pool.total >= rob.config.help_from * rob.pool.cpus &&
	    is_shallow(thread))
		return true;
	if (rob.pool.idle || rob.pool.coming || can_start())
		return false;
	return thread->worker || !rob.pool.active;
}

/* Whether another worker, beyond the limit, could run what a waiter has no stack for. */
bool rob_pool_may_spill(void)
{
	return !rob_inline_only() && !rob.quiesce && (!rob.pool.retry_ns || port_clock_ns() >= rob.pool.retry_ns);
}

/* The thread is about to park in a wait. */
void rob_pool_block(struct rob_thread *thread)
{
	struct rob_worker *worker = thread->worker;

	if (worker) {
		if (!worker->asleep)
			rob.pool.active--;
		worker->asleep = false;
		worker->blocked = true;
		rob_pool_brisk(worker, 0);
	}
	if (rob.queue.pending && kick())
		rob_pool_help_wanted();
}

void rob_pool_unblock(struct rob_thread *thread)
{
	struct rob_worker *worker = thread->worker;

	/* Covered by chance: who unblocks was blocked before, but for races */
	if (!worker || !worker->blocked)
		return;
	worker->blocked = false;
	rob.pool.active++;
}

/* A thread of the pool has ended, or will not come: who waits for all to end looks again. */
void rob_pool_left(void)
{
	if (port_unlikely(rob.pool.leaver))
		port_unpark(&rob.pool.leaver->parker, ROB_POKE); /* O3 */
}
