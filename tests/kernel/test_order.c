// SPDX-License-Identifier: MIT OR GPL-2.0
/* Cookies, order, retire steps. */
#include <linux/slab.h>

#include "selftest.h"

#define CALLS 1000

struct log {
	atomic_t begun;
	unsigned int count; /* whoever's turn it is */
	async_cookie_t seen[CALLS];
};

static void cookies_increase_over_domains(void)
{
	ASYNC_DOMAIN(one);
	ASYNC_DOMAIN_EXCLUSIVE(two);
	struct async_entry entry;
	atomic_t calls = ATOMIC_INIT(0);
	async_cookie_t last = 0;

	for (unsigned int i = 0; i < 100; i++) {
		async_cookie_t cookie[5] = {async_schedule(count_call, &calls),
					    async_schedule_domain(count_call, &calls, &one),
					    async_schedule_domain(count_call, &calls, &two),
					    async_schedule_ordered(count_call, count_call, &calls, &one),
					    async_schedule_entry(&entry, count_call, NULL, &calls, &two)};

		for (unsigned int k = 0; k < ARRAY_SIZE(cookie); k++) {
			CHECK(cookie[k] > last);
			last = cookie[k];
		}
		async_synchronize_full_domain(&two);
	}
	CHECK(!async_synchronize_full());
	CHECK(!async_synchronize_full_domain(&two));
	CHECK(atomic_read(&calls) == 600);
}

struct issuer {
	async_cookie_t cookie[CALLS];
	atomic_t *calls;
};

static void issue(void *data)
{
	struct issuer *issuer = data;

	for (unsigned int i = 0; i < CALLS; i++)
		issuer->cookie[i] = async_schedule(count_call, issuer->calls);
}

/* Both lists rise; merged they still do: no cookie twice. */
static void check_unique(const struct issuer *a, const struct issuer *b)
{
	unsigned int i = 0, k = 0;
	async_cookie_t last = 0;

	while (i < CALLS || k < CALLS) {
		bool from_a = k == CALLS || (i < CALLS && a->cookie[i] < b->cookie[k]);
		async_cookie_t next = from_a ? a->cookie[i++] : b->cookie[k++];

		CHECK(next > last);
		last = next;
	}
}

static void cookies_are_unique_over_threads(void)
{
	struct issuer *issuers = kcalloc(2, sizeof(*issuers), GFP_KERNEL);
	atomic_t calls = ATOMIC_INIT(0);
	struct actor actors[2];

	CHECK(issuers);
	if (!issuers)
		return;
	for (unsigned int i = 0; i < 2; i++) {
		issuers[i].calls = &calls;
		actor_start(&actors[i], issue, &issuers[i]);
	}
	for (unsigned int i = 0; i < 2; i++)
		actor_join(&actors[i]);
	CHECK(!async_synchronize_full());
	CHECK(atomic_read(&calls) == 2 * CALLS);
	check_unique(&issuers[0], &issuers[1]);
	kfree(issuers);
}

static struct log *shared;

static void append(async_cookie_t cookie)
{
	if (shared->count < CALLS)
		shared->seen[shared->count] = cookie;
	shared->count++;
}

static void append_in_turn(void *data, async_cookie_t cookie)
{
	if ((unsigned long)data % 7 == 0)
		usleep_range(20, 200);
	CHECK(!async_synchronize_cookie(cookie));
	append(cookie);
}

static void append_now(void *data, async_cookie_t cookie)
{
	append(cookie);
}

static void take_some_time(void *data, async_cookie_t cookie)
{
	if ((unsigned long)data % 5 == 0)
		usleep_range(20, 100);
}

static bool log_begin(void)
{
	shared = kzalloc(sizeof(*shared), GFP_KERNEL);
	CHECK(shared);
	return shared;
}

/* Each was appended once, in the order of cookies. */
static void log_check(void)
{
	CHECK(shared->count == CALLS);
	for (unsigned int i = 1; i < CALLS; i++)
		CHECK(shared->seen[i] > shared->seen[i - 1]);
	kfree(shared);
}

static void a_wait_for_the_own_cookie_is_program_order(void)
{
	if (!log_begin())
		return;
	for (unsigned long i = 0; i < CALLS; i++)
		async_schedule(append_in_turn, (void *)i);
	CHECK(!async_synchronize_full());
	log_check();
}

static void retire_steps_come_in_program_order(void)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);

	if (!log_begin())
		return;
	for (unsigned long i = 0; i < CALLS; i++)
		CHECK(async_schedule_ordered(take_some_time, append_now, (void *)i, &domain));
	CHECK(!async_synchronize_full_domain(&domain));
	log_check();
}

static void retire(void *data, async_cookie_t cookie)
{
	struct gate *gate = data;

	CHECK(READ_ONCE(gate->done));
}

static void nothing(void *data, async_cookie_t cookie)
{
}

static void a_retire_step_waits_for_plain_calls_too(void)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	struct gate gate;

	gate_schedule(&gate, &domain);
	CHECK(async_schedule_ordered(nothing, retire, &gate, &domain));
	CHECK(async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, &domain, 5 * NSEC_PER_MSEC) == -ETIMEDOUT);
	gate_open(&gate);
	CHECK(!async_synchronize_full_domain(&domain));
}

static void name_and_fail(void *data, async_cookie_t cookie)
{
	async_set_name("a call with a name");
	async_set_error(-(int)(long)data);
}

static void the_error_of_the_lowest_failed_call(void)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	async_cookie_t first, failed;

	async_schedule_domain(name_and_fail, (void *)0, &domain);
	first = async_schedule_domain(name_and_fail, (void *)EIO, &domain);
	async_schedule_domain(name_and_fail, (void *)ENODEV, &domain);
	CHECK(!async_synchronize_full_domain(&domain));
	CHECK(async_domain_error(&domain, &failed) == -EIO && failed == first);
	async_domain_clear_error(&domain);
	CHECK(!async_domain_error(&domain, &failed) && !failed);
}

const struct test order_tests[] = {
	{"cookies_increase_over_domains", cookies_increase_over_domains},
	{"cookies_are_unique_over_threads", cookies_are_unique_over_threads},
	{"a_wait_for_the_own_cookie_is_program_order", a_wait_for_the_own_cookie_is_program_order},
	{"retire_steps_come_in_program_order", retire_steps_come_in_program_order},
	{"a_retire_step_waits_for_plain_calls_too", a_retire_step_waits_for_plain_calls_too},
	{"the_error_of_the_lowest_failed_call", the_error_of_the_lowest_failed_call},
	{}};
