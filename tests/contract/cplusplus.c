/* SPDX-License-Identifier: MIT */
/* The header from C++; the code is in from_cplusplus.cpp. */
#include "harness.h"

bool cplusplus_works(void);
void cplusplus_throws(void);

TEST(the_header_works_from_cplusplus, .pools = PALL)
{
	CHECK(cplusplus_works());
}

HELPER(throw_out_of_a_call)
{
	cplusplus_throws();
}

TEST(an_exception_that_leaves_a_call_ends_the_program, .pools = PALL)
{
	struct harness_result result;

	harness_run("throw_out_of_a_call", "", &result);
	CHECK(result.status != 0);
	CHECK(strstr(result.err, "terminate called") || strstr(result.err, "terminating"));
	CHECK(!strstr(result.out, "went on"));
}
