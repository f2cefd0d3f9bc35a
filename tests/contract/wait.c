// SPDX-License-Identifier: MIT OR GPL-2.0
/* Clause 3: waiting. */
#include "harness.h"

TEST(the_bound_is_exclusive, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	struct gate gate;
	struct waiter waiter;
	async_cookie_t cookie;

	cookie = gate_new(&gate, &domain);
	CHECK_EQ(async_synchronize_cookie_domain(cookie, &domain), 0);
	CHECK(!gate.done);
	waiter_start(&waiter, async_synchronize_cookie_domain, cookie + 1, &domain);
	async_schedule_domain(nothing, NULL, &domain);
	CHECK_WAITING(&waiter, 1);
	gate_end(&gate);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK(gate.done);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
}

/* Running and pending calls mixed: the lowest of both counts, whichever kind it is. */
TEST(running_and_pending_calls_both_count, .pools = P2)
{
	ASYNC_DOMAIN(domain);
	struct gate low;
	struct gate high;
	struct gate pending;
	struct waiter waits[2];
	async_cookie_t cookie;

	gate_init(&pending);
	gate_new(&low, &domain);
	gate_new(&high, &domain);
	cookie = async_schedule_domain(gate_call, &pending, &domain);
	waiter_start(&waits[0], async_synchronize_cookie_domain, cookie, &domain);
	waiter_start(&waits[1], wait_full, 0, &domain);
	gate_end(&high);
	down(&pending.begun); /* running now: low and pending */
	CHECK_WAITING(&waits[0], 1);
	gate_end(&low);
	CHECK_EQ(waiter_join(&waits[0]), 0);
	CHECK_WAITING(&waits[1], 1);
	CHECK(!pending.done);
	gate_end(&pending);
	CHECK_EQ(waiter_join(&waits[1]), 0);
}

TEST(pending_behind_running_is_waited_for, .pools = P1 | P2)
{
	ASYNC_DOMAIN(domain);
	ASYNC_DOMAIN(other);
	unsigned int n = harness_threads();
	struct gate gates[2];
	struct gate last;
	struct waiter waiter;

	gates_new(gates, n, &other);
	gate_init(&last);
	async_schedule_domain(gate_call, &last, &domain);
	waiter_start(&waiter, wait_full, 0, &domain);
	CHECK_WAITING(&waiter, 1);
	gates_end(gates, n);
	down(&last.begun);
	CHECK_WAITING(&waiter, 1);
	gate_end(&last);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK_EQ(async_synchronize_full(), 0); /* the gates and their domain are on this stack */
}

struct plain {
	uint64_t a, b[8];
};

static void fill(void *data, async_cookie_t cookie)
{
	struct plain *plain = data;

	plain->a = cookie;
	for (unsigned int i = 0; i < 8; i++)
		plain->b[i] = cookie + i;
}

/* Plain data, no atomics: ThreadSanitizer sees a missing order, others a stale value. */
TEST(what_calls_wrote_is_visible_to_the_waiter, .pools = PALL)
{
	static struct plain plain[64];
	ASYNC_DOMAIN(domain);

	for (unsigned int round = 0; round < SCALE(2000); round++) {
		async_cookie_t cookies[64];

		for (unsigned int i = 0; i < 64; i++)
			cookies[i] = async_schedule_domain(fill, &plain[i], &domain);
		switch (round % 4) {
		case 0:
			async_synchronize_full_domain(&domain);
			break;
		case 1:
			async_synchronize_full();
			break;
		case 2:
			async_synchronize_cookie_domain(cookies[63] + 1, &domain);
			break;
		default:
			for (unsigned int i = 64; i-- > 0;)
				async_synchronize_call(cookies[i], &domain);
		}
		for (unsigned int i = 0; i < 64; i++) {
			CHECK_EQ(plain[i].a, cookies[i]);
			CHECK_EQ(plain[i].b[7], cookies[i] + 7);
		}
	}
}

TEST(null_means_all_registered_domains, .pools = P0 | PMANY)
{
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN_EXCLUSIVE(exclusive);
	struct gate in_exclusive;
	struct gate in_a;
	struct waiter waiter;

	gate_new(&in_exclusive, &exclusive);
	gate_new(&in_a, &a);
	waiter_start(&waiter, wait_all, 0, NULL);
	CHECK_WAITING(&waiter, 1);
	gate_end(&in_a);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK(!in_exclusive.done);
	gate_end(&in_exclusive);
	CHECK_EQ(async_synchronize_full_domain(&exclusive), 0);
}

TEST(null_takes_finite_cookies_too, .pools = P0 | P256)
{
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN(b);
	ASYNC_DOMAIN_EXCLUSIVE(exclusive);
	struct gate gates[4];
	struct async_domain *domains[] = {&exclusive, &a, &b, NULL};
	struct waiter waits[3];
	async_cookie_t cookies[4];

	for (unsigned int i = 0; i < 4; i++)
		cookies[i] = gate_new(&gates[i], domains[i]);
	CHECK_EQ(async_synchronize_cookie_domain(cookies[1], NULL), 0); /* exclusive does not count */
	for (unsigned int i = 0; i < 3; i++)
		waiter_start(&waits[i], async_synchronize_cookie_domain, cookies[i + 1] + 1, NULL);
	CHECK_WAITING(waits, 3);
	gate_end(&gates[2]);
	CHECK_WAITING(waits, 3);
	gate_end(&gates[1]);
	CHECK_DONE(waits, 2);
	CHECK_WAITING(&waits[2], 1);
	gate_end(&gates[3]);
	CHECK_EQ(waiter_join(&waits[2]), 0);
	gate_end(&gates[0]);
	CHECK_EQ(async_synchronize_full_domain(&exclusive), 0);
}

/* The first call of one domain is done and its next has a cookie above the other domain's. */
TEST(null_finds_the_lowest_among_interleaved_domains, .pools = P0 | P256)
{
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN(b);
	struct async_domain *domains[] = {&a, &b, &a};
	struct gate gates[3];
	struct waiter waiter;

	for (unsigned int i = 0; i < 3; i++)
		gate_new(&gates[i], domains[i]);
	gate_end(&gates[0]);
	CHECK_EQ(async_synchronize_call(gates[0].cookie, &a), 0);
	CHECK_EQ(async_synchronize_cookie_domain(gates[1].cookie, NULL), 0);
	waiter_start(&waiter, async_synchronize_cookie_domain, gates[2].cookie, NULL);
	CHECK_WAITING(&waiter, 1);
	gate_end(&gates[1]);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK(!gates[2].done);
	gate_end(&gates[2]);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(async_synchronize_cookie_is_the_default_domain, .pools = P0 | PMANY)
{
	ASYNC_DOMAIN(a);
	struct gate in_a;
	struct gate in_default;
	struct waiter waiter;

	gate_new(&in_a, &a);
	CHECK_EQ(async_synchronize_cookie(in_a.cookie + 1), 0);
	gate_new(&in_default, NULL);
	CHECK_EQ(async_synchronize_cookie(in_default.cookie), 0);
	waiter_start(&waiter, wait_all, 0, NULL);
	gate_end(&in_default);
	CHECK_EQ(async_synchronize_cookie(in_default.cookie + 1), 0);
	CHECK(in_default.done);
	gate_end(&in_a);
	CHECK_EQ(waiter_join(&waiter), 0);
}

struct chain {
	struct async_domain *domain;
	atomic_int left;
};

static void schedule_next(void *data, async_cookie_t cookie)
{
	struct chain *chain = data;

	if (atomic_fetch_sub(&chain->left, 1) > 1)
		CHECK(async_schedule_domain(schedule_next, chain, chain->domain));
}

static void full_covers_a_chain(struct async_domain *domain, bool null)
{
	for (unsigned int round = 0; round < 100; round++) {
		struct chain chain = {.domain = domain, .left = NESTING(50)};

		async_schedule_domain(schedule_next, &chain, domain);
		CHECK_EQ(null ? async_synchronize_full() : async_synchronize_full_domain(domain), 0);
		CHECK_EQ(chain.left, 0);
	}
}

TEST(full_waits_cover_calls_scheduled_while_waiting, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	ASYNC_DOMAIN_EXCLUSIVE(exclusive);

	full_covers_a_chain(&domain, false);
	full_covers_a_chain(&exclusive, false);
	full_covers_a_chain(&domain, true);
	full_covers_a_chain(NULL, true);
}

struct relay {
	struct gate first;
	struct gate second;
	struct async_domain *domain;
};

static void pass_on(void *data, async_cookie_t cookie)
{
	struct relay *relay = data;

	gate_call(&relay->first, cookie);
	CHECK(async_schedule_domain(gate_call, &relay->second, relay->domain));
}

static void pass_on_actor(void *data)
{
	struct relay *relay = data;

	async_schedule_domain(pass_on, relay, relay->domain);
}

TEST(a_full_wait_goes_on_for_a_call_scheduled_meanwhile, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	struct relay relay = {.domain = &domain};
	struct waiter waits[2];
	struct actor actor;

	gate_init(&relay.first);
	gate_init(&relay.second);
	actor_start(&actor, pass_on_actor, &relay);
	down(&relay.first.begun);
	waiter_start(&waits[0], wait_full, 0, &domain);
	waiter_start(&waits[1], wait_all, 0, NULL);
	quiet();
	gate_open(&relay.first);
	down(&relay.second.begun);
	CHECK_WAITING(waits, 2);
	gate_open(&relay.second);
	CHECK_DONE(waits, 2);
	actor_join(&actor);
}

/* At one instant nothing was in progress: the wait ends though the next call has begun since. */
static void one_instant(int (*wait)(async_cookie_t, struct async_domain *), struct async_domain *domain)
{
	for (unsigned int round = 0; round < 50; round++) {
		struct gate first;
		struct gate second;
		struct waiter waiter;

		gate_new(&first, domain);
		waiter_start(&waiter, wait, 0, domain);
		quiet();
		gate_end(&first);
		CHECK_EQ(async_synchronize_call(first.cookie, domain), 0);
		gate_new(&second, domain);
		CHECK_EQ(waiter_join(&waiter), 0);
		CHECK(!second.done);
		gate_end(&second);
		CHECK_EQ(async_synchronize_full_domain(domain), 0);
	}
}

TEST(a_full_wait_ends_after_one_instant_of_nothing, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	one_instant(wait_full, &domain);
	one_instant(wait_all, &domain);
}

static atomic_bool enough;

static void keep_scheduling(void *data)
{
	struct async_domain *domain = data;

	while (!enough) {
		async_synchronize_call(async_schedule_domain(nothing, NULL, domain), domain);
		breathe();
	}
}

TEST(full_waits_do_not_starve_under_scheduling, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	struct actor actor;

	enough = false;
	actor_start(&actor, keep_scheduling, &domain);
	for (unsigned int i = 0; i < SCALE(1000); i++) {
		CHECK_EQ(async_synchronize_full_domain(&domain), 0);
		CHECK_EQ(async_synchronize_full(), 0);
	}
	enough = true;
	actor_join(&actor);
}

static void endless(void *data, async_cookie_t cookie)
{
	struct async_domain *domain = data;

	breathe();
	if (!enough)
		async_schedule_domain(endless, domain, domain);
}

/* What is not scheduled yet cannot be waited for: the bound is the next cookie at entry. */
TEST(a_bound_beyond_the_next_cookie_ends, .pools = PSOME)
{
	ASYNC_DOMAIN(domain);
	async_cookie_t cookie;

	enough = false;
	cookie = async_schedule_domain(endless, &domain, &domain);
	for (unsigned int i = 0; i < 20; i++) {
		CHECK_EQ(async_synchronize_cookie_domain(cookie + UINT64_C(1000000000000), &domain), 0);
		CHECK_EQ(async_synchronize_cookie_domain(cookie + UINT64_C(1000000000000), NULL), 0);
	}
	enough = true;
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_cookie_domain(async_schedule(nothing, NULL) + 1, NULL), 0);
}

TEST(a_wait_for_nothing_returns, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	ASYNC_DOMAIN_EXCLUSIVE(exclusive);

	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(async_synchronize_full_domain(&exclusive), 0);
	CHECK_EQ(async_synchronize_full_domain(NULL), 0);
	CHECK_EQ(async_synchronize_cookie_domain(0, &domain), 0);
	CHECK_EQ(async_synchronize_cookie_domain(1, NULL), 0);
	CHECK_EQ(async_synchronize_cookie_domain(ASYNC_COOKIE_MAX, &exclusive), 0);
	CHECK_EQ(async_synchronize_cookie(5), 0);
}

/* One waiter for each of many cookies, completing from the highest down: no thread returns before the lowest does. */
TEST(start_and_end_order_do_not_matter, .pools = P0 | P256)
{
	enum { N = 12 };
	ASYNC_DOMAIN(domain);
	static struct gate gates[N];
	static struct waiter waits[N];

	for (unsigned int i = 0; i < N; i++) {
		gate_new(&gates[i], &domain);
		waiter_start(&waits[i], async_synchronize_cookie_domain, gates[i].cookie + 1, i & 1 ? NULL : &domain);
	}
	for (unsigned int i = N; i-- > 1;)
		gate_end(&gates[i]);
	CHECK_WAITING(waits, N);
	gate_end(&gates[0]);
	CHECK_DONE(waits, N);
}
