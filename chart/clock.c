/* SPDX-License-Identifier: MIT */
/*
 * When a line of a kernel log was written. Most prefixes tell the microsecond. Where one tells the second, or nothing,
 * the lines stand in sequence, and what a call says of its own length places its end: so the time that is shown is the
 * least that the log allows.
 */
#include "klog.h"

#define T_MOST (UINT64_C(1) << 61) /* lengths are added up without end */

bool clock_is_exact(const struct stamp *stamp)
{
	return stamp->boot_ns || (stamp->wall_ns && stamp->unit_ns <= 1000);
}

/* Nothing known of the time: 0. */
static uint64_t told_time(struct clock *clock, const struct stamp *stamp)
{
	if (stamp->boot_ns) {
		if (stamp->wall_ns > stamp->boot_ns && !clock->wall_begin_ns)
			clock->wall_begin_ns = stamp->wall_ns - stamp->boot_ns;
		return stamp->boot_ns;
	}
	if (!stamp->wall_ns)
		return 0;
	if (!clock->wall_begin_ns) /* the log's first line: all that is known of the boot's begin */
		clock->wall_begin_ns = stamp->wall_ns > clock->last_ns + 1 ? stamp->wall_ns - clock->last_ns - 1 : 1;
	if (stamp->wall_ns <= clock->wall_begin_ns || stamp->wall_ns - clock->wall_begin_ns > T_MOST)
		return clock->last_ns;
	return stamp->wall_ns - clock->wall_begin_ns;
}

uint64_t clock_time(struct clock *clock, const struct stamp *stamp)
{
	uint64_t t_ns = told_time(clock, stamp);

	if (!clock_is_exact(stamp)) {
		clock->placed++;
		if (t_ns < clock->last_ns)
			t_ns = clock->last_ns;
	}
	t_ns += t_ns == 0; /* 0 stands for unknown */
	if (t_ns > clock->last_ns)
		clock->last_ns = t_ns;
	return t_ns;
}

uint64_t clock_end(struct clock *clock, const struct stamp *stamp, uint64_t begin_ns, uint64_t length_ns)
{
	uint64_t t_ns = clock_time(clock, stamp);

	if (!clock_is_exact(stamp) && t_ns < begin_ns + length_ns)
		t_ns = begin_ns + length_ns;
	if (t_ns > T_MOST && !clock_is_exact(stamp))
		t_ns = clock->last_ns;
	if (t_ns > clock->last_ns)
		clock->last_ns = t_ns;
	return t_ns;
}
