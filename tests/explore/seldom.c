/* SPDX-License-Identifier: MIT */
/* What the other cases do not come to: each was found missing by a mutation that nothing noticed. */
#include "explore.h"

/* ---- calls of one lease: the first lease is of one call, the second of two ---- */

static void set_name(void *data, async_cookie_t cookie)
{
	async_set_name((const char *)((struct job *)data)->entry);
}

static void say_and_stay(void *data, async_cookie_t cookie)
{
	gate_open(&gates[3]);
	in_gate(data, cookie);
}

/* No thread reads the name of a call that is complete, though its lease goes on. */
static void name_of_the_call_before(void)
{
	char *name = sim_new(8);
	async_cookie_t cookie;

	memset(name, 'n', 7);
	start(0, domain_a, nothing);
	jobs[1].entry = (struct async_entry *)(void *)name; /* room for a pointer */
	start(1, domain_a, set_name);
	cookie = start(2, domain_a, say_and_stay);
	gate_wait(&gates[3]);
	sim_check(!wait_cookie(cookie, domain_a));
	memset(name, 'x', 8);
	sim_delete(name);
	async_report(2);
	gate_open(&gates[2]);
	sim_check(!wait_full(domain_a));
}

/* The error of a call is not taken for that of the next, which is of another domain. */
static void error_of_the_call_before(void)
{
	start(0, domain_a, nothing);
	start(1, domain_a, sets_error);
	start(2, domain_b, nothing);
	sim_check(!wait_full(NULL));
	sim_check(async_domain_error(domain_a, NULL) == -EIO);
	sim_check(!async_domain_error(domain_b, NULL));
}

/* Calls of one domain do not follow each other in the queue where one of another stands between them. */
static void interleaved(void)
{
	for (unsigned i = 0; i < 6; i++)
		start(i, i % 3 == 2 ? domain_b : domain_a, nothing);
	sim_check(!wait_full(NULL));
}

/* A call that blocks is not claimed together with one that a waiter awaits, whatever the waiter stands in. */
static void open_first(void)
{
	gate_open(&gates[0]);
}

ACTOR(until_all, "0a.gate 1a.nothing 2a.gate upto:2* open:2 full:*")
ACTOR(until_call, "0a.gate 1a.nothing 2a.gate call:1a open:2 full:*")

/* Two workers, each with a lease of which one call blocks: what stands behind it is taken back from both. */
static void two_leases(void)
{
	start(4, domain_a, nothing);
	start(1, domain_a, in_gate);
	start(5, domain_a, nothing);
	start(6, domain_a, nothing);
	start(2, domain_a, say_and_stay);
	start(7, domain_a, nothing);
	gate_wait(&gates[3]);
	sim_check(!wait_call(5, jobs[5].cookie, domain_a));
	gate_open(&gates[1]);
	sim_check(!wait_call(7, jobs[7].cookie, domain_a));
	gate_open(&gates[2]);
	sim_check(!wait_full(domain_a));
}

/* Nor behind a call of another domain, which is none of the waiter's business. */
ACTOR(until_domain, "0a.nothing 1a.nothing 2b.gate full:a open:2 full:b")
ACTOR(until_all_registered, "0a.nothing 1a.nothing 2b.gate full:* open:2 full:b")

/* The wait comes when the lease has begun, and is for the first of its two calls. */
static void until_owner(void)
{
	struct async_owner *owner = sim_new(sizeof(*owner));
	start(0, domain_a, nothing);
	start_owned(1, owner, domain_a, nothing);
	start(2, domain_a, say_and_stay);
	gate_wait(&gates[3]);
	sim_check(!async_synchronize_owner(owner));
	check_visible(2);
	gate_open(&gates[2]);
	sim_check(!wait_full(NULL));
}

/* Without a monitor no call stands behind another in a lease. */
ACTOR(behind_a_blocked_one, "0a.nothing 1a.gate 2a.opens1 3a.nothing full:a")

/* ---- the monitor: a worker that was blocked computes again ---- */

static void compute(void *data, async_cookie_t cookie)
{
	sim_spend(400000);
}

static void say_third(void *data, async_cookie_t cookie)
{
	compute(data, cookie);
	gate_open(&gates[3]);
}

static void seen_asleep_then_awake(void)
{
	start(0, domain_a, in_gate);
	start(1, domain_a, say_third); /* runs once the monitor has seen that the worker is blocked */
	gate_wait(&gates[3]);
	start(2, domain_a, compute);
	gate_open(&gates[0]);
	sim_check(!wait_full(domain_a));
}

/* ---- a retire step whose place in the queue is still there ---- */

/* The first call, which no thread awaits, keeps the others from the queue's head. */
ACTOR(taken_from_the_middle, "0a.nothing 1b!.gate 2b!.opens1 open:0 full:b full:*")
ACTOR(run_the_second, "pass:0 full:b")

/* A block all of whose calls are complete is used again only when none of them is linked any more. */
ACTOR(block_of_dead_calls, "0a.nothing 1b.nothing full:b 2b.nothing full:b full:*")

static void let_workers_start(void)
{
	sim_let_workers_start(true);
	sim_spend(20000000); /* they are tried again after 10 ms */
}

/* It runs, taken from the middle, while a worker claims those on both sides. */
static void stay_in_the_middle(void *data, async_cookie_t cookie)
{
	let_workers_start();
	start(5, domain_a, opens_3);
	gate_wait(&gates[3]);
}

static void running_in_the_middle(void)
{
	async_cookie_t cookie;

	start(0, domain_a, nothing);
	start(1, domain_a, nothing);
	cookie = start(2, domain_a, stay_in_the_middle);
	start(3, domain_a, nothing);
	start(4, domain_a, nothing);
	sim_check(!wait_call(2, cookie, domain_a));
	sim_check(!wait_full(domain_a));
}

/* A retire step that is pending, before a call whose func is. */
static void stay_inline(void *data, async_cookie_t cookie)
{
	gate_open(&gates[3]);
	in_gate(data, cookie);
}

static void step_before_func(void)
{
	async_cookie_t cookie;

	start(3, domain_b, nothing);
	start(4, domain_b, nothing);
	cookie = start(0, domain_a, stay_inline);
	start_ordered(1, domain_a, opens_0);
	sim_check(!wait_call(0, cookie, domain_a));
	start_ordered(2, domain_a, nothing);
	let_workers_start();
	start(5, domain_b, nothing);
	sim_check(!wait_full(NULL));
}

ACTOR(help_in_a, "pass:3 full:a")

/* No thread waits for the retire step of a call whose turn another thread's inline call brings: a worker is needed. */
static void lower_inline(void)
{
	start(0, domain_a, stay_inline);
}

static void retire_and_say(void *data, async_cookie_t cookie)
{
	retire_job(data, cookie);
	gate_open(&gates[2]);
}

static void ordered_inline(void)
{
	gate_wait(&gates[3]);
	prepare(1, domain_a, opens_0);
	jobs[1].ordered = true;
	note_scheduled(&jobs[1], async_schedule_ordered(run_job, retire_and_say, &jobs[1], domain_a));
	gate_wait(&gates[2]);
}

/* ---- waits that look at several domains ---- */

/* Each domain's first block begins with a call that is complete: the lowest in progress is in the first. */
ACTOR(lowest_of_two, "0a.nothing 1b.nothing 2a.gate 3b.gate upto:2* open:0 upto:3* open:3 full:*")
ACTOR(open_third, "pass:0 open:2")

/* One call of an exclusive domain, though no domain is named; and one that is not of the domain that is. */
static void call_anywhere(void)
{
	async_cookie_t cookie = start(0, domain_b, NULL);

	sim_check(!wait_call(0, cookie, NULL));
	cookie = start(1, domain_a, in_gate);
	sim_check(!async_synchronize_call(cookie, domain_b));
	gate_open(&gates[1]);
	sim_check(!wait_full(domain_a));
	sim_check(!wait_full(domain_b));
}

/* An ordered call of another domain is stuck behind no call of this stack. */
static void awaits_ordered(void *data, async_cookie_t cookie)
{
	cookie = start_ordered(1, domain_b, nothing);
	sim_check(!wait_call(1, cookie, NULL));
	start_ordered(2, domain_b, nothing);
	sim_check(!wait_full(domain_b));
}

static void ordered_child(void)
{
	start(0, domain_a, awaits_ordered);
	sim_check(!wait_full(domain_a));
}

/* ---- waits for an owner ---- */

/* No other thread runs its calls, and it runs no other. */
static void owners_calls_only(void)
{
	struct async_owner *owner = sim_new(sizeof(*owner));
	start(0, domain_a, nothing);
	start_owned(1, owner, domain_b, nothing);
	sim_check(!async_synchronize_owner(owner));
	sim_check(is_complete(&jobs[1]) && !is_begun(&jobs[0]));
	sim_check(!wait_full(NULL));
}

static struct async_owner *awaited;

static void wait_for_owner(void *data, async_cookie_t cookie)
{
	gate_wait(&gates[3]); /* both are scheduled */
	sim_check(!async_synchronize_owner(awaited));
}

static void waits_for_lower(void *data, async_cookie_t cookie)
{
	sim_check(wait_cookie(cookie, domain_a) == -EDEADLK);
}

/* A call waits for an owner whose call waits for it: the only wait that goes up is that for the owner. */
static void cycle_through_owner(void)
{
	awaited = sim_new(sizeof(*awaited));
	start(0, domain_a, wait_for_owner);
	start_owned(1, awaited, domain_a, waits_for_lower);
	gate_open(&gates[3]);
	sim_check(!wait_full(domain_a));
}

/* ---- fork and exit ---- */

static void owner_in_a_child(void)
{
	struct async_owner *owner = sim_new(sizeof(*owner));
	start_owned(0, owner, domain_a, NULL);
	rob_fork_prepare();
	sim_kill_others();
	rob_fork_child();
	oracle_forget();
	sim_check(!async_synchronize_owner(owner));
	start_owned(4, owner, domain_a, NULL);
	sim_check(!async_synchronize_owner(owner));
	sim_check(is_complete(&jobs[4]));
}

static void leave_quiesced(void)
{
	sim_check(!async_quiesce_begin());
	start(0, domain_a, NULL);
	start_ordered(1, domain_b, nothing);
	port_exit(true);
	sim_check(is_complete(&jobs[0]) && is_complete(&jobs[1]));
}

/* Who waits for the end of quiescing, as its call cannot be stored, goes on when the exit ends it. */
static void leave_and_let_go(void)
{
	sim_check(!async_quiesce_begin());
	gate_open(&gates[0]);
	port_exit(true);
}

ACTOR(held_up, "pass:0 0a full:a")

/* No thread is there to run what is scheduled past the end but its scheduler, by whichever way it schedules. */
static void past_the_end(void)
{
	start(0, domain_a, nothing);
	start(1, domain_a, NULL);
	start(2, domain_b, NULL);
	port_exit(true);
	start(3, domain_a, NULL);
	sim_check(is_complete(&jobs[3]));
	start_ordered(4, domain_b, NULL);
	sim_check(is_complete(&jobs[4]));
}

/* clang-format off */
const struct sim_case cases_seldom[] = {
	CASE("lease-name", "names, lease", name_of_the_call_before)},
	CASE("lease-error", "errors, lease", error_of_the_call_before)},
	CASE("lease-interleaved", "2.2 lease", interleaved)},
	CASE("lease-until-all", "2.3 lease", until_all, open_first)},
	CASE("lease-until-call", "one call, lease", until_call, open_first)},
	CASE("two-leases", "2.6 lease", two_leases), .cpus = 2, .flags = SIM_MONITOR},
	CASE("lease-until-domain", "2.4 lease", until_domain)},
	CASE("lease-until-registered", "2.4 lease", until_all_registered), .begin = begin_exclusive},
	CASE("lease-until-owner", "owner, lease", until_owner)},
	CASE("lease-no-monitor", "2.6 lease", behind_a_blocked_one), .cpus = 2, .flags = SIM_NO_MONITOR},
	CASE("blocked-then-busy", "pool", seen_asleep_then_awake), .threads = 2, .flags = SIM_MONITOR},
	CASE("taken-from-the-middle", "retire 2.6", taken_from_the_middle, run_the_second), .flags = SIM_NO_WORKERS},
	CASE("block-of-dead", "2.10 C6", block_of_dead_calls), .flags = SIM_NO_WORKERS},
	CASE("running-in-the-middle", "2.6 lease", running_in_the_middle), .flags = SIM_NO_WORKERS},
	CASE("step-before-func", "retire, lease", step_before_func, help_in_a), .flags = SIM_NO_WORKERS},
	CASE("retire-of-inline", "retire 2.5", lower_inline, ordered_inline), .pending = UINT32_MAX},
	CASE("lowest-of-two", "2.3 C12", lowest_of_two, open_third), .cpus = 2, .flags = SIM_MONITOR},
	CASE("call-anywhere", "one call, 2.4", call_anywhere), .begin = begin_exclusive, .cpus = 2},
	CASE("ordered-child", "retire 2.8", ordered_child), .cpus = 2},
	CASE("ordered-child-no-thread", "retire 2.6", ordered_child), .flags = SIM_NO_WORKERS},
	CASE("owner-no-thread", "owner 2.2 C6", owners_calls_only), .flags = SIM_NO_WORKERS},
	CASE("cycle-owner", "2.8 owner", cycle_through_owner), .cpus = 2},
	CASE("fork-owner", "2.11 owner", owner_in_a_child), .end = NULL},
	CASE("exit-then-more", "2.11", past_the_end)},
	CASE("exit-then-more-2cpus", "2.11", past_the_end), .cpus = 2},
	CASE("exit-quiesced", "2.11 quiesce", leave_quiesced)},
	CASE("exit-quiesced-waited", "2.11 quiesce", leave_and_let_go, held_up), .flags = SIM_NO_MEMORY},
	{0},
};
