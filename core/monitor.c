/* SPDX-License-Identifier: MIT */
/*
 * The monitor: a thread that sees what workers cannot report.
 *
 * It looks at workers that have not moved on since its last look: one that sleeps
 * in the kernel is no longer counted as active, until it is seen awake or ends a
 * short lease. It rests while nothing is pending and no lease holds several calls.
 *
 * Asking the system for a thread's state takes microseconds, so the lock is dropped meanwhile, and the answer counts
 * only for a worker that has not moved:
 *
 *   monitor (CPU 0)                             worker (CPU 1)
 *   lock: notes its position, unlock            sleeps in the kernel
 *   asks for its state: it sleeps
 *                                               wakes up, goes on to its next call
 *   lock: its position is another: no verdict
 */
#include "core.h"

/* What changes when the worker goes on to another call. (Reads the word of O2, and needs no order.) */
static uint64_t position(struct rob_worker *worker)
{
	return ((uint64_t)worker->turn << 16 | (port_load_acquire(&worker->lease.word) & 0xffff)) + 1; /* O2 */
}

static bool is_busy(struct rob_worker *worker)
{
	return worker->thread_id && !worker->idle && !worker->blocked && !worker->hinted;
}

/* Looks at one worker; drops the lock meanwhile. Returns whether it was found blocked in the kernel just now. */
static bool look_at(struct rob_worker *worker, uint64_t now_ns, bool recheck)
{
	uint64_t where = position(worker);
	bool moved = worker->seen != where && now_ns - worker->lease.frame.since_ns < MONITOR_FIRST_NS;
	int thread_id = worker->thread_id;
	bool sleeps;

	worker->seen = where;
	if (!moved && worker->brisk) {
		rob_pool_brisk(worker, 0);
		rob_recall(&worker->lease);
		rob_pool_kick();
	}
	if (worker->asleep ? !moved && !recheck : moved)
		return false;
	rob_unlock();
	sleeps = port_thread_sleeps(thread_id);
	port_lock(&rob.lock);
	/* Covered by chance: a worker that goes on, or ends, in the microsecond in which its state is read */
	if (!is_busy(worker) || worker->thread_id != thread_id || position(worker) != where)
		return false;
	if (sleeps == worker->asleep)
		return false;
	worker->asleep = sleeps;
	if (!sleeps) {
		rob.pool.active++;
		return false;
	}
	rob.pool.active--;
	rob_pool_brisk(worker, 0);
	rob_recall(&worker->lease);
	return true;
}

/*
 * Wakes or starts all that the burst allows, one after the other and not one by the other: each of a chain of wake-ups
 * would begin on a processor that sleeps. The lock is dropped for each. What other threads would have started meanwhile
 * was left to this, so things are looked at anew.
 */
static void bring_in_burst(void)
{
	port_lock(&rob.lock);
	rob.pool.bringing = true;
	while (rob_pool_bring()) {
		rob_unlock();
		port_lock(&rob.lock);
	}
	rob.pool.bringing = false;
	rob.pool.burst = 0; /* calls that come later have shown nothing yet */
	rob_pool_kick();
	rob_unlock();
}

/*
 * So many sleepers are enough, and to ask for a state takes long: workers for all pending calls follow, or there are
 * idle ones, which are woken without any look. Calls behind a sleeper in its lease are looked for in any case.
 */
static bool shown(unsigned found)
{
	return found && (found >= rob.queue.pending / MONITOR_BURST + 1 ||
			 (found >= MONITOR_SAMPLE && rob.pool.eager && rob.pool.idle));
}

/* One look at every worker. Returns how many more are blocked, if that wants another look soon. */
static unsigned look(unsigned round)
{
	uint64_t now_ns = port_clock_ns();
	unsigned found = 0, index = 0;

	for (struct rob_worker *worker = rob.pool.all; worker; worker = worker->all_next, index++)
		if (is_busy(worker) && (worker->lease.count > 1 || !shown(found)))
			found += look_at(worker, now_ns, (index + round) % 16 == 0);
	if (rob_pool_widen(now_ns))
		rob_pool_kick();
	if (found) {
		rob.pool.burst = MONITOR_BURST * found;
		rob.pool.eager = true;
		rob_unlock(); /* what the look has asked for */
		port_run_starter(bring_in_burst);
		port_lock(&rob.lock);
		rob_pool_help_wanted();
	} else if (rob.pool.active > rob.pool.width) {
		rob.pool.eager = false;
	}
	return rob.pool.eager && rob.pool.idle ? 0 : found;
}

/* Leases so far, by all workers: each counts its own. */
static uint64_t turns_of_all(void)
{
	uint64_t turns = 0;

	for (struct rob_worker *worker = rob.pool.all; worker; worker = worker->all_next)
		turns += worker->turn;
	return turns;
}

/* How claims go on, as the monitor sees it. */
struct progress {
	uint64_t turns;
	uint64_t moved_ns; /* when something was claimed last, or nothing was pending */
	uint64_t since_ns; /* or when a worker was added for that */
	bool reported;
};

/* Nothing was claimed for long though calls are pending. */
static bool starved(struct progress *progress)
{
	uint64_t now_ns = port_clock_ns(), now = turns_of_all();

	if (progress->turns != now || !rob.queue.pending) {
		progress->turns = now;
		progress->moved_ns = progress->since_ns = now_ns;
	}
	if (now_ns - progress->since_ns < MONITOR_STARVED_NS)
		return false;
	progress->since_ns = now_ns;
	return true;
}

/* Every worker that there may be is blocked, and has been for long: maybe by what the pending calls would do. */
static void report_full(struct progress *progress)
{
	uint64_t after_ns = (uint64_t)rob.config.full_s * 1000000000u;
	unsigned threads = rob.pool.total;

	if (!after_ns || progress->reported || rob.pool.active || threads < rob.config.threads ||
	    progress->since_ns - progress->moved_ns < after_ns)
		return;
	progress->reported = true;
	rob_unlock();
	port_full(rob.config.full_s, threads);
	port_lock(&rob.lock);
}

static void monitor_sleep(unsigned quiet, uint64_t tick_ns)
{
	bool rest = quiet >= MONITOR_QUIET_LOOKS;
	uint64_t watchdog_ns = (uint64_t)rob.config.watchdog_s * 1000000000u;
	uint64_t deadline_ns = port_clock_ns() + tick_ns;

	if (rest) {
		rob.pool.monitor_state = ROB_MONITOR_PARKED;
		rob.pool.burst = 0;
		deadline_ns = watchdog_ns ? port_clock_ns() + watchdog_ns / 4 + 1 : 0;
	}
	rob_unlock();
	port_park(&rob.pool.monitor, deadline_ns); /* O3 */
	if (watchdog_ns)
		rob_watchdog();
	port_lock(&rob.lock);
	rob.pool.monitor_state = ROB_MONITOR_TICKS;
}

void rob_processors(unsigned count)
{
	port_lock(&rob.lock);
	rob_pool_processors(count);
	rob_unlock();
}

void rob_monitor_main(void)
{
	uint64_t tick_ns = MONITOR_FIRST_NS;
	struct progress progress = {.moved_ns = port_clock_ns(), .since_ns = port_clock_ns()};
	unsigned quiet = 0, round = 0;

	port_lock(&rob.lock);
	while (!rob.pool.leaver) { /* the first look at once: to start this thread took longer than a tick */
		quiet = rob.queue.pending || rob.leases ? 0 : quiet < MONITOR_QUIET_LOOKS ? quiet + 1 : 1;
		if (look(round++))
			tick_ns = MONITOR_FIRST_NS;
		else if (tick_ns < MONITOR_SLOWEST_NS)
			tick_ns *= 2;
		if (starved(&progress)) {
			rob.pool.burst = 1;
			rob_pool_kick();
			report_full(&progress);
		}
		if (quiet >= MONITOR_QUIET_LOOKS)
			tick_ns = MONITOR_FIRST_NS;
		monitor_sleep(quiet, tick_ns);
	}
	rob.pool.monitor_state = ROB_MONITOR_NONE;
	rob.pool.monitor_id = port_thread_id();
	rob_pool_left();
	rob_unlock();
}
