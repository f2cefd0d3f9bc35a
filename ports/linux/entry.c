// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Slots set aside for atomic callers. One that finds too much pending, or no
 * memory, must not run the call itself as others do: the call may sleep. It takes
 * one of these instead; an entry is free again once its call is complete.
 */
#include "internal.h"

#define ENTRIES 64

static struct async_entry entries[ENTRIES];
static unsigned long taken[BITS_TO_LONGS(ENTRIES)]; /* core lock: between here and the cookie */

static bool in_progress(struct async_entry *entry)
{
	return ((struct rob_record *)(void *)entry)->block.live;
}

/* A free one, the caller's until port_entry_issued(); or NULL. */
struct async_entry *port_entry_get(void)
{
	struct async_entry *entry = NULL;

	rob_lock();
	for (unsigned int i = 0; i < ENTRIES && !entry; i++) {
		if (test_bit(i, taken) || in_progress(&entries[i]))
			continue;
		__set_bit(i, taken);
		entry = &entries[i];
	}
	rob_unlock();
	return entry;
}

void port_entry_issued(struct async_entry *entry)
{
	rob_lock();
	__clear_bit(entry - entries, taken);
	rob_unlock();
}
