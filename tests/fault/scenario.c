/* SPDX-License-Identifier: MIT */
/* Allocations, thread creations, futex waits fail, one or all after it: what was accepted runs, in order. */
#include "faults.h"

#include <sys/wait.h>

static struct async_domain domains[3] = {ASYNC_DOMAIN_INIT, ASYNC_DOMAIN_INIT, ASYNC_DOMAIN_EXCLUSIVE_INIT};
static struct async_owner owner = ASYNC_OWNER_INIT("owner");
static struct async_entry entries[40];
static atomic_uint accepted, ran, ordered_accepted, children;
static struct record retired;

static void run(void *data, async_cookie_t cookie)
{
	ran++;
}

static void retire(void *data, async_cookie_t cookie)
{
	record(&retired, cookie);
}

static void parent(void *data, async_cookie_t cookie)
{
	ASYNC_DOMAIN_EXCLUSIVE(own);
	atomic_uint child = 0;

	CHECK(async_schedule_domain(count, &child, &own));
	if (async_schedule_ordered(count, count, &child, &own))
		child++;
	else
		child += 3;
	CHECK_EQ(async_synchronize_full_domain(&own), 0);
	CHECK_EQ(child, 4);
	children++;
}

static void schedule_round(unsigned int i)
{
	async_cookie_t cookie;

	CHECK(async_schedule_domain(run, NULL, &domains[i % 3]));
	CHECK(async_schedule_entry(&entries[i], run, i & 1 ? retire : NULL, NULL, &domains[0]));
	accepted += 2;
	ordered_accepted += i & 1;
	if (async_schedule_ordered(run, retire, NULL, &domains[0])) {
		accepted++;
		ordered_accepted++;
	}
	accepted += async_try_schedule(run, NULL, &domains[1], &cookie);
	CHECK(async_schedule(parent, NULL));
	async_owner_enter(&owner);
	CHECK(async_schedule_domain(run, NULL, &domains[2]));
	accepted++;
	async_owner_enter(NULL);
}

static void scenario(void)
{
	async_cookie_t cookie;

	for (unsigned int i = 0; i < 40; i++)
		schedule_round(i);
	cookie = async_schedule(run, NULL);
	accepted++;
	CHECK_EQ(async_synchronize_call(cookie, NULL), 0);
	CHECK_EQ(async_synchronize_owner(&owner), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_full_domain(&domains[2]), 0);
	CHECK_EQ(ran, accepted);
	CHECK_EQ(children, 40);
	CHECK_EQ(retired.n, ordered_accepted);
	CHECK(record_increasing(&retired));
}

static void run_with(struct fault *fault)
{
	long first = strtol(getenv("FAULT_FIRST"), NULL, 10);
	long last = strtol(getenv("FAULT_LAST"), NULL, 10);

	fault_arm(fault, first, last);
	scenario();
	printf("%ld", fault->failed);
	fflush(stdout);
	fault_disarm(fault);
	accepted = ran = ordered_accepted = children = retired.n = retired.begun = 0;
	scenario(); /* and it has recovered */
}

HELPER(scenario_without_memory)
{
	run_with(&fault_memory);
}

HELPER(scenario_without_threads)
{
	run_with(&fault_threads);
}

/* A wait of the kernel's may end by a signal, or since the word has changed meanwhile, or just so. */
HELPER(scenario_with_failing_waits)
{
	fault_futex_error = (int)strtol(getenv("FAULT_ERROR"), NULL, 10);
	run_with(&fault_futex);
}

/* Whether a request failed. */
static bool run_helper(const char *helper, int error, long first, long last)
{
	struct harness_result result;
	char env[96];

	snprintf(env, sizeof(env), "FAULT_FIRST=%ld FAULT_LAST=%ld FAULT_ERROR=%d", first, last, error);
	harness_run(helper, env, &result);
	if (result.status)
		FAIL("%s %s: status %#x: %s", helper, env, (unsigned int)result.status, result.err);
	return strcmp(result.out, "0") != 0;
}

/*
 * Fails request N of the process, then those from N on (MORE of them), for every N until the process asks for fewer,
 * twice, as how often it waits is a matter of luck. Under ThreadSanitizer, which takes many times as long, for fewer
 * and fewer.
 */
static void for_every_n(const char *helper, int error, long more)
{
	unsigned int fewer = 0;

	for (long n = 1; fewer < 2; n += HARNESS_TSAN ? 1 + n / 8 : 1) {
		if (run_helper(helper, error, n, n))
			fewer = 0;
		else if (n > 1)
			fewer++;
		run_helper(helper, error, n, n + more);
		if (n > 1000)
			FAIL("%s: more than 1000 requests", helper);
	}
}

enum { WAITS = 50 }; /* not for ever: hundreds of threads would only spin */

TEST(every_allocation_fails_once, .pools = PALL, .limit_s = 900)
{
	for_every_n("scenario_without_memory", 0, FOR_EVER);
}

TEST(every_thread_creation_fails_once, .pools = PALL, .limit_s = 900)
{
	for_every_n("scenario_without_threads", 0, FOR_EVER);
}

TEST(every_futex_wait_is_interrupted_once, .pools = PSOME, .limit_s = 900)
{
	for_every_n("scenario_with_failing_waits", EINTR, WAITS);
}

TEST(every_futex_wait_comes_too_late_once, .pools = PSOME, .limit_s = 900)
{
	for_every_n("scenario_with_failing_waits", EAGAIN, WAITS);
}

TEST(every_futex_wait_returns_early_once, .pools = PSOME, .limit_s = 900)
{
	for_every_n("scenario_with_failing_waits", 0, WAITS);
}
