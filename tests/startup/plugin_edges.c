/* SPDX-License-Identifier: MIT */
/* Plug-ins where they are seldom: half loaded, without initcalls, under two names, forked, at exit. */
#include "host.h"

static struct gate gate;
static struct part_job job;
static struct plugin *loaded;
static int result;

static void wait_for_default_domain(struct part_job *unused, async_cookie_t cookie)
{
	up(&gate.begun);
	down(&gate.open);
	CHECK_EQ(async_synchronize_full(), 0); /* its cookie is the lower one of the two */
}

ASYNC_DOMAIN_EXCLUSIVE(exclusive);

static int schedule_waiting(const struct part *part, const char *step)
{
	if (!is_step(step, "init1"))
		return 0;
	job = (struct part_job){.run = wait_for_default_domain, .part = part};
	return async_schedule_domain(part->call, &job, &exclusive) ? 0 : -ENOMEM;
}

static void unload_in_program(void *data, async_cookie_t cookie)
{
	result = plugin_unload(loaded);
}

/* The plug-in's call waits for the call that unloads it. */
TEST(unload_that_is_refused_in_the_middle_goes_on_later, .pools = PMANY)
{
	struct plugin *again;

	gate_init(&gate);
	on_step = schedule_waiting;
	CHECK_EQ(plugin_load(part_path("a"), PLUGIN_ASYNC, &loaded), 0);
	down(&gate.begun);
	CHECK(async_schedule(unload_in_program, NULL));
	quiet();
	gate_open(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(result, -EDEADLK);
	CHECK(strlen(plugin_error()) == 0); /* it is the other thread's */
	CHECK_STEPS("a.init1 a.init2 a.exit2 a.exit1");
	CHECK_EQ(plugin_load(part_path("a"), 0, &again), -EBUSY);
	CHECK(part_is_mapped("a"));
	unload(loaded);
	CHECK_STEPS("a.init1 a.init2 a.exit2 a.exit1");
	CHECK(!part_is_mapped("a"));
}

static void check_refused(const char *path, const char *cause)
{
	struct plugin *plugin;

	CHECK_EQ(plugin_load(path, 0, &plugin), -ELIBBAD);
	if (!strstr(plugin_error(), cause))
		FAIL("\"%s\" is not in \"%s\"", cause, plugin_error());
	CHECK_STEPS("");
	CHECK(!part_is_mapped("b") && !part_is_mapped("c"));
}

/* The dynamic loader gives up when it has mapped some of it already. */
TEST(plugin_whose_needs_cannot_be_met_leaves_nothing_behind, .pools = PALL)
{
	check_refused(part_path("needs_symbol"), "no_such_function");
	unload(load("needs_b"));
}

/* It looks for what it needs beside it, where c is and b is not. */
TEST(plugin_whose_library_is_missing_leaves_nothing_behind, .pools = PALL, .env = "LD_LIBRARY_PATH=")
{
	char folder[] = "/tmp/inorder-plugin-XXXXXX";
	char user[64], c[64];

	CHECK(mkdtemp(folder));
	snprintf(user, sizeof(user), "%s/part_needs_both.so", folder);
	snprintf(c, sizeof(c), "%s/part_c.so", folder);
	CHECK(!symlink(part_path("needs_both"), user) && !symlink(part_path("c"), c));
	check_refused(user, "part_b.so");
	CHECK(!unlink(user) && !unlink(c) && !rmdir(folder));
	unload(load("needs_both"));
}

TEST(plugin_without_initcalls_brings_up_what_it_needs, .pools = PALL)
{
	struct plugin *plugin;

	CHECK_EQ(plugin_load(PART_DIR "/between.so", 0, &plugin), 0);
	CHECK_STEPS("b.init1 b.init2");
	CHECK(plugin_symbol(plugin, "between"));
	unload(load("far"));
	CHECK(initcalls_free() > 0);
	unload(plugin);
	CHECK(!part_is_mapped("b"));
}

TEST(plugin_has_one_life_under_two_names, .pools = PALL)
{
	char other[] = "/tmp/inorder-plugin-XXXXXX";
	struct plugin *plugin = load("a");
	struct plugin *same;
	int fd = mkstemp(other);

	CHECK(fd >= 0);
	close(fd);
	CHECK(!unlink(other) && !symlink(part_path("a"), other));
	CHECK_EQ(plugin_load(other, 0, &same), 0);
	CHECK(!unlink(other));
	CHECK(plugin == same);
	CHECK_STEPS("a.init1 a.init2");
	unload(plugin);
	CHECK(part_is_mapped("a"));
	unload(same);
	CHECK(!part_is_mapped("a"));
}

static pid_t child = -1;

static int fork_in_initcall(const struct part *part, const char *step)
{
	if (is_part(part, "a") && is_step(step, "init1")) {
		struct plugin *same;

		child = fork();
		CHECK(child >= 0);
		CHECK_EQ(plugin_load(part_path("a"), 0, &same), -EDEADLK); /* the thread that loads is here */
	}
	if (is_part(part, "a") && is_step(step, "init2"))
		part_schedule(&job, part, part_gate, &gate);
	return 0;
}

/* Both go on with the load. */
TEST(initcall_may_fork, .pools = P2)
{
	struct plugin *plugin;

	gate_init(&gate);
	gate_open(&gate);
	on_step = fork_in_initcall;
	plugin = load("a");
	CHECK(gate.done);
	unload(load("needs_b"));
	unload(plugin);
	CHECK_STEPS("a.init1 a.init2 b.init1 b.init2 needs_b.init1 needs_b.init2 needs_b.exit2 needs_b.exit1 "
		    "b.exit2 b.exit1 a.exit2 a.exit1");
	if (!child)
		_exit(0);
	harness_reap(child, 0);
}

static struct plugin *first, *second;

static void unload_first(void)
{
	unload(first);
	CHECK(!part_is_mapped("a"));
}

static void unload_second(void)
{
	unload(second);
	CHECK(!part_is_mapped("c"));
}

/* One handler runs before the exit's wait, the other after it. */
TEST(plugins_may_be_unloaded_at_exit, .pools = PALL)
{
	CHECK(!atexit(unload_first));
	first = load("a");
	second = load("c");
	CHECK(!atexit(unload_second));
}

static int schedule_slow(const struct part *part, const char *step)
{
	if (is_part(part, "a") && is_step(step, "init2"))
		part_schedule(&job, part, part_gate, &gate);
	if (is_part(part, "a") && is_step(step, "dtor") && !gate.done)
		FAIL("the plug-in's destructor runs before its call has");
	return 0;
}

static void open_late(void *unused)
{
	quiet();
	gate_open(&gate);
}

TEST(exit_waits_for_the_calls_of_plugins_that_stay, .pools = PSOME)
{
	static struct actor actor;

	gate_init(&gate);
	on_step = schedule_slow;
	CHECK_EQ(plugin_load(part_path("a"), PLUGIN_ASYNC, &loaded), 0);
	down(&gate.begun);
	actor_start(&actor, open_late, NULL);
}
