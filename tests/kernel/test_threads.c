// SPDX-License-Identifier: MIT OR GPL-2.0
/* No thread can be made (fail_threads=1), from the start until the last test says otherwise. */
#include <linux/err.h>
#include <linux/fs.h>

#include "harness.h"

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

TEST(who_waits_runs_what_it_waits_for, .pools = PHELPED | PFEW)
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

TEST(and_nothing_else, .pools = PFEW)
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
TEST(what_is_pending_runs_when_threads_can_be_made, .pools = PFEW)
{
	struct gate gate;

	gate_init(&gate);
	async_schedule(gate_call, &gate);
	CHECK_EQ(down_timeout(&gate.begun, HZ / 20), -ETIME);
	CHECK(!let_threads_be_made());
	CHECK_EQ(down_timeout(&gate.begun, 5 * HZ), 0);
	gate_open(&gate);
	CHECK(!async_synchronize_full());
	CHECK(gate.done && gate.tid != current->pid);
}

/* The last of all: what stays behind in the queue is freed when the module goes. */
TEST(claimed_out_of_turn, .pools = PHELPED)
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
