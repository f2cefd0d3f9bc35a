// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * An asynchronous call that has a module loaded and waits for it, while the load waits for the call. It is scheduled
 * by a work item, so it has no owner, and every load has to wait for it.
 */
#include <linux/async.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/workqueue.h>

static void ask_for_module(void *data, async_cookie_t cookie)
{
	int error = request_module("inorder_quick");

	pr_info("inorder_deadlock: request_module() returned %d\n", error);
}

static void schedule_call(struct work_struct *work)
{
	async_schedule(ask_for_module, NULL);
}

static DECLARE_WORK(work, schedule_call);

static int __init begin(void)
{
	schedule_work(&work);
	flush_work(&work);
	return 0;
}

static void __exit end(void)
{
	async_synchronize_full();
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("A load and a call that wait for each other");
MODULE_LICENSE("Dual MIT/GPL");
