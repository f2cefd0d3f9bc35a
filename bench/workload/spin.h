/* SPDX-License-Identifier: MIT */
/* Work that takes a known time and touches no memory. */
#ifndef SPIN_H
#define SPIN_H

#include <stdint.h>

static inline void spin(uint64_t turns)
{
	uint64_t value = turns;

	for (; turns; turns--) {
		value = value * 0x5851f42d4c957f2du + 1;
		__asm__ volatile("" : "+r"(value));
	}
}

#endif
