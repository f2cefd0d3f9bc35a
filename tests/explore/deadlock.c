/* SPDX-License-Identifier: MIT */
/* Misuse is an answer, not a hang: waits for oneself, and cycles. */
#define CASE_BEGIN begin_cycle
#define CASE_END end_cycle
#include "explore.h"

static struct async_domain *domain_c;
static int result[4];
static unsigned expected_reports;

static void begin_cycle(void)
{
	begin_domains();
	domain_c = sim_new(sizeof(*domain_c));
	for (unsigned i = 0; i < 4; i++)
		result[i] = 1;
	expected_reports = 1;
}

static void end_cycle(void)
{
	check_all_complete();
	if (sim_reports() != expected_reports)
		sim_fail("%u reports instead of %u; the last: %s", sim_reports(), expected_reports, sim_last_report());
}

static unsigned number(const void *data)
{
	return (unsigned)((const struct job *)data - jobs);
}

/* ---- oneself ---- */

static void wait_for_own_domain(void *data, async_cookie_t cookie)
{
	uint32_t others = jobs_below(domain_a, ASYNC_COOKIE_MAX) & ~(1u << number(data));

	sim_check(async_synchronize_full_domain(domain_a) == -EDEADLK);
	check_visible(others); /* it still completes for all others */
}

static void self_wait(void)
{
	start(0, domain_a, NULL);
	start(1, domain_a, wait_for_own_domain);
	start(2, domain_a, NULL);
	sim_check(!wait_full(domain_a));
	free_domain(domain_a);
}

static void wait_for_all(void *data, async_cookie_t cookie)
{
	uint32_t others = jobs_below(domain_a, ASYNC_COOKIE_MAX) & ~3u;

	sim_check(async_synchronize_full_domain(domain_a) == -EDEADLK);
	check_visible(others);
}

/* 0 and 1 each wait for all, themselves and each other included; only 2 can be waited for. */
static void all_wait_for_all(void)
{
	expected_reports = 2;
	start(0, domain_a, wait_for_all);
	start(1, domain_a, wait_for_all);
	start(2, domain_a, NULL);
	sim_check(!wait_full(domain_a));
}

static void wait_for_own_call(void *data, async_cookie_t cookie)
{
	sim_check(async_synchronize_call(cookie, NULL) == -EDEADLK);
}

static void self_call(void)
{
	start(0, domain_a, wait_for_own_call);
	start(1, domain_b, NULL);
	sim_check(!wait_full(domain_a));
}

/* Its own cookie as the bound: it is excluded, so this is no deadlock. */
static void wait_below_own(void *data, async_cookie_t cookie)
{
	sim_check(!wait_cookie(cookie, domain_a));
	sim_check(!wait_cookie(cookie, NULL));
}

static void no_deadlock(void)
{
	expected_reports = 0;
	start(0, domain_a, NULL);
	start(1, domain_a, wait_below_own);
	start(2, domain_b, NULL);
	sim_check(!wait_full(NULL));
}

static void awaits_registered(void *data, async_cookie_t cookie)
{
	sim_check(!wait_full(NULL));
}

static void awaits_below_next(void *data, async_cookie_t cookie)
{
	gate_wait(&gates[1]);
	sim_check(!wait_cookie(cookie + 1, domain_c));
}

/* 2 awaits 1, which awaits what is below 2 and not 2 itself: no cycle, though 1's bound is 2's cookie. */
static void bound_is_no_cycle(void)
{
	expected_reports = 0;
	domain_c->exclusive = 1;
	start(0, domain_c, in_gate);
	start(1, domain_b, awaits_below_next);
	start(2, domain_c, awaits_registered);
	gate_open(&gates[1]);
	sim_check(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, domain_c, 1000) == -ETIMEDOUT);
	gate_open(&gates[0]);
	sim_check(!wait_full(domain_c));
	sim_check(!wait_full(NULL));
}

/* ---- cycles ---- */

static struct async_domain *domain_of(unsigned n)
{
	struct async_domain *const domains[] = {domain_a, domain_b, domain_c};

	return domains[n];
}

/* Job n of count waits for the domain of the next. */
static void wait_for_next(unsigned n, unsigned count)
{
	gate_wait(&gates[0]);
	result[n] = async_synchronize_full_domain(domain_of((n + 1) % count));
	if (!result[n])
		check_visible(1u << (n + 1) % count);
}

static void next_of_two(void *data, async_cookie_t cookie)
{
	wait_for_next(number(data), 2);
}

static void next_of_three(void *data, async_cookie_t cookie)
{
	wait_for_next(number(data), 3);
}

static void cycle(unsigned count, async_func_t inside)
{
	for (unsigned i = 0; i < count; i++)
		start(i, domain_of(i), inside);
	gate_open(&gates[0]);
	sim_check(!wait_full(NULL));
	for (unsigned i = 0; i + 1 < count; i++)
		sim_check(!result[i]);
	sim_check(result[count - 1] == -EDEADLK); /* the highest cookie */
}

static void cycle_of_two(void)
{
	cycle(2, next_of_two);
}

static void cycle_of_three(void)
{
	cycle(3, next_of_three);
}

/* The victim waits for all others: a call outside the cycle, too. */
static void victim_waits(void *data, async_cookie_t cookie)
{
	unsigned n = number(data);

	gate_wait(&gates[0]);
	result[n] = async_synchronize_full_domain(n ? domain_a : domain_b);
	if (n)
		check_visible(1u << 2);
}

static void cycle_and_more(void)
{
	start(0, domain_a, victim_waits);
	start(1, domain_b, victim_waits);
	start(2, domain_a, NULL);
	gate_open(&gates[0]);
	sim_check(!wait_full(NULL));
	sim_check(!result[0] && result[1] == -EDEADLK);
}

/* The victim of a cycle is in another one, which closes while it waits for the rest. */
static void waits_for_victim(void *data, async_cookie_t cookie)
{
	unsigned n = number(data);

	gate_wait(&gates[n]);
	result[n] = async_synchronize_full_domain(n < 2 ? domain_c : domain_a);
}

static void cycle_then_another(void)
{
	for (unsigned i = 0; i < 3; i++)
		start(i, i < 2 ? domain_a : domain_c, waits_for_victim);
	gate_open(&gates[0]);
	gate_open(&gates[2]);
	sim_check(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, domain_c, 1000) == -ETIMEDOUT);
	gate_open(&gates[1]);
	sim_check(!wait_full(NULL));
	sim_check(!result[0] && !result[1] && result[2] == -EDEADLK);
}

/*
 * A call that runs inline helps a lower one, which waits for a call of another thread, which waits for that one: the
 * only wait that goes up goes up from the inner call, not from the outer one.
 */
static void waits_for_below(void *data, async_cookie_t cookie)
{
	sim_check(!async_synchronize_full_domain(domain_a));
}

static void waits_up(void *data, async_cookie_t cookie)
{
	result[0] = async_synchronize_cookie_domain(cookie + 2, domain_b);
}

static void waits_down(void *data, async_cookie_t cookie)
{
	result[1] = async_synchronize_cookie_domain(cookie, domain_a);
}

static void cycle_of_helped(void)
{
	start(0, domain_a, waits_up);
	start(1, domain_b, waits_down);
	start(2, domain_c, waits_for_below);
	sim_check(!wait_full(NULL));
	sim_check((result[0] == -EDEADLK) + (result[1] == -EDEADLK) == 1);
	sim_check(!result[0] || !result[1]);
}

static void helps_in_b(void)
{
	sim_check(!wait_full(domain_b));
}

/* A timed wait is no edge: it ends by itself, and is no deadlock. */
static void timed_edge(void *data, async_cookie_t cookie)
{
	gate_wait(&gates[0]);
	if (number(data)) {
		result[1] = async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, domain_a, 1000);
		return;
	}
	result[0] = async_synchronize_full_domain(domain_b);
}

static void timed_cycle(void)
{
	expected_reports = 0;
	start(0, domain_a, timed_edge);
	start(1, domain_b, timed_edge);
	gate_open(&gates[0]);
	sim_check(!wait_full(NULL));
	sim_check(!result[0] && (result[1] == -ETIMEDOUT));
}

/* Two parents that await their children while a full wait stands beside: no cycle. */
static void child(void *data, async_cookie_t cookie)
{
	struct async_domain *own = sim_new(sizeof(*own));
	unsigned n = number(data);

	start(n + 2, own, nothing);
	sim_check(!wait_full(own));
	jobs[n + 2].domain = domain_c;
	sim_delete(own);
}

static void parents(void)
{
	expected_reports = 0;
	start(0, domain_a, child);
	start(1, domain_a, child);
	sim_check(!wait_full(domain_a));
}

/*
 * A wait for an owner awaits its ordered call, whose turn comes after a lower call
 * of the domain, which waits for the waiter's call: a cycle through a turn.
 */
static struct async_owner *owner;

static void begin_owner_cycle(void)
{
	begin_cycle();
	owner = sim_new(sizeof(*owner));
	owner->name = "owner";
}

static void waits_for_b(void *data, async_cookie_t cookie)
{
	gate_wait(&gates[0]);
	sim_check(!async_synchronize_full_domain(domain_b));
}

static void waits_for_owner(void *data, async_cookie_t cookie)
{
	gate_wait(&gates[0]);
	sim_check(async_synchronize_owner(owner) == -EDEADLK);
}

static void owner_cycle(void)
{
	start(0, domain_a, waits_for_b);
	start_ordered_owned(1, owner, domain_a, nothing);
	start(2, domain_b, waits_for_owner);
	gate_open(&gates[0]);
	sim_check(!wait_full(NULL));
}

/* 0 awaits 1, which awaits the owner of 2, which awaits 0: the search comes to the owner's wait by its second call. */
static void waits_for_owned(void *data, async_cookie_t cookie)
{
	gate_wait(&gates[0]);
	sim_check(!async_synchronize_owner(owner));
}

static void waits_for_a(void *data, async_cookie_t cookie)
{
	gate_wait(&gates[0]);
	sim_check(async_synchronize_full_domain(domain_a) == -EDEADLK);
}

static void owner_cycle_of_three(void)
{
	start(0, domain_a, waits_for_b);
	start(1, domain_b, waits_for_owned);
	start_owned(2, owner, domain_c, waits_for_a);
	gate_open(&gates[0]);
	sim_check(!wait_full(NULL));
}

/* As owner_cycle(), by a wait for that ordered call alone: the look ahead and the search both have to see the turn. */
static void waits_for_ordered(void *data, async_cookie_t cookie)
{
	gate_wait(&gates[0]);
	sim_check(async_synchronize_call(jobs[1].cookie, NULL) == -EDEADLK);
}

static void call_cycle(void)
{
	start(0, domain_a, waits_for_b);
	start_ordered(1, domain_a, nothing);
	start(2, domain_b, waits_for_ordered);
	gate_open(&gates[0]);
	sim_check(!wait_full(NULL));
}

/* The call that closes such a cycle is scheduled while all of it waits already. */
static void owner_grows(void)
{
	struct async_owner *before;

	start(0, domain_a, waits_for_b);
	start(1, domain_b, waits_for_owner);
	before = async_owner_enter(owner);
	start(2, domain_c, in_gate);
	gate_open(&gates[0]);
	sim_check(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, domain_c, 1000) == -ETIMEDOUT);
	start_ordered(3, domain_a, nothing);
	async_owner_enter(before);
	gate_open(&gates[2]);
	sim_check(!wait_full(NULL));
}

/* A call whose turn is behind the waiter itself is scheduled while it waits. */
static void owner_grows_behind(void)
{
	struct async_owner *before;

	start(0, domain_a, waits_for_owner);
	before = async_owner_enter(owner);
	start(2, domain_c, in_gate);
	gate_open(&gates[0]);
	sim_check(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, domain_c, 1000) == -ETIMEDOUT);
	start_ordered(3, domain_a, nothing);
	async_owner_enter(before);
	gate_open(&gates[2]);
	sim_check(!wait_full(NULL));
}

/* As in owner_grows(), but so much is pending that the call that closes the cycle runs inline. */
static void owner_grows_inline(void)
{
	start(0, domain_a, waits_for_b);
	start(1, domain_b, waits_for_owner);
	start_owned(2, owner, domain_c, in_gate);
	gate_open(&gates[0]);
	sim_check(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, domain_c, 1000) == -ETIMEDOUT);
	for (unsigned i = 4; i < 7; i++)
		start(i, domain_c, nothing);
	start_ordered_owned(3, owner, domain_a, nothing);
	sim_check(is_here(&jobs[3].begun));
	gate_open(&gates[2]);
	sim_check(!wait_full(NULL));
}

/* clang-format off */
const struct sim_case cases_deadlock[] = {
	CASE("self-wait", "2.8", self_wait)},
	CASE("self-wait-2cpus", "2.8", self_wait), .cpus = 2},
	CASE("self-wait-one-worker", "2.8", self_wait), .threads = 1},
	CASE("all-wait-for-all", "2.8", all_wait_for_all), .cpus = 2},
	CASE("all-wait-for-all-one-worker", "2.8", all_wait_for_all), .threads = 1},
	CASE("self-call", "2.8 C24", self_call)},
	CASE("below-own", "2.8", no_deadlock), .cpus = 2},
	CASE("bound-is-no-cycle", "2.8", bound_is_no_cycle), .cpus = 3},
	CASE("cycle-2", "2.8", cycle_of_two), .cpus = 2, .flags = SIM_MONITOR},
	CASE("cycle-2-3cpus", "2.8", cycle_of_two), .cpus = 3},
	CASE("cycle-2-one-worker", "2.8", cycle_of_two), .threads = 1, .flags = SIM_MONITOR},
	CASE("cycle-3", "2.8", cycle_of_three), .cpus = 3, .flags = SIM_MONITOR},
	CASE("cycle-3-one-worker", "2.8", cycle_of_three), .threads = 1, .flags = SIM_MONITOR},
	CASE("cycle-and-more", "2.8", cycle_and_more), .cpus = 2, .flags = SIM_MONITOR},
	CASE("cycle-then-another", "2.8", cycle_then_another), .cpus = 3},
	CASE("cycle-helped", "2.8 2.6", cycle_of_helped, helps_in_b), .pending = 2, .flags = SIM_NO_WORKERS},
	CASE("timed-cycle", "2.8 time-outs", timed_cycle), .cpus = 2, .flags = SIM_MONITOR},
	CASE("cycle-call-turn", "2.8 retire", call_cycle), .cpus = 3},
	CASE("cycle-call-turn-one", "2.8 retire", call_cycle), .threads = 1, .flags = SIM_MONITOR},
	CASE("cycle-owner-3", "2.8 owners", owner_cycle_of_three), .begin = begin_owner_cycle, .cpus = 3},
	CASE("cycle-owner-turn", "2.8 owners retire", owner_cycle), .begin = begin_owner_cycle, .cpus = 3},
	CASE("cycle-owner-grows", "2.8 owners retire", owner_grows), .begin = begin_owner_cycle, .cpus = 3},
	CASE("cycle-owner-grows-early", "2.8 owners retire", owner_grows), .begin = begin_owner_cycle, .cpus = 3,
	 .flags = SIM_EARLY},
	CASE("self-owner-grows", "2.8 owners retire", owner_grows_behind), .begin = begin_owner_cycle, .cpus = 3},
	CASE("cycle-owner-grows-inline", "2.8 2.5 owners retire", owner_grows_inline), .begin = begin_owner_cycle, .cpus = 3,
	 .pending = 3},
	CASE("cycle-owner-turn-one", "2.8 owners retire", owner_cycle), .begin = begin_owner_cycle, .threads = 1,
	 .flags = SIM_MONITOR},
	CASE("parents", "2.6 2.8", parents), .cpus = 2},
	CASE("parents-one-worker", "2.6 2.8", parents), .threads = 1},
	CASE("parents-help", "2.6 2.8", parents), .cpus = 2, .help_from = 1},
	CASE("cycle-call-turn-helps", "2.8 retire", call_cycle), .cpus = 3, .help_from = 1},
	{0},
};
