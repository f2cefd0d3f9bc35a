// SPDX-License-Identifier: MIT OR GPL-2.0
/* The tests of the contract as KUnit: a suite for each table of tests, a case's parameter for each test. */
#include <kunit/test.h>

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

MODULE_DESCRIPTION("KUnit tests of asynchronous function calls");
MODULE_LICENSE("Dual MIT/GPL");
