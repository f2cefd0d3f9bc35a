/* SPDX-License-Identifier: MIT */
/* What posix_port.c gives to the cases of posix.c. */
#ifndef POSIX_PORT_H
#define POSIX_PORT_H

#include <stdint.h>

#define POSIX_WORD 4

void posix_lock(void *lock);
void posix_unlock(void *lock);
uint32_t posix_park(void *parker, uint64_t deadline_ns);
void posix_unpark(void *parker, uint32_t flags);
void posix_processors(unsigned count);

#endif
