/* SPDX-License-Identifier: MIT */
/* Whose calls they are when no thread knows, and the end: the wait of a normal exit. */
#include "core.h"

struct async_owner *async_owner_enter(struct async_owner *owner)
{
	struct rob_thread *self = port_self();
	struct async_owner *before = self->owner;

	self->owner = owner;
	return before;
}

void rob_set_owner_finder(rob_owner_finder find)
{
	rob_lock();
	rob.find_owner = find;
	rob.quick = 0;
	port_unlock(&rob.lock);
}

/*
 * Normal exit: every call completes, those on this stack and what waits for them apart. It comes once before
 * the destructors of what existed at first use; calls that destructors schedule are started afresh (rob_start()
 * asks for another such wait). After the last time, later calls run in their callers.
 */
void rob_exit(bool last)
{
	port_lock(&rob.lock);
	if (!rob.generation) {
		port_unlock(&rob.lock);
		return;
	}
	if (rob.quiesce) {
		struct rob_after after = {0};

		rob.quiesce = 0;
		rob_waiters_odd(&after);
		rob_pool_kick(&after);
		rob_unlock(&after);
		port_lock(&rob.lock);
	}
	rob_wait_exit();
	port_lock(&rob.lock);
	rob.ended |= last;
	rob.quick = 0;
	port_store_relaxed(&rob.started, 0);
	port_unlock(&rob.lock);
}
