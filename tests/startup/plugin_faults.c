/* SPDX-License-Identifier: MIT */
/* A load for which there is no memory, at any of its allocations, leaves nothing behind; so do initcalls. */
#include "../fault/faults.h"
#include "host.h"

#include <dlfcn.h>

static struct part_job jobs[2];
static atomic_uint calls;

static void count_job(struct part_job *job, async_cookie_t cookie)
{
	calls++;
}

static int schedule_one(const struct part *part, const char *step)
{
	if (is_step(step, "init1"))
		part_schedule(&jobs[is_part(part, "b")], part, count_job, NULL);
	return 0;
}

/* Loads with the N-th allocation failing. Return: whether one did. */
static bool load_with_fault(const char *name, long n)
{
	struct plugin *plugin;
	bool failed;
	int error;

	steps_clear();
	fault_arm(&fault_memory, n, n);
	error = plugin_load(part_path(name), 0, &plugin);
	failed = fault_memory.failed > 0;
	fault_disarm(&fault_memory);
	if (error) {
		CHECK(failed);
		CHECK_EQ(error, -ENOMEM);
		CHECK(!plugin);
		CHECK(strstr(plugin_error(), "no memory"));
		CHECK_STEPS("");
	} else {
		unload(plugin);
	}
	CHECK(!part_is_mapped("b") && !part_is_mapped(name));
	return failed;
}

TEST(load_without_memory_is_undone, .pools = P0 | P2)
{
	long n = 1;

	on_step = schedule_one;
	unload(load("far")); /* what is allocated once */
	while (load_with_fault("far", n))
		n++;
	if (n < 8)
		FAIL("only %ld allocations failed: they do not pass the test", n - 1);
	CHECK(!load_with_fault("far", n));
}

TEST(load_without_memory_leaves_loaded_plugins_alone, .pools = P0 | P2)
{
	struct plugin *needed = load("b");
	struct plugin *plugin;

	for (long n = 1;; n++) {
		bool failed;

		fault_arm(&fault_memory, n, n);
		if (!plugin_load(part_path("needs_b"), 0, &plugin))
			unload(plugin);
		failed = fault_memory.failed > 0;
		fault_disarm(&fault_memory);
		steps_clear();
		if (!failed)
			break;
	}
	unload(needed);
	CHECK_STEPS("b.exit2 b.exit1");
	CHECK(!part_is_mapped("b"));
}

TEST(needed_plugin_that_stays_mapped_starts_after_loads_without_memory, .pools = P0 | P2)
{
	void *handle = dlopen(part_path("b"), RTLD_NOW);
	struct plugin *plugin;
	bool failed = true;

	CHECK(handle);
	unload(load("b"));
	for (long n = 1; failed; n++) {
		fault_arm(&fault_memory, n, n);
		if (!plugin_load(part_path("needs_b"), 0, &plugin)) {
			CHECK(strstr(steps(), "b.init1 b.init2 needs_b.init1 needs_b.init2"));
			unload(plugin);
		}
		failed = fault_memory.failed > 0;
		fault_disarm(&fault_memory);
		steps_clear();
	}
	dlclose(handle);
	CHECK(!part_is_mapped("b"));
}

TEST(blacklist_without_memory_is_an_error, .pools = P0, .env = "INORDER_INITCALL_BLACKLIST=late_step")
{
	struct plugin *plugin;

	fault_arm(&fault_memory, 1, FOR_EVER);
	CHECK_EQ(initcall_blacklist("core_step"), -ENOMEM);
	CHECK_EQ(initcalls_run(0), -ENOMEM);
	CHECK_EQ(plugin_load(part_path("a"), 0, &plugin), -ENOMEM);
	fault_disarm(&fault_memory);
	unload(load("a"));
	CHECK_STEPS("a.init1 a.exit1"); /* the environment's list was read in the end */
}
