/* SPDX-License-Identifier: MIT */
/* Retire steps, errors, cancelling, entries, names. */
#include "explore.h"

/* ---- retire (its order is checked by note_retired()) ---- */

static void ordered_pair(void)
{
	start_ordered(0, domain_a, NULL);
	start_ordered(1, domain_a, NULL);
	sim_check(!wait_full(domain_a));
	sim_check(is_before(&jobs[0].retired, &jobs[1].retired));
	free_domain(domain_a);
}

/* A chain that waits for a plain call, and is behind it: all of it becomes ready at once. */
ACTOR(behind_plain, "0a 1a!.nothing 2a!.nothing full:a free:a")
ACTOR(between_plain, "0a!.nothing 1a.nothing 2a!.nothing full:a")
ACTOR(ordered_call_waited, "0a 1a!.nothing call:1a complete:0 full:a")

/* A retire step schedules into its own domain. */
static void retire_and_schedule(void *data, async_cookie_t cookie)
{
	retire_job(data, cookie);
	start(2, domain_a, nothing);
}

static void retire_schedules(void)
{
	prepare(0, domain_a, nothing);
	jobs[0].ordered = true;
	note_scheduled(&jobs[0], async_schedule_ordered(run_job, retire_and_schedule, &jobs[0], domain_a));
	start_ordered(1, domain_a, nothing);
	sim_check(!wait_full(domain_a));
	check_all_complete();
}

/* The second retire step goes on once a wait for the first has returned. */
static void retire_in_gate(void *data, async_cookie_t cookie)
{
	gate_wait(&gates[2]);
	retire_job(data, cookie);
}

static void retire_hides(void)
{
	start(0, domain_a, NULL);
	start_ordered(1, domain_a, nothing);
	prepare(2, domain_a, nothing);
	jobs[2].ordered = true;
	note_scheduled(&jobs[2], async_schedule_ordered(run_job, retire_in_gate, &jobs[2], domain_a));
	sim_check(!wait_cookie(jobs[2].cookie, domain_a));
	gate_open(&gates[2]);
	sim_check(!wait_full(domain_a));
}

/* A recall while the first of two retire steps runs: the second still waits for its turn. */
static void retire_recalled(void)
{
	start(0, domain_a, in_gate);
	start_ordered(1, domain_a, nothing);
	start_ordered(2, domain_a, opens_2);
	gate_wait(&gates[2]);
	gate_open(&gates[0]);
	work();
	async_cancel_domain(domain_b, release_job);
	sim_check(!wait_full(domain_a));
}

/* func waits for what is below: no thread is held by those that await their turn. */
ACTOR(ordered_and_waiting, "0a!.nothing 1a!.lower full:a")

/* ---- errors ---- */

static void retire_fails(void *data, async_cookie_t cookie)
{
	retire_job(data, cookie);
	async_set_error(-ENODEV);
}

static void errors(void)
{
	async_cookie_t first, found = 0;

	start(0, domain_a, nothing);
	first = start(1, domain_a, sets_error);
	start(2, domain_a, sets_error);
	sim_check(!wait_full(domain_a));
	sim_check(async_domain_error(domain_a, &found) == -EIO && found == first);
	async_domain_clear_error(domain_a);
	sim_check(!async_domain_error(domain_a, &found) && !found);
}

static void error_of_retire(void)
{
	async_cookie_t found;

	prepare(0, domain_a, nothing);
	jobs[0].ordered = true;
	note_scheduled(&jobs[0], async_schedule_ordered(run_job, retire_fails, &jobs[0], domain_a));
	start(1, domain_a, sets_error);
	sim_check(!wait_full(domain_a));
	sim_check(async_domain_error(domain_a, &found) == -ENODEV && found == jobs[0].cookie);
	free_domain(domain_a);
}

/* ---- cancel ---- */

static unsigned cancelled;

static void begin_cancel(void)
{
	begin_domains();
	cancelled = 0;
}

static void cancel_a(void)
{
	cancelled = async_cancel_domain(domain_a, release_job);
}

static void end_cancel(void)
{
	unsigned released = 0;

	for (unsigned i = 0; i < JOBS; i++)
		released += is_released(&jobs[i]);
	sim_check(released == cancelled);
	check_all_complete();
}

ACTOR(two_to_cancel, "0a 1a full:a")
ACTOR(three_to_cancel, "0a.nothing 1b.nothing 2a.nothing full:*")
ACTOR(ordered_to_cancel, "0a 1a!.nothing 2a!.nothing full:a")
ACTOR(one_to_cancel, "0a call:0*")

/* A cancelled call stands between two others: the queue keeps its place until it is swept. */
static void cancel_between(void)
{
	start(0, domain_b, nothing);
	start(1, domain_a, nothing);
	start(2, domain_b, nothing);
	cancelled = async_cancel_domain(domain_a, release_job);
	sim_check(!wait_full(domain_a));
	free_domain(domain_a);
	sim_check(!wait_full(domain_b));
	free_domain(domain_b);
}

/* One that is claimed behind a call which runs, and not begun, can be taken back. */
static void cancel_leased(void)
{
	start(0, domain_a, nothing);
	start(1, domain_b, in_gate);
	start(2, domain_a, nothing);
	cancelled = async_cancel_domain(domain_a, release_job);
	sim_check(is_complete(&jobs[2]) || is_begun(&jobs[2]));
	gate_open(&gates[1]);
	sim_check(!wait_full(NULL));
}

/* The same by its cookie: it is refused only if it has begun. */
static void cancel_one_leased(void)
{
	async_cookie_t cookie;

	start(0, domain_a, nothing);
	start(1, domain_b, in_gate);
	cookie = start(2, domain_a, nothing);
	cancelled = !async_cancel_call(cookie, domain_a, release_job);
	sim_check(is_complete(&jobs[2]) || is_begun(&jobs[2]));
	gate_open(&gates[1]);
	sim_check(!wait_full(NULL));
}

/* Wide calls in the room that is left in a small block. */
static void ordered_chain(void)
{
	start(0, domain_a, nothing);
	for (unsigned i = 1; i < 5; i++)
		start_ordered(i, domain_a, nothing);
	sim_check(!wait_full(domain_a));
}

/* ---- entries ---- */

static struct async_entry *entries[2];

static void begin_entries(void)
{
	begin_cancel();
	for (unsigned i = 0; i < 2; i++)
		entries[i] = sim_new(sizeof(*entries[i]));
}

static void start_entry(unsigned n, bool ordered, async_func_t inside)
{
	prepare(n, domain_a, inside);
	jobs[n].ordered = ordered;
	note_scheduled(&jobs[n],
		       async_schedule_entry(entries[n], run_job, ordered ? retire_job : NULL, &jobs[n], domain_a));
}

static void two_entries(void)
{
	start_entry(0, false, NULL);
	start_entry(1, true, nothing);
	sim_check(!wait_full(domain_a));
	sim_delete(entries[0]);
	sim_delete(entries[1]);
	free_domain(domain_a);
}

static void entry_waited_for(void)
{
	start_entry(0, false, nothing);
	start(2, domain_a, nothing);
	sim_check(!wait_call(0, jobs[0].cookie, domain_a));
	sim_delete(entries[0]);
	sim_check(!wait_full(domain_a));
}

static void entry_cancelled(void)
{
	start(2, domain_b, nothing);
	start_entry(0, false, nothing);
	start_entry(1, true, nothing);
	cancelled = async_cancel_domain(domain_a, release_job);
	sim_check(!wait_full(domain_a));
	sim_delete(entries[0]);
	sim_delete(entries[1]);
	sim_check(!wait_full(domain_b));
}

/* ---- names, reports, traces ---- */

static void named(void *data, async_cookie_t cookie)
{
	char *name = sim_new(8);

	memset(name, 0, 8);
	name[0] = 'n';
	async_set_name(name);
	work();
}

static void named_calls(void)
{
	start(0, domain_a, named);
	start_ordered(1, domain_a, named);
	sim_check(!wait_full(domain_a));
}

static void report(void)
{
	async_report(2);
}

/* Plain calls and an ordered one behind them are neighbours in a block, and a lease takes them; then it is recalled. */
ACTOR(row_ends_wide, "0b.nothing 1b.nothing 2b.nothing 3a.nothing 4a.nothing 5a!.nothing call:4a full:*")

/* clang-format off */
const struct sim_case cases_steps[] = {
	CASE("row-ends-wide", "retire lease", row_ends_wide)},
	CASE("ordered-pair", "retire C23", ordered_pair)},
	CASE("ordered-pair-2cpus", "retire C23", ordered_pair), .cpus = 2},
	CASE("ordered-pair-waited", "retire", ordered_pair, full_wait), .cpus = 2},
	CASE("ordered-one-worker", "retire", ordered_pair), .threads = 1},
	CASE("ordered-no-thread", "retire C6", ordered_pair), .flags = SIM_NO_WORKERS},
	CASE("behind-plain", "retire", behind_plain)},
	CASE("behind-plain-2cpus", "retire", behind_plain), .cpus = 2},
	CASE("between-plain", "retire", between_plain), .cpus = 2},
	CASE("ordered-call", "retire, one call", ordered_call_waited), .cpus = 2},
	CASE("ordered-call-no-thread", "retire, one call", ordered_call_waited), .flags = SIM_NO_WORKERS},
	CASE("retire-schedules", "retire", retire_schedules), .cpus = 2},
	CASE("retire-hides", "retire lease", retire_hides), .cpus = 2, .flags = SIM_MONITOR},
	CASE("retire-hides-slow", "retire lease", retire_hides), .cpus = 2},
	CASE("retire-recalled", "retire lease", retire_recalled), .cpus = 2, .flags = SIM_MONITOR},
	CASE("ordered-waits", "retire", ordered_and_waiting), .cpus = 2},
	CASE("ordered-waits-one", "retire 2.6", ordered_and_waiting), .threads = 1},
	CASE("errors", "errors", errors), .cpus = 2},
	CASE("errors-one-cpu", "errors lease", errors)},
	CASE("error-of-retire", "errors C23", error_of_retire), .cpus = 2},
	CASE("cancel", "cancel", two_to_cancel, cancel_a), .begin = begin_cancel, .end = end_cancel},
	CASE("cancel-traced", "cancel report", two_to_cancel, cancel_a), .begin = begin_cancel, .end = end_cancel, .flags = SIM_TRACES},
	CASE("cancel-2cpus", "cancel", two_to_cancel, cancel_a), .begin = begin_cancel, .end = end_cancel, .cpus = 2},
	CASE("cancel-mixed", "cancel", three_to_cancel, cancel_a), .begin = begin_cancel, .end = end_cancel},
	CASE("cancel-no-thread", "cancel 2.6", three_to_cancel, cancel_a), .begin = begin_cancel, .end = end_cancel,
	 .flags = SIM_NO_WORKERS},
	CASE("cancel-ordered", "cancel retire", ordered_to_cancel, cancel_a), .begin = begin_cancel, .end = end_cancel},
	CASE("cancel-ordered-2cpus", "cancel retire", ordered_to_cancel, cancel_a), .begin = begin_cancel,
	 .end = end_cancel, .cpus = 2},
	CASE("cancel-awaited", "cancel, one call", one_to_cancel, cancel_a), .begin = begin_cancel, .end = end_cancel},
	CASE("cancel-between", "cancel", cancel_between), .begin = begin_cancel, .end = end_cancel},
	CASE("cancel-between-waited", "cancel", cancel_between, full_wait), .begin = begin_cancel, .end = end_cancel},
	CASE("cancel-leased", "cancel lease", cancel_leased), .begin = begin_cancel, .end = end_cancel},
	CASE("cancel-one-leased", "cancel lease", cancel_one_leased), .begin = begin_cancel, .end = end_cancel},
	CASE("ordered-chain", "retire", ordered_chain)},
	CASE("entries", "entries retire", two_entries, full_wait), .begin = begin_entries},
	CASE("entries-2cpus", "entries retire", two_entries), .begin = begin_entries, .cpus = 2},
	CASE("entry-call", "entries, one call", entry_waited_for), .begin = begin_entries, .cpus = 2},
	CASE("entry-cancelled", "entries cancel", entry_cancelled), .begin = begin_entries, .end = end_cancel},
	CASE("names-reported", "report", named_calls, report)},
	CASE("names-traced", "report C20", named_calls, report), .flags = SIM_TRACES},
	{0},
};
