// SPDX-License-Identifier: MIT OR GPL-2.0
/* The tests of the contract as KUnit: a case's parameter for each test. */
#include <kunit/test.h>
#include <linux/async.h>
#include <linux/init.h>
#include <linux/sched.h>

#include "harness.h"

static const struct harness_test *const last HARNESS_SECTION;

/* A case's parameter is where its test stands in the section. */
static void run_one(struct kunit *test)
{
	const struct harness_test *const *at = test->param_value;

	KUNIT_EXPECT_EQ(test, 0U, harness_run(*at, 256));
}

/* Later kernels hand the test to the generator, too; these have that macro. */
#ifdef KUNIT_CASE_PARAM_WITH_INIT
#define GENERATOR(name) const void *name(struct kunit *test, const void *previous, char *text)
#else
#define GENERATOR(name) const void *name(const void *previous, char *text)
#endif

static GENERATOR(next_test)
{
	const struct harness_test *const *next = harness_next(previous, P256 | PLOAD);

	if (next)
		strscpy(text, (*next)->name, KUNIT_PARAM_DESC_SIZE);
	return next;
}

static struct kunit_case contract_cases[] = {KUNIT_CASE_PARAM(run_one, next_test), {}};

static struct kunit_suite contract_suite = {.name = "async_contract", .test_cases = contract_cases};

kunit_test_suite(contract_suite);

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
