// SPDX-License-Identifier: MIT OR GPL-2.0
/* What module loading uses: whom a load waits for, and calls that have modules loaded. */
#include <linux/async_load.h>

#include "harness.h"

struct loader {
	struct async_load *load;
	struct actor actor;
	bool begun, done;
};

/* A module's init that schedules a call, and nothing else. */
static void load_with(struct loader *loader, const char *name, struct gate *gate)
{
	loader->begun = false;
	loader->done = false;
	loader->load = async_load_begin(name);
	CHECK(loader->load);
	if (gate)
		gate_new(gate, NULL);
	async_load_init_done(loader->load);
}

static void wait_main(void *data)
{
	struct loader *loader = data;

	WRITE_ONCE(loader->begun, true);
	async_load_wait(loader->load);
	WRITE_ONCE(loader->done, true);
}

static bool waits(struct loader *loader)
{
	while (!READ_ONCE(loader->begun))
		usleep_range(100, 500);
	return comes_to_rest(loader->actor.task) && !READ_ONCE(loader->done);
}

static void load_end(struct loader *loader)
{
	actor_join(&loader->actor);
	CHECK(loader->done);
	async_load_end(loader->load);
}

TEST(a_load_waits_for_its_own_calls_only, .pools = PLOAD)
{
	struct loader slow, quick;
	struct gate gate;

	load_with(&slow, "slow", &gate);
	load_with(&quick, "quick", NULL);
	actor_start(&slow.actor, wait_main, &slow);
	actor_start(&quick.actor, wait_main, &quick);
	load_end(&quick);
	CHECK(waits(&slow));
	gate_open(&gate);
	load_end(&slow);
	CHECK(gate.done);
}

TEST(every_load_waits_for_calls_without_an_owner, .pools = PLOAD)
{
	struct loader loader;
	struct gate gate;

	gate_new(&gate, NULL);
	load_with(&loader, "any", NULL);
	actor_start(&loader.actor, wait_main, &loader);
	CHECK(waits(&loader));
	gate_open(&gate);
	load_end(&loader);
	CHECK(gate.done);
}

TEST(no_load_waits_for_exclusive_domains, .pools = PLOAD)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	struct loader loader;
	struct gate gate;

	gate_new(&gate, &domain);
	load_with(&loader, "any", NULL);
	actor_start(&loader.actor, wait_main, &loader);
	load_end(&loader);
	CHECK(!gate.done);
	gate_open(&gate);
	CHECK(!async_synchronize_full_domain(&domain));
}

struct family {
	struct gate child;
	struct completion born;
};

static void schedule_child(void *data, async_cookie_t cookie)
{
	struct family *family = data;

	gate_new(&family->child, NULL);
	complete(&family->born);
}

/* Handed over: what a module's call schedules is the module's, whichever task that is. */
TEST(an_owner_is_inherited, .pools = PLOAD)
{
	struct loader loader, other;
	struct family family;

	init_completion(&family.born);
	loader.begun = false;
	loader.done = false;
	loader.load = async_load_begin("parent");
	async_schedule(schedule_child, &family);
	async_load_init_done(loader.load);
	actor_start(&loader.actor, wait_main, &loader);
	wait_for_completion(&family.born);
	load_with(&other, "other", NULL);
	actor_start(&other.actor, wait_main, &other);
	load_end(&other);
	CHECK(waits(&loader));
	gate_open(&family.child);
	load_end(&loader);
	CHECK(family.child.done);
}

struct requester {
	struct completion entered, open;
	bool begun;
};

/* A call that has a module loaded: modprobe comes back when the load is over. */
static void request(void *data, async_cookie_t cookie)
{
	struct requester *requester = data;

	async_request_begin("wanted");
	complete(&requester->entered);
	wait_for_completion(&requester->open);
	async_request_end();
}

TEST(a_call_that_has_a_module_loaded_is_left_out, .pools = PLOAD)
{
	struct requester requester;
	struct loader loader;

	init_completion(&requester.entered);
	init_completion(&requester.open);
	async_schedule(request, &requester);
	wait_for_completion(&requester.entered);
	load_with(&loader, "wanted", NULL);
	actor_start(&loader.actor, wait_main, &loader);
	load_end(&loader); /* or it would hang */
	complete(&requester.open);
	CHECK(!async_synchronize_full());
}

static void request_later(void *data, async_cookie_t cookie)
{
	struct requester *requester = data;

	complete(&requester->entered);
	wait_for_completion(&requester->open);
	async_request_begin("wanted");
	while (!READ_ONCE(requester->begun))
		usleep_range(500, 1000);
	async_request_end();
}

TEST(a_load_that_waits_already_is_told, .pools = PLOAD)
{
	struct requester requester = {};
	struct loader loader;

	init_completion(&requester.entered);
	init_completion(&requester.open);
	async_schedule(request_later, &requester);
	wait_for_completion(&requester.entered);
	load_with(&loader, "wanted", NULL);
	actor_start(&loader.actor, wait_main, &loader);
	CHECK(waits(&loader));
	complete(&requester.open);
	load_end(&loader);
	WRITE_ONCE(requester.begun, true);
	CHECK(!async_synchronize_full());
}

static void wait_for_turn(void *data, async_cookie_t cookie)
{
	WRITE_ONCE(*(struct task_struct **)data, current);
	CHECK(!async_synchronize_cookie(cookie));
}

/* Nor can a call complete that waits for such a call. */
TEST(who_waits_for_such_a_call_is_left_out_too, .pools = PLOAD)
{
	struct requester requester;
	struct loader loader;
	struct task_struct *behind = NULL;

	init_completion(&requester.entered);
	init_completion(&requester.open);
	async_schedule(request, &requester);
	wait_for_completion(&requester.entered);
	async_schedule(wait_for_turn, &behind);
	while (!READ_ONCE(behind))
		usleep_range(500, 1000);
	CHECK(comes_to_rest(behind));
	load_with(&loader, "wanted", NULL);
	actor_start(&loader.actor, wait_main, &loader);
	load_end(&loader);
	complete(&requester.open);
	CHECK(!async_synchronize_full());
}

struct follower {
	struct task_struct *task;
	struct completion go;
};

static void follow(void *data, async_cookie_t cookie)
{
	struct follower *follower = data;

	WRITE_ONCE(follower->task, current);
	wait_for_completion(&follower->go);
	CHECK(!async_synchronize_cookie(cookie));
}

/* Nor one that begins to wait for such a call when the load waits already. */
TEST(who_waits_for_such_a_call_later_is_left_out, .pools = PLOAD)
{
	struct requester requester;
	struct follower follower = {};
	struct loader loader;

	init_completion(&requester.entered);
	init_completion(&requester.open);
	init_completion(&follower.go);
	async_schedule(request, &requester);
	wait_for_completion(&requester.entered);
	async_schedule(follow, &follower);
	while (!READ_ONCE(follower.task))
		usleep_range(500, 1000);
	load_with(&loader, "wanted", NULL);
	actor_start(&loader.actor, wait_main, &loader);
	CHECK(waits(&loader));
	complete(&follower.go);
	load_end(&loader);
	complete(&requester.open);
	CHECK(!async_synchronize_full());
}

static void load_inside(void *data, async_cookie_t cookie)
{
	struct loader *loader = data;

	load_with(loader, "inside", NULL);
	async_load_wait(loader->load);
	async_load_end(loader->load);
	loader->done = true;
}

/* It cannot wait for the call that it is in. */
TEST(a_load_inside_a_call_leaves_that_out, .pools = PLOAD)
{
	struct loader loader;

	async_schedule(load_inside, &loader);
	CHECK(!async_synchronize_full());
	CHECK(loader.done);
}

/*
 * As one whose driver asks for asynchronous probing: none waits. What belongs to the load goes with its last call.
 * The last test, so that no later load frees it.
 */
TEST(a_load_may_end_before_its_calls, .pools = PLOAD)
{
	struct loader loader;
	struct gate gate;

	load_with(&loader, "hasty", &gate);
	async_load_end(loader.load);
	gate_open(&gate);
	CHECK(!async_synchronize_full());
	CHECK(gate.done);
}
