// SPDX-License-Identifier: MIT OR GPL-2.0
/* Errors, delivered in the order of cookies. */
#include "harness.h"

static void fail_with(void *data, async_cookie_t cookie)
{
	async_set_error((int)(intptr_t)data);
}

static void *error(int value)
{
	return (void *)(intptr_t)value;
}

TEST(the_error_of_the_lowest_failed_cookie, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	async_cookie_t cookies[100];
	async_cookie_t cookie = 7;

	CHECK_EQ(async_domain_error(&domain, &cookie), 0);
	for (int i = 0; i < 100; i++)
		cookies[i] = async_schedule_domain(fail_with, i % 10 == 5 ? error(-i) : error(0), &domain);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(async_domain_error(&domain, &cookie), -5);
	CHECK_EQ(cookie, cookies[5]);
	CHECK_EQ(async_domain_error(&domain, NULL), -5);
	async_domain_clear_error(&domain);
	CHECK_EQ(async_domain_error(&domain, NULL), 0);
	cookies[0] = async_schedule_domain(fail_with, error(-EIO), &domain);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(async_domain_error(&domain, &cookie), -EIO);
	CHECK_EQ(cookie, cookies[0]);
}

/* "So far": a lower call that fails later takes its place; one that is still running does not count. */
TEST(the_lowest_completed_so_far, .pools = P0 | P256)
{
	ASYNC_DOMAIN(domain);
	ASYNC_DOMAIN(other);
	struct gate gates[3];
	async_cookie_t cookie = 0;

	for (int i = 0; i < 3; i++) {
		gate_init(&gates[i]);
		gates[i].error = -10 - i;
		gate_start(&gates[i], &domain);
	}
	CHECK_EQ(async_domain_error(&domain, NULL), 0);
	gate_end(&gates[1]);
	async_synchronize_call(gates[1].cookie, &domain);
	CHECK_EQ(async_domain_error(&domain, &cookie), -11);
	CHECK_EQ(cookie, gates[1].cookie);
	gate_end(&gates[2]);
	async_synchronize_call(gates[2].cookie, &domain);
	CHECK_EQ(async_domain_error(&domain, &cookie), -11);
	gate_end(&gates[0]);
	async_synchronize_call(gates[0].cookie, &domain);
	CHECK_EQ(async_domain_error(&domain, &cookie), -10);
	CHECK_EQ(cookie, gates[0].cookie);
	CHECK_EQ(async_domain_error(&other, NULL), 0);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(an_error_of_a_retire_step_counts, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	async_cookie_t cookie = 0;
	async_cookie_t failed = async_schedule_ordered(nothing, fail_with, error(-ENODEV), &domain);

	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(async_domain_error(&domain, &cookie), -ENODEV);
	CHECK_EQ(cookie, failed);
}

TEST(an_ordered_call_fails_at_its_turn, .pools = P0 | PMANY)
{
	ASYNC_DOMAIN(domain);
	struct gate lower;
	async_cookie_t failed;
	async_cookie_t cookie = 0;

	gate_new(&lower, &domain);
	failed = async_schedule_ordered(fail_with, nothing, error(-EIO), &domain);
	quiet();
	CHECK_EQ(async_domain_error(&domain, NULL), 0);
	gate_end(&lower);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(async_domain_error(&domain, &cookie), -EIO);
	CHECK_EQ(cookie, failed);
}

/* A nested inline call's error is its own. */
static struct async_domain inner = ASYNC_DOMAIN_EXCLUSIVE_INIT;

static void parent_of_failure(void *data, async_cookie_t cookie)
{
	async_schedule_domain(fail_with, error(-EPERM), &inner);
	async_synchronize_full_domain(&inner);
}

TEST(an_error_belongs_to_the_call_that_set_it, .pools = PALL)
{
	ASYNC_DOMAIN(outer);

	async_schedule_domain(parent_of_failure, NULL, &outer);
	CHECK_EQ(async_synchronize_full_domain(&outer), 0);
	CHECK_EQ(async_domain_error(&outer, NULL), 0);
	CHECK_EQ(async_domain_error(&inner, NULL), -EPERM);
	async_set_error(-EIO); /* outside of a call: no call's */
	CHECK_EQ(async_domain_error(&outer, NULL), 0);
}
