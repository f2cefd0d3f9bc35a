/* SPDX-License-Identifier: MIT */
/* <inorder/async.hpp>; the code is in patterns_from_cplusplus.cpp, and returns what is wrong, or NULL. */
#include "harness.h"

const char *scopes_wait(void);
const char *ordered_values(void);
const char *results_arrive(void);
const char *exceptions_arrive(void);
const char *cancelled_calls_are_freed(void);
const char *loops_in_order(void);

static void well(const char *wrong)
{
	if (wrong)
		FAIL("%s", wrong);
}

TEST(a_domain_waits_at_the_end_of_its_scope, .pools = PALL)
{
	well(scopes_wait());
}

TEST(values_go_from_call_to_retire_step, .pools = PALL)
{
	well(ordered_values());
}

TEST(results_and_their_exceptions, .pools = PALL)
{
	well(results_arrive());
}

TEST(the_lowest_exception_arrives_at_the_wait, .pools = PALL)
{
	well(exceptions_arrive());
}

TEST(what_is_cancelled_is_freed, .pools = P1)
{
	well(cancelled_calls_are_freed());
}

TEST(a_loop_in_order, .pools = PALL)
{
	well(loops_in_order());
}
