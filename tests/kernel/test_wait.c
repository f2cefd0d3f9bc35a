// SPDX-License-Identifier: MIT OR GPL-2.0
/* Waiting, domains, progress, who is woken. */
#include <linux/nodemask.h>
#include <linux/slab.h>

#include "selftest.h"

static void a_full_wait_covers_registered_domains_only(void)
{
	ASYNC_DOMAIN(registered);
	ASYNC_DOMAIN_EXCLUSIVE(exclusive);
	struct gate in_registered, in_exclusive;

	gate_schedule(&in_exclusive, &exclusive);
	CHECK(!async_synchronize_full());
	gate_schedule(&in_registered, &registered);
	CHECK(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, NULL, 3 * NSEC_PER_MSEC) == -ETIMEDOUT);
	CHECK(async_synchronize_cookie_timeout(in_registered.cookie + 1, NULL, 0) == -ETIMEDOUT);
	CHECK(!async_synchronize_cookie_timeout(in_registered.cookie, NULL, 0));
	gate_open(&in_registered);
	CHECK(!async_synchronize_full());
	CHECK(in_registered.done && !in_exclusive.done);
	gate_open(&in_exclusive);
	CHECK(!async_synchronize_full_domain(&exclusive));
	CHECK(in_exclusive.done);
}

static void waiting_on_one_domain_never_waits_for_another(void)
{
	ASYNC_DOMAIN(held);
	ASYNC_DOMAIN(other);
	atomic_t calls = ATOMIC_INIT(0);
	struct gate gate;

	gate_schedule(&gate, &held);
	for (unsigned int i = 0; i < 100; i++)
		async_schedule_domain(count_call, &calls, &other);
	CHECK(!async_synchronize_full_domain(&other));
	CHECK(atomic_read(&calls) == 100 && !gate.done);
	gate_open(&gate);
	CHECK(!async_synchronize_full_domain(&held));
}

struct chain {
	struct async_domain *domain;
	unsigned int left;
	atomic_t done;
};

static void schedule_next(void *data, async_cookie_t cookie)
{
	struct chain *chain = data;

	if (chain->left--)
		async_schedule_domain(schedule_next, chain, chain->domain);
	usleep_range(10, 50);
	atomic_inc(&chain->done);
}

static void a_full_wait_covers_calls_scheduled_meanwhile(void)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	struct chain chain = {.domain = &domain, .left = 50};

	async_schedule_domain(schedule_next, &chain, &domain);
	CHECK(!async_synchronize_full_domain(&domain));
	CHECK(atomic_read(&chain.done) == 51);
}

static void a_cookie_wait_does_not_cover_later_calls(void)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	atomic_t calls = ATOMIC_INIT(0);
	async_cookie_t cookie = async_schedule_domain(count_call, &calls, &domain);
	struct gate gate;

	gate_schedule(&gate, &domain);
	CHECK(!async_synchronize_cookie_domain(cookie + 1, &domain));
	CHECK(atomic_read(&calls) == 1 && !gate.done);
	gate_open(&gate);
	CHECK(!async_synchronize_full_domain(&domain));
}

/* Its memory is used for something else as soon as the wait has returned. */
static void a_domain_may_go_once_a_full_wait_returned(void)
{
	for (unsigned int i = 0; i < 2000; i++) {
		struct async_domain *domain = kzalloc(sizeof(*domain), GFP_KERNEL);
		atomic_t calls = ATOMIC_INIT(0);

		CHECK(domain);
		if (!domain)
			return;
		*domain = (struct async_domain)ASYNC_DOMAIN_EXCLUSIVE_INIT;
		for (unsigned int k = 0; k < i % 4; k++)
			async_schedule_domain(count_call, &calls, domain);
		CHECK(!async_synchronize_full_domain(domain));
		CHECK(atomic_read(&calls) == i % 4);
		memset(domain, 0xa5, sizeof(*domain));
		kfree(domain);
	}
}

static void a_wait_for_one_call(void)
{
	ASYNC_DOMAIN(domain);
	struct gate held, wanted;
	async_cookie_t old;

	old = gate_schedule(&held, &domain);
	gate_schedule(&wanted, &domain);
	CHECK(async_synchronize_call(0, NULL) == -EINVAL);
	CHECK(async_synchronize_call(ASYNC_COOKIE_MAX, NULL) == -EINVAL);
	gate_open(&wanted);
	CHECK(!async_synchronize_call(wanted.cookie, &domain));
	CHECK(wanted.done && !held.done);
	gate_open(&held);
	CHECK(!async_synchronize_call(old, NULL));
	CHECK(held.done);
	CHECK(!async_synchronize_call(old, NULL));
}

struct nested {
	unsigned int depth;
	atomic_t *done;
};

/* Each waits for the one that it schedules: as many threads as calls are blocked. */
static void nest(void *data, async_cookie_t cookie)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	struct nested *nested = data, inner = {nested->depth - 1, nested->done};

	if (nested->depth) {
		async_schedule_domain(nest, &inner, &domain);
		CHECK(!async_synchronize_full_domain(&domain));
	}
	atomic_inc(nested->done);
}

static void nesting_deeper_than_any_pool_ends(void)
{
	atomic_t done = ATOMIC_INIT(0);
	struct nested nested = {280, &done};

	async_schedule(nest, &nested);
	CHECK(!async_synchronize_full());
	CHECK(atomic_read(&done) == 281);
}

static void many_parents_wait_for_children(void)
{
	atomic_t done = ATOMIC_INIT(0);
	struct nested nested = {1, &done};

	for (unsigned int i = 0; i < 600; i++)
		async_schedule(nest, &nested);
	CHECK(!async_synchronize_full());
	CHECK(atomic_read(&done) == 1200);
}

struct sleeper {
	struct task_struct *task;
	unsigned long woken;
	async_cookie_t cookie;
};

static void wait_and_count(void *data, async_cookie_t cookie)
{
	struct sleeper *sleeper = data;
	unsigned long before = current->nvcsw;

	WRITE_ONCE(sleeper->task, current);
	CHECK(!async_synchronize_cookie(cookie));
	sleeper->woken = current->nvcsw - before;
}

/* All of them sleep behind one call; then each is woken once, when its turn has come. */
static void only_the_satisfied_wake(void)
{
	static struct sleeper sleepers[50];
	unsigned long woken = 0;
	struct gate gate;

	memset(sleepers, 0, sizeof(sleepers));
	gate_schedule(&gate, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(sleepers); i++)
		async_schedule(wait_and_count, &sleepers[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(sleepers); i++) {
		while (!READ_ONCE(sleepers[i].task))
			usleep_range(500, 1000);
		CHECK(comes_to_rest(sleepers[i].task));
	}
	gate_open(&gate);
	CHECK(!async_synchronize_full());
	for (unsigned int i = 0; i < ARRAY_SIZE(sleepers); i++)
		woken += sleepers[i].woken;
	CHECK(woken >= ARRAY_SIZE(sleepers));
	/* one that was preempted on its way to sleep may count once more */
	CHECK(woken <= ARRAY_SIZE(sleepers) + 5);
}

static void sleep_20_ms(void *data, async_cookie_t cookie)
{
	usleep_range(20000, 21000);
}

/* Calls that block in the kernel, unknown to us, hold others up for a moment only. */
static void sleeping_calls_overlap(void)
{
	ktime_t since = ktime_get();
	s64 took_ms;

	for (unsigned int i = 0; i < 64; i++)
		async_schedule(sleep_20_ms, NULL);
	CHECK(!async_synchronize_full());
	took_ms = ktime_ms_delta(ktime_get(), since);
	CHECK(took_ms >= 20 && took_ms < 640); /* one after the other: 1280 */
}

static atomic_t ran, released;

static void release(void *data, async_cookie_t cookie)
{
	CHECK(current_is_async() && async_current_cookie() == cookie);
	CHECK(data == &ran);
	atomic_inc(&released);
}

/* Workers claim some of them meanwhile; each either runs or is taken back, and some of them are. */
static void pending_calls_are_taken_back(void)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	unsigned int taken = 0;

	atomic_set(&ran, 0);
	atomic_set(&released, 0);
	for (unsigned int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < 100; i++)
			async_schedule_node_domain(count_call, &ran, i % 2 ? first_online_node : NUMA_NO_NODE, &domain);
		taken += async_cancel_domain(&domain, release);
	}
	CHECK(!async_synchronize_full_domain(&domain));
	CHECK(taken && atomic_read(&released) == taken);
	CHECK(atomic_read(&ran) + taken == 2000);
	CHECK(!async_cancel_domain(&domain, release));
}

static void one_sleeps_while_many_pass(void)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	atomic_t calls = ATOMIC_INIT(0);
	struct gate gate;

	gate_schedule(&gate, &domain);
	for (unsigned int i = 0; i < 20000; i++)
		async_schedule_domain(count_call, &calls, &domain);
	while (atomic_read(&calls) < 20000)
		usleep_range(100, 1000);
	CHECK(!gate.done);
	gate_open(&gate);
	CHECK(!async_synchronize_full_domain(&domain));
}

static void wait_in_full(void *data)
{
	CHECK(!async_synchronize_full());
}

static void full_waits_run_beside_each_other(void)
{
	struct actor actors[8];
	struct gate gate;

	gate_schedule(&gate, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(actors); i++)
		actor_start(&actors[i], wait_in_full, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(actors); i++)
		CHECK(comes_to_rest(actors[i].task));
	gate_open(&gate);
	for (unsigned int i = 0; i < ARRAY_SIZE(actors); i++)
		actor_join(&actors[i]);
}

struct patient {
	struct async_domain *domain;
	int result;
};

static void wait_for_ever(void *data)
{
	struct patient *patient = data;

	patient->result = async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, patient->domain, U64_MAX);
}

/* The longest time that can be given is no time that has passed. */
static void a_timeout_may_be_for_ever(void)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	struct patient patient = {.domain = &domain, .result = 1};
	struct actor actor;
	struct gate gate;

	gate_schedule(&gate, &domain);
	actor_start(&actor, wait_for_ever, &patient);
	CHECK(comes_to_rest(actor.task));
	CHECK(READ_ONCE(patient.result) == 1);
	gate_open(&gate);
	actor_join(&actor);
	CHECK(!patient.result);
	CHECK(!async_synchronize_full_domain(&domain));
}

const struct test wait_tests[] = {
	{"a_full_wait_covers_registered_domains_only", a_full_wait_covers_registered_domains_only},
	{"waiting_on_one_domain_never_waits_for_another", waiting_on_one_domain_never_waits_for_another},
	{"a_full_wait_covers_calls_scheduled_meanwhile", a_full_wait_covers_calls_scheduled_meanwhile},
	{"a_cookie_wait_does_not_cover_later_calls", a_cookie_wait_does_not_cover_later_calls},
	{"a_domain_may_go_once_a_full_wait_returned", a_domain_may_go_once_a_full_wait_returned},
	{"a_wait_for_one_call", a_wait_for_one_call},
	{"nesting_deeper_than_any_pool_ends", nesting_deeper_than_any_pool_ends},
	{"many_parents_wait_for_children", many_parents_wait_for_children},
	{"only_the_satisfied_wake", only_the_satisfied_wake},
	{"sleeping_calls_overlap", sleeping_calls_overlap},
	{"pending_calls_are_taken_back", pending_calls_are_taken_back},
	{"one_sleeps_while_many_pass", one_sleeps_while_many_pass},
	{"full_waits_run_beside_each_other", full_waits_run_beside_each_other},
	{"a_timeout_may_be_for_ever", a_timeout_may_be_for_ever},
	{}};
