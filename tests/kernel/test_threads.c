// SPDX-License-Identifier: MIT OR GPL-2.0
/* No thread can be made (fail_threads=1), from the start until the last test says otherwise. */
#include <linux/err.h>
#include <linux/fs.h>

#include "selftest.h"

#define PARAMETER "/sys/module/inorder/parameters/fail_threads"

struct helped {
	struct task_struct *task;
	unsigned int place;
};

static unsigned int places;

static void note(void *data, async_cookie_t cookie)
{
	struct helped *helped = data;

	CHECK(!async_synchronize_cookie(cookie));
	helped->task = current;
	helped->place = places++;
}

static void who_waits_runs_what_it_waits_for(void)
{
	struct helped helped[20] = {};

	places = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(helped); i++)
		async_schedule(note, &helped[i]);
	CHECK(!helped[0].task);
	CHECK(!async_synchronize_full());
	for (unsigned int i = 0; i < ARRAY_SIZE(helped); i++)
		CHECK(helped[i].task == current && helped[i].place == i);
}

static void and_nothing_else(void)
{
	ASYNC_DOMAIN(one);
	ASYNC_DOMAIN(other);
	struct helped mine = {}, not_mine = {}, later = {};
	async_cookie_t cookie;

	async_schedule_domain(note, &not_mine, &other);
	async_schedule_domain(note, &mine, &one);
	cookie = async_schedule_domain(note, &later, &one);
	CHECK(!async_synchronize_cookie_domain(cookie, &one));
	CHECK(mine.task && !not_mine.task && !later.task);
	CHECK(!async_synchronize_full());
	CHECK(not_mine.task && later.task);
}

static int let_threads_be_made(void)
{
	struct file *file = filp_open(PARAMETER, O_WRONLY, 0);
	loff_t offset = 0;
	ssize_t bytes;

	if (IS_ERR(file))
		return PTR_ERR(file);
	bytes = kernel_write(file, "0", 1, &offset);
	filp_close(file, NULL);
	return bytes == 1 ? 0 : -EIO;
}

/* No thread waits for this one. */
static void what_is_pending_runs_when_threads_can_be_made(void)
{
	struct gate gate;

	gate_init(&gate);
	async_schedule(gate_call, &gate);
	CHECK(!wait_for_completion_timeout(&gate.entered, HZ / 20));
	CHECK(!let_threads_be_made());
	CHECK(wait_for_completion_timeout(&gate.entered, 5 * HZ));
	gate_open(&gate);
	CHECK(!async_synchronize_full());
	CHECK(gate.done && gate.task != current);
}

/* The last of all: what stays behind in the queue is freed when the module goes. */
static void claimed_out_of_turn(void)
{
	ASYNC_DOMAIN(first);
	ASYNC_DOMAIN(second);
	struct helped early = {}, late = {};

	async_schedule_domain(note, &early, &first);
	async_schedule_domain(note, &late, &second);
	CHECK(!async_synchronize_full_domain(&second));
	CHECK(late.task && !early.task);
	CHECK(!async_synchronize_full_domain(&first));
	CHECK(early.task);
}

const struct test helped_tests[] = {{"who_waits_runs_what_it_waits_for", who_waits_runs_what_it_waits_for},
				    {"claimed_out_of_turn", claimed_out_of_turn},
				    {}};

const struct test thread_tests[] = {
	{"who_waits_runs_what_it_waits_for", who_waits_runs_what_it_waits_for},
	{"and_nothing_else", and_nothing_else},
	{"what_is_pending_runs_when_threads_can_be_made", what_is_pending_runs_when_threads_can_be_made},
	{}};
