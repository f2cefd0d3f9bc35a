// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The way to the manager of threads and memory, from wherever something is wanted of it, atomic context included.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "internal.h"

struct task_struct *port_manager;
bool port_stopping;

/* RCU keeps a task that ends meanwhile. */
void port_manager_wake(void)
{
	struct task_struct *task;

	rcu_read_lock();
	task = READ_ONCE(port_manager);
	if (task)
		wake_up_process(task);
	rcu_read_unlock();
}
