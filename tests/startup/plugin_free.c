/* SPDX-License-Identifier: MIT */
/* Init code of plug-ins: freed after the calls in it, gone for good. They leave by _exit() as those of free.c do. */
#include "host.h"

#include "falls.h"

static const struct part *a;
static struct gate gate;
static struct part_job job;
static size_t freed;
ASYNC_DOMAIN_EXCLUSIVE(exclusive);

/* In an exclusive domain, so that a full wait would not do. */
static int schedule_init_call(const struct part *part, const char *step)
{
	if (is_step(step, "ctor"))
		a = part;
	if (!is_step(step, "init1"))
		return 0;
	job = (struct part_job){.run = part_gate, .part = part, .data = &gate};
	return async_schedule_domain(part->init_call, &job, &exclusive) ? 0 : -ENOMEM;
}

static void free_init(void *unused)
{
	freed = initcalls_free();
}

TEST(freeing_waits_for_async_init_code_of_plugins, .pools = PMANY, .raw_exit = true)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct plugin *plugin;
	struct actor actor;

	gate_init(&gate);
	on_step = schedule_init_call;
	CHECK_EQ(plugin_load(part_path("a"), PLUGIN_ASYNC, &plugin), 0);
	down(&gate.begun);
	actor_start(&actor, free_init, NULL);
	quiet();
	CHECK(!actor.done);
	CHECK_EQ(a->init_code(), 1);
	gate_open(&gate);
	actor_join(&actor);
	CHECK(freed >= 2 * page && freed % page == 0);
	CHECK(faults_when_called(a->init_code));
	CHECK(faults_when_read(a->init_data));
	CHECK(!strcmp(a->name, "a")); /* the rest is there */
	CHECK_EQ(initcalls_free(), 0);
	unload(plugin);
	CHECK(!part_is_mapped("a"));
}

TEST(plugin_that_is_loaded_again_has_its_init_code_again, .pools = PALL, .raw_exit = true)
{
	gate_init(&gate);
	gate_open(&gate);
	on_step = schedule_init_call;
	for (unsigned i = 0; i < 2; i++) {
		struct plugin *plugin = load("a");

		CHECK_EQ(a->init_code(), 1);
		CHECK(initcalls_free() > 0);
		CHECK(faults_when_called(a->init_code));
		gate_open(&gate);
		unload(plugin);
	}
}

static int free_in_initcall(const struct part *part, const char *step)
{
	if (is_step(step, "ctor"))
		a = part;
	if (is_step(step, "init1"))
		freed = initcalls_free();
	return 0;
}

TEST(plugin_that_is_being_loaded_keeps_its_init_code, .pools = PALL, .raw_exit = true)
{
	struct plugin *plugin;

	on_step = free_in_initcall;
	plugin = load("a"); /* its second initcall is behind the first */
	CHECK_EQ(freed, 0);
	CHECK_STEPS("a.init1 a.init2");
	CHECK_EQ(a->init_code(), 1);
	CHECK(initcalls_free() > 0);
	unload(plugin);
}
