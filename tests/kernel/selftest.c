// SPDX-License-Identifier: MIT OR GPL-2.0
/* The contract's clauses, in the kernel. KTAP in the log; loading fails if a test does. */
#include <linux/async.h>
#include <linux/module.h>

static void first(void *data, async_cookie_t cookie)
{
	*(async_cookie_t *)data = cookie;
}

static int __init begin(void)
{
	async_cookie_t seen = 0, cookie = async_schedule(first, &seen);
	int result = async_synchronize_full();

	pr_info("selftest: cookie %llu seen %llu result %d\n", cookie, seen, result);
	return seen == cookie ? 0 : -EIO;
}

static void __exit end(void)
{
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("Tests of asynchronous function calls");
MODULE_LICENSE("Dual MIT/GPL");
