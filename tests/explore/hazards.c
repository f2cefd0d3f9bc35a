/* SPDX-License-Identifier: MIT */
/*
 * What went wrong elsewhere or could, by reading: limits, inline calls inside calls, before and after the library's
 * life.
 */
#include "explore.h"

#define NONE UINT32_MAX

/* ---- inline calls inside calls ---- */

/* Below its own cookie stands the call that it runs in: that is left out, all others are not. */
static void below_itself(void *data, async_cookie_t cookie)
{
	uint32_t others = jobs_below(domain_a, cookie) & ~1u;

	sim_check(async_synchronize_cookie_domain(cookie, domain_a) == -EDEADLK);
	check_visible(others);
}

static void parent(void *data, async_cookie_t cookie)
{
	start(1, domain_a, below_itself);
}

static void nested_inline(void)
{
	start(0, domain_a, parent);
	sim_check(is_complete(&jobs[0]) && is_complete(&jobs[1]));
}

static void one_more(void)
{
	start(2, domain_a, NULL);
}

static void end_reported(void)
{
	sim_check(sim_reports() == 1);
	check_all_complete();
}

/* ---- the limit of pending calls, with two who schedule ---- */

ACTOR(two_in_a, "0a 1a full:a")

static void two_in_b(void)
{
	async_cookie_t cookie;

	start(2, domain_b, nothing);
	prepare(3, domain_b, nothing);
	if (async_try_schedule(run_job, &jobs[3], domain_b, &cookie))
		note_scheduled(&jobs[3], cookie);
	sim_check(!wait_full(domain_b));
}

static void end_within_limit(void)
{
	sim_check(most_pending() <= 1);
	check_all_complete();
}

/* The scheduler holds a lock that its calls take, too. */
static struct port_lock *callers;

static void begin_lock(void)
{
	begin_domains();
	callers = sim_new(sizeof(*callers));
}

static void takes_lock(void *data, async_cookie_t cookie)
{
	port_lock(callers);
	port_unlock(callers);
}

static void try_under_lock(void)
{
	async_cookie_t cookie;

	port_lock(callers);
	for (unsigned i = 0; i < 2; i++) {
		prepare(i, domain_a, takes_lock);
		if (async_try_schedule(run_job, &jobs[i], domain_a, &cookie))
			note_scheduled(&jobs[i], cookie);
	}
	port_unlock(callers);
	sim_check(!wait_full(domain_a));
}

/* ---- a full wait ends after one instant of nothing, whatever is scheduled later ---- */

static void begin_used(void)
{
	begin_domains();
	async_domain_clear_error(domain_a); /* its first use */
}

static void waits_full(void)
{
	start(0, domain_a, in_gate);
	sim_check(!async_synchronize_full_domain(domain_a));
	gate_open(&gates[1]);
}

static void later_for_ever(void)
{
	for (unsigned i = 0; i < 4 && !somebody_waits(); i++)
		work();
	if (!somebody_waits()) {
		gate_open(&gates[0]);
		return;
	}
	gate_open(&gates[0]);
	sim_check(!wait_full(domain_a));
	start(1, domain_a, in_gate); /* goes on once the other wait has returned */
	sim_check(!wait_full(domain_a));
}

/*
 * Nothing orders the domain's first use and a wait for it, which may be the earlier of both: no call need be complete.
 */
static void waits_for_a(void)
{
	sim_check(!async_synchronize_full_domain(domain_a));
}

/* ---- whoever waits runs what it awaits, and nothing else ---- */

static void awaits_a(void)
{
	start(0, domain_a, nothing);
	start(1, domain_b, nothing);
	start(2, domain_a, nothing);
	sim_check(!wait_full(domain_a));
	sim_check(is_here(&jobs[0].begun) && is_here(&jobs[2].begun) && !is_begun(&jobs[1]));
	sim_check(is_before(&jobs[0].begun, &jobs[2].begun));
	sim_check(!wait_full(domain_b));
}

/* What it awaits runs in another thread: there is nothing to run, an ordered call behind it neither. */
static void awaits_below(void)
{
	start(0, domain_a, in_gate);
	start_ordered(1, domain_a, nothing);
	gate_open(&gates[3]);
	sim_check(!wait_cookie(jobs[1].cookie, domain_a));
	sim_check(is_complete(&jobs[0]) && !is_begun(&jobs[1]));
	sim_check(!wait_full(domain_a));
}

static void runs_first(void)
{
	gate_wait(&gates[3]);
	sim_check(!async_synchronize_call(jobs[0].cookie, domain_a));
}

static void opens_first(void)
{
	for (unsigned i = 0; i < 4 && !somebody_waits(); i++)
		work();
	gate_open(&gates[0]);
}

/* ---- a call sleeps while others pass ---- */

static void one_sleeps(void)
{
	async_cookie_t last = 0;

	start(0, domain_a, in_gate);
	for (unsigned i = 1; i < 9; i++)
		last = start(i, domain_a, nothing);
	sim_check(!wait_call(8, last, domain_a));
	gate_open(&gates[0]);
	sim_check(!wait_full(domain_a));
	free_domain(domain_a);
}

/* ---- after the end ---- */

static void after_exit(void)
{
	async_cookie_t cookie;

	start(0, domain_a, nothing);
	port_exit(true);
	sim_check(is_complete(&jobs[0]));
	start(1, domain_a, NULL);
	start_ordered(2, domain_b, NULL);
	sim_check(is_complete(&jobs[1]) && is_complete(&jobs[2]));
	prepare(3, domain_a, NULL);
	sim_check(!async_try_schedule(run_job, &jobs[3], domain_a, &cookie));
	sim_check(!wait_full(NULL));
	sim_check(sim_events(ASYNC_TRACE_SCHEDULED) >= 3 && sim_events(ASYNC_TRACE_COMPLETED) >= 3);
}

/* ---- the watchdog: one report of a call that runs for long, while it does ---- */

static void runs_long(void)
{
	unsigned reports;

	start(0, domain_a, in_gate);
	sim_check(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, domain_a, 3000000000u) == -ETIMEDOUT);
	reports = sim_reports();
	sim_check(reports >= 3); /* that it does, and who runs and waits */
	sim_check(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, domain_a, 3000000000u) == -ETIMEDOUT);
	sim_check(sim_reports() == reports);
	gate_open(&gates[0]);
	sim_check(!wait_full(domain_a));
}

ACTOR(one_in_a, "0a full:a")
ACTOR(one_in_b, "1b full:b")

/* ---- spinning for one's turn ---- */

static void turn(void *data, async_cookie_t cookie)
{
	sim_spend(100);
	sim_check(!wait_cookie(cookie, domain_a));
}

static void turns(void)
{
	start(0, domain_a, NULL);
	start(1, domain_a, turn);
	sim_check(!wait_full(domain_a));
	sim_check(is_before(&jobs[0].ended, &jobs[1].ended));
	free_domain(domain_a);
}

/* While turns come late fewer workers run: calls that block in the kernel are replaced all the same. */
static void turns_and_blocked(void)
{
	start(0, domain_a, NULL);
	start(1, domain_a, turn);
	start(2, domain_b, in_gate);
	start(3, domain_b, opens_2);
	sim_check(!wait_full(NULL));
}

/* ---- the names of 2009, and the kernel's ---- */

static void old_names(void)
{
	async_cookie_t last;

	prepare(0, domain_a, nothing);
	note_scheduled(&jobs[0], async_schedule_special(run_job, &jobs[0], domain_a));
	prepare(1, domain_a, nothing);
	last = async_schedule_node_domain(run_job, &jobs[1], 0, domain_a);
	note_scheduled(&jobs[1], last);
	sim_check(!async_synchronize_cookie_special(last, domain_a));
	check_visible(1);
	prepare(2, NULL, nothing);
	last = async_schedule(run_job, &jobs[2]);
	note_scheduled(&jobs[2], last);
	sim_check(!async_synchronize_cookie(last + 1));
	check_visible(4);
	sim_check(!async_synchronize_full_special(domain_a));
	check_visible(3);
	free_domain(domain_a);
}

/* clang-format off */
const struct sim_case cases_hazards[] = {
	CASE("nested-inline-own", "2.8 2.5", nested_inline, one_more), .threads = NONE, .end = end_reported},
	CASE("limit-exact", "2.5 C17", two_in_a, two_in_b), .pending = 1, .end = end_within_limit},
	CASE("try-under-lock", "2.5 C16", try_under_lock), .pending = 1, .begin = begin_lock},
	CASE("one-instant", "2.3", waits_full, later_for_ever), .begin = begin_used, .cpus = 2},
	CASE("first-wait", "2.3", two_in_a, waits_for_a)},
	CASE("awaits-below", "2.2 retire", awaits_below, runs_first, opens_first), .flags = SIM_NO_WORKERS},
	CASE("awaits-only", "2.2", awaits_a), .flags = SIM_NO_WORKERS},
	CASE("one-sleeps", "2.10", one_sleeps), .cpus = 2, .flags = SIM_MONITOR},
	CASE("after-exit", "2.11 C20", after_exit), .flags = SIM_TRACES},
	CASE("watchdog", "report", runs_long), .flags = SIM_MONITOR | SIM_WATCHDOG},
	CASE("watchdog-first-use", "report 2.3", one_in_a, one_in_b), .flags = SIM_MONITOR | SIM_WATCHDOG | SIM_COLD},
	CASE("watchdog-early", "report", one_in_a), .flags = SIM_MONITOR | SIM_WATCHDOG | SIM_EARLY_MONITOR},
	CASE("spins", "2.3 O4", turns), .cpus = 2, .flags = SIM_SPINS},
	CASE("spins-waited", "2.3 O4", turns, full_wait), .cpus = 2, .flags = SIM_SPINS},
	CASE("spins-narrow", "2.6", turns_and_blocked), .cpus = 2, .flags = SIM_SPINS | SIM_MONITOR},
	CASE("old-names", "2.9", old_names)},
	{0},
};
