/* SPDX-License-Identifier: MIT */
/*
 * The public calls that schedule. Each names its caller, by whom a call without an owner is found one, and who is told
 * of misuse; the way of most calls is inline (issue.h).
 */
#include "issue.h"

#define CALLER() __builtin_extract_return_addr(__builtin_return_address(0))

async_cookie_t async_schedule_domain(async_func_t func, void *data, struct async_domain *domain)
{
	return rob_schedule_plain(func, data, domain, false, CALLER());
}

async_cookie_t async_schedule(async_func_t func, void *data)
{
	return rob_schedule_plain(func, data, NULL, false, CALLER());
}

async_cookie_t async_schedule_special(async_func_t func, void *data, struct async_domain *list)
{
	return rob_schedule_plain(func, data, list, false, CALLER());
}

/* Threads of a program are not bound to nodes: the node is a hint that this port ignores. */
async_cookie_t async_schedule_node_domain(async_func_t func, void *data, int node, struct async_domain *domain)
{
	(void)node;
	return rob_schedule_plain(func, data, domain, false, CALLER());
}

async_cookie_t async_schedule_node(async_func_t func, void *data, int node)
{
	(void)node;
	return rob_schedule_plain(func, data, NULL, false, CALLER());
}

async_cookie_t async_schedule_ordered(async_func_t func, async_func_t retire, void *data, struct async_domain *domain)
{
	return rob_schedule_ordered(func, retire, data, domain, CALLER());
}

bool async_try_schedule(async_func_t func, void *data, struct async_domain *domain, async_cookie_t *cookie)
{
	async_cookie_t given = rob_schedule_plain(func, data, domain, true, CALLER());

	if (given && cookie)
		*cookie = given;
	return given;
}

async_cookie_t async_schedule_entry(struct async_entry *entry, async_func_t func, async_func_t retire, void *data,
				    struct async_domain *domain)
{
	struct rob_request request = {
		.func = func, .retire = retire, .data = data, .domain = domain, .caller = CALLER()};

	return rob_schedule_entry(entry, &request);
}

unsigned async_cancel_domain(struct async_domain *domain, void (*release)(void *data, async_cookie_t cookie))
{
	return rob_cancel(domain, release);
}

int async_cancel_call(async_cookie_t cookie, struct async_domain *domain,
		      void (*release)(void *data, async_cookie_t cookie))
{
	return rob_cancel_call(cookie, domain, release);
}
