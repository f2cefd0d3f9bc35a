/* SPDX-License-Identifier: MIT */
/* Cookies, the order of claims, waits: for a bound, for all, for one call, for a time. */
#include "explore.h"

/* ---- 2.1 ---- */

static void two_cookies(unsigned n, struct async_domain *domain)
{
	async_cookie_t first = start(n, domain, NULL), second = start(n + 1, domain, NULL);

	sim_check(first && first < second && second < ASYNC_COOKIE_MAX);
	sim_check(!wait_full(domain));
}

static void cookies_a(void)
{
	two_cookies(0, domain_a);
}

static void cookies_b(void)
{
	two_cookies(2, domain_b);
}

static void end_cookies(void)
{
	for (unsigned i = 0; i < 4; i++)
		for (unsigned j = 0; j < i; j++)
			sim_check(jobs[i].cookie != jobs[j].cookie);
	check_all_complete();
}

/* ---- 2.2: one worker, so the order of starting is the order of claiming ---- */

ACTOR(three, "0a 1b 2a full:*")

static void end_in_order(void)
{
	check_all_complete();
	sim_check(is_before(&jobs[0].begun, &jobs[1].begun));
	sim_check(is_before(&jobs[1].begun, &jobs[2].begun));
}

/* ---- 2.3 ---- */

/* Pending and running calls mixed in one domain; the bound excludes its own cookie. */
ACTOR(below_bound, "0a 1a 2a.gate upto:2a open:2 full:a")

/* Finite cookies with a NULL domain, an infinite one, and one far beyond. */
static void finite_everywhere(void)
{
	async_cookie_t bound;

	start(0, domain_a, NULL);
	start(1, domain_b, NULL);
	bound = start(2, NULL, in_gate);
	sim_check(!wait_cookie(bound, NULL));
	gate_open(&gates[2]);
	sim_check(!wait_cookie(ASYNC_COOKIE_MAX, NULL));
	sim_check(!wait_cookie(bound + 1000, NULL));
}

ACTOR(start_in_b, "1b full:b")

/* A call schedules another: a full wait sees both. */
static void child_of_a(void *data, async_cookie_t cookie)
{
	start(3, domain_a, NULL);
}

static void parent(void)
{
	start(0, domain_a, child_of_a);
	sim_check(!wait_full(domain_a));
	sim_check(is_complete(&jobs[0]) && is_complete(&jobs[3]));
}

ACTOR(full_everywhere, "1b full:*")

/* Two full waits beside each other. */
ACTOR(schedule_two, "0a 1b")

/* Two in one domain: the second waits for less, or for more, than the first. */
ACTOR(until_first, "0a 1a.gate open:3 upto:1a open:1 full:a")

/* A gate orders nothing, so an older look at the domain may do. */
static void until_both(void)
{
	gate_wait(&gates[3]);
	sim_check(!async_synchronize_full_domain(domain_a));
}

/* A bound taken at entry: calls scheduled later are not waited for. */
static void endless(void)
{
	start(0, domain_a, NULL);
	sim_check(!wait_cookie(ASYNC_COOKIE_MAX, domain_a));
	gate_open(&gates[1]);
}

static void later_call(void)
{
	for (unsigned i = 0; i < 4 && !somebody_waits(); i++)
		work();
	if (somebody_waits())
		start(1, domain_a, in_gate);
}

/* ---- one call ---- */

static void for_one(void)
{
	async_cookie_t cookie;

	start(0, domain_a, in_gate);
	cookie = start(1, domain_a, NULL);
	sim_check(!wait_call(1, cookie, domain_a));
	sim_check(!async_synchronize_call(cookie, domain_b));
	gate_open(&gates[0]);
	sim_check(!wait_full(domain_a));
	sim_check(!wait_call(1, cookie, NULL));
	sim_check(async_synchronize_call(0, NULL) == -EINVAL);
	sim_check(async_synchronize_call(ASYNC_COOKIE_MAX, NULL) == -EINVAL);
}

ACTOR(for_one_of_lease, "0a 1a 2a call:1* full:a")

/* ---- for a time ---- */

static void timed(void)
{
	async_cookie_t cookie = start(0, domain_a, NULL);
	int result = async_synchronize_cookie_timeout(cookie + 1, domain_a, 1000);

	sim_check(!result || result == -ETIMEDOUT);
	if (!result)
		check_visible(1);
	sim_check(!wait_full(domain_a));
	sim_check(!async_synchronize_cookie_timeout(cookie + 1, domain_a, 0));
	free_domain(domain_a);
}

static void timed_out(void)
{
	start(0, domain_a, in_gate);
	sim_check(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, domain_a, 1000) == -ETIMEDOUT);
	gate_open(&gates[0]);
	sim_check(!wait_full(domain_a));
}

/* A timed wait runs nothing itself. */
static void timed_without_thread(void)
{
	start(0, domain_a, NULL);
	sim_check(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, domain_a, 1000) == -ETIMEDOUT);
	sim_check(!is_begun(&jobs[0]));
	sim_check(!wait_full(domain_a));
}

/* ---- 2.7: only the satisfied wake ---- */

static void wait_for_a(void)
{
	start(0, domain_a, NULL);
	sim_check(!wait_full(domain_a));
	sim_check(!sim_wakes(1));
	gate_open(&gates[1]);
}

static void wait_for_b(void)
{
	async_cookie_t cookie = start(1, domain_b, in_gate);

	sim_check(!wait_cookie(cookie + 1, domain_b));
	sim_check(sim_wakes(1) <= 1);
}

/* In one domain: the second call's end satisfies who waits for that call, not who waits for those below it. */
static void wait_below(void)
{
	async_cookie_t cookie;

	start(0, domain_a, in_gate);
	cookie = start(1, domain_a, nothing);
	gate_open(&gates[2]);
	sim_check(!wait_cookie(cookie, domain_a));
	sim_check(sim_wakes(0) <= 1);
	sim_check(!wait_full(domain_a));
}

static void wait_for_second(void)
{
	gate_wait(&gates[2]);
	sim_check(!wait_call(1, jobs[1].cookie, domain_a));
	sim_check(!sim_wakes(0) && sim_wakes(1) <= 1);
	gate_open(&gates[0]);
}

/* clang-format off */
const struct sim_case cases_waits[] = {
	CASE("one-wait", "2.3", one_wait)},
	CASE("first-use", "2.3 O1", one_wait, start_in_b), .flags = SIM_COLD},
	CASE("cookies", "2.1 C11", cookies_a, cookies_b), .end = end_cookies},
	CASE("claims-in-order", "2.2", three), .threads = 1, .end = end_in_order},
	CASE("claims-in-order-waited", "2.2", three, full_wait), .threads = 1, .end = end_in_order},
	CASE("below-bound", "2.3 C1 C2 C5 C7", below_bound), .cpus = 2, .flags = SIM_MONITOR},
	CASE("below-bound-one-cpu", "2.3 C5 lease", below_bound), .flags = SIM_MONITOR},
	CASE("below-bound-slow-monitor", "2.3 C5 lease", below_bound)},
	CASE("below-bound-no-monitor", "2.3 C5 C6", below_bound), .flags = SIM_NO_MONITOR},
	CASE("finite-everywhere", "2.3 C8 C11 C12", finite_everywhere), .flags = SIM_MONITOR},
	CASE("full-and-child", "2.3 C3 C21", parent, full_everywhere)},
	CASE("full-and-child-2cpus", "2.3 C3", parent, full_everywhere), .cpus = 2},
	CASE("full-twice", "2.3 C9", schedule_two, full_wait, full_wait), .cpus = 2},
	CASE("two-bounds", "2.3", until_first, until_both), .cpus = 2, .flags = SIM_MONITOR},
	CASE("bound-at-entry", "2.3", endless, later_call), .cpus = 2, .flags = SIM_MONITOR},
	CASE("one-call", "one call, C22 C24", for_one), .cpus = 2, .flags = SIM_MONITOR},
	CASE("one-call-of-lease", "one call, lease", for_one_of_lease)},
	CASE("one-call-and-full", "one call, lease", for_one_of_lease, full_wait), .cpus = 2},
	CASE("timed", "time-outs", timed), .flags = SIM_EARLY},
	CASE("timed-and-full", "time-outs", timed, start_in_b), .flags = SIM_EARLY},
	CASE("timed-out", "time-outs", timed_out), .flags = SIM_EARLY | SIM_MONITOR},
	CASE("timed-no-thread", "time-outs 2.6", timed_without_thread), .flags = SIM_NO_WORKERS},
	CASE("only-the-satisfied", "2.7 C19", wait_for_a, wait_for_b), .cpus = 2, .flags = SIM_MONITOR},
	CASE("only-the-satisfied-call", "2.7 C19, one call", wait_below, wait_for_second), .cpus = 2, .flags = SIM_MONITOR},
	{0},
};
