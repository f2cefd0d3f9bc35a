// SPDX-License-Identifier: MIT OR GPL-2.0
/* Clause 1: cookies; and what a call knows about itself. */
#include "harness.h"

static void next(async_cookie_t *last, async_cookie_t cookie)
{
	CHECK(cookie != 0);
	CHECK(cookie != ASYNC_COOKIE_MAX);
	if (cookie <= *last)
		FAIL("cookie %" PRIu64 " after %" PRIu64, cookie, *last);
	*last = cookie;
}

TEST(cookies_increase_over_domains_and_kinds, .pools = PALL)
{
	static struct async_entry entries[200];
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN_EXCLUSIVE(b);
	async_cookie_t last = 0;
	async_cookie_t cookie;

	for (unsigned int i = 0; i < 200; i++) {
		next(&last, async_schedule(nothing, NULL));
		next(&last, async_schedule_domain(nothing, NULL, &a));
		next(&last, async_schedule_domain(nothing, NULL, &b));
		next(&last, async_schedule_node(nothing, NULL, -1));
		next(&last, async_schedule_node_domain(nothing, NULL, 0, &a));
		next(&last, async_schedule_ordered(nothing, nothing, NULL, &a));
		next(&last, async_schedule_entry(&entries[i], nothing, i & 1 ? nothing : NULL, NULL, &b));
		if (async_try_schedule(nothing, NULL, &b, &cookie))
			next(&last, cookie);
	}
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_full_domain(&b), 0);
	next(&last, async_schedule(nothing, NULL));
	CHECK_EQ(async_synchronize_full(), 0);
}

enum { THREADS = 8, EACH = 5000 };
static async_cookie_t issued[THREADS][EACH];
static sem_t turn;
static async_cookie_t last_in_turn;

static void issue(void *data)
{
	async_cookie_t last = 0;
	async_cookie_t *to = data;

	for (unsigned int i = 0; i < SCALE(EACH); i++) {
		to[i] = async_schedule(nothing, NULL);
		next(&last, to[i]);
	}
}

static int compare(const void *a, const void *b)
{
	async_cookie_t x = *(const async_cookie_t *)a;
	async_cookie_t y = *(const async_cookie_t *)b;

	return x < y ? -1 : x > y;
}

TEST(cookies_are_unique_over_threads, .pools = PALL)
{
	static async_cookie_t all[THREADS * EACH];
	struct actor actors[THREADS];
	unsigned int n = 0;

	for (unsigned int i = 0; i < THREADS; i++)
		actor_start(&actors[i], issue, issued[i]);
	for (unsigned int i = 0; i < THREADS; i++)
		actor_join(&actors[i]);
	for (unsigned int i = 0; i < THREADS; i++)
		for (unsigned int j = 0; j < SCALE(EACH); j++)
			all[n++] = issued[i][j];
	qsort(all, n, sizeof(all[0]), compare);
	for (unsigned int i = 1; i < n; i++)
		CHECK(all[i] != all[i - 1]);
	async_synchronize_full();
}

static void issue_in_turn(void *data)
{
	for (unsigned int i = 0; i < SCALE(EACH); i++) {
		down(&turn);
		next(&last_in_turn, async_schedule(nothing, NULL));
		up(&turn);
	}
}

TEST(cookies_follow_the_order_of_scheduling_between_threads, .pools = PALL)
{
	sem_init(&turn, 0, 1);
	actors_run(4, issue_in_turn, NULL);
	async_synchronize_full();
}

struct self {
	int data;
	async_cookie_t given, own, after_wait;
	bool async;
};

static void look(void *data, async_cookie_t cookie)
{
	struct self *self = data;
	ASYNC_DOMAIN_EXCLUSIVE(inner);

	self->given = cookie;
	self->async = current_is_async();
	self->own = async_current_cookie();
	async_schedule_domain(nothing, NULL, &inner);
	async_synchronize_full_domain(&inner);
	self->after_wait = async_current_cookie();
}

TEST(a_call_is_given_its_data_and_knows_its_cookie, .pools = PALL)
{
	struct self self = {.data = 1};
	async_cookie_t cookie = async_schedule(look, &self);

	CHECK(!current_is_async());
	CHECK_EQ(async_current_cookie(), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(self.given, cookie);
	CHECK_EQ(self.own, cookie);
	CHECK_EQ(self.after_wait, cookie);
	CHECK(self.async);
	CHECK(!current_is_async());
	CHECK_EQ(async_current_cookie(), 0);
}

static void look_in_retire(void *data, async_cookie_t cookie)
{
	struct self *self = data;

	self->after_wait = cookie == async_current_cookie() && current_is_async() ? cookie : 0;
}

TEST(a_retire_step_knows_its_cookie, .pools = PALL)
{
	struct self self = {.data = 1};
	async_cookie_t cookie = async_schedule_ordered(look, look_in_retire, &self, NULL);

	CHECK(cookie != 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(self.given, cookie);
	CHECK_EQ(self.after_wait, cookie);
	CHECK_EQ(async_current_cookie(), 0);
}

TEST(infinity_is_a_constant, .pools = PALL)
{
	static const async_cookie_t infinity = ASYNC_COOKIE_MAX;
	ASYNC_DOMAIN(domain);
	struct gate gate;
	struct waiter waiter;

	CHECK(infinity == UINT64_MAX);
	gate_new(&gate, &domain);
	waiter_start(&waiter, async_synchronize_cookie_domain, ASYNC_COOKIE_MAX, &domain);
	CHECK_WAITING(&waiter, 1);
	gate_end(&gate);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK_EQ(async_synchronize_cookie(ASYNC_COOKIE_MAX), 0);
}
