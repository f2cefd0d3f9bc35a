/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* What the tests of the contract share. A test is a function; CHECK() says what was wrong and goes on. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <linux/async.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/sched.h>

struct test {
	const char *name;
	void (*run)(void);
};

extern const struct test order_tests[], wait_tests[], misuse_tests[], kernel_tests[], load_tests[], full_tests[],
	serial_tests[], hold_tests[], thread_tests[], helped_tests[];

unsigned int test_run(const struct test *test);
void check_failed(const char *condition, const char *file, int line);

#define CHECK(condition) \
	do { \
		if (!(condition)) \
			check_failed(#condition, __FILE__, __LINE__); \
	} while (0)

/* A call that says that it runs, and waits until it is told to go on. */
struct gate {
	struct completion entered, open;
	async_cookie_t cookie; /* of the call */
	struct task_struct *task;
	bool done;
};

void gate_init(struct gate *gate);
void gate_call(void *data, async_cookie_t cookie);
async_cookie_t gate_schedule(struct gate *gate, struct async_domain *domain);
void gate_open(struct gate *gate);

/* A call that counts. data: atomic_t */
void count_call(void *data, async_cookie_t cookie);

/* Runs func(data) in a thread; join() waits until it is over. */
struct actor {
	void (*func)(void *data);
	void *data;
	struct task_struct *task;
	struct completion done;
};

void actor_start(struct actor *actor, void (*func)(void *data), void *data);
void actor_join(struct actor *actor);

/* Until the task is blocked, for at most two seconds. */
bool comes_to_rest(struct task_struct *task);

#endif
