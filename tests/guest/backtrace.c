/* SPDX-License-Identifier: MIT */
/* Who looks at a stack inside a call sees through the library, though it is stripped: profilers, crash handlers. */
#include "harness.h"

#include <execinfo.h>

#define FRAMES_MOST 64

static void *expected;
static bool seen;

static void look(void *data, async_cookie_t cookie)
{
	void *frames[FRAMES_MOST];
	int n = backtrace(frames, FRAMES_MOST);

	for (int i = 0; i < n; i++)
		seen |= frames[i] == expected;
}

/* Its return address is on the stack while the call runs inline. */
static __attribute__((noinline)) void schedule_here(bool ordered)
{
	expected = __builtin_return_address(0);
	seen = false;
	if (ordered)
		async_schedule_ordered(look, nothing, NULL, NULL);
	else
		async_schedule(look, NULL);
	CHECK(seen);
}

TEST(a_backtrace_leads_through_the_library, .pools = P0)
{
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__)
	schedule_here(false);
	schedule_here(true);
	CHECK_EQ(async_synchronize_full(), 0);
#else
	(void)schedule_here;
	harness_skip("there are no unwind tables for this processor");
#endif
}
