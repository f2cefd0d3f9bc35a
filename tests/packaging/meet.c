/* SPDX-License-Identifier: MIT */
/*
 * sleep() instead of the C library's, for the first program of README.md: no one has slept enough before all three of
 * its calls sleep. So it ends if they overlap, and only then, however slow the machine is.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { CALLS = 3, STEP_US = 10000, MOST_STEPS = 10000 };

unsigned sleep(unsigned seconds)
{
	static atomic_uint asleep;
	unsigned steps = 0;

	for (asleep++; asleep < CALLS; usleep(STEP_US))
		if (++steps == MOST_STEPS) {
			fprintf(stderr, "a call sleeps, and only %u of %d have begun: they do not overlap\n", asleep,
				CALLS);
			_exit(1);
		}
	return 0 * seconds;
}
