/* SPDX-License-Identifier: MIT */
/* Threads that cannot be started, memory that is not there: as choices, at every place. */
#include "explore.h"

static void nest(void *data, async_cookie_t cookie)
{
	start(1, domain_b, NULL);
	sim_check(!wait_full(domain_b));
}

static void nested(void)
{
	start(0, domain_a, nest);
	sim_check(!wait_full(domain_a));
	free_domain(domain_a);
}

ACTOR(chain, "0a 1a.lower 2a.lower full:a")

/* The thread that waits for A cannot run B's call; the one that waits for B can. */
ACTOR(a_awaits_b, "0b 1a.domain_b full:a")

/* A call that a waiter has run stays linked, dead, between others that a lease takes. */
static void dead_in_lease(void)
{
	async_cookie_t cookie;

	start(0, domain_a, nothing);
	start(1, domain_a, nothing);
	cookie = start(2, domain_a, nothing);
	start(3, domain_a, nothing);
	sim_check(!wait_call(2, cookie, domain_a));
	sim_let_workers_start(true);
	sim_spend(20000000); /* threads are tried again after 10 ms */
	start(4, domain_a, nothing);
	sim_check(!wait_full(domain_a));
}

/* Who could not start a thread waits for nothing: another thread, which waits, is told to run its call itself. */
ACTOR(starts_and_stays, "0a pass:0 full:a")
ACTOR(waits_meanwhile, "1b full:b open:0")

/* No thread waits: what is pending runs at exit. */
static void leave_and_exit(void)
{
	start(0, domain_a, NULL);
	start_ordered(1, domain_b, nothing);
	port_exit(true);
	check_all_complete();
}

/* clang-format off */
const struct sim_case cases_faults[] = {
	CASE("no-thread", "2.6 C6", two_and_free), .flags = SIM_NO_WORKERS},
	CASE("no-thread-two-waiters", "2.6 C6 C7", two_and_free, third_in_b), .flags = SIM_NO_WORKERS},
	CASE("no-thread-told", "2.6 C6", starts_and_stays, waits_meanwhile), .flags = SIM_NO_WORKERS},
	CASE("no-thread-full", "2.6 C6", two_and_free, full_wait), .flags = SIM_NO_WORKERS},
	CASE("no-thread-chain", "2.6 C6 C18", chain, full_wait), .flags = SIM_NO_WORKERS},
	CASE("no-thread-exit", "2.6 2.11", leave_and_exit), .flags = SIM_NO_WORKERS},
	CASE("threads-fail", "2.6 C6", two_and_free, third_in_b), .flags = SIM_WORKERS_FAIL},
	CASE("threads-fail-2cpus", "2.6 C6", two_and_free, third_in_b), .cpus = 2, .flags = SIM_WORKERS_FAIL},
	CASE("threads-fail-nested", "2.6 C6", nested, full_wait), .flags = SIM_WORKERS_FAIL},
	CASE("threads-fail-chain", "2.6 C6", chain), .flags = SIM_WORKERS_FAIL},
	CASE("threads-fail-ordered", "2.6 C6", two_ordered), .flags = SIM_WORKERS_FAIL},
	CASE("threads-fail-awaited", "2.6 C6", a_awaits_b, full_wait), .flags = SIM_WORKERS_FAIL},
	CASE("threads-fail-monitor", "2.6 C6", two_and_free, third_in_b), .flags = SIM_WORKERS_FAIL | SIM_MONITOR},
	CASE("dead-in-lease", "2.6 lease", dead_in_lease), .flags = SIM_NO_WORKERS},
	CASE("memory-fails", "2.5 C17", two_and_free, third_in_b), .flags = SIM_ALLOC_FAILS},
	CASE("memory-fails-nested", "2.5 C17", nested), .flags = SIM_ALLOC_FAILS},
	CASE("all-fails", "2.5 2.6", nested, full_wait), .flags = SIM_ALLOC_FAILS | SIM_WORKERS_FAIL},
	{0},
};
