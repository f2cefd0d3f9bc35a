/* SPDX-License-Identifier: MIT */
/* async_set_name() and async_report(). */
#include "harness.h"

#include <fcntl.h>

static void waits(void *data, async_cookie_t cookie)
{
	struct gate *gate = data;

	async_set_name("bob_who_waits");
	gate->cookie = async_current_cookie();
	up(&gate->begun);
	CHECK_EQ(async_synchronize_full_domain(gate->domain), 0);
	gate->done = true;
}

TEST(a_report_says_who_runs_and_who_waits_for_whom, .pools = PMANY)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	struct gate alice, bob;
	struct waiter waiter;
	const char *text;

	gate_init(&alice);
	gate_init(&bob);
	alice.name = "alice_who_runs";
	gate_start(&alice, &domain);
	bob.domain = &domain;
	async_schedule(waits, &bob);
	down(&bob.begun);
	waiter_start(&waiter, async_synchronize_call, alice.cookie, &domain);
	quiet();
	text = report_text();
	CHECK(strstr(text, "alice_who_runs"));
	CHECK(strstr(text, "bob_who_waits"));
	CHECK(has_number(text, alice.cookie));
	CHECK(has_number(text, bob.cookie));
	CHECK(has_number(text, (uint64_t)alice.tid) || strstr(text, "alice_who_runs"));
	gate_end(&alice);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	text = report_text();
	CHECK(!strstr(text, "alice_who_runs"));
	CHECK(!strstr(text, "bob_who_waits"));
}

TEST(an_inline_call_is_reported, .pools = P0)
{
	struct gate alice;

	gate_init(&alice);
	alice.name = "alice_who_runs";
	gate_start(&alice, NULL);
	CHECK(strstr(report_text(), "alice_who_runs"));
	gate_end(&alice);
}

TEST(a_report_where_nothing_runs, .pools = PALL)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	report_text();
	async_report(-1);
	CHECK(fd >= 0);
	async_report(fd); /* cannot be written: not the library's business */
	async_schedule(nothing, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
	report_text();
	close(fd);
}

static void keep_busy(void *data)
{
	ASYNC_DOMAIN(own);

	for (unsigned int i = 0; i < SCALE(3000); i++) {
		async_schedule_domain(nothing, NULL, &own);
		if (i % 10 == 0)
			CHECK_EQ(async_synchronize_full_domain(&own), 0);
	}
	CHECK_EQ(async_synchronize_full_domain(&own), 0);
}

TEST(reports_beside_everything_else, .pools = PALL)
{
	struct actor actors[4];

	for (unsigned int i = 0; i < 4; i++)
		actor_start(&actors[i], keep_busy, NULL);
	for (unsigned int i = 0; i < SCALE(200); i++)
		report_text();
	for (unsigned int i = 0; i < 4; i++)
		actor_join(&actors[i]);
}

/* The name is kept by pointer until the call completes, and not after. */
static void named_from_a_page(void *data, async_cookie_t cookie)
{
	async_set_name(data);
}

TEST(a_name_is_not_used_after_its_call, .pools = PALL)
{
	for (unsigned int i = 0; i < 50; i++) {
		char *page = page_new();

		strcpy(page, "short-lived");
		async_schedule(named_from_a_page, page);
		CHECK_EQ(async_synchronize_full(), 0);
		page_poison(page);
		report_text();
		async_schedule(nothing, NULL);
		report_text();
	}
	async_set_name("outside"); /* outside of a call: no call's */
	CHECK(!strstr(report_text(), "outside"));
}

static atomic_bool enough;
static atomic_uint reports;

/* So many reports beside the calls will do: with one processor, each of the calls' turns lets many be written. */
enum { REPORTS = 20000 };

static void report_for_ever(void *data)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	for (; !enough; reports++)
		async_report(fd);
	close(fd);
}

static void named_for_a_while(void *data, async_cookie_t cookie)
{
	named_from_a_page(data, cookie);
	for (unsigned int i = 0; i < 3; i++)
		sched_yield();
}

/* The thread that began first is reported last: its calls come and go while the others' lines are written. */
static void calls_with_short_names(void *data, async_cookie_t cookie)
{
	static struct gate gates[10];
	static struct actor reporter;

	gates_new(gates, 10, NULL);
	actor_start(&reporter, report_for_ever, NULL);
	for (unsigned int i = 0; i < (unsigned int)SCALE(2000) && reports < REPORTS; i++) {
		char *page = page_new();

		strcpy(page, "short-lived");
		async_schedule(named_for_a_while, page);
		page_poison(page);
	}
	enough = true;
	actor_join(&reporter);
	gates_end(gates, 10);
}

/* A call may end, and its name go, while a report that names it is being written. */
TEST(a_name_goes_while_reports_are_written, .pools = P0)
{
	async_schedule(calls_with_short_names, NULL);
}

static void wait_for_a_short_owner(void)
{
	char *page = page_new();
	struct async_owner owner = ASYNC_OWNER_INIT(page);
	struct async_owner *before = async_owner_enter(&owner);

	strcpy(page, "short-lived");
	async_schedule(named_for_a_while, page);
	async_owner_enter(before);
	CHECK_EQ(async_synchronize_owner(&owner), 0);
	page_poison(page);
}

/* So may a wait, and its owner's name. */
TEST(an_owner_goes_while_reports_are_written, .pools = P256)
{
	struct gate gates[4];
	struct actor reporter;

	gates_new(gates, 4, NULL);
	actor_start(&reporter, report_for_ever, NULL);
	for (unsigned int i = 0; i < (unsigned int)SCALE(500) && reports < REPORTS; i++)
		wait_for_a_short_owner();
	enough = true;
	actor_join(&reporter);
	gates_end(gates, 4);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* A long name is cut or kept, but harms nothing. */
TEST(a_long_name, .pools = PALL)
{
	static char name[10000];
	struct gate gate;

	memset(name, 'n', sizeof(name) - 1);
	gate_init(&gate);
	gate.name = name;
	gate_start(&gate, NULL);
	CHECK(strstr(report_text(), "nnnnnnnn"));
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(the_watchdog_reports_a_call_that_runs_long, .pools = P0 | PMANY, .env = "INORDER_DEBUG=watchdog=1")
{
	struct gate gate;

	gate_init(&gate);
	gate.name = "lazy_the_call";
	gate_start(&gate, NULL);
	while (!harness_said("lazy_the_call"))
		sched_yield();
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(without_a_watchdog_nothing_is_said, .pools = PALL)
{
	char *text;

	async_schedule(nothing, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
	text = harness_stderr();
	CHECK(text[0] == 0);
	free(text);
}

static void named(void *data, async_cookie_t cookie)
{
	async_set_name("name_of_func");
}

/* A retire step goes by the name that func has set. */
TEST(a_retire_step_keeps_the_name, .pools = PMANY)
{
	struct gate gate;

	gate_init(&gate);
	CHECK(async_schedule_ordered(named, gate_call, &gate, NULL));
	down(&gate.begun);
	CHECK(strstr(report_text(), "name_of_func"));
	gate_open(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}
