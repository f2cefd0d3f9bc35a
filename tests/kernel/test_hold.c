// SPDX-License-Identifier: MIT OR GPL-2.0
/* No test of its own: calls that run and wait for a while, to be looked at. */
#include "harness.h"

#define HOLD_MS 3000

static void hold(void *data, async_cookie_t cookie)
{
	async_set_name("a call that is looked at");
	msleep(HOLD_MS);
}

static void stand_behind(void *data, async_cookie_t cookie)
{
	CHECK(!async_synchronize_cookie(cookie));
}

TEST(hold_for_a_while, .pools = PHOLD)
{
	async_schedule(hold, NULL);
	async_schedule(stand_behind, NULL);
	CHECK(!async_synchronize_full());
}
