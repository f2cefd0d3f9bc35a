/* SPDX-License-Identifier: MIT */
#ifndef CHART_COMPARE_H
#define CHART_COMPARE_H

#include "chart.h"

/*
 * What is in both charts under one name, or in one of them. Times are from the begin of its chart; the lengths of calls
 * and steps are without their waits.
 */
struct move {
	const char *what; /* "phase", "call" or "step" */
	const char *name;
	bool in_before, in_after;
	uint64_t before_begin_ns, before_ns;
	uint64_t after_begin_ns, after_ns;
	int64_t took_ns; /* how much longer it takes after */
};

struct comparison {
	const struct model *before;
	const struct model *after;
	struct move *moves; /* the largest change first */
	size_t count;
};

void compare(struct comparison *comparison, const struct model *before, const struct model *after);
void compare_free(struct comparison *comparison);
#endif
