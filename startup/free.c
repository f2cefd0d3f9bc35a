/* SPDX-License-Identifier: MIT */
/* initcalls_free(): which objects give their init code and init data back, and when. */
#include <errno.h>
#include <stdio.h>

#include <inorder/trace.h>

#include "internal.h"

/* Takes an object of the program whose initcalls have all been run and whose pages are still there. */
static struct initcall_object *take_finished(void)
{
	struct initcall_object *object;

	startup_lock();
	for (object = startup_objects(); object; object = object->next)
		if (!object->plugin && !object->freed && startup_finished(object))
			break;
	if (object)
		object->freed = 1;
	startup_unlock();
	return object;
}

size_t initcalls_free(void)
{
	struct initcall_object *object;
	char phase[64];
	size_t bytes = 0;
	bool busy;

	if (async_synchronize_full() || async_synchronize_owner(&startup_owner)) {
		errno = EDEADLK;
		return 0;
	}
	startup_lock();
	busy = startup_running();
	startup_unlock();
	if (busy) {
		errno = EBUSY;
		return 0;
	}
	while ((object = take_finished()))
		bytes += startup_free_object(object);
	bytes += startup_free_plugins();
	snprintf(phase, sizeof(phase), "init memory freed: %zu KiB", bytes >> 10);
	async_trace_phase(phase);
	return bytes;
}
