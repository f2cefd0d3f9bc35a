// SPDX-License-Identifier: MIT OR GPL-2.0
/* Taking back calls that have not begun. */
#include "harness.h"

struct item {
	async_cookie_t cookie;
	atomic_uint ran, released;
};

static struct async_domain domain = ASYNC_DOMAIN_INIT;
static async_cookie_t last_released;
static pid_t canceller;

static void run(void *data, async_cookie_t cookie)
{
	struct item *item = data;

	atomic_fetch_add(&item->ran, 1);
}

static void release(void *data, async_cookie_t cookie)
{
	struct item *item = data;

	CHECK_EQ(item->cookie, cookie);
	CHECK_EQ(tid_self(), canceller);
	CHECK(cookie > last_released);
	CHECK_EQ(atomic_fetch_add(&item->released, 1), 0);
	CHECK(async_synchronize_cookie_timeout(cookie + 1, &domain, 0) != 0); /* not complete yet */
	last_released = cookie;
}

TEST(pending_calls_are_taken_back, .pools = P1)
{
	ASYNC_DOMAIN(other);
	static struct item items[50];
	static struct item others[50];
	struct waiter waiter;
	struct gate gate;

	canceller = tid_self();
	gate_new(&gate, &other);
	for (unsigned int i = 0; i < 50; i++) {
		if (i % 2)
			items[i].cookie = async_schedule_domain(run, &items[i], &domain);
		else
			items[i].cookie = async_schedule_ordered(run, run, &items[i], &domain);
		async_schedule_domain(run, &others[i], &other);
	}
	CHECK_EQ(async_cancel_domain(&domain, release), 50);
	waiter_start(&waiter, wait_full, 0, &domain);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK_EQ(async_cancel_domain(&domain, release), 0);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	for (unsigned int i = 0; i < 50; i++) {
		CHECK_EQ(items[i].ran, 0);
		CHECK_EQ(items[i].released, 1);
		CHECK_EQ(others[i].ran, 1);
		CHECK_EQ(others[i].released, 0);
	}
}

TEST(a_claimed_call_is_not_taken_back, .pools = P0 | PMANY)
{
	struct gate gate;

	gate_new(&gate, &domain);
	CHECK_EQ(async_cancel_domain(&domain, NULL), 0); /* does not wait */
	CHECK(!gate.done);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK(gate.done);
}

TEST(cancel_wakes_who_waited, .pools = P2)
{
	ASYNC_DOMAIN(other);
	static struct item items[10];
	struct gate gates[2];
	struct waiter waits[3];

	for (unsigned int i = 0; i < 2; i++)
		gate_new(&gates[i], i ? &domain : &other);
	for (unsigned int i = 0; i < 10; i++)
		items[i].cookie = async_schedule_ordered(run, run, &items[i], &domain);
	waiter_start(&waits[0], wait_full, 0, &domain);
	waiter_start(&waits[1], async_synchronize_cookie_domain, gates[1].cookie + 1, &domain);
	waiter_start(&waits[2], wait_all, 0, NULL);
	gate_end(&gates[1]);
	async_cancel_domain(&domain, NULL);
	CHECK_DONE(waits, 2);
	CHECK_WAITING(&waits[2], 1);
	gate_end(&gates[0]);
	CHECK_EQ(waiter_join(&waits[2]), 0);
}

static struct record retired;

static void two_steps(void *data, async_cookie_t cookie)
{
	up(data);
}

static void second_step(void *data, async_cookie_t cookie)
{
	record(&retired, cookie);
}

/* An ordered call that has run and waits for its turn behind the gate. */
static async_cookie_t start_behind(struct gate *lower)
{
	static sem_t ran;
	async_cookie_t cookie;

	sem_init(&ran, 0, 0);
	gate_new(lower, &domain);
	cookie = async_schedule_ordered(two_steps, second_step, &ran, &domain);
	down(&ran);
	quiet();
	return cookie;
}

/* Its func has run, so its retire step will; and it comes after the calls that were taken back. */
TEST(an_ordered_call_that_waits_for_its_turn_is_kept, .pools = P0 | PMANY)
{
	struct gate lower;
	async_cookie_t cookie = start_behind(&lower);

	CHECK_EQ(async_cancel_domain(&domain, NULL), 0);
	CHECK_EQ(retired.n, 0);
	gate_end(&lower);
	CHECK_EQ(async_synchronize_call(cookie, &domain), 0);
	CHECK_EQ(retired.n, 1);
}

static struct gate below;

static void run_below(void *data)
{
	async_schedule_domain(gate_call, &below, &domain);
}

/* Its turn has come, but the only worker is busy: it is pending again, and yet not to be taken back. */
TEST(an_ordered_call_whose_turn_has_come_is_kept, .pools = P1, .env = "INORDER_PENDING=1")
{
	ASYNC_DOMAIN(other);
	struct gate busy;
	struct actor actor;
	sem_t ran;

	sem_init(&ran, 0, 0);
	gate_init(&below);
	gate_new(&busy, &other);
	async_schedule_domain(nothing, NULL, &other); /* the limit: from here on calls run inline */
	actor_start(&actor, run_below, NULL);
	down(&below.begun);
	async_schedule_ordered(two_steps, second_step, &ran, &domain);
	down(&ran);
	gate_open(&below);
	actor_join(&actor);
	CHECK_EQ(async_cancel_domain(&domain, NULL), 0);
	gate_end(&busy);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(retired.n, 1);
}

static void race(void *data)
{
	struct item *items = data;

	for (unsigned int i = 0; i < SCALE(10000); i++)
		items[i].cookie = async_schedule_domain(run, &items[i], &domain);
}

static void release_raced(void *data, async_cookie_t cookie)
{
	struct item *item = data;

	atomic_fetch_add(&item->released, 1);
}

/* Beside workers and a scheduler: each call runs once or is released once, never both. */
TEST(cancel_beside_workers, .pools = PALL)
{
	static struct item items[10000];
	struct actor actor;
	unsigned int cancelled = 0;
	unsigned int released = 0;

	actor_start(&actor, race, items);
	while (!actor.done) {
		cancelled += async_cancel_domain(&domain, release_raced);
		breathe();
	}
	actor_join(&actor);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	for (unsigned int i = 0; i < SCALE(10000); i++) {
		CHECK_EQ(items[i].ran + items[i].released, 1);
		released += items[i].released;
	}
	CHECK_EQ(cancelled, released);
}

TEST(cancel_of_nothing, .pools = PALL)
{
	ASYNC_DOMAIN_EXCLUSIVE(fresh);

	CHECK_EQ(async_cancel_domain(&fresh, NULL), 0);
	async_schedule_domain(nothing, NULL, &fresh);
	CHECK_EQ(async_synchronize_full_domain(&fresh), 0);
	CHECK_EQ(async_cancel_domain(&fresh, NULL), 0);
}

TEST(a_cancelled_domain_may_go, .pools = P1)
{
	static const struct async_domain plain = ASYNC_DOMAIN_INIT;

	for (unsigned int round = 0; round < 200; round++) {
		struct gate gate;
		void *page = page_new();
		struct async_entry entries[3];

		memcpy(page, &plain, sizeof(plain));
		gate_new(&gate, NULL);
		for (unsigned int i = 0; i < 3; i++) {
			async_schedule_domain(nothing, NULL, page);
			async_schedule_entry(&entries[i], nothing, i ? nothing : NULL, NULL, page);
		}
		CHECK_EQ(async_cancel_domain(page, NULL), 6);
		CHECK_EQ(async_synchronize_full_domain(page), 0);
		page_poison(page);
		memset(entries, 0xa5, sizeof(entries));
		gate_end(&gate);
		CHECK_EQ(async_synchronize_full(), 0);
	}
}

static ASYNC_DOMAIN(to_cancel);
static unsigned int taken_back;

static void release_and_schedule(void *data, async_cookie_t cookie)
{
	if (++taken_back < 1000)
		async_schedule_domain(nothing, data, &to_cancel);
}

/* A cancel takes back what was there when it was called, and ends. */
TEST(a_cancel_is_not_for_calls_scheduled_meanwhile, .pools = P1)
{
	struct gate gate;

	gate_new(&gate, NULL);
	for (unsigned int i = 0; i < 3; i++)
		async_schedule_domain(nothing, NULL, &to_cancel);
	CHECK_EQ(async_cancel_domain(&to_cancel, release_and_schedule), 3);
	CHECK_EQ(taken_back, 3);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

#ifndef __KERNEL__
static void release_held(void *data, async_cookie_t cookie)
{
	int state;

	CHECK_EQ(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state), 0);
	CHECK_EQ(state, PTHREAD_CANCEL_DISABLE);
}

/* No thread is cancelled inside release(); afterwards it can be, as before. */
TEST(a_cancel_leaves_its_thread_cancellable, .pools = P1)
{
	struct gate gate;
	int state;

	gate_new(&gate, NULL);
	async_schedule_domain(nothing, NULL, &to_cancel);
	CHECK_EQ(async_cancel_domain(&to_cancel, release_held), 1);
	CHECK_EQ(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state), 0);
	CHECK_EQ(state, PTHREAD_CANCEL_ENABLE);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

#endif

/* Many calls are taken out of the queue between others, which are all still run, in their order. */
TEST(calls_between_cancelled_ones_stay, .pools = P1)
{
	enum { EACH = 500 };
	static struct record order;
	ASYNC_DOMAIN(stays);
	struct gate gate;

	gate_new(&gate, NULL);
	for (unsigned int i = 0; i < EACH; i++) {
		async_schedule_domain(record, &order, &stays);
		for (unsigned int j = 0; j < 3; j++)
			async_schedule_domain(nothing, NULL, &to_cancel);
	}
	CHECK_EQ(async_cancel_domain(&to_cancel, NULL), 3 * EACH);
	gate_end(&gate);
	while (order.n < EACH) /* no wait of the library's: no thread but the worker runs them */
		sched_yield();
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(order.n, EACH);
	CHECK(record_increasing(&order));
}

#ifndef __KERNEL__
/* ---- one call ---- */

static struct item one;

TEST(one_call_is_taken_back, .pools = P1)
{
	ASYNC_DOMAIN(elsewhere);
	static struct item others[3];
	static struct async_entry entry;
	struct gate gate;

	canceller = tid_self();
	gate_new(&gate, NULL);
	others[0].cookie = async_schedule_domain(run, &others[0], &domain);
	one.cookie = async_schedule_ordered(run, run, &one, &domain);
	others[1].cookie = async_schedule_domain(run, &others[1], &domain);
	others[2].cookie = async_schedule_entry(&entry, run, NULL, &others[2], &domain);
	CHECK_EQ(async_cancel_call(one.cookie, &domain, release), 0);
	CHECK_EQ(async_synchronize_call(one.cookie, &domain), 0);
	CHECK_EQ(async_cancel_call(one.cookie, &domain, release), -ENOENT);
	CHECK_EQ(async_cancel_call(others[2].cookie, NULL, release),
		 0); /* in any domain; its storage is the caller's again */
	memset(&entry, 0xa5, sizeof(entry));
	CHECK_EQ(async_cancel_call(others[1].cookie, &elsewhere, release), -ENOENT);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK(!one.ran && one.released == 1 && !others[2].ran && others[2].released == 1);
	CHECK(others[0].ran == 1 && others[1].ran == 1);
}

TEST(a_call_that_has_begun_or_is_complete_is_not_taken_back, .pools = PALL)
{
	struct gate gate;

	gate_new(&gate, &domain);
	CHECK_EQ(async_cancel_call(gate.cookie, &domain, release), -EBUSY);
	CHECK_EQ(async_cancel_call(gate.cookie + 1, &domain, release), -EINVAL);
	CHECK_EQ(async_cancel_call(0, &domain, release), -EINVAL);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_cancel_call(gate.cookie, &domain, release), -ENOENT);
}

/* What has run and waits for its turn has begun: its second half comes, in order. */
TEST(a_call_that_waits_for_its_turn_is_not_taken_back, .pools = P0 | PMANY)
{
	struct gate lower;

	CHECK_EQ(async_cancel_call(start_behind(&lower), &domain, NULL), -EBUSY);
	gate_end(&lower);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(retired.n, 1);
}
#endif
