/* SPDX-License-Identifier: MIT */
/* Cookies, waits, domains. */
#include "explore.h"

/* ---- one call, one wait ---- */

static void one_wait(void)
{
	async_cookie_t cookie = start(0, domain_a, NULL);

	sim_check(!wait_cookie(cookie + 1, domain_a));
}

static void two_calls(void)
{
	async_cookie_t first = start(0, domain_a, NULL), second = start(1, domain_a, NULL);

	sim_check(first < second);
	sim_check(!wait_cookie(second, domain_a));
	sim_check(!wait_full(domain_a));
}

static void free_a_after_wait(void)
{
	start(0, domain_a, NULL);
	sim_check(!wait_full(domain_a));
	free_domain(domain_a);
}

static void use_b(void)
{
	start(1, domain_b, NULL);
	sim_check(!wait_full(domain_b));
}

static void three_calls(void)
{
	start(0, domain_a, NULL);
	start(1, domain_a, NULL);
	start(2, domain_b, NULL);
	sim_check(!wait_full(domain_a));
	free_domain(domain_a);
	sim_check(!wait_full(NULL));
}

static void wait_for_all(void)
{
	sim_check(!wait_full(NULL));
}

static void schedule_child(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	start(2, domain_a, NULL);
}

static void parent(void)
{
	start(0, domain_a, schedule_child);
	sim_check(!wait_full(domain_a));
	check_all_complete();
	free_domain(domain_a);
}

static void ordered_pair(void)
{
	start_ordered(0, domain_a, NULL);
	start_ordered(1, domain_a, NULL);
	sim_check(!wait_full(domain_a));
	free_domain(domain_a);
}

const struct sim_case cases_basic[] = {
	{.name = "one-wait", .rules = "2.3", .begin = begin_domains, .actor = {one_wait}, .end = check_all_complete},
	{.name = "first-use", .rules = "O1", .begin = begin_domains, .actor = {one_wait, use_b}, .flags = SIM_COLD, .end = check_all_complete},
	{.name = "two-calls", .rules = "2.1 2.3", .begin = begin_domains, .actor = {two_calls}, .end = check_all_complete},
	{.name = "two-calls-2cpus", .rules = "2.1 2.3", .cpus = 2, .begin = begin_domains, .actor = {two_calls}, .end = check_all_complete},
	{.name = "domain-freed", .rules = "2.4 C9", .begin = begin_domains, .actor = {free_a_after_wait, use_b}, .end = check_all_complete},
	{.name = "lease", .rules = "2.2 2.4", .begin = begin_domains, .actor = {three_calls}, .end = check_all_complete},
	{.name = "lease-2cpus", .rules = "2.2 2.4", .cpus = 2, .begin = begin_domains, .actor = {three_calls}, .end = check_all_complete},
	{.name = "full-and-child", .rules = "2.3 C3", .begin = begin_domains, .actor = {parent, wait_for_all}, .end = check_all_complete},
	{.name = "ordered-pair", .rules = "retire", .begin = begin_domains, .actor = {ordered_pair}, .end = check_all_complete},
	{0},
};
