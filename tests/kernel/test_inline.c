// SPDX-License-Identifier: MIT OR GPL-2.0
/* Calls that run in their callers because too much is pending: pending=0. */
#include <linux/irqflags.h>

#include "harness.h"

struct inline_call {
	struct task_struct *task;
	async_cookie_t cookie;
	bool async, atomic;
};

static void note(void *data, async_cookie_t cookie)
{
	struct inline_call *call = data;

	call->task = current;
	call->cookie = cookie;
	call->async = current_is_async() && async_current_cookie() == cookie;
	call->atomic = irqs_disabled();
}

TEST(a_call_runs_in_its_caller, .pools = PFULL)
{
	struct inline_call call = {};
	async_cookie_t cookie = async_schedule(note, &call);

	CHECK(call.task == current && call.cookie == cookie && call.async);
	CHECK(!current_is_async());
}

TEST(nothing_is_run_where_it_must_not, .pools = PFULL)
{
	struct inline_call call = {};
	async_cookie_t before = async_schedule(note, &call), cookie = 0, after;

	call.task = NULL;
	CHECK(!async_try_schedule(note, &call, NULL, &cookie));
	CHECK(!cookie && !call.task);
	after = async_schedule(note, &call);
	CHECK(after == before + 1);
}

struct beside {
	struct gate gate;
	struct async_domain *domain;
};

static void schedule_gate(void *data)
{
	struct beside *beside = data;

	async_schedule_domain(gate_call, &beside->gate, beside->domain);
}

/* In progress like any other, for whoever waits. */
TEST(it_is_in_progress_meanwhile, .pools = PFULL)
{
	ASYNC_DOMAIN(domain);
	struct beside beside = {.domain = &domain};
	struct actor actor;

	gate_init(&beside.gate);
	actor_start(&actor, schedule_gate, &beside);
	down(&beside.gate.begun);
	CHECK(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, &domain, 3 * NSEC_PER_MSEC) == -ETIMEDOUT);
	CHECK(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, NULL, 3 * NSEC_PER_MSEC) == -ETIMEDOUT);
	gate_open(&beside.gate);
	CHECK(!async_synchronize_full_domain(&domain));
	CHECK(beside.gate.done);
	actor_join(&actor);
}

static void wait_in_turn(void *data, async_cookie_t cookie)
{
	*(int *)data = async_synchronize_cookie(cookie);
}

static void schedule_inside(void *data, async_cookie_t cookie)
{
	async_schedule(wait_in_turn, data);
}

/* Inside of its parent, on the same stack: it cannot wait for that one, and says so. */
TEST(a_nested_one_leaves_its_parent_out, .pools = PFULL)
{
	int result = 0;

	async_schedule(schedule_inside, &result);
	CHECK(result == -EDEADLK);
}

static void sleeping_note(void *data, async_cookie_t cookie)
{
	note(data, cookie);
	usleep_range(1000, 2000);
}

/* An atomic caller must not run it: there are slots set aside. */
TEST(an_atomic_caller_does_not_run_it, .pools = PFULL)
{
	static struct inline_call calls[64];
	unsigned long flags;

	memset(calls, 0, sizeof(calls));
	local_irq_save(flags);
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
		async_schedule(sleeping_note, &calls[i]);
	local_irq_restore(flags);
	CHECK(!async_synchronize_full());
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
		CHECK(calls[i].task && calls[i].async && !calls[i].atomic);
}

TEST(ordered_calls_keep_their_order, .pools = PFULL)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	atomic_uint calls = 0;

	for (unsigned int i = 0; i < 100; i++)
		CHECK(async_schedule_ordered(count, count, &calls, &domain));
	CHECK(!async_synchronize_full_domain(&domain));
	CHECK(calls == 200);
}
