/* SPDX-License-Identifier: MIT */
/* What the library's threads are to the program: nothing left behind, errno untouched, growth at once. */
#include "harness.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

/* Two of a kind, so that neither runs in the thread that waits. */
static void in_worker(async_func_t func, void *data)
{
	struct gate gate;

	async_schedule(func, data);
	gate_new(&gate, NULL);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

static void note_detached(void *data, async_cookie_t cookie)
{
	pthread_attr_t attr;

	CHECK(!pthread_getattr_np(pthread_self(), &attr));
	CHECK(!pthread_attr_getdetachstate(&attr, data));
	pthread_attr_destroy(&attr);
}

/* What ends without being joined gives its stack back. */
TEST(workers_are_detached, .pools = PMANY)
{
	int state = -1;

	in_worker(note_detached, &state);
	CHECK_EQ(state, PTHREAD_CREATE_DETACHED);
}

TEST(errno_is_left_alone, .pools = PALL)
{
	struct gate gate;
	async_cookie_t cookie;

	errno = E2BIG;
	async_schedule(nothing, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(errno, E2BIG);
	cookie = gate_new(&gate, NULL);
	errno = E2BIG;
	CHECK_EQ(async_synchronize_cookie_timeout(cookie + 1, NULL, 1000000), -ETIMEDOUT);
	CHECK_EQ(errno, E2BIG);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* There is no room for a thread's stack. */
TEST(errno_is_left_alone_when_no_thread_can_be_started, .pools = PMANY, .no_tsan = true, .no_asan = true)
{
	struct async_config config = ASYNC_CONFIG_INIT;
	struct rlimit limit;
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned int threads;

	harness_native("the emulator ignores a limit of memory");
	config.stack_bytes = 8 << 20; /* more than is left */
	CHECK_EQ(async_configure(&config), 0);
	CHECK(file && fscanf(file, "%lu", &pages) == 1);
	fclose(file);
	CHECK(!getrlimit(RLIMIT_AS, &limit));
	limit.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (1 << 20);
	CHECK(!setrlimit(RLIMIT_AS, &limit));
	threads = thread_count();
	for (unsigned int i = 0; i < 10; i++) {
		errno = E2BIG;
		async_schedule(nothing, NULL);
		CHECK_EQ(errno, E2BIG);
	}
	CHECK(thread_count() <= threads + 1); /* the monitor's stack is small */
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(errno, E2BIG);
}

/* Its thread has a name that could be taken for a part of /proc/self/task/TID/stat. */
static void named_gate(void *data, async_cookie_t cookie)
{
	CHECK(!prctl(PR_SET_NAME, ") R ("));
	gate_call(data, cookie);
}

static atomic_bool clock_stands;
static struct timespec stood_at;

/* With 64-bit time on a 32-bit processor the structure is another one, and so is the system call. */
#ifndef SYS_clock_gettime
#define SYS_clock_gettime SYS_clock_gettime32
#endif
#ifndef SYS_clock_gettime64
#define SYS_clock_gettime64 SYS_clock_gettime
#endif

/* The clock of this program and of the library in it. When it stands, no timer of the pool can expire. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
	if (clock != CLOCK_MONOTONIC || !atomic_load(&clock_stands))
		return (int)syscall(sizeof(time_t) > sizeof(long) ? SYS_clock_gettime64 : SYS_clock_gettime, clock,
				    now);
	*now = stood_at;
	return 0;
}

/*
 * The pool sees that calls block, and grows many at a time. A pool that does not see it adds a thread each 100 ms. So
 * the clock stands still here: only a pool that looks at its workers can grow, however slow the machine is.
 */
TEST(the_pool_grows_at_once_for_calls_that_block, .pools = P256, .limit_s = 60)
{
	enum { CALLS = 250 };
	static struct gate gates[CALLS];

	CHECK(!clock_gettime(CLOCK_MONOTONIC, &stood_at));
	atomic_store(&clock_stands, true);
	for (unsigned int i = 0; i < CALLS; i++) {
		gate_init(&gates[i]);
		async_schedule(named_gate, &gates[i]);
	}
	for (unsigned int i = 0; i < CALLS; i++)
		down(&gates[i].begun);
	for (unsigned int i = 0; i < CALLS; i++)
		gate_open(&gates[i]);
	CHECK_EQ(async_synchronize_full(), 0);
}

static atomic_uint spinning;

/* It does not sleep, so what looks at its thread sees nothing: more than a first burst gets threads for. */
static void spin_for_all(void *data, async_cookie_t cookie)
{
	(void)cookie;
	spinning++;
	while (spinning < *(unsigned int *)data)
		sched_yield();
}

/* The hint is believed: each of these calls has a thread, though none looks blocked and no time passes. */
TEST(calls_that_are_said_to_block_get_a_thread_each, .pools = P256, .limit_s = 60)
{
	static ASYNC_DOMAIN(devices);
	unsigned int calls = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN) + 40;

	if (calls > 256)
		harness_skip("more processors than threads");
	CHECK(!clock_gettime(CLOCK_MONOTONIC, &stood_at));
	atomic_store(&clock_stands, true);
	CHECK_EQ(async_domain_hint(&devices, ASYNC_BLOCKS), 0);
	for (unsigned int i = 0; i < calls; i++)
		async_schedule_domain(spin_for_all, &calls, &devices);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(spinning, calls);
}

TEST(a_hint_is_nothing_but_a_hint, .pools = PALL)
{
	static ASYNC_DOMAIN(hinted);
	static struct record order;
	async_cookie_t cookie = 0;

	CHECK_EQ(async_domain_hint(&hinted, ASYNC_BLOCKS << 1), -EINVAL);
	CHECK_EQ(async_domain_hint(&hinted, ASYNC_BLOCKS), 0);
	CHECK_EQ(async_domain_hint(NULL, ASYNC_BLOCKS), 0);
	for (unsigned int i = 0; i < 300; i++) {
		cookie = async_schedule_ordered(nothing, record, &order, &hinted);
		async_schedule(nothing, NULL);
	}
	CHECK_EQ(async_synchronize_cookie_domain(cookie + 1, &hinted), 0);
	CHECK_EQ(order.n, 300);
	CHECK(record_increasing(&order));
	CHECK_EQ(async_domain_hint(NULL, 0), 0);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* ---- fork ---- */

static struct async_domain *trap; /* its page is not there at first: who schedules into it stops in the middle */
static atomic_bool in_the_middle, forked;

static void on_fault(int number)
{
	in_the_middle = true;
	quiet(); /* whoever forks sleeps now: because it has to wait, or because the fork is done */
	if (forked)
		FAIL("a fork went through while a thread was scheduling");
	CHECK(!mprotect(trap, sizeof(*trap), PROT_READ | PROT_WRITE));
}

static void schedule_into_trap(void *data)
{
	async_schedule_domain(nothing, data, trap);
}

TEST(a_fork_waits_until_nobody_is_in_the_middle_of_a_change, .pools = PALL, .no_tsan = true, .no_asan = true)
{
	struct sigaction action = {.sa_handler = on_fault};
	struct actor actor;
	pid_t child;

	async_schedule(nothing, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
	trap = page_new();
	*trap = (struct async_domain)ASYNC_DOMAIN_INIT;
	CHECK(!sigaction(SIGSEGV, &action, NULL));
	CHECK(!mprotect(trap, sizeof(*trap), PROT_NONE));
	actor_start(&actor, schedule_into_trap, NULL);
	while (!in_the_middle)
		sched_yield();
	child = fork();
	if (!child) {
		async_schedule(nothing, NULL);
		_exit(async_synchronize_full() ? 1 : 7);
	}
	forked = true;
	harness_reap(child, 7);
	actor_join(&actor);
	CHECK_EQ(async_synchronize_full(), 0);
}

static void in_turn(void *data, async_cookie_t cookie)
{
	CHECK_EQ(async_synchronize_cookie_domain(cookie, data), 0);
}

static bool uses_fewer_processors(void)
{
	return strstr(report_text(), "not all used since turns came late");
}

/* A short call behind one that does not run. Whether its spin for the turn was noticed. */
static bool turn_comes_late(struct async_domain *domain)
{
	struct gate front;
	bool noticed;

	gate_init(&front);
	gate_start(&front, domain);
	async_schedule_domain(in_turn, domain, domain);
	quiet();
	noticed = uses_fewer_processors();
	gate_end(&front);
	CHECK_EQ(async_synchronize_full_domain(domain), 0);
	return noticed;
}

/* Not in the first try where the call is interrupted before it spins. */
TEST(late_turns_make_the_pool_narrow_for_a_while, .pools = PMANY, .no_tsan = true)
{
	ASYNC_DOMAIN(domain);

	harness_native("calls are not short there");
	while (!turn_comes_late(&domain))
		if (strstr(report_text(), " 1 processors")) /* by number, affinity or quota */
			harness_skip("no call spins for its turn with one processor");
	while (uses_fewer_processors()) {
		for (unsigned i = 0; i < 100; i++)
			async_schedule_domain(nothing, NULL, &domain);
		CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	}
}
