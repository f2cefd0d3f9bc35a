/* SPDX-License-Identifier: MIT */
/*
 * Clause 11: fork. Children that start threads run without the sanitizers:
 * ThreadSanitizer does not allow it, and the allocator of AddressSanitizer takes
 * no care of a fork (before LLVM 17): the child hangs in it.
 */
#include "harness.h"

#include <sys/syscall.h>
#include <sys/wait.h>

/* LeakSanitizer takes the parent's threads for the child's, so children go without. */
static bool in_child;
#if HARNESS_ASAN
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return in_child;
}
#endif

static ASYNC_DOMAIN(stale);
static ASYNC_DOMAIN_EXCLUSIVE(stale_exclusive);
static ASYNC_OWNER(stale_owner);
static ASYNC_DOMAIN(with_error);

static void scribble(void *data)
{
	volatile unsigned char stack[128 << 10];

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = 0xa5;
}

/* The stacks of the parent's other threads are used again in a child: what the library kept there is gone. */
static void overwrite_old_stacks(void)
{
	actors_run(6, scribble, NULL);
}

/* In a child: nothing of the parent's is in progress, and everything works. */
static void use_everything(async_cookie_t last)
{
	static struct record retired;
	struct async_entry entry;
	atomic_uint n = 0;
	async_cookie_t cookie;

	in_child = true;
	overwrite_old_stacks();
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_full_domain(&stale), 0);
	CHECK_EQ(async_synchronize_full_domain(&stale_exclusive), 0);
	CHECK_EQ(async_synchronize_owner(&stale_owner), 0);
	CHECK_EQ(async_synchronize_call(last, NULL), 0);
	CHECK_EQ(async_domain_error(&with_error, NULL), 0);
	CHECK_EQ(async_cancel_domain(&stale, NULL), 0);
	cookie = async_schedule_domain(count, &n, &stale);
	CHECK(cookie > last);
	for (unsigned int i = 0; i < 100; i++) {
		async_schedule_domain(count, &n, i & 1 ? &stale : &stale_exclusive);
		CHECK(async_schedule_ordered(count, record, &retired, &stale) || true);
	}
	async_schedule_entry(&entry, count, NULL, &n, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_full_domain(&stale_exclusive), 0);
	CHECK_EQ(n, 102);
}

static void fork_and_use(async_cookie_t last)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		use_everything(last);
		exit(7);
	}
	harness_reap(pid, 7);
}

TEST(a_child_of_an_idle_parent, .pools = PALL, .no_tsan = true, .no_asan = true)
{
	async_cookie_t last = async_schedule(nothing, NULL);

	CHECK_EQ(async_synchronize_full(), 0);
	fork_and_use(last);
	last = async_schedule(nothing, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
}

static void fail_call(void *data, async_cookie_t cookie)
{
	async_set_error(-EIO);
}

static int wait_stale(async_cookie_t cookie, struct async_domain *domain)
{
	return async_synchronize_cookie_domain(cookie, domain);
}

/* Calls run, are pending, wait for their turn, and are waited for, while the process forks. */
TEST(a_child_of_a_busy_parent, .pools = PALL, .no_tsan = true, .no_asan = true)
{
	struct gate gates[3];
	struct waiter waits[2];
	struct async_owner *before;
	unsigned int n = harness_threads() == 1 ? 1 : 3;
	async_cookie_t last = 0;

	async_schedule_domain(fail_call, NULL, &with_error);
	CHECK_EQ(async_synchronize_full(), 0);
	for (unsigned int i = 0; i < 3; i++)
		gate_init(&gates[i]);
	if (harness_threads() == 2)
		n = 2;
	before = async_owner_enter(&stale_owner);
	for (unsigned int i = 0; i < n; i++)
		gate_start(&gates[i], i == 2 ? &stale_exclusive : &stale);
	async_owner_enter(before);
	waiter_start(&waits[0], wait_stale, ASYNC_COOKIE_MAX, &stale);
	waiter_start(&waits[1], wait_all, 0, NULL);
	for (unsigned int i = 0; i < 10; i++)
		last = async_schedule_ordered(nothing, nothing, NULL, &stale);
	if (harness_threads() != 0)
		for (unsigned int i = 0; i < 10; i++)
			last = async_schedule_domain(nothing, NULL, &with_error);
	CHECK(last != 0);
	quiet();
	fork_and_use(last);
	gates_end(gates, n);
	CHECK_DONE(waits, 2);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_full_domain(&stale_exclusive), 0); /* its gate is on this stack */
	CHECK_EQ(async_domain_error(&with_error, NULL), -EIO);
}

static atomic_bool enough;

static void keep_scheduling(void *data)
{
	ASYNC_DOMAIN(own);

	while (!enough) {
		for (unsigned int i = 0; i < 20; i++) {
			async_schedule_domain(nothing, NULL, &own);
			async_schedule_ordered(nothing, nothing, NULL, &own);
		}
		CHECK_EQ(async_synchronize_full_domain(&own), 0);
	}
}

/* Whatever lock another thread holds at the fork, the child does not hang on it. */
TEST(forks_beside_busy_threads, .pools = PALL, .no_tsan = true, .no_asan = true)
{
	struct actor actors[3];

	for (unsigned int i = 0; i < 3; i++)
		actor_start(&actors[i], keep_scheduling, NULL);
	for (unsigned int i = 0; i < (HARNESS_ASAN ? 20 : 100); i++)
		fork_and_use(async_schedule(nothing, NULL));
	enough = true;
	for (unsigned int i = 0; i < 3; i++)
		actor_join(&actors[i]);
	CHECK_EQ(async_synchronize_full(), 0);
}

static pid_t forked;
static sem_t forked_sem;
static _Atomic pid_t forking_thread;

/* Another thread of the child looks on until the one that forked has ended. */
static void *see_it_end(void *data)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", forking_thread);
	for (;;) {
		char text[256] = "";
		FILE *file = fopen(path, "re");
		const char *end;

		if (!file)
			_exit(9);
		if (!fread(text, 1, sizeof(text) - 1, file))
			_exit(9);
		fclose(file);
		end = strrchr(text, ')');
		if (end && (end[2] == 'Z' || end[2] == 'X'))
			_exit(9);
		sched_yield();
	}
}

static void fork_inside(void *data, async_cookie_t cookie)
{
	pthread_t thread;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid) {
		forked = pid;
		up(&forked_sem);
		return;
	}
	in_child = true;
	CHECK(!current_is_async());
	CHECK_EQ(async_synchronize_full(), 0);
	forking_thread = tid_self();
	if (!data)
		return;
	use_everything(cookie);
	CHECK(pthread_create(&thread, NULL, see_it_end, NULL) == 0);
}

static void fork_in_a_call(void *data, int code)
{
	async_cookie_t cookie;

	sem_init(&forked_sem, 0, 0);
	cookie = async_schedule_domain(fork_inside, data, &stale);
	down(&forked_sem);
	CHECK_EQ(async_synchronize_call(cookie, NULL), 0);
	harness_reap(forked, code);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(returning_from_the_call_that_forked_ends_that_thread, .pools = PALL, .no_tsan = true, .no_asan = true)
{
	fork_in_a_call(&stale, 9);
}

/* It was the only thread: the process ends with it, as after pthread_exit(). */
TEST(the_last_thread_of_a_child_ends_it, .pools = PALL, .no_tsan = true, .no_asan = true)
{
	fork_in_a_call(NULL, 0);
}

static void fork_exec_inside(void *data, async_cookie_t cookie)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	harness_reap(pid, 0);
}

TEST(calls_may_fork_and_exec, .pools = PALL, .no_tsan = true, .no_asan = true)
{
	for (unsigned int i = 0; i < 20; i++)
		async_schedule(fork_exec_inside, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(a_child_of_a_child, .pools = PALL, .no_tsan = true, .no_asan = true)
{
	async_cookie_t last = async_schedule(nothing, NULL);
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		use_everything(last);
		fork_and_use(async_schedule_domain(nothing, NULL, &stale));
		exit(3);
	}
	harness_reap(pid, 3);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(fork_before_the_first_call, .pools = PALL)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		atomic_uint n = 0;

		async_schedule(count, &n);
		CHECK_EQ(async_synchronize_full(), 0);
		_exit(n == 1 ? 4 : 5);
	}
	harness_reap(pid, 4);
	async_schedule(nothing, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
}
