/* SPDX-License-Identifier: MIT */
/*
 * The pairs of docs/ORDERING.md on the POSIX port, for ThreadSanitizer: in each test
 * the pair is all that orders two plain accesses. What the test itself says between
 * its threads is published by relaxed atomics, which order nothing.
 */
#include "harness.h"

#define ROUNDS SCALE(500)

static unsigned int payload;
static atomic_uint begun, go_on;

static void say(atomic_uint *flag, unsigned int value)
{
	atomic_store_explicit(flag, value, memory_order_relaxed);
}

static void await(atomic_uint *flag, unsigned int value)
{
	while (atomic_load_explicit(flag, memory_order_relaxed) != value)
		sched_yield();
}

static void add(void *data, async_cookie_t cookie)
{
	payload++;
}

static void stay(void *data, async_cookie_t cookie)
{
	say(&begun, 1);
	await(&go_on, 1);
}

/* O2: a call of a lease is complete though the lease goes on; whoever waits for it takes the lease apart. */
TEST(leased_calls_and_who_waits_for_them, .pools = P2)
{
	ASYNC_DOMAIN(domain);

	for (unsigned int round = 1; round <= ROUNDS; round++) {
		async_cookie_t cookie;

		say(&begun, 0);
		say(&go_on, 0);
		for (unsigned int i = 0; i < 60; i++)
			async_schedule_domain(nothing, NULL, &domain);
		async_schedule_domain(add, NULL, &domain);
		cookie = async_schedule_domain(stay, NULL, &domain);
		for (unsigned int i = 0; i < 20; i++)
			async_schedule_domain(nothing, NULL, &domain);
		await(&begun, 1);
		CHECK_EQ(async_synchronize_cookie_domain(cookie, &domain), 0);
		CHECK_EQ(payload, round);
		payload = round;
		say(&go_on, 1);
		CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	}
}

static void add_when_awaited(void *data, async_cookie_t cookie)
{
	quiet(); /* whoever waits sleeps now */
	add(data, cookie);
}

/* O3: a waiter that was woken takes no lock any more. */
TEST(woken_waiters_and_what_they_waited_for, .pools = P2)
{
	for (unsigned int round = 1; round <= 20; round++) {
		async_cookie_t cookie = async_schedule(add_when_awaited, NULL);

		CHECK_EQ(async_synchronize_call(cookie, NULL), 0);
		CHECK_EQ(payload, round);
		payload = round;
	}
}

static void add_and_say(void *data, async_cookie_t cookie)
{
	add(data, cookie);
	say(&begun, 1);
}

/* O4: a wait that finds nothing in progress takes no lock at all. */
TEST(the_lowest_cookie_and_what_is_below, .pools = P2)
{
	ASYNC_DOMAIN(domain);

	for (unsigned int round = 1; round <= 20; round++) {
		say(&begun, 0);
		async_schedule_domain(add_and_say, NULL, &domain);
		await(&begun, 1);
		quiet(); /* its completion is known */
		CHECK_EQ(async_synchronize_full_domain(&domain), 0);
		CHECK_EQ(payload, round);
		payload = round;
	}
}

/* O5: what was done before scheduling, the call sees. */
TEST(scheduled_calls_and_what_was_done_before, .pools = PMANY)
{
	for (unsigned int round = 1; round <= ROUNDS; round++) {
		payload = 2 * round;
		async_schedule(add, NULL);
		CHECK_EQ(async_synchronize_full(), 0);
		CHECK_EQ(payload, 2 * round + 1);
	}
}

static void named(void *data, async_cookie_t cookie)
{
	snprintf(data, 16, "name-%u", (unsigned int)(cookie % 1000));
	async_set_name(data);
	say(&begun, 1);
	await(&go_on, 1);
}

/* O6: whoever reports sees the letters of a name. */
TEST(a_name_and_who_reports_it, .pools = P2)
{
	static char names[20][16];
	FILE *file = tmpfile();

	CHECK(file);
	for (unsigned int round = 0; round < 20; round++) {
		say(&begun, 0);
		say(&go_on, 0);
		async_schedule(named, names[round]);
		await(&begun, 1);
		async_report(fileno(file));
		say(&go_on, 1);
		CHECK_EQ(async_synchronize_full(), 0);
	}
	fclose(file);
}
