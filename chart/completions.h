/* SPDX-License-Identifier: MIT */
/* Which call's completion gave a wait its end: found in logarithmic time, however many calls there are. */
#ifndef CHART_COMPLETIONS_H
#define CHART_COMPLETIONS_H

#include "chart.h"

struct search;

struct search *search_make(const struct model *model);
void search_free(struct search *search);
/* What is looked for: the last call that completed from @from_ns to @to_ns, with a cookie below @bound. */
struct sought {
	size_t process;
	const char *domain; /* that of the call; NULL: any that is not exclusive, if @any; else of those without */
	bool any;
	uint64_t from_ns;
	uint64_t to_ns;
	uint64_t bound;
	size_t wait; /* whose own calls are left out; NONE: no wait */
};
/* A call, or NONE. */
size_t search_last(const struct search *search, const struct sought *sought);
/* The call of that cookie that completed from @from_ns on, or NONE. */
size_t search_cookie(const struct search *search, size_t process, uint64_t cookie, uint64_t from_ns);
#endif
