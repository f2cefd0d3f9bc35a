// SPDX-License-Identifier: MIT OR GPL-2.0
/* Clause 7: only satisfied waiters wake. Counted by the waiters' voluntary context switches. */
#include "harness.h"

enum { WAITERS = 8, STORM = 3000, SLACK = 2 };

struct parked {
	struct waiter waits[WAITERS];
	uint64_t switches[WAITERS];
};

static void remember(struct parked *parked)
{
	quiet();
	for (unsigned int i = 0; i < WAITERS; i++)
		parked->switches[i] = voluntary_switches(parked->waits[i].actor.tid);
}

/* SLACK is for what is not a wake-up: a page fault that sleeps, say. A thousand completions are no slack. */
static void check_slept_on(struct parked *parked)
{
	quiet();
	for (unsigned int i = 0; i < WAITERS; i++) {
		uint64_t now = voluntary_switches(parked->waits[i].actor.tid);

		CHECK(!waiter_done(&parked->waits[i]));
		if (now - parked->switches[i] > SLACK)
			FAIL("waiter %u woke %" PRIu64 " times for nothing", i, now - parked->switches[i]);
	}
}

static void storm(struct async_domain *domain)
{
	async_cookie_t cookie = 0;

	for (unsigned int i = 0; i < STORM; i++) {
		cookie = async_schedule_domain(nothing, NULL, domain);
		if (i % 3 == 0)
			CHECK_EQ(async_synchronize_call(cookie, domain), 0);
	}
	CHECK_EQ(async_synchronize_call(cookie, domain), 0);
}

static void start_waits(struct parked *parked, struct gate *gate, struct async_domain *domain)
{
	for (unsigned int i = 0; i < WAITERS; i++) {
		struct waiter *waiter = &parked->waits[i];

		if (i % 4 == 0)
			waiter_start(waiter, wait_full, 0, domain);
		else if (i % 4 == 1)
			waiter_start(waiter, async_synchronize_cookie_domain, gate->cookie + 1, domain);
		else if (i % 4 == 2)
			waiter_start(waiter, async_synchronize_call, gate->cookie, domain);
		else
			waiter_start(waiter, wait_all, 0, NULL);
	}
	remember(parked);
}

static void end_waits(struct parked *parked, struct gate *gate)
{
	gate_end(gate);
	CHECK_DONE(parked->waits, WAITERS);
}

TEST(completions_of_another_domain_wake_nobody, .pools = P0 | PMANY)
{
	ASYNC_DOMAIN(domain);
	ASYNC_DOMAIN_EXCLUSIVE(other);
	struct parked parked;
	struct gate gate;

	gate_new(&gate, &domain);
	start_waits(&parked, &gate, &domain);
	storm(&other);
	check_slept_on(&parked);
	end_waits(&parked, &gate);
}

/* Not with two threads: one holds the gate, and whenever the other blocks, in a lock even, a waiter is told to help. */
TEST(completions_above_the_lowest_wake_nobody, .pools = P0 | P256)
{
	ASYNC_DOMAIN(domain);
	struct parked parked;
	struct gate gate;

	gate_new(&gate, &domain);
	start_waits(&parked, &gate, &domain);
	storm(&domain);
	check_slept_on(&parked);
	end_waits(&parked, &gate);
}

/* Waiters on rising cookies; one call after the other ends: each wakes its own waiter only. */
TEST(a_completion_wakes_its_own_waiter_only, .pools = P0 | P256)
{
	ASYNC_DOMAIN(domain);
	struct parked parked;
	struct gate gates[WAITERS];

	for (unsigned int i = 0; i < WAITERS; i++) {
		gate_new(&gates[i], &domain);
		waiter_start(&parked.waits[i], async_synchronize_cookie_domain, gates[i].cookie + 1, &domain);
	}
	remember(&parked);
	for (unsigned int i = 0; i < WAITERS; i++) {
		gate_end(&gates[i]);
		CHECK_EQ(waiter_join(&parked.waits[i]), 0);
		quiet();
		for (unsigned int j = i + 1; j < WAITERS; j++) {
			CHECK(!waiter_done(&parked.waits[j]));
			CHECK(voluntary_switches(parked.waits[j].actor.tid) - parked.switches[j] <= SLACK);
		}
	}
}

static void own_call(void *data, async_cookie_t cookie)
{
	struct gate *gate = data;

	gate->cookie = cookie;
	gate->tid = tid_self();
	up(&gate->begun);
	CHECK_EQ(async_synchronize_cookie_domain(cookie, gate->domain), 0);
	gate->done = true;
}

/* Calls that wait inside the pool sleep as soundly. */
TEST(waiting_calls_are_not_woken_either, .pools = P256)
{
	enum { N = 20 };
	ASYNC_DOMAIN(domain);
	ASYNC_DOMAIN_EXCLUSIVE(other);
	struct gate first;
	struct gate gates[N];
	uint64_t before[N];

	gate_new(&first, &domain);
	for (unsigned int i = 0; i < N; i++) {
		gate_init(&gates[i]);
		gates[i].domain = &domain;
		async_schedule_domain(own_call, &gates[i], &domain);
		down(&gates[i].begun);
	}
	quiet();
	for (unsigned int i = 0; i < N; i++)
		before[i] = voluntary_switches(gates[i].tid);
	storm(&other);
	quiet();
	for (unsigned int i = 0; i < N; i++)
		CHECK(voluntary_switches(gates[i].tid) - before[i] <= SLACK);
	gate_end(&first);
	CHECK_EQ(async_synchronize_full(), 0);
}
