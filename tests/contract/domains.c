// SPDX-License-Identifier: MIT OR GPL-2.0
/* Clause 4: domains are independent and may go out of scope. */
#include "harness.h"

static struct async_domain *domain_at(void *place, bool exclusive)
{
	static const struct async_domain plain = ASYNC_DOMAIN_INIT;
	static const struct async_domain alone = ASYNC_DOMAIN_EXCLUSIVE_INIT;

	memcpy(place, exclusive ? &alone : &plain, sizeof(plain));
	return place;
}

TEST(waiting_on_one_domain_never_waits_for_another, .pools = PALL)
{
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN_EXCLUSIVE(c);
	ASYNC_DOMAIN(b);
	struct gate in_b;
	atomic_uint n = 0;

	gate_new(&in_b, &b);
	for (unsigned int i = 0; i < 10; i++) {
		async_cookie_t cookie = async_schedule_domain(count, &n, &a);

		async_schedule_domain(count, &n, &c);
		CHECK_EQ(async_synchronize_cookie_domain(cookie + 1, &a), 0);
		CHECK_EQ(async_synchronize_full_domain(&a), 0);
		CHECK_EQ(async_synchronize_full_domain(&c), 0);
	}
	CHECK_EQ(n, 20);
	CHECK(!in_b.done);
	gate_end(&in_b);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* Two domains whose calls wait for the other's earlier ones: a wait that mixed them up would lock up. */
struct pair {
	struct async_domain a, b;
};

static void wait_for_b(void *data, async_cookie_t cookie)
{
	struct pair *pair = data;

	CHECK_EQ(async_synchronize_cookie_domain(cookie, &pair->b), 0);
}

static void wait_for_a(void *data, async_cookie_t cookie)
{
	struct pair *pair = data;

	CHECK_EQ(async_synchronize_cookie_domain(cookie, &pair->a), 0);
}

TEST(domains_that_wait_for_each_others_earlier_calls, .pools = PALL)
{
	static struct pair pair = {ASYNC_DOMAIN_INIT, ASYNC_DOMAIN_INIT};

	for (unsigned int i = 0; i < 1000; i++) {
		async_schedule_domain(wait_for_b, &pair, &pair.a);
		async_schedule_domain(wait_for_a, &pair, &pair.b);
	}
	CHECK_EQ(async_synchronize_full_domain(&pair.a), 0);
	CHECK_EQ(async_synchronize_full_domain(&pair.b), 0);
}

TEST(an_exclusive_domain_alone, .pools = PALL)
{
	static ASYNC_DOMAIN_EXCLUSIVE(domain);
	atomic_uint n = 0;

	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	for (unsigned int i = 0; i < 100; i++)
		async_schedule_domain(count, &n, &domain);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(n, 100);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* The page is gone as soon as the wait has returned; a completion that still touched it would crash. */
TEST(a_domain_may_go_once_a_full_wait_returned, .pools = PALL)
{
	for (unsigned int round = 0; round < SCALE(3000); round++) {
		void *page = page_new();
		struct async_domain *domain = domain_at(page, round & 1);
		atomic_uint n = 0;

		for (unsigned int i = 0; i < round % 5 + 1; i++)
			async_schedule_domain(count, &n, domain);
		if (round % 3 == 0)
			async_schedule_ordered(count, count, &n, domain);
		CHECK_EQ(async_synchronize_full_domain(domain), 0);
		page_poison(page);
		CHECK_EQ(n, round % 5 + 1 + (round % 3 == 0 ? 2 : 0));
	}
}

static void own_domain(void *data)
{
	for (unsigned int round = 0; round < SCALE(500); round++) {
		void *page = page_new();
		struct async_domain *domain = domain_at(page, true);

		async_schedule_domain(nothing, NULL, domain);
		async_schedule_domain(nothing, NULL, domain);
		CHECK_EQ(async_synchronize_full_domain(domain), 0);
		page_poison(page);
	}
}

TEST(domains_come_and_go_in_many_threads, .pools = PALL)
{
	struct actor actors[6];

	for (unsigned int i = 0; i < 6; i++)
		actor_start(&actors[i], own_domain, NULL);
	for (unsigned int i = 0; i < 200; i++)
		CHECK_EQ(async_synchronize_full(), 0);
	for (unsigned int i = 0; i < 6; i++)
		actor_join(&actors[i]);
}

/* No list of domains: nothing of the library's looks at one that is gone. */
TEST(a_domain_that_is_gone_is_not_looked_at, .pools = PALL)
{
	void *pages[8];
	ASYNC_DOMAIN(later);
	ASYNC_OWNER(owner);

	for (unsigned int i = 0; i < 8; i++) {
		struct async_domain *domain = domain_at(pages[i] = page_new(), i & 1);

		async_schedule_domain(nothing, NULL, domain);
		async_schedule_ordered(nothing, nothing, NULL, domain);
		CHECK_EQ(async_synchronize_full_domain(domain), 0);
		page_poison(pages[i]);
	}
	async_schedule_domain(nothing, NULL, &later);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_cookie_domain(ASYNC_COOKIE_MAX, NULL), 0);
	CHECK_EQ(async_synchronize_call(1, NULL), 0);
	CHECK_EQ(async_synchronize_owner(&owner), 0);
}

static int wait_twice(async_cookie_t unused, struct async_domain *domain)
{
	return async_synchronize_full_domain(domain) || async_synchronize_full();
}

TEST(full_waits_run_beside_each_other, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	for (unsigned int round = 0; round < 50; round++) {
		struct gate gate;
		struct waiter waits[6];

		gate_new(&gate, &domain);
		for (unsigned int i = 0; i < 6; i++)
			waiter_start(&waits[i], wait_twice, 0, &domain);
		gate_end(&gate);
		CHECK_DONE(waits, 6);
	}
}
