/* SPDX-License-Identifier: MIT */
/* Calls always in progress, and progress with any number of threads. */
#include "explore.h"

#define NONE UINT32_MAX /* for threads and pending, of which 0 means the default */

/* ---- no thread but these: one waiter is told to help, and the next when that one leaves ---- */

static void one_for_each(void *data, async_cookie_t cookie)
{
	gate_open(&gates[0]);
	start(2, domain_a, NULL);
	start(3, domain_b, NULL);
}

static void nests_in_b(void *data, async_cookie_t cookie)
{
	async_cookie_t below = start(1, domain_b, one_for_each);

	sim_check(!wait_cookie(below + 1, domain_b));
}

static void runs_nested(void)
{
	async_cookie_t cookie = start(0, domain_a, nests_in_b);

	sim_check(!wait_cookie(cookie + 1, domain_a));
}

ACTOR(full_in_a, "pass:0 full:a")
ACTOR(full_in_b, "pass:0 full:b")

/* ---- 2.5 ---- */

/* Where it would run inline nothing is run and no cookie is burnt. */
static void try_fails(void)
{
	async_cookie_t cookie = 77;

	prepare(0, domain_a, NULL);
	sim_check(!async_try_schedule(run_job, &jobs[0], domain_a, &cookie));
	sim_check(cookie == 77 && !rob.last);
	sim_check(start(1, domain_a, NULL) == 1);
	sim_check(!wait_full(domain_a));
}

static void try_or_not(void)
{
	async_cookie_t cookie = 0;

	prepare(3, domain_a, NULL);
	if (async_try_schedule(run_job, &jobs[3], domain_a, &cookie))
		note_scheduled(&jobs[3], cookie);
	sim_check(!wait_full(domain_a));
}

/* There is room: it is queued as any other, without much ado once the domain has calls in progress. */
static void try_one(unsigned n, struct async_domain *domain)
{
	async_cookie_t cookie = 0;

	prepare(n, domain, nothing);
	sim_check(async_try_schedule(run_job, &jobs[n], domain, &cookie));
	note_scheduled(&jobs[n], cookie);
}

static void try_two(unsigned n, struct async_domain *domain)
{
	start(n, domain, nothing);
	try_one(n + 1, domain);
	try_one(n + 2, domain);
	sim_check(jobs[n].cookie < jobs[n + 1].cookie && jobs[n + 1].cookie < jobs[n + 2].cookie);
	sim_check(!wait_full(domain));
}

static void try_in_a(void)
{
	try_two(0, domain_a);
}

static void try_in_b(void)
{
	try_two(3, domain_b);
}

static void ordered_without_storage(void)
{
	sim_check(!start_ordered(0, domain_a, NULL));
	sim_check(start(1, domain_a, NULL) == 1);
	sim_check(!wait_full(domain_a));
}

ACTOR(one_ordered_and_full, "0a 1a! 2a full:a")

static void entry_call(void)
{
	struct async_entry *entry = sim_new(sizeof(*entry));
	async_cookie_t cookie;

	prepare(0, domain_a, NULL);
	cookie = async_schedule_entry(entry, run_job, NULL, &jobs[0], domain_a);
	note_scheduled(&jobs[0], cookie);
	sim_check(!wait_cookie(cookie + 1, domain_a));
	memset(entry, 0xff, sizeof(*entry));
	sim_delete(entry);
}

/* ---- 2.6: nesting and chains deeper than the pool ---- */

static void leaf_and_wait(void *data, async_cookie_t cookie)
{
	start(2, domain_b, NULL);
	sim_check(!wait_full(domain_b));
}

static void nest(void *data, async_cookie_t cookie)
{
	struct async_domain *own = sim_new(sizeof(*own));

	own->exclusive = 1;
	start(1, own, leaf_and_wait);
	sim_check(!wait_full(own));
	jobs[1].domain = domain_a;
	sim_delete(own);
}

static void nested(void)
{
	start(0, domain_a, nest);
	sim_check(!wait_full(domain_a));
	free_domain(domain_a);
}

/* Each awaits all before it, as drivers' probes do. */
static void chain(void)
{
	start(0, domain_a, NULL);
	start(1, domain_a, awaits_lower);
	start(2, domain_a, awaits_lower);
	sim_check(!wait_full(domain_a));
	sim_check(is_before(&jobs[0].ended, &jobs[1].ended) && is_before(&jobs[1].ended, &jobs[2].ended));
	free_domain(domain_a);
}

/* A call that waits in the kernel for one behind it: the monitor brings a worker in. */
static void blocked_worker(void)
{
	start(0, domain_a, in_gate);
	start(1, domain_a, opens_0);
	sim_check(!wait_full(domain_a));
	free_domain(domain_a);
	sim_check(sim_elapsed_ns() < 50000000); /* by a look at the worker, not because nothing happens for long */
}

static void tells_and_blocks(void *data, async_cookie_t cookie)
{
	gate_open(&gates[3]);
	gate_wait(&gates[0]);
}

/* So late that no call was a short one. */
static void opens_all(void *data, async_cookie_t cookie)
{
	sim_check(async_synchronize_cookie_timeout(cookie, domain_a, 100000) == -ETIMEDOUT);
	for (unsigned i = 0; i < 3; i++)
		gate_open(&gates[i]);
}

/*
 * No monitor looks: that the first calls are seen to sleep brings the one behind the first burst a thread. When a
 * worker rests, the burst is over (oracle.c).
 */
static void first_burst(void)
{
	start(0, domain_a, tells_and_blocks);
	gate_wait(&gates[3]);
	start(1, domain_a, in_gate);
	start(2, domain_a, in_gate);
	start(3, domain_a, opens_all);
	sim_check(!wait_full(domain_a));
}

/* No monitor looks: the hint alone brings the second call a thread, or a waiter. */
static void hinted_worker(void)
{
	rob_hint(domain_a, ROB_BLOCKS);
	blocked_worker();
}

static void hinted_nested(void)
{
	rob_hint(domain_a, ROB_BLOCKS);
	rob_hint(domain_b, ROB_BLOCKS);
	nested();
}

static void hinted_beside(void)
{
	rob_hint(domain_a, ROB_BLOCKS);
	start(0, domain_a, NULL);
	start(2, domain_b, NULL);
	start_ordered(1, domain_a, NULL);
	sim_check(!wait_full(domain_a));
}

/* The same with the second call claimed behind the first. */
ACTOR(blocked_lease, "2a.nothing 0a.gate 1a.opens0 3a.nothing full:a")
ACTOR(blocked_first, "2a.nothing 0a.gate 1a.opens0 full:a")
/* Workers come also after the monitor has brought some. */
ACTOR(blocked_then_more, "0a.gate 1a.opens0 full:a 2a.nothing full:a")

/* Calls behind one that waits for a call of theirs. */
ACTOR(awaited_behind, "0a.nothing 1a.domain_b 2b.nothing full:a")

/* What its own lease holds goes back before a call waits: else this is a cycle through a gate. */
ACTOR(own_lease, "0a.nothing 1a.domain_b 2a.opens3 3b.gate full:a full:b")

/* The monitor rests once there is nothing to see, and is woken again. */
static void rests_and_looks(void)
{
	start(0, domain_b, in_gate);
	start(1, domain_a, nothing);
	sim_check(!wait_full(domain_a));
	sim_check(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, domain_b, 1000000000) == -ETIMEDOUT);
	gate_open(&gates[0]);
	sim_check(!wait_full(domain_b));
	start(2, domain_a, in_gate);
	start(3, domain_a, opens_2);
	sim_check(!wait_full(domain_a));
}

/* clang-format off */
const struct sim_case cases_progress[] = {
	CASE("inline-by-config", "2.5 2.6", two_and_free, third_in_b), .threads = NONE},
	CASE("inline-by-limit", "2.5 C2", two_and_free, full_wait), .pending = 1},
	CASE("inline-always", "2.5", two_and_free, full_wait), .pending = NONE},
	CASE("inline-traced", "2.5 C20", two_and_free, full_wait), .pending = 1, .flags = SIM_TRACES},
	CASE("inline-no-memory", "2.5", two_and_free, full_wait), .flags = SIM_NO_MEMORY},
	CASE("inline-ordered", "2.5 retire", one_ordered_and_full, full_wait), .pending = NONE},
	CASE("inline-ordered-config", "2.5 retire", one_ordered_and_full, full_wait), .threads = NONE},
	CASE("try-no-memory", "2.5 C16 C17", try_fails), .flags = SIM_NO_MEMORY},
	CASE("try-no-threads", "2.5 C16", try_fails), .threads = NONE},
	CASE("try-two", "2.5 2.1", try_in_a, try_in_b)},
	CASE("try-or-not", "2.5", one_wait, try_or_not), .pending = 1},
	CASE("ordered-no-memory", "2.5", ordered_without_storage), .flags = SIM_NO_MEMORY},
	CASE("entry-no-memory", "2.5 entries", entry_call), .flags = SIM_NO_MEMORY | SIM_NO_WORKERS},
	CASE("nested-one-worker", "2.6 C18 C21", nested), .threads = 1},
	CASE("nested", "2.6 C18", nested), .threads = 3},
	CASE("nested-no-thread", "2.6 C6", nested), .flags = SIM_NO_WORKERS},
	CASE("help-passed-on", "2.6 C6", runs_nested, full_in_a, full_in_b), .flags = SIM_NO_WORKERS},
	CASE("nested-inline", "2.6", nested), .threads = NONE},
	CASE("nested-shallow", "2.6", nested), .threads = 1, .flags = SIM_SHALLOW},
	CASE("nested-shallow-waiter", "2.6", nested, full_wait), .threads = 1, .flags = SIM_SHALLOW},
	CASE("nested-shallow-fails", "2.6 C6", nested), .threads = 1, .flags = SIM_SHALLOW | SIM_WORKERS_FAIL},
	CASE("nested-shallow-full", "2.6", nested), .threads = 1, .pending = NONE, .flags = SIM_SHALLOW},
	CASE("chain-one-worker", "2.6 C18", chain), .threads = 1},
	CASE("chain", "2.6 C18 C21", chain), .threads = 3},
	CASE("chain-two-waiters", "2.6", chain, full_wait), .threads = 2},
	CASE("chain-no-thread", "2.6 C6", chain), .flags = SIM_NO_WORKERS},
	CASE("blocked-worker", "2.6", blocked_worker), .flags = SIM_MONITOR},
	CASE("blocked-lease", "2.6 lease", blocked_lease), .flags = SIM_MONITOR},
	CASE("blocked-then-more", "2.6", blocked_then_more), .flags = SIM_MONITOR},
	CASE("blocked-2cpus", "2.6", blocked_then_more), .cpus = 2, .flags = SIM_MONITOR},
	CASE("blocked-early", "2.6", blocked_worker), .flags = SIM_MONITOR | SIM_EARLY_MONITOR},
	CASE("blocked-lease-early", "2.6 lease", blocked_first), .flags = SIM_MONITOR | SIM_EARLY_MONITOR},
	CASE("awaited-behind", "2.6 lease", awaited_behind)},
	CASE("awaited-behind-no-monitor", "2.6 C6", awaited_behind), .cpus = 2, .flags = SIM_NO_MONITOR},
	CASE("monitor-rests", "2.6", rests_and_looks), .flags = SIM_MONITOR},
	CASE("own-lease", "2.6 lease", own_lease), .flags = SIM_MONITOR},
	CASE("own-lease-slow-monitor", "2.6 lease", own_lease)},
	CASE("awaited-behind-one", "2.6 lease", awaited_behind), .threads = 1},
	CASE("nested-helps", "2.6 C18", nested), .help_from = 1},
	CASE("chain-helps", "2.6 C18", chain), .help_from = 1},
	CASE("own-lease-helps", "2.6 lease", own_lease), .flags = SIM_MONITOR, .help_from = 2},
	CASE("awaited-behind-helps", "2.6 lease", awaited_behind), .flags = SIM_MONITOR, .help_from = 1},
	CASE("hinted", "2.6", hinted_worker), .flags = SIM_NO_MONITOR},
	CASE("hinted-one", "2.6", hinted_worker), .threads = 1, .flags = SIM_NO_MONITOR},
	CASE("hinted-nested", "2.6 C18", hinted_nested), .threads = 2},
	CASE("hinted-beside", "2.6 retire", hinted_beside, full_wait), .cpus = 2, .flags = SIM_MONITOR},
	CASE("cold", "2.6", two_and_free, third_in_b), .cold = 2},
	CASE("cold-blocked", "2.6", blocked_worker), .cold = 2},
	CASE("cold-fails", "2.6 C6", two_and_free, full_wait), .cold = 2, .flags = SIM_WORKERS_FAIL},
	CASE("cold-more", "2.6", first_burst), .threads = 5, .cold = 3, .flags = SIM_NO_MONITOR},
	CASE("cold-nested", "2.6 C18", nested), .cold = 2, .cpus = 2},
	{0},
};
