// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The contract's clauses, in the kernel: KTAP in the log, and loading fails if a
 * test does. "owned" is most of "all" for a module. Suites beside these
 * need a certain parameter of inorder.ko: "full" pending=0, "serial" serial=1,
 * "threads" and "helped" fail_threads=1. "hold" only holds still.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>

#include <linux/async_load.h>

#include "selftest.h"

static char *suite = "all";
module_param(suite, charp, 0444);
MODULE_PARM_DESC(suite, "all, owned, full, serial, threads, helped or hold");

/* ---- the runner ---- */

static unsigned int count(const struct test *tests)
{
	unsigned int number = 0;

	while (tests[number].run)
		number++;
	return number;
}

static unsigned int run(const struct test *tests, unsigned int number)
{
	unsigned int failed = 0;

	for (; tests->run; tests++) {
		ktime_t since = ktime_get();

		unsigned int failures = test_run(tests);

		pr_info("%sok %u %s # %lld us\n", failures ? "not " : "", ++number, tests->name,
			ktime_us_delta(ktime_get(), since));
		failed += failures != 0;
	}
	return failed;
}

static const struct test *const all_suites[] = {order_tests, wait_tests, misuse_tests, kernel_tests, load_tests, NULL};

static const struct test *const owned_suites[] = {order_tests, wait_tests, misuse_tests, kernel_tests, NULL};

/* Of those whose name is in the parameter; NULL: there is none. */
static const struct test *const *find_suites(void)
{
	static const struct test *one[2];

	if (!strcmp(suite, "all"))
		return all_suites;
	if (!strcmp(suite, "owned"))
		return owned_suites;
	one[0] = !strcmp(suite, "full")      ? full_tests
		 : !strcmp(suite, "serial")  ? serial_tests
		 : !strcmp(suite, "threads") ? thread_tests
		 : !strcmp(suite, "helped")  ? helped_tests
		 : !strcmp(suite, "hold")    ? hold_tests
					     : NULL;
	return one[0] ? one : NULL;
}

static unsigned int total, failed;

static void run_all(void *data)
{
	const struct test *const *suites = data;

	for (unsigned int i = 0; suites[i]; i++) {
		failed += run(suites[i], total);
		total += count(suites[i]);
	}
}

/* In a task that loads no module: in a kernel whose loads are owners, this one's calls would be the load's. */
static void run_unowned(const struct test *const *suites)
{
	struct actor actor;

	actor_start(&actor, run_all, (void *)suites);
	actor_join(&actor);
}

/* The other way round: whatever is tested is done for a module. */
static void run_owned(const struct test *const *suites)
{
	struct async_load *load = async_load_begin("selftest");

	run_all((void *)suites);
	async_load_init_done(load);
	async_load_wait(load);
	async_load_end(load);
}

static int __init begin(void)
{
	const struct test *const *suites = find_suites();
	unsigned int planned = 0;

	if (!suites) {
		pr_err("inorder_selftest: there is no suite '%s': see modinfo\n", suite);
		return -EINVAL;
	}
	for (unsigned int i = 0; suites[i]; i++)
		planned += count(suites[i]);
	pr_info("KTAP version 1\n");
	pr_info("1..%u\n", planned);
	if (suites == owned_suites)
		run_owned(suites);
	else
		run_unowned(suites);
	pr_info("# suite %s\n", suite);
	pr_info("inorder_selftest: %u passed, %u failed\n", total - failed, failed);
	return failed || total != planned ? -EIO : 0;
}

static void __exit end(void)
{
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("Tests of asynchronous function calls");
MODULE_LICENSE("Dual MIT/GPL");
