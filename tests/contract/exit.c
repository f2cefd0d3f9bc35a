/* SPDX-License-Identifier: MIT */
/* Clause 11: the end of the process, and its beginning. */
#include "harness.h"

#include <sys/wait.h>

static void say(void *data, async_cookie_t cookie)
{
	if (write(1, data, 1) != 1)
		_exit(20);
}

static void *letter(const char *text)
{
	return (void *)(uintptr_t)text;
}

static void schedule_more(void *data, async_cookie_t cookie)
{
	say(data, cookie);
	async_schedule(say, letter("c"));
}

static sem_t leaving;

static void tell_leaving(void)
{
	up(&leaving);
}

/* Goes on only once the process is about to end. */
static void linger(void *data, async_cookie_t cookie)
{
	down(&leaving);
	for (unsigned int i = 0; i < 1000; i++)
		sched_yield();
	say(data, cookie);
}

static void linger_actor(void *data)
{
	async_schedule_domain(linger, letter("d"), data);
}

HELPER(leave_before_a_call_ends)
{
	static ASYNC_DOMAIN_EXCLUSIVE(exclusive);
	static struct actor actor;

	sem_init(&leaving, 0, 0);
	async_schedule(nothing, NULL); /* first use, whose wait at exit comes after tell_leaving() */
	if (harness_threads())
		linger_actor(&exclusive);
	else
		actor_start(&actor, linger_actor, &exclusive);
	CHECK(atexit(tell_leaving) == 0);
	quiet(); /* it has begun */
}

/* Pending, running, scheduled by others, waiting for their turn: all run before the process ends. */
HELPER(leave_with_calls_left)
{
	static ASYNC_DOMAIN_EXCLUSIVE(exclusive);

	for (unsigned int i = 0; i < 50; i++) {
		async_schedule(schedule_more, letter("a"));
		async_schedule_ordered(say, say, letter("b"), NULL);
	}
	for (unsigned int i = 0; i < 20; i++)
		async_schedule_domain(say, letter("d"), &exclusive);
	exit(5);
}

static unsigned int letters(const struct harness_result *result, char letter_wanted)
{
	unsigned int n = 0;

	for (const char *at = result->out; *at; at++)
		n += *at == letter_wanted;
	return n;
}

TEST(exit_waits_for_running_calls_of_exclusive_domains_too, .pools = PALL)
{
	for (unsigned int i = 0; i < 5; i++) {
		const struct harness_result *result = harness_exits("leave_before_a_call_ends", "", 0);

		CHECK_EQ(letters(result, 'd'), 1);
	}
}

TEST(exit_runs_what_is_left, .pools = PALL)
{
	const struct harness_result *result = harness_exits("leave_with_calls_left", "", 5);

	CHECK_EQ(letters(result, 'a'), 50);
	CHECK_EQ(letters(result, 'b'), 100);
	CHECK_EQ(letters(result, 'c'), 50);
	CHECK_EQ(letters(result, 'd'), 20);
}

HELPER(return_with_calls_left)
{
	for (unsigned int i = 0; i < 50; i++)
		async_schedule(say, letter("a"));
}

TEST(returning_from_main_runs_what_is_left, .pools = PALL)
{
	const struct harness_result *result = harness_exits("return_with_calls_left", "", 0);

	CHECK_EQ(letters(result, 'a'), 50);
}

static void leave(void *data, async_cookie_t cookie)
{
	async_schedule(say, letter("z"));
	exit(6);
}

HELPER(leave_inside_a_call)
{
	struct gate gate;

	for (unsigned int i = 0; i < 30; i++)
		async_schedule(say, letter("a"));
	async_schedule(leave, NULL);
	for (unsigned int i = 0; i < 30; i++)
		async_schedule(say, letter("a"));
	gate_init(&gate);
	down(&gate.open); /* for ever: the call ends the process */
}

TEST(exit_inside_a_call_leaves_that_call_out, .pools = PSOME)
{
	for (unsigned int i = 0; i < 10; i++) {
		const struct harness_result *result = harness_exits("leave_inside_a_call", "", 6);

		CHECK(letters(result, 'a') >= 30);
		CHECK_EQ(letters(result, 'z'), 1);
	}
}

static void leave_deeper(void *data, async_cookie_t cookie)
{
	ASYNC_DOMAIN_EXCLUSIVE(own);

	async_schedule(say, letter("a"));
	async_schedule_domain(leave, NULL, &own);
	async_synchronize_full_domain(&own);
	async_schedule(say, letter("!")); /* not reached */
}

HELPER(leave_inside_a_nested_call)
{
	async_schedule(leave_deeper, NULL);
	async_synchronize_full();
}

TEST(exit_inside_a_nested_inline_call, .pools = P0)
{
	const struct harness_result *result = harness_exits("leave_inside_a_nested_call", "", 6);

	CHECK_EQ(letters(result, 'a'), 1);
	CHECK_EQ(letters(result, 'z'), 1);
	CHECK_EQ(letters(result, '!'), 0);
}

HELPER(leave_at_once)
{
	struct gate gates[2];
	unsigned int n = harness_threads() == 1 ? 1 : 2;

	gates_new(gates, n, NULL);
	if (harness_threads() <= 2)
		for (unsigned int i = 0; i < 50; i++)
			async_schedule(say, letter("a"));
	_exit(8);
}

TEST(_exit_drops_what_is_left, .pools = PSOME)
{
	const struct harness_result *result = harness_exits("leave_at_once", "", 8);

	CHECK_EQ(letters(result, 'a'), 0);
}

static void late_use(void)
{
	ASYNC_DOMAIN(own);
	atomic_uint n = 0;

	for (unsigned int i = 0; i < 10; i++)
		async_schedule_domain(count, &n, &own);
	async_schedule(count, &n);
	async_synchronize_full_domain(&own);
	async_synchronize_full();
	if (n == 11)
		say(letter("l"), 0);
}

HELPER(use_after_main)
{
	CHECK(atexit(late_use) == 0); /* before the library's own, so it runs after */
	async_schedule(say, letter("a"));
	CHECK(atexit(late_use) == 0);
}

TEST(the_library_works_after_main, .pools = PALL)
{
	const struct harness_result *result = harness_exits("use_after_main", "", 0);

	CHECK_EQ(letters(result, 'a'), 1);
	CHECK_EQ(letters(result, 'l'), 2);
}

static bool wanted_early;
static atomic_uint early;

__attribute__((constructor(101))) static void before_main(void)
{
	wanted_early = getenv("TEST_EARLY") != NULL;
	if (wanted_early)
		for (unsigned int i = 0; i < 10; i++)
			async_schedule(count, &early);
}

__attribute__((destructor(101))) static void at_the_very_end(void)
{
	if (wanted_early)
		late_use();
}

HELPER(used_before_main)
{
	CHECK_EQ(async_synchronize_full(), 0);
	if (early == 10)
		say(letter("e"), 0);
}

TEST(the_library_works_before_main_and_in_destructors, .pools = PALL)
{
	const struct harness_result *result = harness_exits("used_before_main", "TEST_EARLY=1", 0);

	CHECK_EQ(letters(result, 'e'), 1);
	CHECK_EQ(letters(result, 'l'), 1);
}

/* Two threads end the process while calls run. */
static void exit_too(void *data)
{
	down(data);
	exit(11);
}

HELPER(leave_from_another_thread)
{
	struct actor actor;
	sem_t now;

	sem_init(&now, 0, 0);
	actor_start(&actor, exit_too, &now);
	for (unsigned int i = 0; i < 50; i++)
		async_schedule(say, letter("a"));
	up(&now);
	actor_join(&actor);
}

TEST(exit_from_a_plain_thread, .pools = PALL)
{
	const struct harness_result *result = harness_exits("leave_from_another_thread", "", 11);

	CHECK_EQ(letters(result, 'a'), 50);
}
