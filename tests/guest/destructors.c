/* SPDX-License-Identifier: MIT */
/* Objects of a C++ program are there for as long as calls use them; they are in destructors_objects.cpp. */
#include "harness.h"

#include <sys/wait.h>

void schedule_use_of_object(void);
void schedule_in_destructor(void);

HELPER(leave_while_a_call_uses_an_object)
{
	schedule_use_of_object();
}

HELPER(leave_with_an_object_that_schedules)
{
	schedule_in_destructor();
}

static void check_output(const char *helper, const char *output)
{
	struct harness_result result;

	harness_run(helper, "INORDER_THREADS=2", &result);
	if (!WIFEXITED(result.status) || WEXITSTATUS(result.status) || strcmp(result.out, output))
		FAIL("status %#x, \"%s\" should be \"%s\": %s", (unsigned int)result.status, result.out, output,
		     result.err);
}

TEST(objects_outlive_the_calls_that_use_them, .pools = PDEFAULT)
{
	check_output("leave_while_a_call_uses_an_object", "used, destroyed, ");
}

TEST(destructors_may_schedule_calls, .pools = PDEFAULT)
{
	check_output("leave_with_an_object_that_schedules", "destroyed, scheduled late, ");
}
