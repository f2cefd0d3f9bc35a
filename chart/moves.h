/* SPDX-License-Identifier: MIT */
/* What moved from one chart to another, in words and as JSON. */
#ifndef CHART_MOVES_H
#define CHART_MOVES_H

#include "compare.h"

/* {"columns": ..., "rows": ...} of the first @most. */
void moves_table(const struct comparison *comparison, size_t most, FILE *file);
/* @titles: of the chart before and of that after. 0 or -errno. */
int moves_print(const struct comparison *comparison, const char *const titles[2], FILE *file);
int moves_json(const struct comparison *comparison, const char *const titles[2], FILE *file);
#endif
