/* SPDX-License-Identifier: MIT */
/* Mistakes that are answered: no function, an entry in progress scheduled again. */
#include "harness.h"

TEST(a_call_without_a_function_is_refused, .pools = PALL)
{
	struct async_entry entry;
	async_cookie_t before = async_schedule(nothing, NULL), cookie = 77;

	CHECK_EQ(async_schedule(NULL, NULL), 0);
	CHECK_EQ(async_schedule_domain(NULL, NULL, NULL), 0);
	CHECK_EQ(async_schedule_ordered(NULL, nothing, NULL, NULL), 0);
	CHECK_EQ(async_schedule_entry(&entry, NULL, NULL, NULL, NULL), 0);
	CHECK(!async_try_schedule(NULL, NULL, NULL, &cookie));
	CHECK_EQ(cookie, 77);
	CHECK_EQ(harness_count("schedules a call without a function"), 5);
	CHECK_EQ(async_schedule(nothing, NULL), before + 1);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(the_first_call_of_all_without_a_function, .pools = PALL)
{
	CHECK_EQ(async_schedule(NULL, NULL), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(harness_count("without a function"), 1);
}

TEST(an_entry_in_progress_is_not_scheduled_again, .pools = PSOME)
{
	static struct async_entry entry;
	atomic_uint n = 0, other = 0;
	struct gate gate;
	async_cookie_t cookie;

	gate_init(&gate);
	cookie = async_schedule_entry(&entry, gate_call, NULL, &gate, NULL);
	CHECK_EQ(async_schedule_entry(&entry, count, NULL, &other, NULL), cookie); /* pending */
	down(&gate.begun);
	CHECK_EQ(async_schedule_entry(&entry, count, NULL, &other, NULL), cookie); /* running */
	CHECK_EQ(harness_count("an entry is scheduled again"), 2);
	gate_open(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(other, 0);
	CHECK(async_schedule_entry(&entry, count, NULL, &n, NULL) > cookie);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(n, 1);
}

TEST(an_entry_that_waits_for_its_turn_is_in_progress, .pools = PSOME)
{
	static struct async_entry entry;
	struct gate gate;
	async_cookie_t cookie;

	gate_new(&gate, NULL);
	cookie = async_schedule_entry(&entry, nothing, nothing, NULL, NULL);
	CHECK_EQ(async_schedule_entry(&entry, nothing, nothing, NULL, NULL), cookie);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK(async_schedule_entry(&entry, nothing, nothing, NULL, NULL) > cookie);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* A copy of an entry in progress is only bytes. */
TEST(entries_need_no_initialisation, .pools = PSOME)
{
	static struct async_entry entry, copy;
	atomic_uint n = 0;
	struct gate gate;

	gate_init(&gate);
	async_schedule_entry(&entry, gate_call, NULL, &gate, NULL);
	down(&gate.begun);
	copy = entry;
	async_schedule_entry(&copy, count, NULL, &n, NULL);
	gate_open(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(n, 1);
	CHECK_EQ(harness_count("an entry"), 0);
}

/* The one of the parent is not in progress in the child. */
TEST(an_entry_of_before_a_fork_can_be_used, .pools = PSOME, .no_tsan = true, .no_asan = true)
{
	static struct async_entry entry;
	struct gate gate;
	pid_t pid;

	gate_init(&gate);
	async_schedule_entry(&entry, gate_call, NULL, &gate, NULL);
	down(&gate.begun);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		atomic_uint n = 0;

		async_schedule_entry(&entry, count, NULL, &n, NULL);
		_exit(async_synchronize_full() || n != 1 ? 1 : 7);
	}
	harness_reap(pid, 7);
	gate_open(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

_Static_assert(_Alignof(struct async_domain) == 8 && _Alignof(struct async_entry) == 8, "the same everywhere");

/* ---- more calls block on a later one than there may be threads ---- */

static void block(void *data, async_cookie_t cookie)
{
	down(data);
}

TEST(a_pool_full_of_blocked_calls_is_reported, .pools = P2)
{
	sem_t opened;

	sem_init(&opened, 0, 0);
	for (unsigned int i = 0; i < 3; i++)
		async_schedule(block, &opened);
	while (!harness_said("all 2 threads are blocked in calls"))
		usleep(10000);
	for (unsigned int i = 0; i < 3; i++)
		up(&opened);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(harness_count("no call could begin"), 1);
}
