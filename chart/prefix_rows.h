/* SPDX-License-Identifier: MIT */
/* The one table of what may stand before a kernel's message; prefix.c reads by it. */
#ifndef CHART_PREFIX_ROWS_H
#define CHART_PREFIX_ROWS_H

#include <stddef.h>

enum {
	GLUE = 1,   /* the kernel's message follows */
	KERNEL = 2, /* the kernel's own stamp: where it stands in the middle of a line, another message begins */
	DELTA = 4,  /* says how long after the line before, so that each line counts */
};

struct prefix_row {
	const char *form; /* for those who read the table */
	const char *pattern;
	unsigned int flags;
};

extern const struct prefix_row prefix_rows[];
extern const size_t prefix_row_count;
#endif
