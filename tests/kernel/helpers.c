// SPDX-License-Identifier: MIT OR GPL-2.0
/* What the tests use, whether they run as a module of their own (selftest.c) or as KUnit (kunit/kunit.c). */
#include <linux/kthread.h>
#include <linux/sched/task.h>

#include "selftest.h"

static unsigned int failures;

void check_failed(const char *condition, const char *file, int line)
{
	failures++;
	pr_info("    # %s:%d: %s does not hold\n", kbasename(file), line, condition);
}

/* ---- what tests use ---- */

void gate_init(struct gate *gate)
{
	init_completion(&gate->entered);
	init_completion(&gate->open);
	gate->done = false;
}

void gate_call(void *data, async_cookie_t cookie)
{
	struct gate *gate = data;

	gate->task = current;
	complete(&gate->entered);
	wait_for_completion(&gate->open);
	WRITE_ONCE(gate->done, true);
}

/* Returns once it runs. */
async_cookie_t gate_schedule(struct gate *gate, struct async_domain *domain)
{
	gate_init(gate);
	gate->cookie = async_schedule_domain(gate_call, gate, domain);
	wait_for_completion(&gate->entered);
	return gate->cookie;
}

void gate_open(struct gate *gate)
{
	complete(&gate->open);
}

void count_call(void *data, async_cookie_t cookie)
{
	atomic_inc(data);
}

static int actor_main(void *data)
{
	struct actor *actor = data;

	actor->func(actor->data);
	kthread_complete_and_exit(&actor->done, 0);
}

void actor_start(struct actor *actor, void (*func)(void *data), void *data)
{
	actor->func = func;
	actor->data = data;
	init_completion(&actor->done);
	actor->task = kthread_run(actor_main, actor, "selftest");
	CHECK(!IS_ERR(actor->task));
	if (IS_ERR(actor->task))
		complete(&actor->done);
	else
		get_task_struct(actor->task);
}

void actor_join(struct actor *actor)
{
	wait_for_completion(&actor->done);
	if (!IS_ERR(actor->task))
		put_task_struct(actor->task);
}

bool comes_to_rest(struct task_struct *task)
{
	for (unsigned int i = 0; i < 2000; i++) {
		/* not one that is being woken */
		if ((READ_ONCE(task->__state) & TASK_NORMAL) && !READ_ONCE(task->on_rq))
			return true;
		usleep_range(500, 1000);
	}
	return false;
}

/* Returns how many of its conditions did not hold. */
unsigned int test_run(const struct test *test)
{
	failures = 0;
	test->run();
	return failures;
}
