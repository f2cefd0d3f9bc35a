/* SPDX-License-Identifier: MIT */
/* Calls that block until a later one acts, in a program with TLS_KB of static thread-local data. */
#include "harness.h"

static _Thread_local volatile char large[TLS_KB * 1024 + 1];

enum { CALLS = 16 };

static void touch(void *data, async_cookie_t cookie)
{
	for (size_t i = 0; i < sizeof(large); i += 1024)
		large[i]++;
	large[sizeof(large) - 1]++;
	gate_call(data, cookie);
}

static void run_gates(void)
{
	static struct gate gates[CALLS];

	for (unsigned int i = 0; i < CALLS; i++) {
		gate_init(&gates[i]);
		async_schedule(touch, &gates[i]);
	}
	for (unsigned int i = 0; i < CALLS; i++)
		down(&gates[i].begun);
	for (unsigned int i = 0; i < CALLS; i++)
		gate_open(&gates[i]);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* Without the monitor the pool would grow by one thread each 10 ms at best, or not at all. */
TEST(the_pool_grows_beside_static_thread_local_data, .pools = P256, .limit_s = 60)
{
	run_gates();
}

TEST(a_small_stack_is_what_is_left_for_calls, .pools = P256, .limit_s = 60)
{
	struct async_config config = ASYNC_CONFIG_INIT;

	config.stack_bytes = 1;
	CHECK_EQ(async_configure(&config), 0);
	run_gates();
}
