/* SPDX-License-Identifier: MIT */
/* Waits that are left by siglongjmp() out of a signal handler, as programs with alarm() do. */
#include "harness.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>

static __thread sigjmp_buf way_out;

static void jump(int signal_number)
{
	siglongjmp(way_out, 1);
}

/* Once the thread sleeps in its wait, it gets the signal. */
static void disturb(void *thread)
{
	quiet();
	pthread_kill(*(pthread_t *)thread, SIGUSR1);
}

static __attribute__((noinline)) void overwrite_stack(void)
{
	volatile char bytes[8192];

	memset((char *)bytes, 0xa5, sizeof(bytes));
}

/* Whether the wait was left. */
static bool leave_wait(int (*wait)(void))
{
	static struct actor actor;
	pthread_t self = pthread_self();
	volatile bool left = true;

	signal(SIGUSR1, jump);
	if (!sigsetjmp(way_out, 1)) {
		actor_start(&actor, disturb, &self);
		wait();
		left = false;
	}
	actor_join(&actor);
	overwrite_stack();
	return left;
}

static struct gate gate;

static int wait_one(void)
{
	return async_synchronize_call(gate.cookie, NULL);
}

static int wait_default(void)
{
	return async_synchronize_full_domain(NULL);
}

static int (*const waits[])(void) = {async_synchronize_full, wait_default, wait_one};

TEST(a_wait_that_was_left_is_forgotten, .pools = PSOME, .no_tsan = true)
{
	atomic_uint n = 0;

	for (unsigned int i = 0; i < 9; i++) {
		gate_new(&gate, NULL);
		CHECK(leave_wait(waits[i % 3]));
		if (i % 2) /* satisfied behind the jump's back, and not */
			gate_open(&gate);
		async_schedule(count, &n);
		if (i % 2 == 0)
			gate_open(&gate);
		CHECK_EQ(async_synchronize_full(), 0);
		CHECK(gate.done);
		CHECK_EQ(n, i + 1);
	}
}

static void leave_in_thread(void *data)
{
	CHECK(leave_wait(async_synchronize_full));
}

TEST(a_thread_may_end_after_it_left_a_wait, .pools = PSOME, .no_tsan = true)
{
	struct actor actor;

	gate_new(&gate, NULL);
	actor_start(&actor, leave_in_thread, NULL);
	actor_join(&actor);
	gate_open(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

static sem_t left;

static void leave_in_call(void *data, async_cookie_t cookie)
{
	CHECK(leave_wait(wait_one));
	up(&left);
}

/* The worker goes on with other calls, and rests. */
TEST(a_call_may_leave_its_wait, .pools = PMANY, .no_tsan = true)
{
	atomic_uint n = 0;

	gate_new(&gate, NULL);
	sem_init(&left, 0, 0);
	async_schedule(leave_in_call, NULL);
	down(&left);
	for (unsigned int i = 0; i < 50; i++)
		async_schedule(count, &n);
	gate_open(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(n, 50);
	CHECK_EQ(async_shutdown(), 0);
}

TEST(a_child_knows_no_wait_that_was_left, .pools = PSOME, .no_tsan = true, .no_asan = true)
{
	pid_t pid;

	gate_new(&gate, NULL);
	CHECK(leave_wait(async_synchronize_full));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		atomic_uint n = 0;

		async_schedule(count, &n);
		_exit(async_synchronize_full() || n != 1 ? 1 : 7);
	}
	harness_reap(pid, 7);
	gate_open(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}
