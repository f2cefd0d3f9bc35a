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

#include "harness.h"

static const struct suite {
	const char *name;
	unsigned int pools, threads;
} suites[] = {{"all", P256 | PLOAD, 256}, {"owned", P256, 256},     {"full", PFULL, 256}, {"serial", P0, 0},
	      {"threads", PFEW, 256},     {"helped", PHELPED, 256}, {"hold", PHOLD, 256}};

static char *suite = "all";
module_param(suite, charp, 0444);
MODULE_PARM_DESC(suite, "all, owned, full, serial, threads, helped or hold");

static char *only = "";
module_param(only, charp, 0444);
MODULE_PARM_DESC(only, "tests with this in their name or in that of their file");

static const struct harness_test *const last HARNESS_SECTION;

static unsigned int planned, total, failed;

/* The next of the suite that is asked for. */
static const struct harness_test *const *next(const struct suite *of, const struct harness_test *const *test)
{
	do {
		test = harness_next(test, of->pools);
	} while (test && !strstr((*test)->name, only) && !strstr((*test)->file, only));
	return test;
}

static void run_all(void *data)
{
	const struct suite *of = data;

	for (const struct harness_test *const *test = next(of, NULL); test; test = next(of, test)) {
		ktime_t since = ktime_get();
		unsigned int failures = harness_run(*test, of->threads);

		pr_info("%sok %u %s # %lld us\n", failures ? "not " : "", ++total, (*test)->name,
			ktime_us_delta(ktime_get(), since));
		failed += failures != 0;
	}
}

/* In a task that loads no module: in a kernel whose loads are owners, this one's calls would be the load's. */
static void run_unowned(const struct suite *of)
{
	struct actor actor;

	actor_start(&actor, run_all, (void *)of);
	actor_join(&actor);
}

/* The other way round: whatever is tested is done for a module. */
static void run_owned(const struct suite *of)
{
	struct async_load *load = async_load_begin("selftest");

	run_all((void *)of);
	async_load_init_done(load);
	async_load_wait(load);
	async_load_end(load);
}

static int __init begin(void)
{
	const struct suite *of = suites;

	while (of < suites + ARRAY_SIZE(suites) && strcmp(of->name, suite))
		of++;
	if (of == suites + ARRAY_SIZE(suites)) {
		pr_err("inorder_selftest: there is no suite '%s': see modinfo\n", suite);
		return -EINVAL;
	}
	for (const struct harness_test *const *test = next(of, NULL); test; test = next(of, test))
		planned++;
	pr_info("KTAP version 1\n");
	pr_info("1..%u\n", planned);
	if (of->pools == P256)
		run_owned(of);
	else
		run_unowned(of);
	pr_info("# suite %s\n", suite);
	pr_info("inorder_selftest: %u passed, %u failed\n", total - failed, failed);
	return failed || !total || total != planned ? -EIO : 0;
}

static void __exit end(void)
{
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("Tests of asynchronous function calls");
MODULE_LICENSE("Dual MIT/GPL");
