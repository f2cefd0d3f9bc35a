/* SPDX-License-Identifier: MIT */
/*
 * A program that does what its arguments say, in counted time: what works sleeps on a clock that goes on to the next
 * one's end only when all that can go on has done so. So its trace is the same on any machine.
 *
 *   plans TRACE [cpus:N] PLAN...     step:NAME:MS  call:NAME:MS  ordered:NAME:MS:RETIRE_MS  nest:NAME:MS:CHILD:MS  wait
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <inorder/async.h>
#include <inorder/trace.h>

#define CALLS_MOST 64
#define VISIBLE __attribute__((visibility("default")))

enum state { SCHEDULED, WORKS, SLEEPS, RETURNED, DONE };

struct plan {
	char kind[16];
	char name[32];
	char child[32];
	unsigned int ms;
	unsigned int more_ms; /* of the retire step, or of the child */
};

struct task {
	struct plan plan;
	enum state state;
	double left_ns; /* of its work */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static struct task tasks[CALLS_MOST + 1]; /* the first is the program's own thread */
static size_t task_count = 1;
static bool waits;
static unsigned int processors; /* that those who work share; 0: each has one */
static uint64_t now_ns;
static _Thread_local struct task *returning; /* its function has returned, and the trace does not say so yet */
static _Thread_local enum state returns;
static _Thread_local bool entering; /* it is about to wait, and the trace does not say so yet */
static ASYNC_DOMAIN(calls);

/* Whether something goes on without the clock. */
static bool is_busy(void)
{
	bool lower = false; /* a lower call is not complete */

	for (size_t i = 1; i < task_count; i++) {
		if (tasks[i].state == SCHEDULED || tasks[i].state == WORKS || (tasks[i].state == RETURNED && !lower))
			return true;
		lower = lower || tasks[i].state != DONE;
	}
	return waits ? !lower : tasks[0].state != SLEEPS;
}

/* With the lock held: wakes those whose time has come. */
static void advance(void)
{
	double least_ns = 0, slower;
	unsigned int working = 0;

	if (is_busy())
		return;
	for (size_t i = 0; i < task_count; i++)
		if (tasks[i].state == SLEEPS && (!working++ || tasks[i].left_ns < least_ns))
			least_ns = tasks[i].left_ns;
	if (!working)
		return;
	slower = processors && working > processors ? (double)working / processors : 1;
	__atomic_store_n(&now_ns, now_ns + (uint64_t)(least_ns * slower + 0.5), __ATOMIC_RELEASE);
	for (size_t i = 0; i < task_count; i++) {
		if (tasks[i].state != SLEEPS)
			continue;
		tasks[i].left_ns -= least_ns;
		if (tasks[i].left_ns < 0.5)
			tasks[i].state = WORKS;
	}
	pthread_cond_broadcast(&moved);
}

static void set_state(struct task *task, enum state state)
{
	pthread_mutex_lock(&lock);
	task->state = state;
	advance();
	pthread_mutex_unlock(&lock);
}

static void set_waits(bool value)
{
	pthread_mutex_lock(&lock);
	waits = value;
	advance();
	pthread_mutex_unlock(&lock);
}

/* The library's clock, too. */
VISIBLE int clock_gettime(clockid_t clock, struct timespec *time)
{
	uint64_t ns = __atomic_load_n(&now_ns, __ATOMIC_ACQUIRE);

	if (clock != CLOCK_MONOTONIC || !ns)
		return (int)syscall(SYS_clock_gettime, clock, time);
	*time = (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
	return 0;
}

/*
 * The library's way to the trace. A call's function has returned, and a wait begun, when the line that says so is
 * written: the clock must not go on before.
 */
VISIBLE ssize_t write(int fd, const void *bytes, size_t count)
{
	ssize_t result = syscall(SYS_write, fd, bytes, count);
	struct task *task = returning;

	if (task && (memmem(bytes, count, "\"returned\"", 10) || memmem(bytes, count, "\"completed\"", 11))) {
		returning = NULL;
		set_state(task, returns);
	}
	if (entering && memmem(bytes, count, "\"waiting\"", 9)) {
		entering = false;
		set_waits(true);
	}
	return result;
}

static void work(struct task *task, unsigned int ms)
{
	pthread_mutex_lock(&lock);
	task->state = SLEEPS;
	task->left_ns = ms * 1e6;
	advance();
	while (task->state == SLEEPS)
		pthread_cond_wait(&moved, &lock);
	pthread_mutex_unlock(&lock);
}

static void schedule(const struct plan *plan);

static void run(void *data, async_cookie_t cookie)
{
	struct task *task = data;

	(void)cookie;
	async_set_name(task->plan.name);
	set_state(task, WORKS);
	work(task, task->plan.ms);
	if (strcmp(task->plan.kind, "nest") == 0) {
		struct plan child = {.kind = "call", .ms = task->plan.more_ms};

		strcpy(child.name, task->plan.child);
		schedule(&child);
	}
	returns = strcmp(task->plan.kind, "ordered") == 0 ? RETURNED : DONE;
	returning = task;
}

static void retire(void *data, async_cookie_t cookie)
{
	struct task *task = data;

	(void)cookie;
	set_state(task, WORKS);
	work(task, task->plan.more_ms);
	returns = DONE;
	returning = task;
}

static void schedule(const struct plan *plan)
{
	struct task *task;

	pthread_mutex_lock(&lock);
	task = &tasks[task_count++];
	task->plan = *plan;
	task->state = SCHEDULED;
	pthread_mutex_unlock(&lock);
	if (strcmp(plan->kind, "ordered") == 0)
		async_schedule_ordered(run, retire, task, &calls);
	else
		async_schedule_domain(run, task, &calls);
}

static void follow(const struct plan *plan)
{
	if (strcmp(plan->kind, "wait") == 0) {
		entering = true;
		async_synchronize_full_domain(&calls);
		entering = false;
		set_waits(false);
	} else if (strcmp(plan->kind, "step") == 0) {
		uint64_t since_ns = async_trace_calling(NULL, plan->name);

		work(&tasks[0], plan->ms);
		async_trace_called(NULL, plan->name, 0, since_ns);
	} else {
		schedule(plan);
	}
}

int main(int argc, char **argv)
{
	struct timespec start;

	clock_gettime(CLOCK_MONOTONIC, &start);
	now_ns = (uint64_t)start.tv_sec * 1000000000;
	tasks[0].state = WORKS;
	if (argc < 2 || async_trace_open(argv[1]) != 0)
		return 2;
	for (int i = 2; i < argc; i++) {
		if (sscanf(argv[i], "cpus:%u", &processors) == 1)
			continue;
		struct plan plan = {.ms = 0};
		int words = sscanf(argv[i], "%15[^:]:%31[^:]:%u:%u", plan.kind, plan.name, &plan.ms, &plan.more_ms);

		if (strcmp(plan.kind, "nest") == 0)
			words = sscanf(argv[i], "nest:%31[^:]:%u:%31[^:]:%u", plan.name, &plan.ms, plan.child,
				       &plan.more_ms);
		if (words < 1 || task_count >= CALLS_MOST / 2)
			return 2;
		follow(&plan);
	}
	return 0;
}
