// SPDX-License-Identifier: MIT OR GPL-2.0
/* The tests of the contract as KUnit: a suite for each table of tests, a case's parameter for each test. */
#include <kunit/test.h>
#include <linux/async.h>
#include <linux/init.h>
#include <linux/sched.h>

#include "selftest.h"

static void run_one(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0U, test_run(test->param_value));
}

/* Later kernels hand the test to the generator, too; these have that macro. */
#ifdef KUNIT_CASE_PARAM_WITH_INIT
#define GENERATOR(name) const void *name(struct kunit *test, const void *previous, char *text)
#else
#define GENERATOR(name) const void *name(const void *previous, char *text)
#endif

#define SUITE(_subject) \
	static GENERATOR(_subject##_next) \
	{ \
		const struct test *next = previous ? (const struct test *)previous + 1 : _subject##_tests; \
\
		if (!next->run) \
			return NULL; \
		strscpy(text, next->name, KUNIT_PARAM_DESC_SIZE); \
		return next; \
	} \
\
	static struct kunit_case _subject##_cases[] = {KUNIT_CASE_PARAM(run_one, _subject##_next), {}}; \
\
	static struct kunit_suite _subject##_suite = { \
		.name = "async_" #_subject, \
		.test_cases = _subject##_cases, \
	}

SUITE(order);
SUITE(wait);
SUITE(misuse);
SUITE(kernel);
SUITE(load);

kunit_test_suites(&order_suite, &wait_suite, &misuse_suite, &kernel_suite, &load_suite);

#ifndef MODULE

/* ---- calls from before there are threads: consoles begin before all initcalls, and before workqueues work ---- */

#define EARLY 20

static async_cookie_t early[EARLY];
static unsigned int early_runs[EARLY];
static bool early_in_kthread = true;

static void early_call(void *data, async_cookie_t cookie)
{
	early_runs[(unsigned long)data]++;
	if (!(current->flags & PF_KTHREAD))
		early_in_kthread = false;
}

static int __init schedule_early(void)
{
	for (unsigned long i = 0; i < EARLY; i++)
		early[i] = async_schedule(early_call, (void *)i);
	return 0;
}
console_initcall(schedule_early);

static void early_calls_run(struct kunit *test)
{
	async_synchronize_full();
	for (unsigned int i = 0; i < EARLY; i++) {
		KUNIT_EXPECT_EQ(test, early_runs[i], 1U);
		KUNIT_EXPECT_TRUE(test, early[i] > (i ? early[i - 1] : 0));
	}
	KUNIT_EXPECT_TRUE(test, early_in_kthread);
}

static struct kunit_case early_cases[] = {KUNIT_CASE(early_calls_run), {}};

static struct kunit_suite early_suite = {.name = "async_early", .test_cases = early_cases};

kunit_test_suite(early_suite);

#endif

MODULE_DESCRIPTION("KUnit tests of asynchronous function calls");
MODULE_LICENSE("Dual MIT/GPL");
