/* SPDX-License-Identifier: MIT */
/* async_configure() and the environment. */
#include "harness.h"

#include <limits.h>

static struct async_config defaults(void)
{
	struct async_config config = ASYNC_CONFIG_INIT;

	return config;
}

static bool has_workers(void)
{
	async_cookie_t cookie;
	bool has = async_try_schedule(nothing, NULL, NULL, &cookie);

	CHECK_EQ(async_synchronize_full(), 0);
	return has;
}

TEST(configured_without_workers, .pools = PDEFAULT)
{
	struct async_config config = defaults();

	config.threads = 0;
	CHECK_EQ(async_configure(&config), 0);
	CHECK(!has_workers());
}

TEST(configured_limit_of_pending_calls, .pools = PDEFAULT)
{
	static struct record order;
	struct async_config config = defaults();
	struct gate gate;

	config.threads = 1;
	config.pending = 3;
	CHECK_EQ(async_configure(&config), 0);
	gate_new(&gate, NULL);
	for (unsigned int i = 0; i < 3; i++)
		async_schedule(record, &order);
	CHECK_EQ(order.n, 0);
	async_schedule(record, &order);
	CHECK_EQ(order.n, 1);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(the_environment_overrides, .pools = P2, .env = "INORDER_PENDING=5")
{
	static struct record order;
	struct async_config config = defaults();
	struct gate gates[2];

	config.threads = 0;
	config.pending = 1;
	CHECK_EQ(async_configure(&config), 0);
	gates_new(gates, 2, NULL);
	for (unsigned int i = 0; i < 5; i++)
		async_schedule(record, &order);
	CHECK_EQ(order.n, 0);
	async_schedule(record, &order);
	CHECK_EQ(order.n, 1);
	gate_end(&gates[0]);
	gate_end(&gates[1]);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(the_environment_overrides_towards_none, .pools = P0)
{
	struct async_config config = defaults();

	config.threads = 4;
	CHECK_EQ(async_configure(&config), 0);
	CHECK(!has_workers());
}

static size_t stack_of_call;

static void measure_stack(void *data, async_cookie_t cookie)
{
	pthread_attr_t attr;
	void *address;

	CHECK(pthread_getattr_np(pthread_self(), &attr) == 0);
	CHECK(pthread_attr_getstack(&attr, &address, &stack_of_call) == 0);
	pthread_attr_destroy(&attr);
}

TEST(configured_stack, .pools = P2)
{
	struct async_config config = defaults();
	async_cookie_t cookie;

	config.stack_bytes = 3 << 20;
	CHECK_EQ(async_configure(&config), 0);
	CHECK(async_try_schedule(measure_stack, NULL, NULL, &cookie));
	while (async_synchronize_cookie_timeout(cookie + 1, NULL, UINT64_MAX))
		;
	CHECK(stack_of_call >= 3 << 20);
	CHECK(stack_of_call <= 4 << 20);
}

TEST(configured_watchdog, .pools = P2)
{
	struct async_config config = defaults();
	struct gate gate;

	config.watchdog_s = 1;
	CHECK_EQ(async_configure(&config), 0);
	gate_init(&gate);
	gate.name = "lazy_the_call";
	gate_start(&gate, NULL);
	while (!harness_said("lazy_the_call"))
		sched_yield();
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(configuring_what_makes_no_sense, .pools = PDEFAULT)
{
	struct async_config config = defaults();

	CHECK_EQ(async_configure(NULL), -EINVAL);
	config.size = 0;
	CHECK_EQ(async_configure(&config), -EINVAL);
	config = defaults();
	config.threads = 65537;
	CHECK_EQ(async_configure(&config), -EINVAL);
	config = defaults();
	CHECK_EQ(async_configure(&config), 0); /* a refused one changes nothing */
	CHECK(has_workers());
}

TEST(configuring_after_the_first_call, .pools = PDEFAULT)
{
	struct async_config config = defaults();

	async_schedule(nothing, NULL);
	config.threads = 0;
	CHECK_EQ(async_configure(&config), -EBUSY);
	CHECK(has_workers());
	CHECK_EQ(async_synchronize_full(), 0);
}

/* Threads that a pool of its default size may have: a hundred calls block at once. */
TEST(the_default_size, .pools = PDEFAULT)
{
	static struct gate gates[200];

	for (unsigned int i = 0; i < 200; i++) {
		gate_init(&gates[i]);
		async_schedule(gate_call, &gates[i]);
	}
	for (unsigned int i = 0; i < 200; i++)
		down(&gates[i].begun);
	for (unsigned int i = 0; i < 200; i++)
		gate_open(&gates[i]);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(the_default_limit_of_pending_calls, .pools = P1)
{
	static atomic_uint n;
	struct gate gate;

	gate_new(&gate, NULL);
	for (unsigned int i = 0; i < 32768; i++)
		async_schedule(count, &n);
	CHECK_EQ(n, 0);
	async_schedule(count, &n);
	CHECK_EQ(n, 1);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

HELPER(use_and_tell)
{
	printf("%s\n", has_workers() ? "workers" : "no workers");
}

static void check_nonsense(const char *variable, const char *value)
{
	struct harness_result result;
	char env[256];

	snprintf(env, sizeof(env), "%s=%s", variable, value);
	harness_run("use_and_tell", env, &result);
	if (result.status != 0 || strcmp(result.out, "workers\n"))
		FAIL("%s: status %d, said \"%s\"", env, result.status, result.out);
	if (!strstr(result.err, variable) || !strstr(result.err, value))
		FAIL("%s is not named in \"%s\"", env, result.err);
}

TEST(values_that_make_no_sense_are_named_and_ignored, .pools = PDEFAULT)
{
	static const char *const threads[] = {
		"abc", "-1", "65537", "12x", "0x10", "1.5", "99999999999999999999", "18446744073709551618", "+", "1,2"};
	static const char *const debug[] = {"nonsense", "watchdog=abc", "watchdog=-1",
					    "initcal",  "watchdog=",    "trace="};

	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		check_nonsense("INORDER_THREADS", threads[i]);
		check_nonsense("INORDER_PENDING", threads[i][0] == '6' ? "99999999999" : threads[i]);
	}
	for (size_t i = 0; i < sizeof(debug) / sizeof(debug[0]); i++)
		check_nonsense("INORDER_DEBUG", debug[i]);
}

static void check_sense(const char *env, const char *said)
{
	struct harness_result result;

	harness_run("use_and_tell", env, &result);
	CHECK_EQ(result.status, 0);
	if (result.err[0] || strcmp(result.out, said))
		FAIL("%s: \"%s\" and \"%s\"", env, result.out, result.err);
}

TEST(values_that_make_sense_are_taken_quietly, .pools = PDEFAULT)
{
	check_sense("INORDER_THREADS=65536", "workers\n");
	check_sense("INORDER_THREADS=1", "workers\n");
	check_sense("INORDER_THREADS=0", "no workers\n");
	check_sense("INORDER_PENDING=1", "workers\n");
	check_sense("INORDER_DEBUG=watchdog=3600", "workers\n");
}

/* Half of a list makes sense: that half counts. */
TEST(one_bad_word_spoils_no_other, .pools = PDEFAULT)
{
	struct harness_result result;

	harness_run("use_and_tell", "INORDER_DEBUG=nonsense,initcall", &result);
	CHECK_EQ(result.status, 0);
	CHECK(strstr(result.err, "nonsense"));
	CHECK(strstr(result.err, "calling "));
}
