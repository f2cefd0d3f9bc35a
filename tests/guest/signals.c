/* SPDX-License-Identifier: MIT */
/*
 * Signals: crash handlers run in calls, children react, and what is sent to the process reaches the program's threads.
 */
#include "harness.h"

#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

/* ---- what a call causes itself ---- */

static void crashed(int number)
{
	_exit(number);
}

static void raise_it(void *data, async_cookie_t cookie)
{
	int number = (int)(intptr_t)data;

	if (number == SIGSEGV) {
		char *page = page_new();

		page_poison(page);
		*(volatile char *)page = 1;
	}
	raise(number);
}

static void crash_in_a_call(int number)
{
	struct gate gate;

	signal(number, crashed);
	gate_init(&gate);
	async_schedule(raise_it, (void *)(intptr_t)number);
	down(&gate.open); /* for ever: the call runs in a worker, and ends the process */
}

HELPER(fault_with_a_handler)
{
	crash_in_a_call(SIGSEGV);
}

HELPER(abort_with_a_handler)
{
	crash_in_a_call(SIGABRT);
}

HELPER(trap_with_a_handler)
{
	crash_in_a_call(SIGTRAP);
}

HELPER(bad_system_call_with_a_handler)
{
	crash_in_a_call(SIGSYS);
}

HELPER(profile_with_a_handler)
{
	crash_in_a_call(SIGPROF);
}

TEST(crash_handlers_run_when_a_call_faults, .pools = PDEFAULT, .no_tsan = true, .no_asan = true)
{
	harness_exits("fault_with_a_handler", "INORDER_THREADS=2", SIGSEGV);
	harness_exits("abort_with_a_handler", "INORDER_THREADS=2", SIGABRT);
	harness_exits("trap_with_a_handler", "INORDER_THREADS=2", SIGTRAP);
	harness_exits("bad_system_call_with_a_handler", "INORDER_THREADS=2", SIGSYS);
	harness_exits("profile_with_a_handler", "INORDER_THREADS=2", SIGPROF);
}

static void overflow_caught(int number)
{
	_exit(33);
}

static __attribute__((noinline)) int overflow(volatile int *depth)
{
	volatile char room[4096];

	room[0] = (char)++*depth;
	return *depth < INT_MAX ? overflow(depth) + room[0] : 0;
}

static void overflow_call(void *data, async_cookie_t cookie)
{
	volatile int depth = 0;

	overflow(&depth);
}

/* The handler asks for an alternate stack, which each thread has to have for itself. */
HELPER(overflow_with_a_handler)
{
	struct sigaction action = {.sa_handler = overflow_caught, .sa_flags = SA_ONSTACK};
	struct gate gate;

	CHECK(!sigaction(SIGSEGV, &action, NULL));
	gate_init(&gate);
	async_schedule(overflow_call, NULL);
	down(&gate.open);
}

TEST(a_handler_on_an_alternate_stack_sees_a_call_overflow, .pools = PDEFAULT, .no_tsan = true, .no_asan = true)
{
	harness_exits("overflow_with_a_handler", "INORDER_THREADS=2", 33);
}

/* ---- children of calls ---- */

static sigset_t mask_inside;

static void note_mask(void *data, async_cookie_t cookie)
{
	CHECK(!pthread_sigmask(SIG_SETMASK, NULL, &mask_inside));
}

static void in_worker(async_func_t func, void *data)
{
	struct gate gate;

	async_schedule(func, data);
	gate_new(&gate, NULL);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* The child ends by the signal, or never: the test's limit ends it. */
static void spawn_and_end(void *data, async_cookie_t cookie)
{
	char *args[] = {"cat", NULL};
	posix_spawn_file_actions_t actions;
	int ends[2], status;
	pid_t pid;

	CHECK(!pipe(ends));
	CHECK(!posix_spawn_file_actions_init(&actions));
	CHECK(!posix_spawn_file_actions_adddup2(&actions, ends[0], 0));
	CHECK(!posix_spawnp(&pid, "cat", &actions, NULL, args,
			    environ)); /* it has its end of the pipe open for writing, too */
	CHECK(!posix_spawn_file_actions_destroy(&actions));
	CHECK(!kill(pid, SIGTERM));
	CHECK(waitpid(pid, &status, 0) == pid);
	*(int *)data = status;
}

TEST(programs_that_calls_start_react_to_signals, .pools = PMANY)
{
	int status = 0;

	in_worker(spawn_and_end, &status);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

/* A program that takes a signal with sigwait() blocks it first: workers do so then, and so do their children. */
TEST(calls_have_the_mask_of_first_use, .pools = PMANY)
{
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	CHECK(!pthread_sigmask(SIG_BLOCK, &blocked, NULL));
	in_worker(note_mask, NULL);
	CHECK_EQ(sigismember(&mask_inside, SIGUSR1), 1);
	CHECK_EQ(sigismember(&mask_inside, SIGTERM), 0);
	CHECK_EQ(sigismember(&mask_inside, SIGCHLD), 0);
}

/* ---- what is sent to the process ---- */

static _Atomic pid_t handled_by;

static void note_thread(int number)
{
	handled_by = tid_self();
}

TEST(a_handler_runs_in_the_programs_thread, .pools = PALL)
{
	struct gate gate;

	signal(SIGUSR1, note_thread);
	gate_new(&gate, NULL);
	for (unsigned int i = 0; i < 20; i++) {
		handled_by = 0;
		CHECK(!kill(getpid(), SIGUSR1));
		while (!handled_by)
			sched_yield();
		CHECK_EQ(handled_by, getpid());
	}
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* Blocked after first use: workers that rest do not take it, though it would end the program. */
TEST(resting_workers_take_no_signals, .pools = PALL)
{
	sigset_t blocked;
	int number = 0;

	async_schedule(nothing, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	CHECK(!pthread_sigmask(SIG_BLOCK, &blocked, NULL));
	quiet();
	CHECK(!kill(getpid(), SIGTERM));
	CHECK(!sigwait(&blocked, &number));
	CHECK_EQ(number, SIGTERM);
}
