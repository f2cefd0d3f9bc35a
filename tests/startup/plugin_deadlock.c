/* SPDX-License-Identifier: MIT */
/* Loads and unloads that would wait for themselves are refused, and reported; those that only look so are not. */
#include "host.h"

static struct gate gate;
static struct part_job job;
static struct plugin *loaded;
static int result;
static const char *wanted; /* whom the hooks load or unload */

static void load_it(struct part_job *unused, async_cookie_t cookie)
{
	struct plugin *plugin;

	result = plugin_load(part_path(wanted), 0, &plugin);
	if (!result)
		loaded = plugin;
}

static int load_in_call(const struct part *part, const char *step)
{
	if (is_part(part, "a") && is_step(step, "init1"))
		part_schedule(&job, part, load_it, NULL);
	return 0;
}

TEST(plugin_that_loads_itself_in_a_call_is_refused, .pools = PALL)
{
	on_step = load_in_call;
	wanted = "a";
	unload(load("a"));
	CHECK_EQ(result, -EDEADLK);
	CHECK_EQ(harness_count("cannot load itself"), 1);
	CHECK(harness_said("part_a.so"));
	CHECK_STEPS("a.init1 a.init2 a.exit2 a.exit1");
}

static int load_in_initcall(const struct part *part, const char *step)
{
	if (is_part(part, "a") && is_step(step, "init1"))
		load_it(NULL, 0);
	return 0;
}

TEST(plugin_that_loads_itself_in_an_initcall_is_refused, .pools = PALL)
{
	on_step = load_in_initcall;
	wanted = "a";
	unload(load("a"));
	CHECK_EQ(result, -EDEADLK);
	CHECK_EQ(harness_count("cannot load itself"), 1);
}

static int load_each_other(const struct part *part, const char *step)
{
	struct plugin *plugin;

	if (is_part(part, "a") && is_step(step, "init1")) {
		result = plugin_load(part_path("c"), 0, &plugin);
		loaded = plugin;
	}
	if (is_part(part, "c") && is_step(step, "init1"))
		CHECK_EQ(plugin_load(part_path("a"), 0, &plugin), -EDEADLK);
	return 0;
}

TEST(plugin_that_loads_the_one_that_loads_it_is_refused, .pools = PALL)
{
	struct plugin *plugin;

	on_step = load_each_other;
	plugin = load("a");
	CHECK_EQ(result, 0);
	CHECK_EQ(harness_count("never end"), 1);
	unload(loaded);
	unload(plugin);
}

static pthread_barrier_t both_begun;
static int results[2];
static struct plugin *others[2];

static int cross(const struct part *part, const char *step)
{
	const int i = is_part(part, "c");

	if (is_step(step, "init1")) {
		pthread_barrier_wait(&both_begun);
		results[i] = plugin_load(part_path(i ? "a" : "c"), 0, &others[i]);
	}
	return 0;
}

TEST(two_threads_whose_plugins_load_each_other_do_not_hang, .pools = PALL)
{
	struct loader first;
	struct loader second;

	pthread_barrier_init(&both_begun, NULL, 2);
	on_step = cross;
	loader_start(&first, "a", 0);
	loader_start(&second, "c", 0);
	CHECK_EQ(loader_join(&first), 0);
	CHECK_EQ(loader_join(&second), 0);
	CHECK((results[0] == -EDEADLK) + (results[1] == -EDEADLK) == 1);
	CHECK(results[0] == 0 || results[1] == 0);
	CHECK_EQ(harness_count("never end"), 1);
	unload(first.plugin);
	unload(second.plugin);
	for (int i = 0; i < 2; i++)
		if (others[i])
			unload(others[i]);
	CHECK(!part_is_mapped("a") && !part_is_mapped("c"));
}

TEST(call_of_a_plugin_may_load_another_one, .pools = PALL)
{
	struct plugin *plugin;

	on_step = load_in_call;
	wanted = "needs_b";
	plugin = load("a");
	CHECK_EQ(result, 0);
	CHECK_EQ(harness_count("inorder"), 0);
	unload(plugin);
	unload(loaded);
}

static void load_in_program(void *data, async_cookie_t cookie)
{
	load_it(NULL, cookie);
}

TEST(call_of_the_program_may_load_a_plugin, .pools = PALL)
{
	wanted = "a";
	CHECK(async_schedule(load_in_program, NULL));
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(result, 0);
	unload(loaded);
}

static int loads[2];
static struct plugin *loaded_twice[2];
static sem_t both_scheduled;

static void load_a(void *data, async_cookie_t cookie)
{
	const int i = (int)(uintptr_t)data;

	down(&both_scheduled);
	loads[i] = plugin_load(part_path("a"), 0, &loaded_twice[i]);
}

/* The call of the plug-in waits for calls of the program, which both wait for it, one of them as the second loader. */
static void wait_for_loaders(struct part_job *unused, async_cookie_t cookie)
{
	up(&gate.begun);
	down(&gate.open);
	result = async_synchronize_cookie(cookie);
}

static int wait_in_call(const struct part *part, const char *step)
{
	if (is_step(step, "init1"))
		part_schedule(&job, part, wait_for_loaders, NULL);
	return 0;
}

TEST(call_that_waits_for_both_loaders_of_its_plugin_does_not_hang, .pools = PMANY)
{
	gate_init(&gate);
	sem_init(&both_scheduled, 0, 0);
	on_step = wait_in_call;
	CHECK(async_schedule(load_a, (void *)0));
	CHECK(async_schedule(load_a, (void *)1));
	up(&both_scheduled);
	up(&both_scheduled);
	down(&gate.begun);
	quiet();
	gate_open(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(result, -EDEADLK); /* its cookie is the highest */
	CHECK_EQ(loads[0], 0);
	CHECK_EQ(loads[1], 0);
	CHECK_STEPS("a.init1 a.init2");
	unload(loaded_twice[0]);
	unload(loaded_twice[1]);
	CHECK(!part_is_mapped("a"));
}

static void unload_it(struct part_job *unused, async_cookie_t cookie)
{
	down(&gate.open);
	result = plugin_unload(loaded);
}

static int unload_in_call(const struct part *part, const char *step)
{
	if (is_part(part, wanted) && is_step(step, "init1"))
		part_schedule(&job, part, unload_it, NULL);
	return 0;
}

TEST(plugin_that_unloads_itself_in_a_call_is_refused, .pools = PMANY)
{
	gate_init(&gate);
	on_step = unload_in_call;
	wanted = "a";
	CHECK_EQ(plugin_load(part_path("a"), PLUGIN_ASYNC, &loaded), 0);
	up(&gate.open);
	CHECK_EQ(async_synchronize_owner(plugin_owner(loaded)), 0);
	CHECK_EQ(result, -EDEADLK);
	CHECK_EQ(harness_count("cannot be unloaded"), 1);
	CHECK_STEPS("a.init1 a.init2");
	unload(loaded);
}

static int unload_in_exit(const struct part *part, const char *step)
{
	if (is_step(step, "exit1"))
		result = plugin_unload(loaded);
	return 0;
}

TEST(plugin_that_unloads_itself_in_an_exit_function_is_refused, .pools = PALL)
{
	on_step = unload_in_exit;
	loaded = load("a");
	unload(loaded);
	CHECK_EQ(result, -EDEADLK);
	CHECK(!part_is_mapped("a"));
}

static struct plugin *user;

static void unload_user(struct part_job *unused, async_cookie_t cookie)
{
	result = plugin_unload(user);
}

TEST(needed_plugin_cannot_unload_its_last_user_from_a_call, .pools = PMANY)
{
	const char *(*name)(void);

	user = load("needs_b");
	*(void **)&name = plugin_symbol(user, "part_b");
	CHECK(name);
	loaded = load("b");
	async_owner_enter(plugin_owner(loaded));
	CHECK_EQ(plugin_unload(loaded), 0); /* needs_b holds it */
	job.run = unload_user;
	unload_user(NULL, 0);
	async_owner_enter(NULL);
	CHECK_EQ(result, -EDEADLK);
	CHECK(part_is_mapped("needs_b"));
	unload(user);
	CHECK(!part_is_mapped("b"));
}

static void unload_now(struct part_job *unused, async_cookie_t cookie)
{
	unload_user(unused, cookie);
}

static int a_unloads_c(const struct part *part, const char *step)
{
	if (is_part(part, "a") && is_step(step, "init1"))
		part_schedule(&job, part, unload_now, NULL);
	return 0;
}

TEST(call_of_a_plugin_may_unload_another_one, .pools = PALL)
{
	struct plugin *plugin;

	user = load("c");
	on_step = a_unloads_c;
	plugin = load("a");
	CHECK_EQ(result, 0);
	CHECK(!part_is_mapped("c"));
	unload(plugin);
}

static int load_in_constructor(const struct part *part, const char *step)
{
	if (is_part(part, "a") && (is_step(step, "ctor") || is_step(step, "dtor"))) {
		struct plugin *plugin;

		CHECK_EQ(plugin_load(part_path("c"), 0, &plugin), -EDEADLK);
		CHECK_EQ(plugin_unload(loaded), -EDEADLK);
	}
	return 0;
}

TEST(constructors_and_destructors_are_refused, .pools = PALL)
{
	struct plugin *plugin;

	loaded = load("b");
	on_step = load_in_constructor;
	plugin = load("a");
	unload(plugin);
	CHECK_EQ(harness_count("constructor or destructor"), 4);
	unload(loaded);
}

static void free_in_call(void *data, async_cookie_t cookie)
{
	errno = 0;
	CHECK_EQ(initcalls_free(), 0);
	CHECK_EQ(errno, EDEADLK);
	result = 1;
}

TEST(init_memory_is_not_freed_from_a_call, .pools = PALL)
{
	struct plugin *plugin = load("a");

	CHECK(async_schedule(free_in_call, NULL));
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(result, 1);
	CHECK(initcalls_free() > 0);
	unload(plugin);
}
