// SPDX-License-Identifier: MIT OR GPL-2.0
/* A module with nothing to wait for. */
#include <linux/module.h>

static int __init begin(void)
{
	return 0;
}

static void __exit end(void)
{
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("A module with nothing to wait for");
MODULE_LICENSE("Dual MIT/GPL");
