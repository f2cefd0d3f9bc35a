/* SPDX-License-Identifier: MIT */
/* What async_report() says of each kind of wait. */
#include "harness.h"

static struct async_owner named = ASYNC_OWNER_INIT("olga_the_owner");
static struct async_owner unnamed = ASYNC_OWNER_INIT(NULL);

static int wait_named(async_cookie_t cookie, struct async_domain *domain)
{
	return async_synchronize_owner(&named);
}

static int wait_unnamed(async_cookie_t cookie, struct async_domain *domain)
{
	return async_synchronize_owner(&unnamed);
}

/* While one call is in progress, WAIT waits for it: the report of that has TEXT. */
static void check_wait(int (*wait)(async_cookie_t cookie, struct async_domain *domain), async_cookie_t cookie,
		       struct async_domain *domain, struct async_owner *owner, const char *text)
{
	struct waiter waiter;
	struct gate gate;

	async_owner_enter(owner);
	gate_new(&gate, domain);
	async_owner_enter(NULL);
	waiter_start(&waiter, wait, cookie ? cookie : gate.cookie, domain);
	quiet();
	if (!strstr(report_text(), text))
		FAIL("\"%s\" is not in the report:\n%s", text, report_text());
	gate_end(&gate);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK(!strstr(report_text(), text));
}

TEST(a_wait_for_an_owner, .pools = PSOME)
{
	check_wait(wait_named, 1, NULL, &named, "waits for owner olga_the_owner");
	check_wait(wait_unnamed, 1, NULL, &unnamed, "waits for owner (unnamed)");
	CHECK_EQ(async_synchronize_owner(NULL), -EINVAL);
}

TEST(a_wait_for_one_call, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	check_wait(async_synchronize_call, 0, &domain, NULL, "waits for cookie ");
}

TEST(waits_for_a_domain_and_for_all, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	check_wait(wait_full, 1, &domain, NULL, "waits for all calls of domain 0x");
	check_wait(wait_all, 1, &domain, NULL, "waits for all calls,");
	check_wait(async_synchronize_cookie_domain, 1000, &domain, NULL, " of domain 0x");
}

static int wait_below(async_cookie_t cookie, struct async_domain *domain)
{
	return async_synchronize_cookie_domain(cookie, NULL);
}

TEST(a_wait_for_the_cookies_of_all_domains, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	check_wait(wait_below, 1000, &domain, NULL, "waits for cookies below ");
}

static void begin_and_end(void *data)
{
	CHECK_EQ(async_quiesce_begin(), 0);
	CHECK_EQ(async_quiesce_end(), 0);
}

TEST(a_thread_that_quiesces, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	struct actor actor;
	struct gate gate;

	gate_new(&gate, &domain);
	actor_start(&actor, begin_and_end, NULL);
	quiet();
	if (!strstr(report_text(), "waits for registered calls to stop running, to quiesce"))
		FAIL("the report is:\n%s", report_text());
	gate_end(&gate);
	actor_join(&actor);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* A line each. */
TEST(a_report_of_many, .pools = P0 | P256)
{
	enum { MANY = 40 };
	ASYNC_DOMAIN(domain);
	struct waiter waiters[MANY];
	struct gate gate;

	gate_new(&gate, &domain);
	for (unsigned int i = 0; i < MANY; i++)
		waiter_start(&waiters[i], wait_full, 0, &domain);
	quiet();
	CHECK_EQ(count_of(report_text(), "waits for all calls of domain"), MANY);
	gate_end(&gate);
	CHECK_DONE(waiters, MANY);
}
