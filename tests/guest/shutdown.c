/* SPDX-License-Identifier: MIT */
/* async_shutdown(): nothing of the library is left, and the next call starts afresh. */
#include "harness.h"

#include <sched.h>
#include <sys/prctl.h>

static atomic_uint ran;

static void use(void)
{
	unsigned int before = ran;

	for (unsigned int i = 0; i < 50; i++)
		async_schedule(count, &ran);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(ran, before + 50);
}

TEST(no_thread_is_left, .pools = PALL, .no_tsan = true)
{
	unsigned int before = thread_count();

	for (unsigned int i = 0; i < 20; i++) {
		use();
		CHECK_EQ(async_shutdown(), 0);
		CHECK_EQ(thread_count(), before);
	}
}

TEST(it_waits_for_calls_of_every_domain, .pools = PSOME)
{
	static ASYNC_DOMAIN_EXCLUSIVE(own);
	atomic_uint n = 0;

	for (unsigned int i = 0; i < 100; i++)
		async_schedule_domain(count, &n, i % 2 ? &own : NULL);
	CHECK_EQ(async_shutdown(), 0);
	CHECK_EQ(n, 100);
}

TEST(before_the_first_call_there_is_nothing_to_end, .pools = PALL)
{
	CHECK_EQ(async_shutdown(), 0);
	use();
	CHECK_EQ(async_shutdown(), 0);
	CHECK_EQ(async_shutdown(), 0);
}

/* As many as the pool has, and a monitor that sees them blocked. */
TEST(many_workers_end, .pools = P256, .no_tsan = true)
{
	enum { CALLS = 60 };
	static struct gate gates[CALLS];
	unsigned int before = thread_count();

	gates_new(gates, CALLS, NULL);
	for (unsigned int i = 0; i < CALLS; i++)
		gate_open(&gates[i]);
	CHECK_EQ(async_shutdown(), 0);
	CHECK_EQ(thread_count(), before);
	use();
}

static int inside;

static void shut_down_inside(void *data, async_cookie_t cookie)
{
	inside = async_shutdown();
}

TEST(inside_a_call_it_is_refused, .pools = PALL)
{
	async_schedule(shut_down_inside, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(inside, -EDEADLK);
	CHECK_EQ(harness_count("async_shutdown()"), 1);
	CHECK_EQ(async_quiesce_begin(), 0);
	CHECK_EQ(async_shutdown(), -EDEADLK);
	CHECK_EQ(async_quiesce_end(), 0);
	use();
}

static atomic_bool stop;

static void schedule_on(void *data)
{
	while (!stop) {
		async_schedule(count, data);
		async_synchronize_full();
	}
}

/* Some calls come while threads end: none is lost. Two shut down: one of them at a time. */
TEST(other_threads_go_on_scheduling, .pools = PALL)
{
	static struct actor actor;
	atomic_uint n = 0;

	actor_start(&actor, schedule_on, &n);
	for (unsigned int i = 0; i < 30; i++) {
		int error = async_shutdown();

		CHECK(!error || error == -EBUSY);
		async_schedule(count, &n);
	}
	stop = true;
	actor_join(&actor);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_shutdown(), 0);
}

static void note_privileges(void *data, async_cookie_t cookie)
{
	*(int *)data = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

/* What a filter needs first: threads that exist already do not get it. */
TEST(the_next_worker_has_what_the_process_gave_up, .pools = PSOME)
{
	int in_call = -1;
	struct gate gate;

	use();
	CHECK_EQ(async_shutdown(), 0);
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	async_schedule(note_privileges, &in_call);
	gate_new(&gate, NULL);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(in_call, 1);
}

/* The kernel refuses it to a process that has another thread, even one about to end. */
TEST(a_user_namespace_can_be_entered, .pools = PSOME, .no_tsan = true)
{
	harness_native("the emulator has a thread of its own");
	use();
	CHECK_EQ(async_shutdown(), 0);
	if (unshare(CLONE_NEWUSER)) {
		CHECK(errno != EINVAL);
		harness_skip("user namespaces are not allowed");
	}
	use();
}
