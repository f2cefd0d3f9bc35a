/* SPDX-License-Identifier: MIT */
/* Threads and processes that end in the middle: cancellation, pthread_exit(), exec, exits of other kinds. */
#include "harness.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

/* ---- cancellation ---- */

static void gate_with_cancellation_point(void *data, async_cookie_t cookie)
{
	pthread_testcancel();
	gate_call(data, cookie);
	pthread_testcancel();
}

static pthread_t thread_of_call;

static void note_thread(void *data, async_cookie_t cookie)
{
	thread_of_call = pthread_self();
	gate_with_cancellation_point(data, cookie);
}

TEST(a_worker_is_not_cancelled, .pools = PSOME)
{
	static struct record order;
	struct gate gate;

	for (unsigned int i = 0; i < 20; i++) {
		gate_init(&gate);
		async_schedule(note_thread, &gate);
		down(&gate.begun);
		CHECK(pthread_cancel(thread_of_call) == 0);
		gate_open(&gate);
		CHECK_EQ(async_synchronize_full(), 0);
		CHECK(gate.done);
		async_schedule(record, &order);
		CHECK_EQ(async_synchronize_full(), 0);
	}
	CHECK_EQ(order.n, 20);
}

struct cancelled {
	pthread_t thread;
	struct gate gate;
	struct async_domain domain;
	sem_t begun;
	atomic_bool went_on;
	int result;
};

static void cancelled_init(struct cancelled *cancelled)
{
	memset(cancelled, 0, sizeof(*cancelled));
	gate_init(&cancelled->gate);
	sem_init(&cancelled->begun, 0, 0);
}

/* It ends where it is cancelled: behind the library's call, not in it. */
static void end_cancelled(struct cancelled *cancelled)
{
	void *value;

	CHECK(pthread_join(cancelled->thread, &value) == 0);
	CHECK(value == PTHREAD_CANCELED);
	CHECK(cancelled->went_on);
}

static void *schedule_inline(void *data)
{
	struct cancelled *cancelled = data;

	async_schedule_domain(gate_with_cancellation_point, &cancelled->gate, &cancelled->domain);
	cancelled->went_on = true;
	pthread_testcancel();
	return NULL;
}

TEST(a_call_run_inline_is_not_cancelled, .pools = P0)
{
	struct cancelled cancelled;

	cancelled_init(&cancelled);
	CHECK(pthread_create(&cancelled.thread, NULL, schedule_inline, &cancelled) == 0);
	down(&cancelled.gate.begun);
	CHECK(pthread_cancel(cancelled.thread) == 0);
	quiet();
	CHECK_EQ(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, &cancelled.domain, 0), -ETIMEDOUT);
	gate_open(&cancelled.gate);
	end_cancelled(&cancelled);
	CHECK(cancelled.gate.done);
	CHECK_EQ(async_synchronize_full_domain(&cancelled.domain), 0);
}

static void *wait_cancelled(void *data)
{
	struct cancelled *cancelled = data;

	up(&cancelled->begun);
	cancelled->result = async_synchronize_full_domain(&cancelled->domain);
	cancelled->went_on = true;
	pthread_testcancel();
	return NULL;
}

TEST(a_waiter_is_cancelled_behind_its_wait, .pools = PALL)
{
	struct cancelled cancelled;

	cancelled_init(&cancelled);
	gate_start(&cancelled.gate, &cancelled.domain);
	CHECK(pthread_create(&cancelled.thread, NULL, wait_cancelled, &cancelled) == 0);
	down(&cancelled.begun);
	quiet();
	CHECK(pthread_cancel(cancelled.thread) == 0);
	quiet();
	CHECK(!cancelled.went_on);
	gate_end(&cancelled.gate);
	end_cancelled(&cancelled);
	CHECK_EQ(cancelled.result, 0);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* Reports are written with write(), which is a cancellation point. */
static void *report_cancelled(void *data)
{
	struct cancelled *cancelled = data;

	pthread_cancel(pthread_self());
	async_report(2);
	cancelled->went_on = true;
	pthread_testcancel();
	return NULL;
}

TEST(a_report_is_not_cancelled, .pools = PALL)
{
	struct cancelled cancelled;

	cancelled_init(&cancelled);
	CHECK(pthread_create(&cancelled.thread, NULL, report_cancelled, &cancelled) == 0);
	end_cancelled(&cancelled);
	CHECK(harness_said("inorder: "));
	async_schedule(nothing, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* The first use of all reads files, with the lock held. */
static void *begin_cancelled(void *data)
{
	struct cancelled *cancelled = data;

	pthread_cancel(pthread_self());
	async_schedule(nothing, NULL);
	cancelled->went_on = true;
	pthread_testcancel();
	return NULL;
}

TEST(the_first_call_is_not_cancelled, .pools = PALL, .env = "INORDER_DEBUG=trace=/dev/null,initcall,nonsense")
{
	struct cancelled cancelled;

	cancelled_init(&cancelled);
	CHECK(pthread_create(&cancelled.thread, NULL, begin_cancelled, &cancelled) == 0);
	end_cancelled(&cancelled);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* ---- calls that do not return ---- */

static void check_aborted(const char *helper)
{
	struct harness_result result;

	harness_run(helper, "", &result);
	if (!WIFSIGNALED(result.status) || WTERMSIG(result.status) != SIGABRT)
		FAIL("status %#x, should have been aborted: %s", (unsigned int)result.status, result.err);
	CHECK(strstr(result.err, "inorder: cookie "));
	CHECK(strstr(result.err, "has to return"));
}

static void leave_the_thread(void *data, async_cookie_t cookie)
{
	pthread_exit(data);
}

HELPER(exit_the_thread_in_a_call)
{
	async_schedule(leave_the_thread, NULL);
	async_synchronize_full();
	exit(3);
}

TEST(pthread_exit_in_a_call_ends_the_program, .pools = PALL)
{
	check_aborted("exit_the_thread_in_a_call");
}

static void allow_cancellation(void *data, async_cookie_t cookie)
{
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_cancel(pthread_self());
	pthread_testcancel();
}

HELPER(be_cancelled_in_a_call)
{
	async_schedule(allow_cancellation, NULL);
	async_synchronize_full();
	exit(3);
}

TEST(a_call_that_lets_itself_be_cancelled_ends_the_program, .pools = PALL)
{
	check_aborted("be_cancelled_in_a_call");
}

static void release_leaves(void *data, async_cookie_t cookie)
{
	leave_the_thread(data, cookie);
}

HELPER(exit_the_thread_in_a_release)
{
	struct gate gate;

	gate_new(&gate, NULL);
	async_schedule(nothing, NULL);
	async_cancel_domain(NULL, release_leaves);
	exit(3);
}

TEST(pthread_exit_in_a_release_ends_the_program, .pools = P1)
{
	check_aborted("exit_the_thread_in_a_release");
}

/* ---- threads that end ---- */

static pthread_key_t key;
static atomic_uint at_end;

static void use_at_end(void *data)
{
	for (unsigned int i = 0; i < 10; i++)
		async_schedule_domain(count, &at_end, data);
	CHECK_EQ(async_synchronize_full_domain(data), 0);
}

static void set_key(void *data)
{
	CHECK(pthread_setspecific(key, data) == 0);
	async_schedule(nothing, NULL);
}

TEST(threads_may_use_it_while_they_end, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	struct actor actor;

	CHECK(pthread_key_create(&key, use_at_end) == 0);
	actor_start(&actor, set_key, &domain);
	actor_join(&actor);
	CHECK_EQ(at_end, 10);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* ---- processes that end, or become others ---- */

static void say_late(void *data, async_cookie_t cookie)
{
	if (write(1, "late", 4) != 4)
		_exit(20);
}

static void start_what_is_left(void)
{
	static struct gate gates[2];
	unsigned int n = harness_threads() == 1 ? 1 : 2;

	gates_new(gates, n, NULL);
	if (harness_threads() && harness_threads() <= 2)
		for (unsigned int i = 0; i < 50; i++)
			async_schedule(say_late, NULL);
}

static void become_another(void)
{
	execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
	_exit(1);
}

HELPER(exec_with_calls_left)
{
	start_what_is_left();
	become_another();
}

TEST(exec_drops_what_is_left, .pools = PALL)
{
	const struct harness_result *result = harness_exits("exec_with_calls_left", "", 7);

	CHECK_EQ(strlen(result->out), 0);
}

static void exec_call(void *data, async_cookie_t cookie)
{
	become_another();
}

HELPER(exec_inside_a_call)
{
	struct gate gate;

	gate_init(&gate);
	async_schedule(exec_call, NULL);
	down(&gate.open); /* for ever */
}

TEST(a_call_may_exec, .pools = PALL)
{
	harness_exits("exec_inside_a_call", "", 7);
}

HELPER(leave_quickly)
{
	start_what_is_left();
	quick_exit(8);
}

TEST(quick_exit_drops_what_is_left, .pools = PALL, .no_asan = true, .no_tsan = true)
{
	const struct harness_result *result = harness_exits("leave_quickly", "", 8);

	CHECK_EQ(strlen(result->out), 0);
}

static void spawn_call(void *data, async_cookie_t cookie)
{
	char *argv[] = {(char *)(uintptr_t) "true", NULL};
	pid_t pid;

	CHECK(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) == 0);
	harness_reap(pid, 0);
	count(data, cookie);
}

TEST(calls_may_spawn, .pools = PALL)
{
	atomic_uint n = 0;

	for (unsigned int i = 0; i < 20; i++)
		async_schedule(spawn_call, &n);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(n, 20);
}
