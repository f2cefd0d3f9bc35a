// SPDX-License-Identifier: MIT OR GPL-2.0
/* Clause 8: a call that waits for itself, alone or with others. */
#include "party.h"

static void self_wait(bool null, bool one_call)
{
	ASYNC_DOMAIN(domain);
	struct gate other;
	struct party self;
	struct party *parties[] = {&self};

	party_init(&self, "alice_the_call", &domain);
	self.null = null;
	self.call = one_call ? &self : NULL;
	party_start(&self, &domain);
	gate_new(&other, &domain);
	party_go(&self);
	if (!one_call) {
		quiet();
		CHECK_EQ(self.result, 1); /* it waits for the other */
	}
	gate_end(&other);
	CHECK_EQ(party_end(&self), -EDEADLK);
	check_report(parties, 1);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(harness_count("EDEADLK"), 1);
}

TEST(a_wait_for_oneself_by_domain, .pools = P0 | PMANY)
{
	self_wait(false, false);
}

TEST(a_wait_for_oneself_by_full_wait, .pools = P0 | PMANY)
{
	self_wait(true, false);
}

TEST(a_wait_for_oneself_by_cookie, .pools = P0 | PMANY)
{
	self_wait(false, true);
}

static _Atomic int own_results[4];

static void wait_around_own_cookie(void *data, async_cookie_t cookie)
{
	own_results[0] = async_synchronize_cookie_domain(cookie, data);
	own_results[1] = async_synchronize_cookie_domain(cookie + 1, data);
	own_results[2] = async_synchronize_cookie_domain(cookie, NULL);
	own_results[3] = async_synchronize_call(cookie, data);
}

TEST(waiting_up_to_the_own_cookie_is_no_misuse, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	async_schedule_domain(nothing, NULL, &domain);
	async_schedule_domain(wait_around_own_cookie, &domain, &domain);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(own_results[0], 0);
	CHECK_EQ(own_results[1], -EDEADLK);
	CHECK_EQ(own_results[2], 0);
	CHECK_EQ(own_results[3], -EDEADLK);
}

/* A call without a name is named by its function. */
TEST(the_report_names_a_call_by_its_function, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	async_cookie_t cookie = async_schedule_domain(wait_around_own_cookie, &domain, &domain);
	char *text;

	CHECK_EQ(async_synchronize_full(), 0);
	text = harness_stderr();
	CHECK(has_number(text, cookie));
	CHECK(strstr(text, "wait_around_own_cookie") || strstr(text, "self_wait+0x"));
	free(text);
}

static int inner_results[3];

static void inner_call(void *data, async_cookie_t cookie)
{
	inner_results[0] = async_synchronize_cookie_domain(cookie, data);
	inner_results[1] = async_synchronize_cookie_domain(cookie, NULL);
	inner_results[2] = async_synchronize_full_domain(data);
}

static void outer_call(void *data, async_cookie_t cookie)
{
	CHECK(async_schedule_domain(inner_call, data, data));
}

/* The kernel's hazard: a nested inline call that waits on its own cookie waits for its parent. */
TEST(a_nested_inline_call_leaves_its_parent_out, .pools = P0)
{
	ASYNC_DOMAIN(domain);

	CHECK(async_schedule_domain(outer_call, &domain, &domain));
	CHECK_EQ(inner_results[0], -EDEADLK);
	CHECK_EQ(inner_results[1], -EDEADLK);
	CHECK_EQ(inner_results[2], -EDEADLK);
	CHECK_EQ(async_synchronize_full(), 0);
}

enum { DEEP = 20, NAMED = 16 };

static unsigned int depth;
static const char *deep_name;

static void deeper(void *data, async_cookie_t cookie)
{
	async_set_name(deep_name);
	if (++depth < DEEP)
		CHECK(async_schedule_domain(deeper, data, data));
	else
		inner_results[0] = async_synchronize_full_domain(data);
}

/* The report names the innermost calls, as many as it has room for, and is one line even if their names are long. */
static void deep_wait(const char *name)
{
	ASYNC_DOMAIN(domain);
	char *text;

	depth = 0;
	deep_name = name;
	CHECK(async_schedule_domain(deeper, &domain, &domain));
	CHECK_EQ(inner_results[0], -EDEADLK);
	text = harness_stderr();
	CHECK(strlen(text) > 0 && text[strlen(text) - 1] == '\n');
	CHECK_EQ(strchr(text, '\n') - text, (ptrdiff_t)strlen(text) - 1);
	free(text);
}

TEST(a_report_of_deeply_nested_calls, .pools = P0, .no_kernel = true)
{
	deep_wait("dora_the_deep");
	CHECK_EQ(harness_count("dora_the_deep"), NAMED);
}

TEST(a_report_of_calls_with_long_names, .pools = P0, .no_kernel = true)
{
	static char name[301];

	memset(name, 'n', sizeof(name) - 1);
	deep_wait(name);
}

static void inner_elsewhere(void *data, async_cookie_t cookie)
{
	inner_results[0] = async_synchronize_cookie_domain(cookie, data);
	inner_results[1] = async_synchronize_cookie_domain(cookie + 1, data);
}

static void outer_elsewhere(void *data, async_cookie_t cookie)
{
	ASYNC_DOMAIN(own);

	CHECK(async_schedule_domain(inner_elsewhere, &own, &own));
	CHECK_EQ(async_synchronize_full_domain(&own), 0);
}

TEST(a_parent_in_another_domain_is_none_of_its_business, .pools = PALL)
{
	CHECK(async_schedule(outer_elsewhere, NULL));
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(inner_results[0], 0);
	CHECK_EQ(inner_results[1], -EDEADLK);
}

static struct async_domain ordered = ASYNC_DOMAIN_INIT;
static atomic_uint retired;

static void ordered_retire(void *data, async_cookie_t cookie)
{
	retired++;
}

static _Atomic int retire_results[2];

static void waiting_retire(void *data, async_cookie_t cookie)
{
	retire_results[0] = async_synchronize_cookie_domain(cookie, data);
	retire_results[1] = async_synchronize_full_domain(data);
}

TEST(a_retire_step_that_waits_for_itself, .pools = PALL)
{
	CHECK(async_schedule_ordered(nothing, waiting_retire, &ordered, &ordered));
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(retire_results[0], 0);
	CHECK_EQ(retire_results[1], -EDEADLK);
	CHECK_EQ(harness_count("EDEADLK"), 1);
}

/* A retire step that waits for its whole domain leaves out the ordered calls behind it as well: they wait for it. */
TEST(a_retire_step_that_waits_for_those_behind_it, .pools = P0 | PMANY)
{
	struct gate lower;

	gate_new(&lower, &ordered);
	CHECK(async_schedule_ordered(nothing, waiting_retire, &ordered, &ordered));
	for (unsigned int i = 0; i < 5; i++)
		CHECK(async_schedule_ordered(nothing, ordered_retire, NULL, &ordered));
	quiet();
	gate_end(&lower);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(retired, 5);
	CHECK_EQ(retire_results[0], 0);
	CHECK_EQ(retire_results[1], -EDEADLK);
}

#ifndef __KERNEL__ /* owners are modules there */
static _Atomic int owner_result = 1;
static struct async_owner owner = ASYNC_OWNER_INIT("owner");

static void wait_for_own_owner(void *data, async_cookie_t cookie)
{
	owner_result = async_synchronize_owner(&owner);
}

static void owner_actor(void *data)
{
	async_owner_enter(&owner);
	async_schedule(wait_for_own_owner, data);
	async_owner_enter(NULL);
}

TEST(a_call_that_waits_for_its_own_owner, .pools = P0 | PMANY)
{
	struct actor actor;
	struct gate gate;

	async_owner_enter(&owner);
	gate_new(&gate, NULL);
	async_owner_enter(NULL);
	actor_start(&actor, owner_actor, NULL);
	quiet();
	if (harness_threads() != 0)
		CHECK_EQ(owner_result, 1);
	gate_end(&gate);
	actor_join(&actor);
	CHECK_EQ(async_synchronize_owner(&owner), 0);
	CHECK_EQ(owner_result, -EDEADLK);
	CHECK_EQ(harness_count("EDEADLK"), 1);
}

#endif

/* Many self-waits beside each other: one report each, none lost, no hang. */
static atomic_uint deadlocks;

static void wait_full_inside(void *data, async_cookie_t cookie)
{
	ASYNC_DOMAIN_EXCLUSIVE(own);
	struct async_domain *other = data;

	async_schedule_domain(nothing, NULL, &own);
	CHECK_EQ(async_synchronize_full_domain(&own), 0);
	if (async_synchronize_cookie_domain(async_current_cookie() + 1, other) == -EDEADLK)
		atomic_fetch_add(&deadlocks, 1);
}

TEST(many_waits_for_oneself, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	for (unsigned int i = 0; i < 200; i++)
		async_schedule_domain(wait_full_inside, &domain, &domain);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(deadlocks, 200);
	CHECK_EQ(harness_count("EDEADLK"), 200);
}
