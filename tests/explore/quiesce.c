/* SPDX-License-Identifier: MIT */
/* Quiesce: while a thread holds calls back, none of a registered domain runs. */
#define CASE_BEGIN begin_quiesce
#define CASE_END check_all_complete
#include "explore.h"

#define NONE UINT32_MAX

static struct async_domain *exclusive;

static void begin_quiesce(void)
{
	begin_domains();
	exclusive = sim_new(sizeof(*exclusive));
	exclusive->exclusive = 1;
}

static void hold(void)
{
	uint32_t begun;

	sim_check(!async_quiesce_begin());
	begun = begun_jobs();
	sim_check(!running_jobs());
	for (unsigned i = 0; i < JOBS; i++)
		if (begun >> i & 1)
			sim_check(jobs[i].payload > 1); /* what they did is there */
	work();
	sim_check(begun_jobs() == begun); /* nothing has started meanwhile */
	sim_check(!async_quiesce_end());
}

ACTOR(two, "0a 1b full:*")
ACTOR(one_more, "2a full:a")

static void hold_and_schedule(void)
{
	sim_check(!async_quiesce_begin());
	start(0, domain_a, NULL);
	work();
	sim_check(!is_begun(&jobs[0]));
	sim_check(wait_cookie(ASYNC_COOKIE_MAX, domain_a) == -EDEADLK);
	sim_check(!async_quiesce_end());
	sim_check(async_quiesce_end() == -EINVAL);
	sim_check(!wait_full(domain_a));
}

/* There is no storage for a call that would wait for its own scheduler: it is refused. */
static void refused(void)
{
	sim_check(!async_quiesce_begin());
	prepare(0, domain_a, NULL);
	sim_check(!async_schedule_domain(run_job, &jobs[0], domain_a));
	sim_check(!async_quiesce_end());
	start(1, domain_a, NULL);
	sim_check(!wait_full(domain_a));
}

/* In the child of a fork it is still the forking thread that holds back. */
static void fork_and_end(void)
{
	sim_check(!async_quiesce_begin());
	start(0, domain_b, nothing);
	rob_fork_prepare();
	sim_kill_others();
	rob_fork_child();
	oracle_forget();
	start(4, domain_a, nothing);
	work();
	sim_check(!is_begun(&jobs[4]));
	sim_check(!async_quiesce_end());
	sim_check(!wait_full(domain_a));
}

static void exclusive_goes_on(void)
{
	sim_check(!async_quiesce_begin());
	start(0, exclusive, NULL);
	sim_check(!wait_full(exclusive));
	sim_check(!async_quiesce_end());
}

/* A call that runs may wait for one that is held back: it runs it itself. */
static void starts_in_b_and_waits(void *data, async_cookie_t cookie)
{
	start(1, domain_b, nothing);
	sim_check(!wait_full(domain_b));
}

static void nested(void)
{
	start(0, domain_a, starts_in_b_and_waits);
	sim_check(!wait_full(domain_a));
}

static void inside(void *data, async_cookie_t cookie)
{
	sim_check(async_quiesce_begin() == -EDEADLK);
}

static void from_call(void)
{
	start(0, domain_a, inside);
	sim_check(!wait_full(domain_a));
}

/* A call that runs waits for an exclusive one, which waits for a registered one that is held back. */
static void awaits_exclusive(void *data, async_cookie_t cookie)
{
	sim_check(!wait_full(exclusive));
}

static void through_exclusive(void)
{
	start(0, exclusive, awaits_b);
	start(1, domain_a, awaits_exclusive);
	start(2, domain_b, nothing);
	sim_check(!wait_full(NULL));
	sim_check(!wait_full(exclusive));
}

/* No thread awaits it: a worker runs it. */
static void exclusive_unawaited(void)
{
	sim_check(!async_quiesce_begin());
	start(0, exclusive, opens_1);
	gate_wait(&gates[1]);
	sim_check(!async_quiesce_end());
	sim_check(!wait_full(exclusive));
}

/* More than the limit: what is held back queues all the same. */
static void hold_past_limit(void)
{
	sim_check(!async_quiesce_begin());
	start(0, domain_a, NULL);
	start(1, domain_a, NULL);
	start_ordered(3, domain_a, nothing);
	sim_check(!is_begun(&jobs[0]) && !is_begun(&jobs[1]) && !is_begun(&jobs[3]));
	sim_check(!async_quiesce_end());
	sim_check(!wait_full(domain_a));
}

/* A worker claims from the middle of the queue, behind what is held back; the monitor looks before it begins. */
static void claimed_behind(void)
{
	start(0, exclusive, nothing);
	sim_check(!async_quiesce_begin());
	start(1, domain_a, nothing);
	start(2, exclusive, nothing);
	start(3, exclusive, nothing);
	sim_check(!wait_full(exclusive));
	sim_check(!is_begun(&jobs[1]));
	sim_check(!async_quiesce_end());
	sim_check(!wait_full(NULL));
}

/* While begin waits, what a call that runs awaits comes to be pending: it is told, and runs it. */
static void schedules_more(void *data, async_cookie_t cookie)
{
	gate_wait(&gates[1]);
	start(3, domain_b, nothing);
}

static void comes_up(void)
{
	start(1, domain_b, schedules_more);
	start(0, domain_a, awaits_b);
	sim_check(!wait_full(NULL));
}

static void opens_when_waited(void)
{
	for (unsigned i = 0; i < 4 && !somebody_waits(); i++)
		work();
	gate_open(&gates[1]);
}

/* A call that is taken back does not run: meanwhile an exclusive one must not begin what it awaits. */
static void release_slowly(void *data, async_cookie_t cookie)
{
	release_job(data, cookie);
	work();
}

static void cancel_beside(void)
{
	gate_wait(&gates[1]);
	async_cancel_domain(domain_a, release_slowly);
	gate_open(&gates[2]);
}

static void hold_and_release(void)
{
	sim_check(!async_quiesce_begin());
	start(1, domain_b, nothing);
	start(2, domain_a, nothing);
	start(0, exclusive, awaits_b);
	gate_open(&gates[1]);
	gate_wait(&gates[2]);
	sim_check(!is_begun(&jobs[1]));
	sim_check(!async_quiesce_end());
	sim_check(!wait_full(NULL));
	sim_check(!wait_full(exclusive));
}

/* Of the workers that rest one alone has no timer, whatever flags its waits have left. */
static void check_timers(void)
{
	unsigned without = 0;

	check_all_complete();
	for (unsigned i = 0; i < sim_thread_count; i++)
		if (sim_threads[i].role == SIM_WORKER && sim_threads[i].wait == SIM_PARKED)
			without += !sim_threads[i].deadline_ns;
	sim_check(without <= 1);
}

/* clang-format off */
const struct sim_case cases_quiesce[] = {
	CASE("quiesce", "quiesce", two, hold)},
	CASE("quiesce-2cpus", "quiesce", two, hold), .cpus = 2},
	CASE("quiesce-twice", "quiesce", one_more, hold, hold)},
	CASE("quiesce-holder", "quiesce 2.8", hold_and_schedule), .cpus = 2},
	CASE("quiesce-refused", "quiesce 2.5", refused), .flags = SIM_NO_MEMORY},
	CASE("quiesce-refused-beside", "quiesce 2.5", refused, one_more), .flags = SIM_NO_MEMORY},
	CASE("quiesce-fork", "quiesce 2.11", fork_and_end, one_more), .end = NULL},
	CASE("quiesce-exclusive", "quiesce", exclusive_goes_on, one_more)},
	CASE("quiesce-exclusive-no-thread", "quiesce 2.6", exclusive_goes_on), .flags = SIM_NO_WORKERS},
	CASE("quiesce-exclusive-unawaited", "quiesce", exclusive_unawaited, one_more)},
	CASE("quiesce-past-limit", "quiesce 2.5", hold_past_limit), .pending = 1},
	CASE("quiesce-past-limit-inline", "quiesce 2.5", hold_past_limit, one_more), .threads = NONE},
	CASE("quiesce-behind", "quiesce lease", claimed_behind), .flags = SIM_MONITOR | SIM_EARLY_MONITOR},
	CASE("quiesce-comes-up", "quiesce 2.6", comes_up, hold, opens_when_waited), .cpus = 2, .end = check_timers},
	CASE("quiesce-release", "quiesce cancel", hold_and_release, cancel_beside)},
	CASE("quiesce-nested", "quiesce 2.6", nested, hold)},
	CASE("quiesce-nested-one", "quiesce 2.6", nested, hold), .threads = 1},
	CASE("quiesce-nested-2cpus", "quiesce 2.6", nested, hold), .cpus = 2},
	CASE("quiesce-from-call", "quiesce 2.8", from_call, one_more)},
	CASE("quiesce-ordered", "quiesce retire", two_ordered, hold)},
	CASE("quiesce-through", "quiesce 2.4", through_exclusive, hold), .cpus = 3},
	CASE("quiesce-through-one-cpu", "quiesce 2.4", through_exclusive, hold), .threads = 2},
	CASE("quiesce-inline", "quiesce 2.5", two, hold), .threads = NONE},
	CASE("quiesce-no-thread", "quiesce 2.6", two, hold), .flags = SIM_NO_WORKERS},
	CASE("quiesce-no-memory", "quiesce 2.5", two, hold), .flags = SIM_NO_MEMORY},
	CASE("quiesce-memory-fails", "quiesce 2.5", one_more, hold), .flags = SIM_ALLOC_FAILS},
	{0},
};
