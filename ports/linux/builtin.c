// SPDX-License-Identifier: MIT OR GPL-2.0
/* The start in the kernel itself. What is scheduled before is pending until then. */
#include <linux/init.h>
#include <linux/printk.h>

#include "internal.h"

/* As soon as kernel threads can be made. Later kernels call this; before, an initcall does; the first one counts. */
void __init async_init(void)
{
	static bool begun __initdata;
	int error;

	if (begun)
		return;
	begun = true;
	error = port_threads_begin();
	if (error)
		pr_err("async: cannot start its threads: error %d; calls run in those who wait for them\n", error);
}

static int __init begin(void)
{
	async_init();
	return 0;
}
early_initcall(begin);

static int __init begin_debugfs(void)
{
	port_debugfs_begin();
	return 0;
}
fs_initcall(begin_debugfs);
