/* SPDX-License-Identifier: MIT */
#ifndef CHART_HTML_H
#define CHART_HTML_H

#include "compare.h"

struct html_model {
	const struct model *model;
	const char *label; /* "before", "after"; NULL: there is one alone */
	const char *title;
};

/* One page with one model, or with two and what moved between them. @moves may be NULL. 0 or -errno. */
int html_write(const struct html_model *models, size_t count, const struct comparison *moves, FILE *file);
#endif
