// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The way to the manager of threads and memory, from wherever something is wanted of it, atomic context included.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "internal.h"

struct task_struct *port_manager;
bool port_stopping;

/*
 * What is wanted has been noted: the manager looks for it once its state is TASK_IDLE, before it sleeps. While it is
 * not, it works; where it sleeps then, for a thread that is being made, it would be woken for nothing.
 * RCU keeps a task that ends meanwhile.
 */
void port_manager_wake(void)
{
	struct task_struct *task;

	rcu_read_lock();
	task = READ_ONCE(port_manager);
	if (task && (READ_ONCE(task->__state) & TASK_NOLOAD))
		wake_up_process(task);
	rcu_read_unlock();
}
