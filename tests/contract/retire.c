// SPDX-License-Identifier: MIT OR GPL-2.0
/* Ordered calls: func out of order, retire in order. */
#include "harness.h"

static struct record retired;
static struct record finished;

/* Nothing of it has happened yet. A kernel runs all tests in one go. */
static void begin(void)
{
	retired.begun = retired.n = 0;
	finished.begun = finished.n = 0;
}

/* A gate whose func ends when told to, with a retire step that is recorded. */
static void note_retire(void *data, async_cookie_t cookie)
{
	struct gate *gate = data;

	CHECK(gate->done);
	CHECK_EQ(gate->cookie, cookie);
	record(&retired, cookie);
}

TEST(retire_steps_run_in_order, .pools = P256)
{
	enum { N = 20 };
	ASYNC_DOMAIN(domain);
	static struct gate gates[N];
	struct waiter waits[N];

	begin();
	for (unsigned int i = 0; i < N; i++) {
		gate_init(&gates[i]);
		CHECK(async_schedule_ordered(gate_call, note_retire, &gates[i], &domain));
		down(&gates[i].begun);
		waiter_start(&waits[i], async_synchronize_call, gates[i].cookie, &domain);
	}
	for (unsigned int i = N; i-- > 1;)
		gate_end(&gates[i]);
	quiet();
	CHECK_EQ(retired.n, 0);
	for (unsigned int i = 0; i < N; i++)
		CHECK(!waiter_done(&waits[i]));
	gate_end(&gates[0]);
	CHECK_DONE(waits, N);
	CHECK_EQ(retired.n, N);
	CHECK(record_increasing(&retired));
}

static void finish(void *data, async_cookie_t cookie)
{
	for (unsigned int i = 0; i < cookie % 7 * 50; i++)
		atomic_signal_fence(memory_order_seq_cst);
	record(&finished, cookie);
}

static void retire(void *data, async_cookie_t cookie)
{
	record(&retired, cookie);
}

TEST(many_retire_steps_run_in_order, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	begin();
	for (unsigned int i = 0; i < 4000; i++)
		CHECK(async_schedule_ordered(finish, retire, NULL, &domain));
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(finished.n, 4000);
	CHECK_EQ(retired.n, 4000);
	CHECK(record_increasing(&retired));
}

TEST(a_retire_step_waits_for_lower_plain_calls, .pools = P0 | P256)
{
	ASYNC_DOMAIN(domain);
	ASYNC_DOMAIN(other);
	struct gate lower;
	struct gate stranger;
	struct waiter waiter;
	async_cookie_t cookie;

	begin();
	gate_new(&stranger, &other); /* another domain's, and a higher one of this: they do not count */
	gate_new(&lower, &domain);
	cookie = async_schedule_ordered(finish, retire, NULL, &domain);
	waiter_start(&waiter, async_synchronize_call, cookie, &domain);
	while (!finished.n)
		sched_yield();
	quiet();
	CHECK_EQ(retired.n, 0);
	CHECK(!waiter_done(&waiter));
	async_schedule_domain(nothing, NULL, &domain);
	gate_end(&lower);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK_EQ(retired.n, 1);
	gate_end(&stranger);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(a_retire_step_needs_no_wait_to_run, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	begin();
	for (unsigned int i = 0; i < 500; i++) {
		CHECK(async_schedule_ordered(finish, retire, NULL, &domain));
		async_schedule_domain(nothing, NULL, &domain);
	}
	while (retired.n < 500)
		sched_yield();
	CHECK(record_increasing(&retired));
	CHECK_EQ(async_synchronize_full(), 0);
}

/* With one worker busy, the other runs every func: none is held by a call that waits for its turn. */
TEST(no_thread_is_held_until_its_turn, .pools = PMANY)
{
	ASYNC_DOMAIN(domain);
	struct gate lower;
	unsigned int before = thread_count();

	begin();
	gate_new(&lower, &domain);
	for (unsigned int i = 0; i < 1000; i++)
		CHECK(async_schedule_ordered(finish, retire, NULL, &domain));
	while (finished.n < 1000)
		sched_yield();
	CHECK(thread_count() < before + 50);
	quiet();
	CHECK_EQ(retired.n, 0);
	gate_end(&lower);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(retired.n, 1000);
	CHECK(record_increasing(&retired));
}

static struct gate in_retire;

static void retire_gate(void *data, async_cookie_t cookie)
{
	gate_call(&in_retire, cookie);
}

static void schedule_retire_gate(void *data)
{
	CHECK(async_schedule_ordered(nothing, retire_gate, NULL, data));
}

TEST(a_call_is_in_progress_until_its_retire_step_returned, .pools = P0 | PMANY)
{
	ASYNC_DOMAIN(domain);
	struct actor actor;
	struct waiter waits[3];
	async_cookie_t higher;

	begin();
	gate_init(&in_retire);
	actor_start(&actor, schedule_retire_gate, &domain);
	down(&in_retire.begun);
	higher = async_schedule_ordered(nothing, retire, NULL, &domain);
	waiter_start(&waits[0], wait_full, 0, &domain);
	waiter_start(&waits[1], async_synchronize_cookie_domain, in_retire.cookie + 1, &domain);
	waiter_start(&waits[2], async_synchronize_call, higher, NULL);
	CHECK_WAITING(waits, 3);
	CHECK_EQ(retired.n, 0);
	gate_open(&in_retire);
	CHECK_DONE(waits, 3);
	CHECK_EQ(retired.n, 1);
	actor_join(&actor);
}

static uint64_t sums[4000];
static uint64_t total;

static void add_func(void *data, async_cookie_t cookie)
{
	*(uint64_t *)data = cookie;
}

static void add_retire(void *data, async_cookie_t cookie)
{
	CHECK_EQ(*(uint64_t *)data, cookie);
	total = total * 31 + cookie; /* plain: retire steps of a domain never overlap */
}

TEST(retire_sees_what_func_and_lower_retires_wrote, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	uint64_t expected = 0;

	for (unsigned int i = 0; i < 4000; i++) {
		async_cookie_t cookie = async_schedule_ordered(add_func, add_retire, &sums[i], &domain);

		expected = expected * 31 + cookie;
	}
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK(total == expected);
}

static struct async_domain busy = ASYNC_DOMAIN_INIT;

static void retire_that_works(void *data, async_cookie_t cookie)
{
	ASYNC_DOMAIN_EXCLUSIVE(own);
	atomic_uint n = 0;

	CHECK_EQ(async_synchronize_cookie_domain(cookie, &busy), 0);
	CHECK(async_schedule_domain(count, &n, &own));
	CHECK_EQ(async_synchronize_full_domain(&own), 0);
	CHECK_EQ(n, 1);
	async_schedule_domain(nothing, NULL, &busy);
	record(&retired, cookie);
}

TEST(a_retire_step_may_schedule_and_wait, .pools = PALL)
{
	begin();
	for (unsigned int i = 0; i < 300; i++)
		CHECK(async_schedule_ordered(nothing, retire_that_works, NULL, &busy));
	CHECK_EQ(async_synchronize_full_domain(&busy), 0);
	CHECK_EQ(retired.n, 300);
	CHECK(record_increasing(&retired));
}

TEST(ordered_calls_of_the_default_domain, .pools = PALL)
{
	begin();
	for (unsigned int i = 0; i < 100; i++)
		CHECK(async_schedule_ordered(finish, retire, NULL, NULL));
	CHECK_EQ(async_synchronize_cookie(ASYNC_COOKIE_MAX), 0);
	CHECK_EQ(retired.n, 100);
	CHECK(record_increasing(&retired));
}

static void schedule_mixed(void *data)
{
	for (unsigned int i = 0; i < 450; i++) {
		async_schedule_ordered(finish, retire, NULL, data);
		async_schedule_domain(nothing, NULL, data);
	}
}

TEST(order_is_kept_with_many_schedulers, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	begin();
	actors_run(8, schedule_mixed, &domain);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(retired.n, 3600);
	CHECK(record_increasing(&retired));
}

static void named(void *data, async_cookie_t cookie)
{
	async_set_name("name_of_func");
}

static void wait_for_itself(void *data, async_cookie_t cookie)
{
	CHECK_EQ(async_synchronize_full_domain(data), -EDEADLK);
}

/* A retire step goes by the name that func has set. */
TEST(a_retire_step_keeps_the_name, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	CHECK(async_schedule_ordered(named, wait_for_itself, &domain, &domain));
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(harness_count("name_of_func"), 1);
}
