/* SPDX-License-Identifier: MIT */
/* First use, in a process and after a fork. */
#include "core.h"

/* The first call of all (O1: whoever sees started sees what was set up), or the first in a forked child. */
void rob_start(void)
{
	bool first;

	port_lock(&rob.lock);
	first = !port_load_relaxed(&rob.started);
	if (!rob.generation) {
		port_start(&rob.config);
		rob.generation = 1;
		rob.pool.cpus = port_cpus();
	}
	port_arm_exit();
	port_store_release(&rob.started, 1);
	rob_unlock();
	if (first && rob.config.watchdog_s)
		rob_pool_watch();
}
