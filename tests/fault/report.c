/* SPDX-License-Identifier: MIT */
/* async_report() when there is no memory: for itself, and for calls that have to be held back. */
#include "faults.h"

TEST(a_report_without_memory_says_how_much_it_left_out, .pools = P0 | P256)
{
	enum { MANY = 30, ROWS = 8 };
	ASYNC_DOMAIN(domain);
	struct waiter waiters[MANY];
	struct gate gate;
	const char *text;
	char more[32];

	gate_new(&gate, &domain);
	for (unsigned int i = 0; i < MANY; i++)
		waiter_start(&waiters[i], wait_full, 0, &domain);
	quiet();
	fault_arm(&fault_memory, 1, FOR_EVER);
	text = report_text();
	fault_disarm(&fault_memory);
	CHECK_EQ(count_of(text, "  thread "), ROWS);
	snprintf(more, sizeof(more), "  and %d more\n", MANY + 1 - ROWS);
	if (!strstr(text, more))
		FAIL("\"%s\" is not in the report:\n%s", more, text);
	gate_end(&gate);
	CHECK_DONE(waiters, MANY);
}

static atomic_uint ran;

static void schedule_many(void *data)
{
	for (unsigned int i = 0; i < 2000; i++)
		async_schedule_domain(count, &ran, data);
}

/* While calls are held back and one cannot be stored, its scheduler waits; the report says for what. */
TEST(a_scheduler_that_waits_for_the_end_of_quiescing, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	struct actor actor;

	CHECK_EQ(async_quiesce_begin(), 0);
	fault_arm(&fault_memory, 1, FOR_EVER);
	actor_start(&actor, schedule_many, &domain);
	quiet();
	CHECK(!actor.done);
	CHECK_EQ(ran, 0);
	if (!strstr(report_text(), "waits for the end of quiescing"))
		FAIL("the report is:\n%s", report_text());
	fault_disarm(&fault_memory);
	CHECK_EQ(async_quiesce_end(), 0);
	actor_join(&actor);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(ran, 2000);
}
