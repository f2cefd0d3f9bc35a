/* SPDX-License-Identifier: MIT */
/* Arguments that are left out, and values at their limits. */
#include "harness.h"

#include <inorder/trace.h>

TEST(a_tried_call_whose_cookie_nobody_wants, .pools = PALL)
{
	atomic_uint ran = 0;
	bool scheduled = async_try_schedule(count, &ran, NULL, NULL);

	CHECK_EQ(scheduled, harness_threads() != 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(ran, scheduled);
}

TEST(no_configuration_is_no_valid_one, .pools = PDEFAULT)
{
	struct async_config config = ASYNC_CONFIG_INIT;

	CHECK_EQ(async_configure(NULL), -EINVAL);
	config.size = 4;
	CHECK_EQ(async_configure(&config), -EINVAL);
	config.size = sizeof(config) + 1;
	CHECK_EQ(async_configure(&config), -EINVAL);
}

static void check_stack(uint32_t bytes)
{
	struct async_config config = ASYNC_CONFIG_INIT;
	atomic_uint ran = 0;

	config.stack_bytes = bytes;
	CHECK_EQ(async_configure(&config), 0);
	CHECK(async_schedule(count, &ran));
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(ran, 1);
}

/* Smaller than a thread can have: it gets the smallest. */
TEST(a_stack_of_one_byte, .pools = P2)
{
	check_stack(1);
}

TEST(a_stack_that_the_system_has, .pools = P2)
{
	check_stack(1 << 20);
}

TEST(a_phase_without_a_name, .pools = PDEFAULT)
{
	async_trace_phase(NULL);
	CHECK_EQ(async_trace_initcall(2), 0);
	async_trace_phase(NULL);
	CHECK_EQ(async_trace_initcall(-1), 0);
	CHECK(harness_said("inorder: phase \n"));
}

TEST(a_value_of_the_environment_that_is_long, .pools = PDEFAULT,
     .env = "INORDER_PENDING=00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000x")
{
	CHECK(async_schedule(nothing, NULL));
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK(harness_said("0x ignored: a whole number from 0 to 4294967295 is wanted\n"));
}
