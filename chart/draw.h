/* SPDX-License-Identifier: MIT */
#ifndef CHART_DRAW_H
#define CHART_DRAW_H

#include "compare.h"

struct picture {
	const char *label; /* "before", "after"; NULL: there is one alone */
	const char *title;
	const struct model *model;
	const struct layout *layout;
};

/* 0 or -errno, all of them. */
int draw(const struct picture *picture, FILE *file);
/* Two pictures, one above the other, whose scales must be as long as each other, and what moved below. */
int draw_compared(const struct picture pictures[2], const struct comparison *comparison, FILE *file);

void draw_moves(struct svg *svg, const struct comparison *comparison, double width);
double draw_moves_height(const struct comparison *comparison);
#endif
