/* SPDX-License-Identifier: MIT */
/* Domains: independent, exclusive, gone as soon as a full wait has returned. Owners. */
#include "explore.h"

/* ---- 2.4 ---- */

/* B's call goes on only once the wait on A has returned. */
ACTOR(a_without_b, "0b.gate 1a full:a open:0 full:b")
ACTOR(free_a, "2a full:a free:a")
ACTOR(use_b, "3b full:b")

/* Two domains of one worker's lease: the first goes while the second's call runs. */
ACTOR(free_both, "0a 1a 2b full:a free:a full:b free:b")

/* On the stack, exclusive, and overwritten right after its wait. */
static void on_stack(void)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);

	start(0, &domain, NULL);
	start(1, &domain, NULL);
	sim_check(!wait_full(&domain));
	memset(&domain, 0x5a, sizeof(domain));
	jobs[0].domain = jobs[1].domain = domain_a;
}

/* Exclusive domains take no part in waits on NULL. */
static void not_exclusive(void)
{
	start(0, domain_b, in_gate);
	start(1, domain_a, NULL);
	sim_check(!wait_full(NULL));
	sim_check(!wait_cookie(ASYNC_COOKIE_MAX, NULL));
	gate_open(&gates[0]);
	sim_check(!wait_full(domain_b));
	free_domain(domain_b);
}

ACTOR(exclusive_alone, "0b 1b full:b free:b")

/* The last completion of a domain, seen by two waiters of which one frees it. */
ACTOR(frees_after_other, "0a full:a pass:0 free:a")
ACTOR(waits_too, "full:* open:0")

/* The last call of a lease fails: it is complete before the lease ends, and the domain may go. */
static void fail_in_lease(void)
{
	start(0, domain_a, nothing);
	start(1, domain_a, nothing);
	start(2, domain_a, sets_error);
	sim_check(!wait_full(domain_a));
	sim_check(async_domain_error(domain_a, NULL) == -EIO);
	free_domain(domain_a);
}

ACTOR(twice_full, "3b full:*")

static void cancel_b(void)
{
	async_cancel_domain(domain_b, release_job);
}

/* ---- owners ---- */

static struct async_owner *owner;

static void begin_owner(void)
{
	begin_domains();
	owner = sim_new(sizeof(*owner));
	owner->name = "owner";
}

static void child(void *data, async_cookie_t cookie)
{
	start(2, domain_b, NULL);
}

/* A call's children are its owner's, in whatever domain; the owner goes once its wait has returned. */
static void owned(void)
{
	start_owned(0, owner, domain_a, child);
	start(1, domain_a, in_gate);
	sim_check(!async_synchronize_owner(owner));
	sim_check(is_complete(&jobs[0]) && is_complete(&jobs[2]));
	sim_check(jobs[0].payload == 3 && jobs[2].payload == 3);
	sim_delete(owner);
	gate_open(&gates[1]);
	sim_check(!wait_full(domain_a));
}

static void waits_for_own_owner(void *data, async_cookie_t cookie)
{
	sim_check(async_synchronize_owner(owner) == -EDEADLK);
}

/* A call that waits for its owner, as one that loads a module did: an answer, not a hang. */
static void self_load(void)
{
	struct async_owner *before = async_owner_enter(owner);

	start(0, domain_a, waits_for_own_owner);
	start(1, domain_b, NULL);
	async_owner_enter(before);
	sim_check(!async_synchronize_owner(owner));
	sim_check(is_complete(&jobs[0]) && is_complete(&jobs[1]));
	sim_delete(owner);
}

/* clang-format off */
const struct sim_case cases_domains[] = {
	CASE("independent", "2.4 C4 C25", a_without_b), .cpus = 2, .flags = SIM_MONITOR},
	CASE("independent-one-cpu", "2.4 C4", a_without_b), .flags = SIM_MONITOR},
	CASE("freed-beside", "2.4 C9", free_a, use_b)},
	CASE("freed-beside-2cpus", "2.4 C9", free_a, use_b), .cpus = 2},
	CASE("freed-beside-full", "2.4 C9", free_a, full_wait)},
	CASE("freed-in-lease", "2.4 lease", free_both)},
	CASE("freed-in-lease-2cpus", "2.4 lease", free_both), .cpus = 2},
	CASE("freed-in-lease-waited", "2.4 lease", free_both, full_wait)},
	CASE("on-stack", "2.4 C10", on_stack, full_wait)},
	CASE("on-stack-2cpus", "2.4 C10", on_stack, full_wait), .cpus = 2},
	CASE("not-exclusive", "2.4 C8", not_exclusive), .begin = begin_exclusive, .cpus = 2, .flags = SIM_MONITOR},
	CASE("exclusive-alone", "2.4 C10", exclusive_alone), .begin = begin_exclusive, .cpus = 2},
	CASE("freed-after-other", "2.4 C9", frees_after_other, waits_too)},
	CASE("freed-after-error", "2.4 errors lease", fail_in_lease, twice_full)},
	CASE("freed-after-error-cancel", "2.4 errors lease", fail_in_lease, cancel_b)},
	CASE("owner", "owners C15 C13", owned), .begin = begin_owner, .cpus = 2, .flags = SIM_MONITOR},
	CASE("owner-waits-for-self", "2.8 owners C14", self_load), .begin = begin_owner, .cpus = 2},
	{0},
};
