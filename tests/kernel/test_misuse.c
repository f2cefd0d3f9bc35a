// SPDX-License-Identifier: MIT OR GPL-2.0
/* Misuse is an answer, not a hang. Each of these writes a report to the log. */
#include "selftest.h"

struct self {
	struct async_domain *domain;
	int kind;
	int result;
};

enum { FULL, DOMAIN, COOKIE, CALL };

static void wait_for_oneself(void *data, async_cookie_t cookie)
{
	struct self *self = data;

	switch (self->kind) {
	case FULL:
		self->result = async_synchronize_full();
		break;
	case DOMAIN:
		self->result = async_synchronize_full_domain(self->domain);
		break;
	case COOKIE:
		self->result = async_synchronize_cookie_domain(cookie + 1, self->domain);
		break;
	default:
		self->result = async_synchronize_call(cookie, self->domain);
	}
}

static void a_wait_for_oneself(void)
{
	for (int kind = FULL; kind <= CALL; kind++) {
		ASYNC_DOMAIN(domain);
		struct self self = {.domain = &domain, .kind = kind};

		async_schedule_domain(wait_for_oneself, &self, &domain);
		CHECK(!async_synchronize_full_domain(&domain));
		CHECK(self.result == -EDEADLK);
	}
}

/* All others are waited for nevertheless. */
static void a_wait_for_oneself_waits_for_all_others(void)
{
	ASYNC_DOMAIN(domain);
	struct self self = {.domain = &domain, .kind = DOMAIN};
	struct gate gate;
	async_cookie_t cookie;

	gate_schedule(&gate, &domain);
	cookie = async_schedule_domain(wait_for_oneself, &self, &domain);
	usleep_range(2000, 3000);
	CHECK(!self.result);
	gate_open(&gate);
	CHECK(!async_synchronize_call(cookie, NULL));
	CHECK(self.result == -EDEADLK);
	CHECK(!async_synchronize_full_domain(&domain));
}

struct party {
	async_cookie_t cookie;
	struct completion go;
	struct party *awaits;
	int result;
};

static void wait_for_another(void *data, async_cookie_t cookie)
{
	struct party *party = data;

	wait_for_completion(&party->go);
	party->result = async_synchronize_call(party->awaits->cookie, NULL);
}

#define PARTIES 3

/* Around in a circle: the one with the highest cookie gives way, the others get what they wait for. */
static void cycle(unsigned int first)
{
	struct party parties[PARTIES];

	for (unsigned int i = 0; i < PARTIES; i++) {
		parties[i] = (struct party){.awaits = &parties[(i + 1) % PARTIES], .result = 1};
		init_completion(&parties[i].go);
	}
	for (unsigned int i = 0; i < PARTIES; i++)
		parties[i].cookie = async_schedule(wait_for_another, &parties[i]);
	for (unsigned int i = 0; i < PARTIES; i++)
		complete(&parties[(first + i) % PARTIES].go);
	CHECK(!async_synchronize_full());
	for (unsigned int i = 0; i < PARTIES; i++)
		CHECK(parties[i].result == (i == PARTIES - 1 ? -EDEADLK : 0));
}

static void exactly_one_of_a_cycle_gives_way(void)
{
	for (unsigned int first = 0; first < PARTIES; first++)
		cycle(first);
}

static void a_timed_wait_ends_by_itself(void)
{
	struct gate gate;
	ktime_t since;

	gate_schedule(&gate, NULL);
	since = ktime_get();
	CHECK(async_synchronize_cookie_timeout(gate.cookie + 1, NULL, 20 * NSEC_PER_MSEC) == -ETIMEDOUT);
	CHECK(ktime_ms_delta(ktime_get(), since) >= 20);
	gate_open(&gate);
	CHECK(!async_synchronize_cookie_timeout(gate.cookie + 1, NULL, 10 * NSEC_PER_SEC));
}

static void the_owner_must_exist(void)
{
	CHECK(async_synchronize_owner(NULL) == -EINVAL);
}

static void outside_of_calls_there_is_none(void)
{
	CHECK(!current_is_async());
	CHECK(!async_current_cookie());
	async_set_name("outside");
	async_set_error(-EIO);
	CHECK(!async_domain_error(NULL, NULL));
}

const struct test misuse_tests[] = {
	{"a_wait_for_oneself", a_wait_for_oneself},
	{"a_wait_for_oneself_waits_for_all_others", a_wait_for_oneself_waits_for_all_others},
	{"exactly_one_of_a_cycle_gives_way", exactly_one_of_a_cycle_gives_way},
	{"a_timed_wait_ends_by_itself", a_timed_wait_ends_by_itself},
	{"the_owner_must_exist", the_owner_must_exist},
	{"outside_of_calls_there_is_none", outside_of_calls_there_is_none},
	{}};
