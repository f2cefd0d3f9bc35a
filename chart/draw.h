/* SPDX-License-Identifier: MIT */
#ifndef CHART_DRAW_H
#define CHART_DRAW_H

#include "compare.h"
#include "layout.h"

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

void draw_load(struct svg *svg, const struct model *model, const struct layout *layout);
void draw_strip(struct svg *svg, const struct layout *layout);
void draw_rows(struct svg *svg, const struct model *model, const struct layout *layout);
/* A row that stands for many threads. */
void draw_folded(struct svg *svg, const struct model *model, const struct layout *layout, const struct row *row);
/* The names in their band, which begins at @y, and what leads to them. */
void draw_callouts(struct svg *svg, const struct callouts *callouts, double y);
/* All that is known of a bar, or of several in one; 1400 bytes are enough. */
void tip_span(char *text, size_t bytes, const struct model *model, const struct span *span);
void tip_several(char *text, size_t bytes, const struct model *model, const struct span *first, size_t count,
		 uint64_t total_ns);

void draw_moves(struct svg *svg, const struct comparison *comparison, double width);
double draw_moves_height(const struct comparison *comparison);
#endif
