/* SPDX-License-Identifier: MIT */
/* No storage: who runs inline, who says so, and who needs none. */
#include "faults.h"

static void no_memory(void)
{
	fault_arm(&fault_memory, 1, FOR_EVER);
}

static atomic_uint ran;
static struct record retired;

static void retire(void *data, async_cookie_t cookie)
{
	retired.n++;
}

/* Uses up what the library has in stock: calls that stay pending, until one cannot be stored. */
static unsigned int use_up(struct async_domain *domain, async_cookie_t *last)
{
	for (unsigned int n = 0; n < 1000000; n++) {
		async_cookie_t cookie = async_schedule_ordered(count, retire, &ran, domain);

		if (!cookie)
			return n;
		*last = cookie;
	}
	FAIL("a million calls were stored without memory");
}

TEST(an_ordered_call_without_storage_is_refused, .pools = P1, .env = "INORDER_PENDING=2000000")
{
	static struct record order;
	ASYNC_DOMAIN(domain);
	struct async_entry entry;
	struct gate gate;
	async_cookie_t last;
	async_cookie_t cookie;
	async_cookie_t plain;
	unsigned int stored;

	last = gate_new(&gate, NULL);
	no_memory();
	stored = use_up(&domain, &last);
	CHECK_EQ(async_schedule_ordered(record, retire, &order, &domain), 0);
	CHECK(!async_try_schedule(record, &order, &domain, &cookie));
	CHECK_EQ(order.n, 0); /* both ran nothing */
	while ((plain = async_schedule_domain(record, &order, &domain)) && !order.n)
		last = plain; /* a plain call may need less */
	CHECK_EQ(order.cookies[0], plain);
	CHECK_EQ(order.tids[0], tid_self()); /* ran inline */
	CHECK_EQ(plain, last + 1);           /* and no cookie was burnt */
	cookie = async_schedule_entry(&entry, count, retire, &ran, &domain);
	CHECK_EQ(cookie, plain + 1);
	CHECK_EQ(ran, 0); /* an entry needs no storage */
	fault_disarm(&fault_memory);
	CHECK(async_schedule_ordered(count, retire, &ran, &domain));
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(ran, stored + 2);
	CHECK_EQ(retired.n, stored + 2);
}

static struct gate inside;

static void schedule_inline_gate(void *data)
{
	CHECK(async_schedule_domain(gate_call, &inside, data));
}

TEST(a_call_run_inline_without_storage_is_in_progress, .pools = P1, .env = "INORDER_PENDING=2000000")
{
	ASYNC_DOMAIN(busy);
	ASYNC_DOMAIN(domain);
	struct gate gate;
	struct actor actor;
	struct waiter waits[2];
	async_cookie_t last;

	gate_init(&inside);
	gate_new(&gate, &busy);
	fault_arm(&fault_memory, 1, FOR_EVER);
	use_up(&busy, &last);
	for (unsigned int n = 0; n == ran; n = 0)
		async_schedule_domain(count, &ran, &busy);
	actor_start(&actor, schedule_inline_gate, &domain);
	down(&inside.begun);
	CHECK_EQ(inside.tid, actor.tid);
	waiter_start(&waits[0], wait_full, 0, &domain);
	waiter_start(&waits[1], async_synchronize_call, inside.cookie, NULL);
	CHECK_WAITING(waits, 2);
	gate_open(&inside);
	actor_join(&actor);
	CHECK_DONE(waits, 2);
	fault_disarm(&fault_memory);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(inline_calls_allocate_nothing, .pools = P0)
{
	ASYNC_DOMAIN(domain);

	no_memory();
	for (unsigned int i = 0; i < 10000; i++) {
		CHECK(async_schedule_domain(count, &ran, i & 1 ? &domain : NULL));
		if (i % 100 == 0)
			CHECK_EQ(async_synchronize_full(), 0);
	}
	CHECK_EQ(ran, 10000);
	CHECK_EQ(fault_memory.seen, 0);
	fault_disarm(&fault_memory);
}

static struct async_entry entries[10000];

static void schedule_entries(struct async_domain *domain)
{
	for (unsigned int i = 0; i < 10000; i++)
		CHECK(async_schedule_entry(&entries[i], count, i & 1 ? retire : NULL, &ran, domain));
}

TEST(entries_need_no_allocation, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	no_memory();
	schedule_entries(&domain);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(ran, 10000);
	CHECK_EQ(retired.n, 5000);
	fault_disarm(&fault_memory);
}

/* The only worker there can be is there, so that nothing but entries could ask for memory. */
TEST(entries_allocate_nothing, .pools = P1)
{
	ASYNC_DOMAIN(domain);
	struct gate gate;

	gate_new(&gate, NULL);
	no_memory();
	schedule_entries(&domain);
	CHECK_EQ(ran, 0);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0); /* the gate is on this stack */
	CHECK_EQ(ran, 10000);
	CHECK_EQ(retired.n, 5000);
	CHECK_EQ(fault_memory.seen, 0);
	fault_disarm(&fault_memory);
}

/* Waiting needs no memory either, timed or not, nor does a report of misuse. */
static int self_result;

static void wait_for_oneself(void *data, async_cookie_t cookie)
{
	self_result = async_synchronize_full_domain(data);
}

TEST(waits_work_without_memory, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	struct gate gate;
	struct waiter waits[2];

	gate_new(&gate, &domain);
	no_memory();
	CHECK_EQ(async_synchronize_cookie_timeout(gate.cookie + 1, &domain, 1000000), -ETIMEDOUT);
	fault_disarm(&fault_memory); /* for the threads */
	waiter_start(&waits[0], wait_full, 0, &domain);
	waiter_start(&waits[1], wait_all, 0, NULL);
	quiet();
	no_memory();
	gate_open(&gate);
	CHECK_DONE(waits, 2);
	CHECK(async_schedule_domain(wait_for_oneself, &domain, &domain));
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(self_result, -EDEADLK);
	async_report(2);
	fault_disarm(&fault_memory);
	CHECK(harness_said("EDEADLK"));
	if (gate.has_actor)
		actor_join(&gate.actor);
}
