/* SPDX-License-Identifier: MIT */
/* Clause 9: code of 2009 and of today's kernel. */
#include "harness.h"

static ASYNC_DOMAIN_EXCLUSIVE(running);
static ASYNC_DOMAIN(registered);
static atomic_uint probed;

static async_func_ptr probe;

static void probe(void *data, async_cookie_t cookie)
{
	async_synchronize_cookie_special(cookie, &running);
	record(data, cookie);
	probed++;
}

/* As the 2009 callers wrote it: a list of their own, waits for what came before. */
TEST(the_names_of_2009, .pools = PALL)
{
	static struct record order;
	async_func_ptr *pointer = probe;
	async_cookie_t cookie = 0;

	for (unsigned int i = 0; i < 100; i++)
		cookie = async_schedule_special(pointer, &order, &running);
	CHECK_EQ(async_synchronize_cookie_special(cookie, &running), 0);
	CHECK(probed >= 99);
	CHECK_EQ(async_synchronize_full_special(&running), 0);
	CHECK_EQ(probed, 100);
	CHECK(record_increasing(&order));
}

/* The list is the domain: both spellings mean the same calls. */
TEST(a_special_list_is_a_domain, .pools = P0 | PMANY)
{
	struct gate gate;
	struct waiter waits[2];

	gate_new(&gate, &running);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_cookie_special(gate.cookie, &running), 0);
	waiter_start(&waits[0], async_synchronize_cookie_special, gate.cookie + 1, &running);
	waiter_start(&waits[1], wait_full, 0, &running);
	CHECK_WAITING(waits, 2);
	gate_end(&gate);
	CHECK_DONE(waits, 2);
	CHECK_EQ(async_synchronize_full_special(&running), 0);
}

/* As today's kernel code does: node hints, a registered domain, the full wait over all. */
TEST(the_names_of_today, .pools = PALL)
{
	async_func_t function = count;
	atomic_uint n = 0;
	async_cookie_t cookie;

	async_schedule(function, &n);
	async_schedule_domain(function, &n, &registered);
	async_schedule_node(function, &n, -1);
	async_schedule_node(function, &n, 1000000);
	async_schedule_node_domain(function, &n, 0, &registered);
	cookie = async_schedule_node_domain(function, &n, -1, NULL);
	CHECK_EQ(async_synchronize_cookie_domain(cookie, &registered), 0);
	CHECK_EQ(async_synchronize_cookie(cookie + 1), 0);
	async_synchronize_full();
	CHECK_EQ(n, 6);
	CHECK_EQ(async_synchronize_full_domain(&registered), 0);
}
