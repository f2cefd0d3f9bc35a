/* SPDX-License-Identifier: MIT */
/* Exceptions that leave a call, though a handler would catch them; the code is in exceptions_thrown.cpp. */
#include "harness.h"

void catch_around_scheduling(void);
void catch_around_waiting(void);
void catch_around_cancelling(void);

static void check_terminated(const char *helper)
{
	struct harness_result result;

	harness_run(helper, "", &result);
	CHECK(result.status != 0);
	if (!strstr(result.err, "terminate called") && !strstr(result.err, "terminating"))
		FAIL("status %#x, should have been terminated: %s", (unsigned int)result.status, result.err);
	CHECK(!strstr(result.out, "caught"));
}

HELPER(throw_while_scheduling)
{
	catch_around_scheduling();
}

TEST(nobody_catches_an_exception_around_scheduling, .pools = PALL)
{
	check_terminated("throw_while_scheduling");
}

HELPER(throw_while_waiting)
{
	catch_around_waiting();
}

TEST(nobody_catches_an_exception_around_a_wait, .pools = P0 | P1)
{
	check_terminated("throw_while_waiting");
}

HELPER(throw_while_cancelling)
{
	catch_around_cancelling();
}

TEST(nobody_catches_an_exception_around_a_cancel, .pools = P1)
{
	check_terminated("throw_while_cancelling");
}
