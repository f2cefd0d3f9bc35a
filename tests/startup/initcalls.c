/* SPDX-License-Identifier: MIT */
/* Running initcalls: order, failures, the blacklist, _sync levels, later objects, fork, trace lines. */
#include "../harness.h"

#include <dlfcn.h>

#include "calls.h"

static char list[4096];
static int (*on_call)(const char *name);

INORDER_API void library(void);

int called(const char *name)
{
	CHECK(strlen(list) + strlen(name) + 2 < sizeof(list));
	if (list[0])
		strcat(list, " ");
	strcat(list, name);
	return on_call ? on_call(name) : 0;
}

#define CHECK_LIST(wanted) \
	do { \
		if (strcmp(list, wanted)) \
			FAIL("these ran:\n\"%s\"\ninstead of\n\"%s\"", list, wanted); \
		list[0] = 0; \
	} while (0)

#define BEFORE_DEVICE \
	"library_core first_core second_core first_core_sync first_postcore first_postcore_sync " \
	"first_arch first_arch_sync first_subsys first_subsys_sync first_fs first_fs_sync "
#define FROM_DEVICE_SYNC " first_device_sync first_late second_late first_late_sync"
#define EVERYTHING BEFORE_DEVICE "library_device first_device first_device_too second_device" FROM_DEVICE_SYNC

TEST(levels_then_objects_then_link_order, .pools = PALL)
{
	library();
	CHECK_EQ(initcalls_run(0), 0);
	CHECK_LIST(EVERYTHING);
}

TEST(nothing_runs_before_or_twice, .pools = P2)
{
	CHECK_LIST("");
	CHECK_EQ(initcalls_run(0), 0);
	CHECK_LIST(EVERYTHING);
	CHECK_EQ(initcalls_run(0), 0);
	CHECK_LIST("");
}

TEST(library_loaded_later_catches_up, .pools = P2)
{
	void *handle;

	CHECK_EQ(initcalls_run(0), 0);
	list[0] = 0;
	handle = dlopen(LATER, RTLD_NOW);
	CHECK(handle);
	CHECK_LIST("");
	CHECK_EQ(initcalls_run(0), 0);
	CHECK_LIST("later_core later_device");
	dlclose(handle);
	CHECK_EQ(initcalls_run(0), 0);
	CHECK_LIST("");
}

static void *later;

static int load_later(const char *name)
{
	if (!strcmp(name, "first_device")) {
		later = dlopen(LATER, RTLD_NOW);
		CHECK(later);
	}
	return 0;
}

TEST(library_loaded_by_an_initcall_runs_from_its_core_level, .pools = P2)
{
	on_call = load_later;
	CHECK_EQ(initcalls_run(0), 0);
	CHECK_LIST(
		BEFORE_DEVICE
		"library_device first_device later_core first_device_too second_device later_device" FROM_DEVICE_SYNC);
	dlclose(later);
}

static int fail_two(const char *name)
{
	return !strcmp(name, "first_device") ? -ENXIO : !strcmp(name, "second_device") ? -EIO : 0;
}

TEST(failure_is_named_and_the_first_error_returned, .pools = PALL)
{
	on_call = fail_two;
	CHECK_EQ(initcalls_run(0), -ENXIO);
	CHECK_LIST(EVERYTHING);
	CHECK_EQ(harness_count("initcall first_device of "), 1);
	CHECK_EQ(harness_count(strerror(ENXIO)), 1);
	CHECK_EQ(harness_count("initcall second_device of "), 1);
	CHECK_EQ(harness_count("failed"), 2);
}

TEST(stop_stops_at_the_first_failure, .pools = PALL)
{
	on_call = fail_two;
	CHECK_EQ(initcalls_run(INITCALL_STOP), -ENXIO);
	CHECK_LIST(BEFORE_DEVICE "library_device first_device");
	CHECK_EQ(initcalls_run(0), -EIO); /* goes on with the next one */
	CHECK_LIST("first_device_too second_device" FROM_DEVICE_SYNC);
}

static int positive(const char *name)
{
	return 1;
}

TEST(positive_results_are_no_failures, .pools = P2)
{
	on_call = positive;
	CHECK_EQ(initcalls_run(INITCALL_STOP), 0);
	CHECK_EQ(harness_count("failed"), 0);
}

TEST(blacklist_of_the_environment, .pools = P2,
     .env = "INORDER_INITCALL_BLACKLIST=second_core,no_such,first_late INORDER_DEBUG=initcall")
{
	CHECK_EQ(initcall_blacklist("library_device"), 0);
	CHECK_EQ(initcall_blacklist("first_dev,first_device_to,first_device_toos"), 0); /* parts of names are none */
	CHECK_EQ(initcalls_run(0), 0);
	CHECK_LIST("library_core first_core first_core_sync first_postcore first_postcore_sync first_arch "
		   "first_arch_sync first_subsys first_subsys_sync first_fs first_fs_sync first_device "
		   "first_device_too second_device first_device_sync second_late first_late_sync");
	CHECK(harness_said("initcall second_core.blacklisted+"));
}

TEST(trace_has_the_kernels_lines_with_function_names, .pools = P2, .env = "INORDER_DEBUG=initcall")
{
	on_call = fail_two;
	CHECK_EQ(initcalls_run(0), -ENXIO);
	CHECK_EQ(harness_count("calling  first_core+"), 1);
	CHECK_EQ(harness_count("calling  first_device+"), 1);
	CHECK(harness_said("initcall first_core+"));
	CHECK(harness_said(" returned 0 after "));
	CHECK(harness_said(" returned -6 after "));
}

TEST(unknown_flags_are_refused, .pools = P2)
{
	CHECK_EQ(initcalls_run(2), -EINVAL);
	CHECK_LIST("");
}

static int run_again(const char *name)
{
	return strcmp(name, "first_arch") ? 0 : initcalls_run(0);
}

TEST(run_inside_a_run_is_busy, .pools = PALL)
{
	on_call = run_again;
	CHECK_EQ(initcalls_run(0), -EBUSY);
	CHECK_LIST(EVERYTHING);
}

static struct gate gate;
static struct actor opener;
static bool was_done;

static void open_when_quiet(void *unused)
{
	quiet();
	gate_open(&gate);
}

/* A call of the fs level runs on in the device level; the one of the device level does not in device_sync. */
static int schedule_gate(const char *name)
{
	if (!strcmp(name, "first_fs_sync")) {
		CHECK(async_schedule(gate_call, &gate));
	} else if (!strcmp(name, "library_device")) {
		was_done = gate.done;
	}
	return 0;
}

TEST(sync_level_waits_for_its_own_calls, .pools = PSOME)
{
	gate_init(&gate);
	actor_start(&opener, open_when_quiet, NULL);
	on_call = schedule_gate;
	CHECK_EQ(initcalls_run(0), 0);
	CHECK(was_done);
	actor_join(&opener);
}

ASYNC_DOMAIN_EXCLUSIVE(exclusive);

static int gate_over_levels(const char *name)
{
	if (!strcmp(name, "first_fs")) {
		CHECK(async_schedule_domain(gate_call, &gate, &exclusive));
	} else if (!strcmp(name, "first_fs_sync")) {
		was_done = gate.done;
	}
	return 0;
}

TEST(sync_level_waits_for_calls_of_lower_levels, .pools = PSOME)
{
	gate_init(&gate);
	actor_start(&opener, open_when_quiet, NULL);
	on_call = gate_over_levels;
	CHECK_EQ(initcalls_run(0), 0);
	CHECK(was_done);
	actor_join(&opener);
}

static int schedule_last(const char *name)
{
	return strcmp(name, "first_late_sync") || async_schedule(gate_call, &gate) ? 0 : -ENOMEM;
}

TEST(last_sync_level_waits_for_its_own_calls, .pools = PSOME)
{
	gate_init(&gate);
	actor_start(&opener, open_when_quiet, NULL);
	on_call = schedule_last;
	CHECK_EQ(initcalls_run(0), 0);
	CHECK(gate.done);
	actor_join(&opener);
}

static int gate_between(const char *name)
{
	if (!strcmp(name, "first_late")) {
		CHECK(async_schedule(gate_call, &gate));
		down(&gate.begun);
	} else if (!strcmp(name, "second_late")) {
		was_done = gate.done; /* the next level opens it: a wait before would never end */
		gate_open(&gate);
	}
	return 0;
}

TEST(calls_run_on_beside_other_initcalls, .pools = PSOME)
{
	gate_init(&gate);
	on_call = gate_between;
	CHECK_EQ(initcalls_run(0), 0);
	CHECK(!was_done);
	CHECK(gate.done); /* first_late_sync waited */
}

static sem_t in_initcall;
static sem_t go_on;

static int hold_here(const char *name)
{
	if (!strcmp(name, "second_device")) {
		up(&in_initcall);
		down(&go_on);
	}
	return 0;
}

static void run_all(void *unused)
{
	CHECK_EQ(initcalls_run(0), 0);
}

TEST(child_forked_beside_a_run_takes_it_up, .pools = P2, .no_tsan = true)
{
	struct actor actor;
	pid_t pid;

	sem_init(&in_initcall, 0, 0);
	sem_init(&go_on, 0, 0);
	on_call = hold_here;
	actor_start(&actor, run_all, NULL);
	down(&in_initcall);
	list[0] = 0;
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		CHECK_EQ(initcalls_run(0), 0); /* the parent's thread, and the run in it, is not here */
		CHECK_LIST("first_device_sync first_late second_late first_late_sync");
		_exit(0);
	}
	harness_reap(pid, 0);
	up(&go_on);
	actor_join(&actor);
}

TEST(forked_child_runs_its_own, .pools = P2)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		CHECK_EQ(initcalls_run(0), 0);
		CHECK_LIST(EVERYTHING);
		_exit(0);
	}
	harness_reap(pid, 0);
	CHECK_EQ(initcalls_run(0), 0);
	CHECK_LIST(EVERYTHING);
}
