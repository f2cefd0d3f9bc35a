/* SPDX-License-Identifier: MIT */
/* Quiesce: a stretch in which no call of a registered domain runs. */
#include "harness.h"

static atomic_uint ran;

static void schedule_three(void *unused)
{
	for (int i = 0; i < 3; i++)
		CHECK(async_schedule(count, &ran));
}

TEST(calls_queue_between_begin_and_end, .pools = PALL)
{
	struct actor actor;

	CHECK_EQ(async_quiesce_begin(), 0);
	actor_start(&actor, schedule_three, NULL);
	actor_join(&actor);
	schedule_three(NULL);
	quiet();
	CHECK_EQ(ran, 0);
	CHECK_EQ(async_quiesce_end(), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(ran, 6);
}

TEST(no_limit_holds_while_calls_are_held_back, .pools = PALL, .env = "INORDER_PENDING=2")
{
	struct actor actor;

	CHECK_EQ(async_quiesce_begin(), 0);
	for (int i = 0; i < 10; i++) {
		actor_start(&actor, schedule_three, NULL);
		actor_join(&actor);
	}
	quiet();
	CHECK_EQ(ran, 0);
	CHECK_EQ(async_quiesce_end(), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(ran, 30);
}

TEST(exclusive_domains_go_on, .pools = PALL)
{
	ASYNC_DOMAIN_EXCLUSIVE(exclusive);

	CHECK_EQ(async_quiesce_begin(), 0);
	CHECK(async_schedule(count, &ran));
	for (int i = 0; i < 3; i++)
		CHECK(async_schedule_domain(count, &ran, &exclusive));
	CHECK_EQ(async_synchronize_full_domain(&exclusive), 0);
	CHECK_EQ(ran, 3);
	CHECK_EQ(async_quiesce_end(), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(ran, 4);
}

struct quiescer {
	struct actor actor;
	sem_t end;
	int begun;
};

static void quiesce(void *data)
{
	struct quiescer *quiescer = data;

	quiescer->begun = async_quiesce_begin();
	up(&quiescer->actor.begun);
	down(&quiescer->end);
	CHECK_EQ(async_quiesce_end(), 0);
}

TEST(begin_waits_for_a_running_call, .pools = PALL)
{
	struct gate gate;
	struct waiter begin;

	gate_new(&gate, NULL);
	waiter_start(&begin, (int (*)(async_cookie_t, struct async_domain *))(void (*)(void))async_quiesce_begin, 0,
		     NULL);
	CHECK_WAITING(&begin, 1);
	gate_end(&gate);
	CHECK_EQ(waiter_join(&begin), 0);
}

struct parent {
	struct gate gate;
	struct async_domain domain;
};

static void parent_call(void *data, async_cookie_t cookie)
{
	struct parent *parent = data;

	gate_call(&parent->gate, cookie);
	CHECK(async_schedule_domain(count, &ran, &parent->domain));
	CHECK_EQ(async_synchronize_full_domain(&parent->domain), 0);
}

static void start_parent(void *data)
{
	CHECK(async_schedule(parent_call, data));
}

TEST(what_a_running_call_awaits_still_starts, .pools = PALL)
{
	struct parent parent = {.domain = ASYNC_DOMAIN_INIT};
	struct actor actor, other;
	struct waiter begin;

	gate_init(&parent.gate);
	actor_start(&actor, start_parent, &parent);
	down(&parent.gate.begun);
	waiter_start(&begin, (int (*)(async_cookie_t, struct async_domain *))(void (*)(void))async_quiesce_begin, 0,
		     NULL);
	quiet();
	actor_start(&other, schedule_three, NULL);
	actor_join(&other);
	gate_open(&parent.gate);
	CHECK_EQ(waiter_join(&begin), 0);
	actor_join(&actor);
	CHECK_EQ(ran, 1);
	_exit(0); /* the thread that holds is gone */
}

static struct gate inline_gate;

static void runs_one_inline(void *data, async_cookie_t cookie)
{
	gate_call(&inline_gate, cookie);
	CHECK(async_schedule(count, data)); /* past the limit */
	CHECK_EQ(ran, 1);
}

static void start_inline(void *unused)
{
	CHECK(async_schedule(runs_one_inline, &ran));
}

TEST(what_a_running_call_runs_inline_still_starts, .pools = PALL, .env = "INORDER_PENDING=1")
{
	static atomic_uint held;
	struct actor actor;
	struct waiter begin;

	gate_init(&inline_gate);
	actor_start(&actor, start_inline, NULL);
	down(&inline_gate.begun);
	waiter_start(&begin, (int (*)(async_cookie_t, struct async_domain *))(void (*)(void))async_quiesce_begin, 0,
		     NULL);
	quiet();
	CHECK(async_schedule(count, &held)); /* it is pending, and the limit reached */
	gate_open(&inline_gate);
	CHECK_EQ(waiter_join(&begin), 0);
	actor_join(&actor);
	CHECK_EQ(ran, 1);
	CHECK_EQ(held, 0);
	_exit(0); /* the thread that holds is gone */
}

static void begin_inside(void *data, async_cookie_t cookie)
{
	*(int *)data = async_quiesce_begin();
}

TEST(begin_inside_a_call_is_a_deadlock, .pools = PALL)
{
	int result = 0;

	CHECK(async_schedule(begin_inside, &result));
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(result, -EDEADLK);
	CHECK(harness_said("async_quiesce_begin()"));
	CHECK(async_schedule(count, &ran));
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(ran, 1);
}

TEST(the_holder_does_not_wait_for_what_it_holds, .pools = PALL)
{
	ASYNC_DOMAIN_EXCLUSIVE(exclusive);

	CHECK_EQ(async_quiesce_begin(), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK(async_schedule(count, &ran));
	CHECK_EQ(async_synchronize_full(), -EDEADLK);
	CHECK_EQ(ran, 0);
	CHECK_EQ(async_synchronize_full_domain(&exclusive), 0);
	CHECK_EQ(async_quiesce_end(), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(ran, 1);
}

TEST(begins_nest, .pools = PALL)
{
	CHECK_EQ(async_quiesce_end(), -EINVAL);
	CHECK_EQ(async_quiesce_begin(), 0);
	CHECK_EQ(async_quiesce_begin(), 0);
	CHECK(async_schedule(count, &ran));
	CHECK_EQ(async_quiesce_end(), 0);
	quiet();
	CHECK_EQ(ran, 0);
	CHECK_EQ(async_quiesce_end(), 0);
	CHECK_EQ(async_quiesce_end(), -EINVAL);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(ran, 1);
}

TEST(several_threads_hold, .pools = PALL)
{
	struct quiescer one = {.begun = 1}, two = {.begun = 1};
	struct waiter waiter;

	sem_init(&one.end, 0, 0);
	sem_init(&two.end, 0, 0);
	actor_start(&one.actor, quiesce, &one);
	down(&one.actor.begun);
	actor_start(&two.actor, quiesce, &two);
	down(&two.actor.begun);
	quiet();
	CHECK_EQ(one.begun, 0);
	CHECK_EQ(two.begun, 0);
	CHECK(async_schedule(count, &ran));
	waiter_start(&waiter, wait_full, 0, NULL);
	up(&one.end);
	actor_join(&one.actor);
	quiet();
	CHECK_EQ(ran, 0);
	CHECK(!waiter_done(&waiter));
	up(&two.end);
	actor_join(&two.actor);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK_EQ(ran, 1);
}

static void retire(void *data, async_cookie_t cookie)
{
	count(data, cookie);
}

TEST(retire_steps_are_held_back, .pools = P2 | P256)
{
	static atomic_uint funcs, retired;
	struct gate gate;
	struct waiter begin;
	async_cookie_t last = 0;

	gate_new(&gate, NULL);
	for (int i = 0; i < 3; i++)
		CHECK(last = async_schedule_ordered(count, retire, i ? (void *)&funcs : (void *)&retired, NULL));
	while (funcs + retired < 3)
		sched_yield();
	waiter_start(&begin, (int (*)(async_cookie_t, struct async_domain *))(void (*)(void))async_quiesce_begin, 0,
		     NULL);
	quiet();
	gate_end(&gate);
	CHECK_EQ(waiter_join(&begin), 0);
	quiet();
	CHECK_EQ(funcs + retired, 3);
	_exit(0); /* the thread that holds is gone */
}

/* ---- a registered call that waits through an exclusive one ---- */

static struct chain {
	struct async_domain *exclusive;
	sem_t registered_runs, go, exclusive_runs, go_on;
	_Atomic async_cookie_t link;
	atomic_uint done;
} chain;

static void link_of_chain(void *data, async_cookie_t cookie)
{
	async_cookie_t last;

	up(&chain.exclusive_runs);
	down(&chain.go_on); /* now it is quiescing */
	last = async_schedule(count, &chain.done);
	CHECK_EQ(async_synchronize_call(last, NULL), 0);
}

static void head_of_chain(void *data, async_cookie_t cookie)
{
	up(&chain.registered_runs);
	down(&chain.go);
	CHECK_EQ(async_synchronize_call(chain.link, chain.exclusive), 0);
}

TEST(begin_drains_through_calls_of_exclusive_domains, .pools = PMANY)
{
	ASYNC_DOMAIN_EXCLUSIVE(exclusive);
	struct waiter begin;

	chain.exclusive = &exclusive;
	sem_init(&chain.registered_runs, 0, 0);
	sem_init(&chain.go, 0, 0);
	sem_init(&chain.exclusive_runs, 0, 0);
	sem_init(&chain.go_on, 0, 0);
	CHECK(async_schedule(head_of_chain, NULL));
	chain.link = async_schedule_domain(link_of_chain, NULL, &exclusive);
	CHECK(chain.link != 0);
	down(&chain.registered_runs);
	down(&chain.exclusive_runs);
	waiter_start(&begin, (int (*)(async_cookie_t, struct async_domain *))(void (*)(void))async_quiesce_begin, 0,
		     NULL);
	quiet();
	up(&chain.go);
	up(&chain.go_on);
	CHECK_EQ(waiter_join(&begin), 0);
	CHECK_EQ(chain.done, 1);
	_exit(0); /* the thread that holds is gone */
}

/* ---- a call that comes up for a waiter while begin drains ---- */

static struct late {
	struct async_domain *domain;
	sem_t begun, go;
	atomic_uint done;
} late;

static void schedules_one_more(void *data, async_cookie_t cookie)
{
	up(&late.begun);
	down(&late.go);
	CHECK(async_schedule_domain(count, &late.done, late.domain));
}

static void waits_for_them(void *data, async_cookie_t cookie)
{
	up(&late.begun);
	CHECK_EQ(async_synchronize_full_domain(late.domain), 0);
}

TEST(begin_drains_calls_that_come_up_meanwhile, .pools = PMANY)
{
	ASYNC_DOMAIN(domain);
	struct waiter begin;

	late.domain = &domain;
	sem_init(&late.begun, 0, 0);
	sem_init(&late.go, 0, 0);
	CHECK(async_schedule_domain(schedules_one_more, NULL, &domain));
	CHECK(async_schedule(waits_for_them, NULL));
	down(&late.begun);
	down(&late.begun);
	quiet();
	waiter_start(&begin, (int (*)(async_cookie_t, struct async_domain *))(void (*)(void))async_quiesce_begin, 0,
		     NULL);
	quiet();
	up(&late.go);
	CHECK_EQ(waiter_join(&begin), 0);
	CHECK_EQ(late.done, 1);
	_exit(0); /* the thread that holds is gone */
}

/* ---- a call that is cancelled does not run ---- */

static struct gate released;

static void release_at_gate(void *data, async_cookie_t cookie)
{
	gate_call(&released, cookie);
}

static void cancel_domain(void *domain)
{
	CHECK_EQ(async_cancel_domain(domain, release_at_gate), 1);
}

static void waits_for_registered(void *data, async_cookie_t cookie)
{
	down(&late.go);
	CHECK_EQ(async_synchronize_full_domain(data), 0);
}

TEST(a_cancelled_call_is_none_that_runs, .pools = PMANY)
{
	ASYNC_DOMAIN_EXCLUSIVE(exclusive);
	ASYNC_DOMAIN(awaited);
	ASYNC_DOMAIN(cancelled);
	struct actor canceller;

	gate_init(&released);
	sem_init(&late.go, 0, 0);
	CHECK_EQ(async_quiesce_begin(), 0);
	CHECK(async_schedule_domain(count, &ran, &awaited));
	CHECK(async_schedule_domain(count, &ran, &cancelled));
	CHECK(async_schedule_domain(waits_for_registered, &awaited, &exclusive));
	actor_start(&canceller, cancel_domain, &cancelled);
	down(&released.begun);
	CHECK_EQ(async_quiesce_begin(), 0); /* does not wait for release */
	CHECK_EQ(async_quiesce_end(), 0);
	up(&late.go);
	quiet();
	CHECK_EQ(ran, 0);
	gate_open(&released);
	actor_join(&canceller);
	CHECK_EQ(async_quiesce_end(), 0);
	CHECK_EQ(async_synchronize_full_domain(&exclusive), 0);
	CHECK_EQ(ran, 1);
}
