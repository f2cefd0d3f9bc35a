/* SPDX-License-Identifier: MIT */
/* Fork and exit; workers that end and come back. */
#define CASE_BEGIN begin_domains
#define CASE_END NULL
#include "explore.h"

static void two(void)
{
	start(0, domain_a, NULL);
	start(1, domain_a, NULL);
	wait_full(domain_a);
}

/* What fork() does, as the child sees it: this thread alone, and no earlier call. */
static void become_child(void)
{
	rob_fork_prepare();
	sim_kill_others();
	rob_fork_child();
	oracle_forget();
}

static void use_afresh(void)
{
	async_cookie_t last = rob.last, cookie;

	cookie = start(4, domain_a, NULL);
	sim_check(cookie == last + 1);
	sim_check(!wait_cookie(cookie + 1, domain_a));
	start_ordered(5, domain_a, nothing);
	sim_check(!wait_full(domain_a));
	sim_check(!wait_full(NULL));
	sim_check(is_complete(&jobs[4]) && is_complete(&jobs[5]));
}

static void fork_beside(void)
{
	start(2, domain_b, NULL);
	become_child();
	use_afresh();
}

/* The parent goes on as if nothing were. */
static void fork_parent(void)
{
	start(2, domain_b, NULL);
	rob_fork_prepare();
	rob_fork_parent();
	sim_check(!wait_full(domain_b));
}

/* A call forks: in the child its thread ends when it returns. */
static void fork_inside(void *data, async_cookie_t cookie)
{
	become_child();
	sim_check(!current_is_async());
	use_afresh();
}

static void forking_call(void)
{
	start(0, domain_a, NULL);
	start(2, domain_b, fork_inside);
	wait_full(NULL);
}

/* ---- exit ---- */

static void leave(void)
{
	start(0, domain_a, NULL);
	start_ordered(1, domain_b, nothing);
	port_exit(true);
	sim_check(is_complete(&jobs[0]) && is_complete(&jobs[1]));
}

static void exit_in_call(void *data, async_cookie_t cookie)
{
	port_exit(true);
	sim_check(is_complete(&jobs[0]) && is_complete(&jobs[1]));
}

static void leave_from_call(void)
{
	start(0, domain_a, NULL);
	start(1, domain_b, NULL);
	start(2, domain_a, exit_in_call);
	gate_wait(&gates[0]);
}

static void open_at_end(void)
{
	gate_open(&gates[0]);
}

ACTOR(schedule_beside, "3a full:a")

/* Idle workers end, but for the first, and others are started. */
ACTOR(again, "0a.nothing 1a.nothing full:a 2a.nothing 3a.nothing full:a")

static void shut_down(void)
{
	start(0, domain_a, nothing);
	start_ordered(1, domain_b, nothing);
	sim_check(!async_shutdown());
	sim_check(is_complete(&jobs[0]) && is_complete(&jobs[1]) && !rob.pool.leaver);
	start(2, domain_a, nothing);
	sim_check(!wait_full(domain_a));
}

static void shut_down_too(void)
{
	int error = async_shutdown();

	sim_check(!error || error == -EBUSY);
}

static void shut_down_and_use(void)
{
	start(0, domain_a, nothing);
	shut_down_too();
	start(1, domain_a, nothing);
	sim_check(!wait_full(domain_a));
}

static void check_one_stays(void)
{
	check_all_complete();
	sim_check(rob.pool.total);
}

/* clang-format off */
const struct sim_case cases_life[] = {
	CASE("fork", "2.11", two, fork_beside)},
	CASE("fork-2cpus", "2.11", two, fork_beside), .cpus = 2},
	CASE("fork-parent", "2.11", two, fork_parent), .end = check_all_complete},
	CASE("fork-inside", "2.11", forking_call)},
	CASE("fork-inside-2cpus", "2.11", forking_call), .cpus = 2},
	CASE("exit", "2.11", leave, schedule_beside), .end = check_all_complete},
	CASE("exit-exclusive", "2.11", leave), .begin = begin_exclusive, .end = check_all_complete},
	CASE("exit-in-call", "2.11", leave_from_call, open_at_end), .end = check_all_complete},
	CASE("shutdown", "shutdown", shut_down), .flags = SIM_MONITOR},
	CASE("shutdown-beside", "shutdown", shut_down, schedule_beside), .flags = SIM_NO_MONITOR, .end = check_all_complete},
	CASE("shutdown-two", "shutdown", shut_down_and_use, shut_down_too), .flags = SIM_NO_MONITOR},
	CASE("shutdown-fails", "shutdown C6", shut_down, schedule_beside), .flags = SIM_NO_MONITOR | SIM_WORKERS_FAIL},
	CASE("idle-ends", "pool", again), .flags = SIM_EARLY_POOL, .end = check_one_stays},
	CASE("idle-ends-2cpus", "pool", again), .cpus = 2, .flags = SIM_EARLY_POOL, .end = check_one_stays},
	{0},
};
