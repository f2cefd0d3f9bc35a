/* SPDX-License-Identifier: MIT */
/* The POSIX port's lock and parker as functions: this file sees ports/posix/port.h, the cases see the simulator's. */
#include "core.h"

#include "posix_port.h"

void posix_lock(void *lock)
{
	port_lock(lock);
}

void posix_unlock(void *lock)
{
	port_unlock(lock);
}

uint32_t posix_park(void *parker, uint64_t deadline_ns)
{
	return port_park(parker, deadline_ns);
}

void posix_unpark(void *parker, uint32_t flags)
{
	port_unpark(parker, flags);
}

void posix_processors(unsigned count)
{
	port_store_relaxed(&port_processors, count);
}

/* Signals are no part of what is explored. */
bool port_rest_begin(void)
{
	return false;
}

void port_rest_end(void)
{
}

_Static_assert(sizeof(struct port_lock) == POSIX_WORD && sizeof(struct port_parker) == POSIX_WORD, "one word each");
