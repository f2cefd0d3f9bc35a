// SPDX-License-Identifier: MIT OR GPL-2.0
/* See harness.h. Of a module of its own (selftest.c) as of KUnit (kunit/kunit.c). */
#include <linux/kmsg_dump.h>
#include <linux/kthread.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "harness.h"

static const struct harness_test *const first[1] HARNESS_SECTION;
static struct kmsg_dump_iter test_began;
static unsigned int failures, test_threads;

const struct harness_test *const *harness_next(const struct harness_test *const *before, unsigned int pools)
{
	const struct harness_test *const *at = before ? before : first;

	OPTIMIZER_HIDE_VAR(at); /* the section is longer than what this file puts there */
	while (*++at)
		if (((*at)->pools & pools) && !(*at)->env && !(*at)->no_kernel)
			return at;
	return NULL;
}

unsigned int harness_run(const struct harness_test *test, unsigned int threads)
{
	failures = 0;
	test_threads = threads;
	kmsg_dump_rewind(&test_began);
	test->body();
	return failures;
}

unsigned int harness_threads(void)
{
	return test_threads;
}

void harness_fail(const char *file, int line, const char *format, ...)
{
	struct va_format text = {.fmt = format};
	va_list args;

	va_start(args, format);
	text.va = &args;
	failures++;
	pr_info("    # %s:%d: %pV\n", kbasename(file), line, &text);
	va_end(args);
}

char *harness_stderr(void)
{
	enum { BYTES = 65536, LINE = 1024 };
	char *text = kvzalloc(BYTES, GFP_KERNEL | __GFP_NOFAIL), *line = kmalloc(LINE, GFP_KERNEL | __GFP_NOFAIL);
	struct kmsg_dump_iter at;
	size_t bytes, used = 0;

	kmsg_dump_rewind(&at);
	at.cur_seq = max(at.cur_seq, test_began.next_seq);
	while (kmsg_dump_get_line(&at, false, line, LINE - 1, &bytes)) {
		line[bytes] = '\0';
		if (strstr(line, "inorder: "))
			used += scnprintf(text + used, BYTES - used, "%s", strstr(line, "inorder: "));
	}
	kfree(line);
	return text;
}

/* ---- threads ---- */

static int actor_main(void *data)
{
	struct actor *actor = data;

	actor->run(actor->data);
	actor->done = true;
	kthread_complete_and_exit(&actor->ended, 0);
}

void actor_start(struct actor *actor, void (*run)(void *data), void *data)
{
	memset(actor, 0, sizeof(*actor));
	actor->run = run;
	actor->data = data;
	init_completion(&actor->ended);
	actor->task = kthread_create(actor_main, actor, "selftest");
	CHECK(!IS_ERR(actor->task));
	if (IS_ERR(actor->task)) {
		complete(&actor->ended);
		return;
	}
	get_task_struct(actor->task);
	actor->tid = actor->task->pid;
	wake_up_process(actor->task);
}

void actor_join(struct actor *actor)
{
	wait_for_completion(&actor->ended);
	if (!IS_ERR(actor->task))
		put_task_struct(actor->task);
}

static bool is_blocked(struct task_struct *task)
{
	/* not one that is being woken */
	return (READ_ONCE(task->__state) & TASK_NORMAL) && !READ_ONCE(task->on_rq);
}

bool comes_to_rest(struct task_struct *task)
{
	for (unsigned int i = 0; i < 2000; i++) {
		if (is_blocked(task))
			return true;
		usleep_range(500, 1000);
	}
	return false;
}

/* The port's threads and the tests', but for this one: how many, how often they slept, whether all sleep. */
struct look {
	unsigned int threads;
	unsigned long slept;
	bool asleep;
};

static struct look look_around(void)
{
	struct look look = {.asleep = true};
	struct task_struct *task;

	rcu_read_lock();
	for_each_process(task)
	{
		/* of other flags it changes at any time */
		if (!(data_race(task->flags) & PF_KTHREAD) || task == current ||
		    (strncmp(task->comm, "async/", 6) && strcmp(task->comm, "selftest")))
			continue;
		look.threads++;
		look.slept += READ_ONCE(task->nvcsw);
		look.asleep = look.asleep && (is_blocked(task) || READ_ONCE(task->exit_state));
	}
	rcu_read_unlock();
	return look;
}

/* A thread seen asleep twice that has not gone to sleep in between has slept. The monitor wakes by the clock. */
void quiet(void)
{
	enum { IN_A_ROW = 3, MANY = 64 };
	struct look before = {};

	for (unsigned int asleep = 0, still = 0; still < IN_A_ROW && asleep < MANY;) {
		struct look now = look_around();

		asleep = now.asleep ? asleep + 1 : 0;
		still = now.asleep && now.threads == before.threads && now.slept - before.slept <= 1 ? still + 1 : 0;
		before = now;
		usleep_range(200, 500);
	}
}

u64 voluntary_switches(pid_t tid)
{
	struct task_struct *task;
	u64 n = 0;

	rcu_read_lock();
	task = pid_task(find_vpid(tid), PIDTYPE_PID);
	if (task)
		n = READ_ONCE(task->nvcsw);
	rcu_read_unlock();
	CHECK(task);
	return n;
}

unsigned int thread_count(void)
{
	return look_around().threads;
}

void *page_new(void)
{
	return (void *)get_zeroed_page(GFP_KERNEL | __GFP_NOFAIL);
}

void page_poison(void *page)
{
	memset(page, 0xa5, PAGE_SIZE);
	free_page((unsigned long)page);
}
