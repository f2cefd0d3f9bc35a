/* SPDX-License-Identifier: MIT */
/* Where everything stands in the picture. */
#ifndef CHART_LAYOUT_H
#define CHART_LAYOUT_H

#include "chart.h"

#define TINY 0.7 /* px: bars narrower than this that touch are drawn as one */

/* What stands in a lane, from left to right. */
struct bar {
	double left;
	double right;
	unsigned int lane;
	size_t span; /* the first one of several */
	size_t count;
	uint64_t total_ns;
};

/* A name in its bar or beside it. */
struct name {
	double x, y;
	const char *anchor;
	const char *text;
	bool beside; /* not in its bar */
};

struct bars {
	struct bar *bars;
	struct name *names;
	size_t count, name_count;
};

/* A name that has no room where it belongs: a line leads from there to it. */
struct callout {
	double x, y; /* of what has the name */
	const char *text;
	uint64_t length_ns;
	size_t span;
	double width;
	unsigned int line; /* in the band that holds them */
	bool leftwards;    /* the text ends at the line */
	bool inwards;      /* in the other direction than those beside it */
};

struct callouts {
	struct callout *items; /* the longest */
	size_t count, most;
	unsigned int lines;
};

#define LATE_LINE 16.0 /* px: below the labels of the axis */
#define CALLOUT_FONT 10.5
#define CALLOUT_LINE 14.0
#define CALLOUT_GAP 3.0

/* Keeps those that took longest. Its text is the name, which is copied, and the length. */
void callouts_offer(struct callouts *callouts, const struct callout *offered);
/* Gives each its line, so that no text touches another one, nor the line that leads to one. */
void callouts_place(struct callouts *callouts, double left_end, double right_end);
double callouts_height(const struct callouts *callouts);
void callouts_free(struct callouts *callouts);

/* A part of the critical path, in the strip that shows all of it. */
struct segment {
	double left, right;
	const char *class_name;
	const char *text; /* in it; NULL: has no room */
	size_t span;      /* NONE: it is several, or not explained */
	const char *tip;
};

struct strip {
	struct segment *segments;
	struct callouts callouts;
	size_t count;
};

/* Whether a name stands there. */
bool strip_names(const struct strip *strip, size_t span);

void strip_build(struct strip *strip, const struct model *model, const struct scale *scale);
void strip_free(struct strip *strip);

struct row {
	size_t process;
	size_t first_thread; /* for the label */
	size_t thread_count;
	size_t *spans; /* in order of their begin; turns apart */
	size_t span_count;
	size_t *turns;
	size_t turn_count;
	unsigned int lanes;
	unsigned int turn_lanes;
	size_t deep; /* spans for which there was no lane: they share the last one */
	bool folded; /* stands for threads that have no room: shows how many of them ran and waited */
	double y;
	double height;
};

struct layout {
	struct scale scale;
	struct row *rows;
	size_t row_count;
	size_t *row_of_thread;
	size_t folded_threads;
	double width, height;
	double lane_height, lane_gap, row_gap, font, turn_height;
	double phases_y, phases_height; /* of one process' phases */
	double strip_y, strip_height;
	double load_y, load_height, pending_height;
	double rows_y, rows_bottom;
	double axis_y;     /* of the labels below */
	bool late;         /* spans begin after the end of the axis: a mark on it tells how many */
	uint64_t named_ns; /* what is as long as this has a name, whether it has room or not */
	struct strip strip;
	struct bars *bars, *turns; /* of each row */
	struct callouts callouts;  /* of the rows */
};

/* How long the picture's time is, from the path's begin on. */
uint64_t layout_length_ns(const struct model *model, const struct selection *selection);
void layout_build(struct layout *layout, struct model *model, uint64_t length_ns, double width);
void layout_free(struct layout *layout);
double layout_span_y(const struct layout *layout, const struct span *span);
/* The bars and names of all rows, and the callouts of those that have no room. */
void bars_build(struct layout *layout, const struct model *model);
void bars_free(struct layout *layout);
#endif
