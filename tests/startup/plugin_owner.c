/* SPDX-License-Identifier: MIT */
/* Whose calls those are that threads without an owner schedule: by the code that schedules, and by what is to run. */
#include "host.h"

#include <dlfcn.h>

static const struct part *a, *b, *c, *needs_b;
static struct gate gate;
static struct part_job job;

static int note_part(const struct part *part, const char *step)
{
	const char *const names[] = {"a", "b", "c", "needs_b"};
	const struct part **const parts[] = {&a, &b, &c, &needs_b};

	for (size_t i = 0; i < 4; i++)
		if (is_part(part, names[i]) && is_step(step, "ctor"))
			*parts[i] = part;
	return 0;
}

static struct plugin *load_noted(const char *name)
{
	on_step = note_part;
	return load(name);
}

static void wait_for_owner(void *data)
{
	CHECK_EQ(async_synchronize_owner(data), 0);
}

/* Whether a wait for the calls of a plug-in waits for the one that stands at the gate. */
static void check_owner_is(struct plugin *plugin)
{
	struct actor actor;

	down(&gate.begun);
	actor_start(&actor, wait_for_owner, plugin_owner(plugin));
	quiet();
	CHECK(!actor.done);
	gate_open(&gate);
	actor_join(&actor);
	CHECK(gate.done);
}

static void check_owner_is_not(struct plugin *plugin)
{
	down(&gate.begun);
	CHECK_EQ(async_synchronize_owner(plugin_owner(plugin)), 0);
	CHECK(!gate.done);
	gate_open(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

static struct order *order_of(enum via via, async_func_t func, void *data)
{
	static struct order order;

	gate_init(&gate);
	order = (struct order){.via = via, .func = func, .data = data};
	return &order;
}

TEST(call_that_a_plugins_code_schedules_is_its, .pools = P2)
{
	struct plugin *plugin = load_noted("a");

	for (enum via via = 0; via < VIAS; via++) {
		CHECK(a->schedule(order_of(via, gate_call, &gate)));
		check_owner_is(plugin);
	}
	unload(plugin);
}

static struct part_job *gate_in_part(const struct part *part)
{
	job = (struct part_job){.run = part_gate, .part = part, .data = &gate};
	return &job;
}

TEST(call_that_runs_a_plugins_function_is_its, .pools = P2)
{
	struct plugin *plugin = load_noted("a");

	for (enum via via = 0; via < VIAS; via++) {
		CHECK(schedule_order(order_of(via, a->call, gate_in_part(a))));
		check_owner_is(plugin);
	}
	unload(plugin);
}

TEST(call_that_retires_in_a_plugin_is_its, .pools = P2)
{
	struct plugin *plugin = load_noted("a");

	for (enum via via = ORDERED; via <= ENTRY; via++) {
		struct order *order = order_of(via, nothing, gate_in_part(a));

		order->retire = a->call;
		CHECK(schedule_order(order));
		check_owner_is(plugin);
	}
	unload(plugin);
}

TEST(call_of_the_program_is_no_plugins, .pools = P2)
{
	struct plugin *plugin = load_noted("a");

	for (enum via via = 0; via < VIAS; via++) {
		CHECK(schedule_order(order_of(via, gate_call, &gate)));
		check_owner_is_not(plugin);
	}
	unload(plugin);
}

TEST(entered_owner_comes_before_the_place, .pools = PMANY)
{
	struct plugin *plugin = load_noted("a");
	ASYNC_OWNER(mine);

	CHECK(!async_owner_enter(&mine));
	CHECK(a->schedule(order_of(PLAIN, a->call, gate_in_part(a))));
	CHECK(async_owner_enter(NULL) == &mine);
	check_owner_is_not(plugin);
	CHECK_EQ(async_synchronize_owner(&mine), 0);
	unload(plugin);
}

TEST(jump_out_of_a_plugin_leaves_its_function_to_it, .pools = PMANY)
{
	struct plugin *plugin = load_noted("a");

	order_of(PLAIN, NULL, NULL);
	CHECK(a->jump(a->call, gate_in_part(a)));
	check_owner_is(plugin);
	unload(plugin);
}

static void schedule_in_call(void *data, async_cookie_t cookie)
{
	CHECK(a->schedule(data));
}

TEST(call_without_owner_hands_none_to_a_plugins_code, .pools = PMANY)
{
	struct plugin *plugin = load_noted("a");

	CHECK(async_schedule(schedule_in_call, order_of(PLAIN, gate_call, &gate)));
	check_owner_is(plugin);
	unload(plugin);
}

static bool is_owner_of_gate(struct plugin *plugin)
{
	struct actor actor;
	bool is;

	actor_start(&actor, wait_for_owner, plugin_owner(plugin));
	quiet();
	is = !actor.done;
	gate_open(&gate);
	actor_join(&actor);
	return is;
}

/* b may be unloaded while a's call runs in it; not while needs_b is loaded. */
TEST(function_of_another_plugin_is_the_schedulers_only_if_it_keeps_that_one, .pools = PMANY)
{
	struct plugin *stranger = load_noted("a");
	struct plugin *user = load_noted("needs_b");
	struct plugin *runner = load_noted("b");

	CHECK(a->schedule(order_of(PLAIN, b->call, gate_in_part(b))));
	down(&gate.begun);
	CHECK(is_owner_of_gate(runner));
	CHECK(needs_b->schedule(order_of(PLAIN, b->call, gate_in_part(b))));
	down(&gate.begun);
	CHECK(is_owner_of_gate(user));
	unload(stranger);
	unload(runner);
	unload(user);
}

static async_cookie_t (*symbol_schedule(const char *path))(struct order *order)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
	async_cookie_t (*schedule)(struct order * order);

	CHECK(handle);
	*(void **)&schedule = dlsym(handle, "between_schedule");
	CHECK(schedule);
	dlclose(handle);
	return schedule;
}

TEST(library_that_came_along_is_part_of_those_that_need_it, .pools = PMANY)
{
	struct plugin *first = load("far");
	struct plugin *second = load("farther");
	async_cookie_t (*schedule)(struct order * order) = symbol_schedule(PART_DIR "/between.so");

	CHECK(schedule(order_of(PLAIN, gate_call, &gate)));
	check_owner_is(first);
	unload(first);
	CHECK(schedule(order_of(PLAIN, gate_call, &gate)));
	check_owner_is(second);
	unload(second);
	CHECK(!part_is_mapped("b"));
}

static void schedule_between(void *data)
{
	CHECK(symbol_schedule(PART_DIR "/between.so")(data));
}

static int schedule_between_in_exit(const struct part *part, const char *step)
{
	struct actor actor;

	if (is_part(part, "far") && is_step(step, "exit1")) {
		actor_start(&actor, schedule_between, order_of(PLAIN, gate_call, &gate));
		actor_join(&actor);
	}
	return 0;
}

TEST(library_that_stays_does_not_hold_up_an_unload, .pools = PMANY)
{
	struct plugin *first = load("far");
	struct plugin *second = load("farther");

	on_step = schedule_between_in_exit;
	unload(first);
	check_owner_is(second);
	unload(second);
}

TEST(library_of_the_program_is_no_plugins, .pools = PMANY)
{
	void *handle = dlopen(PART_DIR "/between.so", RTLD_NOW);
	struct plugin *plugin = load("far");

	CHECK(handle);
	CHECK(symbol_schedule(PART_DIR "/between.so")(order_of(PLAIN, gate_call, &gate)));
	check_owner_is_not(plugin);
	unload(plugin);
	dlclose(handle);
}

static struct actor thread;
static struct order order_of_thread;

static void schedule_in_thread(void *data)
{
	const struct part *part = data;

	CHECK(part->schedule(&order_of_thread));
}

/* Both in the constructor itself and in a thread that it makes. */
static int schedule_in_constructor(const struct part *part, const char *step)
{
	if (!is_step(step, "ctor"))
		return 0;
	order_of_thread = *order_of(PLAIN, gate_call, &gate);
	if (is_part(part, "a")) {
		CHECK(async_schedule(gate_call, &gate));
	} else if (is_part(part, "c")) {
		actor_start(&thread, schedule_in_thread, (void *)(uintptr_t)part);
		actor_join(&thread);
	}
	return 0;
}

static void load_waits_for_constructors_call(const char *name)
{
	struct loader loader;

	on_step = schedule_in_constructor;
	loader_start(&loader, name, 0);
	quiet();
	down(&gate.begun);
	CHECK(!loader.actor.done);
	gate_open(&gate);
	CHECK_EQ(loader_join(&loader), 0);
	CHECK(gate.done);
	unload(loader.plugin);
}

TEST(call_that_a_constructor_schedules_is_waited_for, .pools = PMANY)
{
	load_waits_for_constructors_call("a");
}

TEST(call_that_a_thread_of_a_constructor_schedules_is_waited_for, .pools = PMANY)
{
	load_waits_for_constructors_call("c");
}

static atomic_bool stop;
static atomic_uint scheduled, run;
static sem_t schedules;

static void count_run(void *data, async_cookie_t cookie)
{
	run++;
}

static void schedule_many(void *data)
{
	const struct part *part = data;
	struct order order = {.via = PLAIN, .func = count_run};

	while (!stop) {
		CHECK(part->schedule(&order));
		if (!scheduled++)
			up(&schedules);
	}
}

/* The plug-in's thread schedules until an exit function joins it. */
static int thread_from_init_to_exit(const struct part *part, const char *step)
{
	if (!is_part(part, "a"))
		return 0;
	if (is_step(step, "init1")) {
		stop = false;
		scheduled = run = 0;
		actor_start(&thread, schedule_many, (void *)(uintptr_t)part);
	} else if (is_step(step, "exit1")) {
		down(&schedules);
		stop = true;
		actor_join(&thread);
	} else if (is_step(step, "dtor")) {
		CHECK_EQ(scheduled, run);
	}
	return 0;
}

TEST(unload_waits_for_all_that_the_plugins_thread_scheduled, .pools = PALL)
{
	sem_init(&schedules, 0, 0);
	on_step = thread_from_init_to_exit;
	for (unsigned i = 0; i < 20; i++) {
		struct plugin *plugin;

		CHECK_EQ(plugin_load(part_path("a"), PLUGIN_ASYNC, &plugin), 0);
		unload(load("needs_b")); /* the list changes beside it */
		unload(plugin);
		CHECK(!part_is_mapped("a"));
	}
}

TEST(forked_child_knows_whose_calls_they_are, .pools = P2)
{
	struct plugin *plugin = load_noted("a");
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		CHECK(a->schedule(order_of(PLAIN, gate_call, &gate)));
		check_owner_is(plugin);
		unload(plugin);
		_exit(0);
	}
	harness_reap(pid, 0);
	unload(plugin);
}
