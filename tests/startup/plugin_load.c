/* SPDX-License-Identifier: MIT */
/* Loading: order, what is waited for and what is not, failures in the middle, needs, several loads at once. */
#include "host.h"

#include <dlfcn.h>

static struct gate gate;
static struct gate other_gate;
static struct part_job job;
static struct part_job other_job;

static int schedule_gate(const struct part *part, const char *step)
{
	if (is_part(part, "a") && is_step(step, "init1"))
		part_schedule(&job, part, part_gate, &gate);
	return 0;
}

TEST(load_runs_initcalls_and_unload_exits_in_reverse, .pools = PALL)
{
	struct plugin *plugin = load("a");

	CHECK_STEPS("a.init1 a.init2");
	CHECK(part_is_mapped("a"));
	unload(plugin);
	CHECK_STEPS("a.init1 a.init2 a.exit2 a.exit1");
	CHECK(!part_is_mapped("a"));
}

TEST(load_waits_for_its_own_calls_only, .pools = PMANY)
{
	struct loader slow;

	gate_init(&gate);
	on_step = schedule_gate;
	loader_start(&slow, "a", 0);
	down(&gate.begun);
	unload(load("c")); /* a's call is in progress all the while */
	quiet();
	CHECK(!slow.actor.done);
	gate_open(&gate);
	CHECK_EQ(loader_join(&slow), 0);
	CHECK(gate.done);
	unload(slow.plugin);
}

static void schedule_child(struct part_job *parent, async_cookie_t cookie)
{
	part_schedule(&other_job, parent->part, part_gate, &other_gate);
}

static int schedule_parent(const struct part *part, const char *step)
{
	if (is_step(step, "init1"))
		part_schedule(&job, part, schedule_child, NULL);
	return 0;
}

TEST(load_waits_for_calls_of_calls, .pools = PMANY)
{
	struct loader slow;

	gate_init(&other_gate);
	on_step = schedule_parent;
	loader_start(&slow, "a", 0);
	down(&other_gate.begun);
	quiet();
	CHECK(!slow.actor.done);
	gate_open(&other_gate);
	CHECK_EQ(loader_join(&slow), 0);
	unload(slow.plugin);
}

static void thread_of_part(void *data)
{
	const struct part *part = data;

	CHECK(!async_owner_enter(part->owner()));
	part_schedule(&job, part, part_gate, &gate);
}

static struct actor thread;

static int start_thread(const struct part *part, const char *step)
{
	if (is_step(step, "init1")) {
		actor_start(&thread, thread_of_part, (void *)(uintptr_t)part);
		actor_join(&thread);
	}
	return 0;
}

TEST(load_waits_for_calls_that_the_plugins_threads_schedule, .pools = PMANY)
{
	struct loader slow;

	gate_init(&gate);
	on_step = start_thread;
	loader_start(&slow, "a", 0);
	down(&gate.begun);
	quiet();
	CHECK(!slow.actor.done);
	gate_open(&gate);
	CHECK_EQ(loader_join(&slow), 0);
	unload(slow.plugin);
}

TEST(async_load_does_not_wait_and_unload_does, .pools = PMANY)
{
	struct plugin *plugin;
	struct actor actor;

	gate_init(&gate);
	on_step = schedule_gate;
	CHECK_EQ(plugin_load(part_path("a"), PLUGIN_ASYNC, &plugin), 0);
	down(&gate.begun);
	actor_start(&actor, (void (*)(void *))(void (*)(void))unload, plugin);
	quiet();
	CHECK(!actor.done);
	CHECK(part_is_mapped("a"));
	CHECK_STEPS("a.init1 a.init2 a.exit2 a.exit1");
	gate_open(&gate);
	actor_join(&actor);
	CHECK(!part_is_mapped("a"));
}

static int gate_in_b(const struct part *part, const char *step)
{
	if (is_part(part, "b") && is_step(step, "init1"))
		part_schedule(&job, part, part_gate, &gate);
	return 0;
}

TEST(async_load_waits_for_what_the_plugin_needs, .pools = PMANY)
{
	struct loader loader;

	gate_init(&gate);
	on_step = gate_in_b;
	loader_start(&loader, "needs_b", PLUGIN_ASYNC);
	down(&gate.begun);
	quiet();
	CHECK_STEPS("b.init1 b.init2");
	gate_open(&gate);
	CHECK_EQ(loader_join(&loader), 0);
	unload(loader.plugin);
}

TEST(owner_of_a_plugin_can_be_waited_for, .pools = PMANY)
{
	struct plugin *plugin;

	gate_init(&gate);
	on_step = schedule_gate;
	CHECK_EQ(plugin_load(part_path("a"), PLUGIN_ASYNC, &plugin), 0);
	down(&gate.begun);
	gate_open(&gate);
	CHECK_EQ(async_synchronize_owner(plugin_owner(plugin)), 0);
	CHECK(gate.done);
	unload(plugin);
}

static int fail_late(const struct part *part, const char *step)
{
	schedule_gate(part, step);
	return is_part(part, "a") && is_step(step, "init2") ? -ENXIO : 0;
}

TEST(failed_load_is_undone_in_order_after_its_calls, .pools = PMANY)
{
	struct loader failing;

	gate_init(&gate);
	on_step = fail_late;
	loader_start(&failing, "a", 0);
	down(&gate.begun);
	quiet();
	CHECK(!failing.actor.done);
	CHECK(part_is_mapped("a"));
	gate_open(&gate);
	CHECK_EQ(loader_join(&failing), -ENXIO);
	CHECK(!failing.plugin);
	CHECK_STEPS("a.init1 a.init2 a.exit1");
	CHECK(!part_is_mapped("a"));
	CHECK(harness_said("late_step"));
	on_step = (int (*)(const struct part *, const char *))NULL;
	unload(load("a"));
}

static int fail_needing(const struct part *part, const char *step)
{
	return is_part(part, "needs_b") && is_step(step, "init2") ? -ENXIO : 0;
}

TEST(failed_load_takes_down_what_came_with_it, .pools = PALL)
{
	struct plugin *plugin;

	on_step = fail_needing;
	CHECK_EQ(plugin_load(part_path("needs_b"), 0, &plugin), -ENXIO);
	CHECK(strstr(plugin_error(), "late_step"));
	CHECK_STEPS("b.init1 b.init2 needs_b.init1 needs_b.init2 needs_b.exit1 b.exit2 b.exit1");
	CHECK(!part_is_mapped("b"));
}

static int fail_b(const struct part *part, const char *step)
{
	return is_part(part, "b") && is_step(step, "init1") ? -ENXIO : 0;
}

TEST(plugin_does_not_start_when_what_it_needs_fails, .pools = PALL)
{
	struct plugin *plugin;

	on_step = fail_b;
	CHECK_EQ(plugin_load(part_path("needs_b"), 0, &plugin), -ENXIO);
	CHECK_STEPS("b.init1");
	CHECK(!part_is_mapped("needs_b"));
}

TEST(needed_plugin_comes_first_and_stays_for_its_users, .pools = PALL)
{
	struct plugin *user = load("needs_b");
	struct plugin *far_user = load("far");
	struct plugin *needed = load("b");

	CHECK_STEPS("b.init1 b.init2 needs_b.init1 needs_b.init2 far.init1 far.init2");
	steps_clear();
	unload(needed);
	unload(user);
	CHECK_STEPS("needs_b.exit2 needs_b.exit1");
	steps_clear();
	unload(far_user); /* it needs b through a library */
	CHECK_STEPS("far.exit2 far.exit1 b.exit2 b.exit1");
	CHECK(!part_is_mapped("b"));
}

TEST(needed_plugins_come_as_they_were_loaded, .pools = PALL)
{
	unload(load("needs_both")); /* linked with c, then b */
	CHECK_STEPS("c.init1 c.init2 b.init1 b.init2 needs_both.init1 needs_both.init2 "
		    "needs_both.exit2 needs_both.exit1 b.exit2 b.exit1 c.exit2 c.exit1");
}

TEST(load_waits_for_the_load_of_what_it_needs, .pools = PMANY)
{
	struct loader needed;
	struct loader user;

	gate_init(&gate);
	on_step = gate_in_b;
	loader_start(&needed, "b", 0);
	down(&gate.begun);
	loader_start(&user, "needs_b", 0);
	quiet();
	CHECK_STEPS("b.init1 b.init2");
	gate_open(&gate);
	CHECK_EQ(loader_join(&needed), 0);
	CHECK_EQ(loader_join(&user), 0);
	CHECK_STEPS("b.init1 b.init2 needs_b.init1 needs_b.init2");
	unload(needed.plugin);
	unload(user.plugin);
	CHECK(!part_is_mapped("b"));
}

TEST(same_plugin_loaded_by_two_threads_starts_once, .pools = PMANY)
{
	struct loader loaders[2];

	gate_init(&gate);
	on_step = schedule_gate;
	loader_start(&loaders[0], "a", 0);
	down(&gate.begun);
	loader_start(&loaders[1], "a", 0);
	quiet();
	CHECK(!loaders[1].actor.done);
	gate_open(&gate);
	CHECK_EQ(loader_join(&loaders[0]), 0);
	CHECK_EQ(loader_join(&loaders[1]), 0);
	CHECK(loaders[0].plugin == loaders[1].plugin);
	CHECK_STEPS("a.init1 a.init2");
	unload(loaders[0].plugin);
	CHECK(part_is_mapped("a"));
	unload(loaders[1].plugin);
	CHECK(!part_is_mapped("a"));
}

static int fail_when_told(const struct part *part, const char *step)
{
	if (!is_part(part, "b") || !is_step(step, "init2"))
		return 0;
	up(&gate.begun);
	down(&gate.open);
	return -ENXIO;
}

static void wait_for_failing_load(const char *name)
{
	struct loader first;
	struct loader second;

	gate_init(&gate);
	on_step = fail_when_told;
	loader_start(&first, "b", 0);
	down(&gate.begun);
	loader_start(&second, name, 0);
	quiet();
	CHECK_STEPS("b.init1 b.init2");
	gate_open(&gate);
	CHECK_EQ(loader_join(&first), -ENXIO);
	CHECK_EQ(loader_join(&second), -ENXIO);
	CHECK(!second.plugin);
	CHECK_STEPS("b.init1 b.init2 b.exit1");
	CHECK(!part_is_mapped("b"));
}

TEST(load_fails_with_the_same_load_that_it_waits_for, .pools = PALL)
{
	wait_for_failing_load("b");
}

TEST(load_fails_with_the_load_of_what_it_needs, .pools = PALL)
{
	wait_for_failing_load("needs_b");
}

static int gate_in_exit(const struct part *part, const char *step)
{
	if (is_part(part, "b") && is_step(step, "exit1"))
		part_schedule(&job, part, part_gate, &gate);
	return 0;
}

static void load_during_unload(const char *name)
{
	struct plugin *plugin = load("b");
	struct loader loader;
	struct actor actor;

	gate_init(&gate);
	on_step = gate_in_exit;
	actor_start(&actor, (void (*)(void *))(void (*)(void))unload, plugin);
	down(&gate.begun);
	on_step = (int (*)(const struct part *, const char *))NULL;
	steps_clear();
	loader_start(&loader, name, 0);
	quiet();
	CHECK_STEPS("");
	gate_open(&gate);
	actor_join(&actor);
	CHECK_EQ(loader_join(&loader), 0);
	CHECK(!strncmp(steps(), "b.init1 b.init2", 15));
	unload(loader.plugin);
	CHECK(!part_is_mapped("b"));
}

TEST(load_waits_for_an_unload_and_starts_anew, .pools = PMANY)
{
	load_during_unload("b");
}

TEST(load_waits_for_the_unload_of_what_it_needs, .pools = PMANY)
{
	load_during_unload("needs_b");
}

TEST(forked_child_keeps_what_is_loaded_and_loads_more, .pools = P2)
{
	struct plugin *plugin = load("a");
	const pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		unload(load("needs_b"));
		unload(plugin);
		CHECK(!part_is_mapped("a") && !part_is_mapped("b"));
		_exit(0);
	}
	harness_reap(pid, 0);
	unload(plugin);
}

TEST(child_forked_beside_a_load_finds_it_busy, .pools = PMANY, .no_tsan = true)
{
	struct loader loader;
	struct plugin *plugin;
	pid_t pid;

	gate_init(&gate);
	on_step = schedule_gate;
	loader_start(&loader, "a", 0);
	down(&gate.begun);
	quiet();
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		CHECK_EQ(plugin_load(part_path("a"), 0, &plugin), -EBUSY);
		unload(load("c"));
		_exit(0);
	}
	harness_reap(pid, 0);
	gate_open(&gate);
	CHECK_EQ(loader_join(&loader), 0);
	unload(loader.plugin);
}

TEST(plugin_that_stays_mapped_can_be_loaded_again, .pools = PALL)
{
	void *handle = dlopen(part_path("b"), RTLD_NOW);

	CHECK(handle);
	unload(load("b"));
	unload(load("needs_b"));
	CHECK_STEPS("b.init1 b.init2 b.exit2 b.exit1 b.init1 b.init2 needs_b.init1 needs_b.init2 "
		    "needs_b.exit2 needs_b.exit1 b.exit2 b.exit1");
	dlclose(handle);
	CHECK(!part_is_mapped("b"));
}

TEST(plugin_that_stays_mapped_without_its_init_code_is_busy, .pools = PALL)
{
	void *handle = dlopen(part_path("b"), RTLD_NOW);
	struct plugin *plugin = load("b");

	CHECK(initcalls_free() > 0);
	unload(plugin);
	CHECK_EQ(plugin_load(part_path("b"), 0, &plugin), -EBUSY);
	CHECK(strstr(plugin_error(), "init code"));
	dlclose(handle);
	unload(load("b"));
}

TEST(errors_of_load_are_told, .pools = PALL)
{
	struct plugin *plugin = (struct plugin *)&gate;

	CHECK_EQ(plugin_load("/nowhere/part.so", 0, &plugin), -ENOENT);
	CHECK(!plugin);
	CHECK(strstr(plugin_error(), "/nowhere/part.so"));
	CHECK_EQ(plugin_load("/proc/self/status", 0, &plugin), -ELIBBAD);
	CHECK(strstr(plugin_error(), "/proc/self/status"));
	CHECK_EQ(plugin_load(part_path("a"), ~PLUGIN_ASYNC, &plugin), -EINVAL);
	CHECK_STEPS("");
}

TEST(symbols_are_found, .pools = PALL)
{
	struct plugin *plugin = load("needs_b");
	const char *(*name)(void);

	*(void **)&name = plugin_symbol(plugin, "part_needs_b");
	CHECK(name && !strcmp(name(), "needs_b"));
	CHECK(!plugin_symbol(plugin, "no_such_symbol"));
	CHECK(strstr(plugin_error(), "no_such_symbol"));
	unload(plugin);
}

TEST(blacklisted_initcall_of_a_plugin_is_neither_run_nor_undone, .pools = PALL)
{
	CHECK_EQ(initcall_blacklist("late_step"), 0);
	unload(load("a"));
	CHECK_STEPS("a.init1 a.exit1");
}

TEST(initcalls_run_leaves_plugins_alone, .pools = PALL)
{
	struct plugin *plugin = load("a");

	CHECK_EQ(initcalls_run(0), 0);
	CHECK_STEPS("a.init1 a.init2");
	unload(plugin);
}
