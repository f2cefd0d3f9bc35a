/* SPDX-License-Identifier: MIT */
/* This library. */
#include <inorder/async.h>

#include "bench.h"

static ASYNC_DOMAIN_EXCLUSIVE(ordered);
static struct async_domain *parts;

static void call(void *data, async_cookie_t cookie)
{
	(void)cookie;
	work_call(data);
}

void peer_submit(void *data)
{
	async_schedule(call, data);
}

static void start(unsigned threads)
{
	struct async_config config = ASYNC_CONFIG_INIT;

	config.threads = threads;
	config.pending = ASYNC_DEFAULT - 1;
	if (async_configure(&config))
		fail("async_configure() came too late");
}

static void enter(unsigned submitters, void (*body)(unsigned submitter))
{
	run_submitters(submitters, body);
	async_synchronize_full();
}

static void run_one(void *data)
{
	async_synchronize_cookie(async_schedule(call, data) + 1);
}

/* ---- order ---- */

static void call_own_cookie(void *data, async_cookie_t cookie)
{
	size_t index = (size_t)data;

	order_work(index);
	async_synchronize_cookie_domain(cookie, &ordered);
	order_append(index);
}

static void ordered_wait(size_t count)
{
	for (size_t i = 0; i < count; i++)
		async_schedule_domain(call_own_cookie, (void *)i, &ordered);
	async_synchronize_full_domain(&ordered);
}

static void call_work(void *data, async_cookie_t cookie)
{
	(void)cookie;
	order_work((size_t)data);
}

static void call_append(void *data, async_cookie_t cookie)
{
	(void)cookie;
	order_append((size_t)data);
}

static void ordered_retire(size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!async_schedule_ordered(call_work, call_append, (void *)i, &ordered))
			fail("no memory for call %zu", i);
	async_synchronize_full_domain(&ordered);
}

static void wait_lower(size_t index)
{
	(void)index;
	async_synchronize_cookie(async_current_cookie());
}

/* ---- domains ---- */

static void domains(unsigned count)
{
	static const struct async_domain fresh = ASYNC_DOMAIN_INIT;

	parts = allocate(count * sizeof(*parts));
	for (unsigned i = 0; i < count; i++)
		parts[i] = fresh;
}

static void submit_in(unsigned domain, void *data)
{
	async_schedule_domain(call, data, &parts[domain]);
}

static void wait_in(unsigned domain)
{
	async_synchronize_full_domain(&parts[domain]);
}

static void fork_join(void **child, unsigned count)
{
	ASYNC_DOMAIN_EXCLUSIVE(children);

	for (unsigned i = 0; i < count; i++)
		async_schedule_domain(call, child[i], &children);
	async_synchronize_full_domain(&children);
}

const struct peer peer = {
	.name = "inorder",
	.start = start,
	.enter = enter,
	.run_one = run_one,
	.ordered_wait = ordered_wait,
	.ordered_retire = ordered_retire,
	.domains = domains,
	.submit_in = submit_in,
	.wait_in = wait_in,
	.wait_lower = wait_lower,
	.fork_join = fork_join,
	.nested = true,
	.unbounded = true,
};
