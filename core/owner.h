/* SPDX-License-Identifier: MIT */
/* Whose calls they are where no thread knows: the start-up layer says, and the public headers do not offer it. */
#ifndef CORE_OWNER_H
#define CORE_OWNER_H

#include <inorder/async.h>

/*
 * Names the owner of a call that is scheduled where the thread has none: from @caller, to run @func and, unless it is
 * NULL, @retire. NULL: none. Called with the core's lock held, so it schedules, waits and allocates nothing.
 */
typedef struct async_owner *(*rob_owner_finder)(const void *caller, async_func_t func, async_func_t retire);

/* Sets it; NULL: such calls have no owner, which is the case at first. */
void rob_set_owner_finder(rob_owner_finder find);

#endif
