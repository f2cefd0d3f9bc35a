/* SPDX-License-Identifier: MIT */
/* The end of the program: handlers of atexit(), and a call that gives up by exit(). */
#include "harness.h"

#include <sys/wait.h>

static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(20);
}

static atomic_bool torn_down;
static sem_t leaving;

static void tear_down(void)
{
	torn_down = true;
	say("torn down, ");
}

static void tell_leaving(void)
{
	up(&leaving);
}

/* Goes on only once the program has begun to end. */
static void use_late(void *data, async_cookie_t cookie)
{
	down(&leaving);
	say(torn_down ? "used after, " : "used before, ");
}

HELPER(leave_while_a_call_uses_what_is_torn_down)
{
	sem_init(&leaving, 0, 0);
	CHECK(!atexit(tear_down)); /* what was there when the call was scheduled */
	async_schedule(use_late, NULL);
	CHECK(!atexit(tell_leaving));
}

static void check_output(const char *helper, const char *env, int code, const char *output)
{
	const struct harness_result *result = harness_exits(helper, env, code);

	if (strcmp(result->out, output))
		FAIL("\"%s\" should be \"%s\"", result->out, output);
	if (strstr(result->err, "inorder:"))
		FAIL("a message: %s", result->err);
}

TEST(the_wait_comes_before_handlers_of_what_existed, .pools = PDEFAULT)
{
	check_output("leave_while_a_call_uses_what_is_torn_down", "INORDER_THREADS=2", 0, "used before, torn down, ");
}

static void call_from_handler(void *data, async_cookie_t cookie)
{
	say(torn_down ? "after, " : data);
}

static void schedule_late(void)
{
	async_schedule(call_from_handler, (void *)(uintptr_t) "late, ");
}

/* The library's wait was over when the handler ran: there is another one before the next handler. */
HELPER(schedule_in_a_handler)
{
	CHECK(!atexit(tear_down));
	CHECK(!atexit(schedule_late));
	async_schedule(call_from_handler, (void *)(uintptr_t) "early, ");
}

TEST(calls_of_exit_handlers_are_waited_for_before_the_next, .pools = PDEFAULT)
{
	check_output("schedule_in_a_handler", "INORDER_THREADS=2", 0, "early, late, torn down, ");
	check_output("schedule_in_a_handler", "INORDER_THREADS=0", 0, "early, late, torn down, ");
}

/* ---- an exit that a call holds up ---- */

static void hang(void *data, async_cookie_t cookie)
{
	async_set_name("hung-up");
	down(data);
}

HELPER(leave_while_a_call_hangs)
{
	static ASYNC_DOMAIN_EXCLUSIVE(own);
	static sem_t never;

	sem_init(&never, 0, 0);
	CHECK(!atexit(tear_down));
	async_schedule_domain(hang, &never, &own);
}

static void check_hang(const char *env, size_t reports)
{
	const struct harness_result *result = harness_exits("leave_while_a_call_hangs", env, 0);

	CHECK(!strcmp(result->out, "torn down, "));
	CHECK_EQ(count_of(result->err, "goes on after its limit"), 1);
	CHECK_EQ(count_of(result->err, "has waited 10 s"), reports);
	CHECK_EQ(count_of(result->err, "(hung-up) runs for"), 1);
}

TEST(an_exit_that_a_call_holds_up_can_have_a_limit, .pools = PDEFAULT)
{
	check_hang("INORDER_EXIT_LIMIT=1", 0);
}

TEST(an_exit_that_a_call_holds_up_says_so, .pools = PDEFAULT)
{
	check_hang("INORDER_EXIT_LIMIT=11", 1);
}

/* ---- exit() in a call ---- */

static sem_t waiting;

static void fatal(void *data, async_cookie_t cookie)
{
	unsigned int n = *(unsigned int *)data;

	while (n--)
		down(&waiting);
	say("fatal, ");
	exit(5);
}

static void effect(void *data, async_cookie_t cookie)
{
	up(&waiting);
	async_synchronize_cookie(cookie);
	say("effect behind, ");
}

static void by_call(void *data, async_cookie_t cookie)
{
	up(&waiting);
	async_synchronize_call(*(async_cookie_t *)data, NULL);
	say("effect behind, ");
}

static void retire(void *data, async_cookie_t cookie)
{
	say("retired behind, ");
}

static void independent(void *data, async_cookie_t cookie)
{
	down(&leaving);
	say("independent, ");
}

HELPER(give_up_in_a_call)
{
	static ASYNC_DOMAIN(other);
	static async_cookie_t cookie;
	unsigned int behind = 5; /* those that wait, and this function */

	sem_init(&waiting, 0, 0);
	sem_init(&leaving, 0, 0);
	cookie = async_schedule(fatal, &behind);
	for (unsigned int i = 0; i < 3; i++)
		async_schedule(effect, NULL);
	async_schedule_domain(by_call, &cookie, &other);
	async_schedule_ordered(nothing, retire, NULL, NULL);
	async_schedule_domain(independent, NULL, &other);
	CHECK(!atexit(tell_leaving));
	up(&waiting);
	async_synchronize_full();
	say("went on, ");
}

TEST(what_waits_for_a_call_that_ends_the_program_has_no_effects, .pools = PDEFAULT)
{
	for (unsigned int i = 0; i < 10; i++)
		check_output("give_up_in_a_call", "INORDER_THREADS=256", 5, "fatal, independent, ");
}

static void wait_late(void *data, async_cookie_t cookie)
{
	down(&leaving);
	async_synchronize_cookie(cookie);
	say("effect behind, ");
}

/* It begins to wait only when the exit already waits: that ends the exit's wait. */
HELPER(wait_for_what_is_ending)
{
	unsigned int one = 1;
	sem_t never;

	sem_init(&never, 0, 0);
	sem_init(&waiting, 0, 0);
	sem_init(&leaving, 0, 0);
	async_schedule(fatal, &one);
	async_schedule(wait_late, NULL);
	CHECK(!atexit(tell_leaving));
	up(&waiting);
	down(&never);
}

TEST(a_wait_that_begins_during_the_exit_does_not_hold_it_up, .pools = PDEFAULT)
{
	for (unsigned int i = 0; i < 10; i++)
		check_output("wait_for_what_is_ending", "INORDER_THREADS=256", 5, "fatal, ");
}
