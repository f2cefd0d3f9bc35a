/* SPDX-License-Identifier: MIT */
/* fork() in programs that have handlers of their own, and beside the first call of all. */
#include "harness.h"

#include <sys/wait.h>

static sem_t fork_begun, first_call_made;

/* As an allocator's handler does, it takes its time, and the first call comes meanwhile. */
static void slow_prepare(void)
{
	up(&fork_begun);
	down(&first_call_made);
}

static void use_and_exit(void)
{
	atomic_uint n = 0;

	async_schedule(count, &n);
	_exit(async_synchronize_full() || n != 1 ? 1 : 7);
}

static void fork_slowly(void *data)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid)
		use_and_exit();
	harness_reap(pid, 7);
}

/* Registered before the library could register anything at first use: its prepare handler would run after this one. */
TEST(a_fork_beside_the_first_call, .pools = PALL, .no_tsan = true, .no_asan = true)
{
	struct actor actor;

	sem_init(&fork_begun, 0, 0);
	sem_init(&first_call_made, 0, 0);
	CHECK(!pthread_atfork(slow_prepare, NULL, NULL));
	actor_start(&actor, fork_slowly, NULL);
	down(&fork_begun);
	async_schedule(nothing, NULL);
	up(&first_call_made);
	actor_join(&actor);
	CHECK_EQ(async_synchronize_full(), 0);
}

static atomic_uint prepared;

static void wait_before_fork(void)
{
	CHECK_EQ(async_synchronize_full(), 0);
	prepared++;
}

static void check_prepare_waits(bool used_before)
{
	atomic_uint n = 0;
	pid_t pid;

	if (used_before)
		async_schedule(count, &n);
	CHECK(!pthread_atfork(wait_before_fork, NULL, NULL));
	for (unsigned int i = 0; i < 20; i++)
		async_schedule(count, &n);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		_exit(n == 20u + used_before ? 7 : 8);
	harness_reap(pid, 7);
	CHECK_EQ(prepared, 1);
}

TEST(a_prepare_handler_waits_for_calls, .pools = PALL)
{
	check_prepare_waits(false);
}

TEST(a_prepare_handler_registered_after_first_use_waits_too, .pools = PALL)
{
	check_prepare_waits(true);
}

/* The child never used the library: fork handlers find nothing there. */
TEST(a_grandchild_is_the_first_to_use_it, .pools = PALL, .no_tsan = true, .no_asan = true)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		pid = fork();
		if (!pid)
			use_and_exit();
		harness_reap(pid, 7);
		use_and_exit();
	}
	harness_reap(pid, 7);
}

static void vfork_and_execute(void *data, async_cookie_t cookie)
{
	pid_t pid = vfork();

	if (!pid) {
		execl("/bin/sh", "sh", "-c", "exit 7", NULL);
		_exit(127);
	}
	CHECK(pid > 0);
	harness_reap(pid, 7);
}

/* No handler runs, and the child borrows the memory: the call only waits until it has executed. */
TEST(calls_that_vfork, .pools = PALL, .no_tsan = true, .no_asan = true)
{
	for (unsigned int i = 0; i < 20; i++)
		async_schedule(vfork_and_execute, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
}
