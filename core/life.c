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

/* Normal exit: every call completes, those on this stack apart; later ones run in their callers. */
void rob_exit(void)
{
	if (!port_load_acquire(&rob.started)) /* O1 */
		return;
	port_lock(&rob.lock);
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
	rob.ended = true;
	rob.quick = 0;
	port_unlock(&rob.lock);
}
