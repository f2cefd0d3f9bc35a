/* SPDX-License-Identifier: MIT */
/* Waits that the kernel ends early, and signals: no wait of the library's ends by either. */
#include "faults.h"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

/* ---- futex waits that fail ---- */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A time limit is neither forgotten nor cut short by waits that end early. */
static void check_time_limit(int error)
{
	ASYNC_DOMAIN(domain);
	struct gate gate;
	uint64_t begin_ns;

	gate_new(&gate, &domain);
	fault_futex_error = error;
	fault_arm(&fault_futex, 1, 5);
	begin_ns = now_ns();
	CHECK_EQ(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, &domain, 20000000), -ETIMEDOUT);
	CHECK(now_ns() - begin_ns >= 20000000);
	CHECK_EQ(fault_futex.failed, 5);
	fault_disarm(&fault_futex);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(a_time_limit_holds_though_waits_fail, .pools = PALL)
{
	check_time_limit(EINTR);
	check_time_limit(EAGAIN);
	check_time_limit(0);
}

/* Waiters, the lock and idle workers, each of whose waits fails: they try again until what they wait for has come. */
TEST(nothing_is_lost_while_every_wait_fails, .pools = PALL)
{
	static const int errors[] = {EINTR, EAGAIN, 0};
	static struct record retired;
	ASYNC_DOMAIN(domain);
	struct waiter waits[4];
	atomic_uint n = 0;

	for (unsigned int round = 0; round < 3; round++) {
		fault_futex_error = errors[round];
		fault_arm(&fault_futex, 1, FOR_EVER);
		for (unsigned int i = 0; i < 4; i++)
			waiter_start(&waits[i], i & 1 ? wait_full : wait_all, 0, &domain);
		for (unsigned int i = 0; i < 300; i++) {
			async_schedule_domain(count, &n, i & 1 ? &domain : NULL);
			CHECK(async_schedule_ordered(nothing, record, &retired, &domain));
		}
		CHECK_EQ(async_synchronize_full(), 0);
		CHECK_DONE(waits, 4);
		fault_disarm(&fault_futex);
		CHECK_EQ(n, 300 * (round + 1));
		CHECK_EQ(retired.n, 300 * (round + 1));
	}
	CHECK(record_increasing(&retired));
}

/* ---- signals ---- */

static __thread bool own_thread; /* of this program; workers are not */
static atomic_ulong handled;
static atomic_bool foreign, enough;

static void on_signal(int number)
{
	if (!own_thread)
		foreign = true;
	handled++;
}

/* Sends a signal to every thread of this process, workers too, over and over. */
static void storm(void *data)
{
	pid_t self = tid_self();

	while (!enough) {
		DIR *dir = opendir("/proc/self/task");
		const struct dirent *entry;

		CHECK(dir);
		while ((entry = readdir(dir))) {
			pid_t tid = atoi(entry->d_name);

			if (tid > 0 && tid != self)
				syscall(SYS_tgkill, getpid(), tid, SIGUSR1); /* it may be gone */
		}
		closedir(dir);
	}
}

static void waiting_call(void *data, async_cookie_t cookie)
{
	CHECK_EQ(async_synchronize_cookie_domain(cookie, data), 0);
}

static void block_signal(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(pthread_sigmask(how, &set, NULL) == 0);
}

static void work_under_signals(void *data)
{
	ASYNC_DOMAIN(own);

	own_thread = true;
	block_signal(SIG_UNBLOCK);
	for (unsigned int round = 0; round < (unsigned int)SCALE(200) || !handled;
	     round++) { /* the storm has to begin */
		atomic_uint n = 0;
		async_cookie_t cookie = 0;

		for (unsigned int i = 0; i < 20; i++) {
			cookie = async_schedule_domain(count, &n, &own);
			async_schedule_domain(waiting_call, &own, &own);
		}
		errno = ENOTTY;
		CHECK_EQ(async_synchronize_call(cookie, &own), 0);
		CHECK_EQ(async_synchronize_cookie_timeout(cookie, &own, UINT64_MAX), 0);
		CHECK_EQ(async_synchronize_full_domain(&own), 0);
		CHECK_EQ(errno, ENOTTY);
		CHECK_EQ(n, 20);
	}
}

TEST(signals_interrupt_no_wait_and_reach_no_worker, .pools = PALL, .limit_s = 600)
{
	struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: every system call may be interrupted */
	struct actor stormy, actor;

	block_signal(SIG_BLOCK); /* until a thread knows that it is one of ours; workers have the mask of first use */
	async_schedule(nothing, NULL);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	actor_start(&stormy, storm, NULL);
	actor_start(&actor, work_under_signals, NULL);
	work_under_signals(NULL);
	actor_join(&actor);
	enough = true;
	actor_join(&stormy);
	CHECK(handled > 0);
	CHECK(!foreign);
}
