// SPDX-License-Identifier: MIT OR GPL-2.0
/* The module: the same calls under prefixed names, beside the kernel's own. */
#include <linux/module.h>

#include "internal.h"

static int __init begin(void)
{
	int error = port_threads_begin();

	if (error) {
		pr_err("inorder: cannot start its threads: error %d\n", error);
		return error;
	}
	port_debugfs_begin();
	return 0;
}

/* Whoever uses it has gone: modules hold it by its symbols. */
static void __exit end(void)
{
	struct port_task task;

	port_debugfs_end();
	port_enter(&task);
	if (rob_exit_begin()) {
		rob_wait_exit(0);
		rob_exit_end(true);
	}
	port_leave(&task);
	port_loads_end();
	port_threads_end();
	port_memory_end();
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("Asynchronous function calls, in order");
MODULE_LICENSE("Dual MIT/GPL");
