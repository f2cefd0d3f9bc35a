/* SPDX-License-Identifier: MIT */
/* How many threads were at work, how many calls were not, and what threads did that have no row of their own. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>

#include "draw.h"

/* The mean of each column, a pixel wide. */
struct columns {
	const struct scale *scale;
	double *parts; /* of what begins or ends in a column */
	double *steps; /* what begins to fill columns here, less what ends to */
	size_t count;
};

struct area {
	const char *label;
	const char *class_name;
	double y;
	double height;
};

static double column_of(const struct columns *columns, uint64_t t_ns)
{
	return (scale_x(columns->scale, t_ns) - columns->scale->left) / columns->scale->width * (double)columns->count;
}

static void add_time(struct columns *columns, uint64_t begin_ns, uint64_t end_ns, double sign)
{
	double from = column_of(columns, begin_ns);
	double to = column_of(columns, end_ns);
	size_t first = (size_t)from;
	size_t last = (size_t)to;

	if (first == last) {
		columns->parts[first] += sign * (to - from);
		return;
	}
	columns->parts[first] += sign * ((double)first + 1 - from);
	columns->steps[first + 1] += sign;
	columns->steps[last] -= sign;
	columns->parts[last] += sign * (to - (double)last);
}

static void columns_begin(struct columns *columns, const struct scale *scale)
{
	columns->scale = scale;
	columns->count = (size_t)scale->width;
	columns->parts = calloc(columns->count + 2, sizeof(double));
	columns->steps = calloc(columns->count + 2, sizeof(double));
	if (!columns->parts || !columns->steps)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
}

/* Afterwards the parts are the sums. Returns the highest. */
static double columns_sum(struct columns *columns)
{
	double full = 0;
	double most = 0;

	for (size_t i = 0; i < columns->count; i++) {
		full += columns->steps[i];
		columns->parts[i] += full;
		most = columns->parts[i] > most ? columns->parts[i] : most;
	}
	return most;
}

static void columns_end(struct columns *columns)
{
	free(columns->parts);
	free(columns->steps);
}

/* ---- what is added ---- */

static bool is_in_wait(const struct model *model, const struct span *span)
{
	return span->parent != NONE && model->spans[span->parent].kind == SPAN_WAIT;
}

/* A thread is at work in a span, but not while that span waits; a call that is run in a wait is work again. */
static void add_work(struct columns *columns, const struct model *model, const struct span *span)
{
	bool outer = span->parent == NONE || is_in_wait(model, span);

	if (span->kind == SPAN_WAIT && !outer)
		add_time(columns, span->begin_ns, span->end_ns, -1);
	else if (span->kind != SPAN_WAIT && span->kind != SPAN_TURN && outer)
		add_time(columns, span->begin_ns, span->end_ns, 1);
}

static void add_waiting(struct columns *columns, const struct model *model, const struct span *span)
{
	bool in_wait = is_in_wait(model, span);

	if (span->kind == SPAN_WAIT && !in_wait)
		add_time(columns, span->begin_ns, span->end_ns, 1);
	else if (span->kind != SPAN_WAIT && span->kind != SPAN_TURN && in_wait)
		add_time(columns, span->begin_ns, span->end_ns, -1);
}

/* How many calls were scheduled and had not begun. */
static void add_pending(struct columns *columns, const struct model *model)
{
	for (size_t i = 0; i < model->call_count; i++) {
		const struct call *call = &model->calls[i];
		uint64_t end_ns = call->started_ns     ? call->started_ns
				  : call->completed_ns ? call->completed_ns
						       : model->end_ns;

		if (call->scheduled_ns && end_ns > call->scheduled_ns)
			add_time(columns, call->scheduled_ns, end_ns, 1);
	}
}

/* ---- areas ---- */

static void area_path(struct svg *svg, const struct area *area, const struct columns *columns, double most)
{
	double step = columns->scale->width / (double)columns->count;
	double bottom = area->y + area->height;
	char *path = NULL;
	size_t bytes = 0;
	FILE *file = open_memstream(&path, &bytes);
	double before = -1;

	if (!file)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	fprintf(file, "M%.1f %.1f", columns->scale->left, bottom);
	for (size_t i = 0; i < columns->count; i++) {
		double value = columns->parts[i] > 0 ? columns->parts[i] : 0;
		double y = bottom - value / most * area->height;

		if (y - before < 0.05 && before - y < 0.05)
			continue;
		fprintf(file, "H%.1fV%.1f", columns->scale->left + step * (double)i, y);
		before = y;
	}
	fprintf(file, "H%.1fV%.1fZ", columns->scale->left + columns->scale->width, bottom);
	fclose(file);
	svg_path(svg, path, area->class_name, NULL);
	free(path);
}

/* Frees the columns. */
static void draw_area(struct svg *svg, const struct area *area, struct columns *columns)
{
	double most = columns_sum(columns);
	double x = columns->scale->left - 10;
	double middle = area->y + area->height / 2;
	char label[64];

	svg_group(svg, area->class_name);
	svg_text(svg, x, middle - 2, 11, "end", NULL, area->label);
	snprintf(label, sizeof(label), "at most %.0f", most > 0.001 ? ceil(most - 0.001) : 0);
	svg_text(svg, x, middle + 12, 11, "end", "quiet", label);
	area_path(svg, area, columns, most > 1 ? most : 1);
	svg_group_end(svg);
	columns_end(columns);
}

void draw_load(struct svg *svg, const struct model *model, const struct layout *layout)
{
	struct area load = {"threads at work", "load", layout->load_y, layout->load_height};
	struct area pending = {"calls not begun", "pending", layout->load_y + layout->load_height + 6,
			       layout->pending_height};
	struct columns columns;

	columns_begin(&columns, &layout->scale);
	for (size_t i = 0; i < model->span_count; i++)
		add_work(&columns, model, &model->spans[i]);
	draw_area(svg, &load, &columns);
	if (layout->pending_height <= 0)
		return;
	columns_begin(&columns, &layout->scale);
	add_pending(&columns, model);
	draw_area(svg, &pending, &columns);
}

void draw_folded(struct svg *svg, const struct model *model, const struct layout *layout, const struct row *row)
{
	double height = (row->height - 34) / 2;
	struct area running = {"running", "load", row->y + 26, height};
	struct area waiting = {"waiting", "waiting", row->y + 30 + height, height};
	struct columns ran;
	struct columns waited;
	char text[128];

	snprintf(text, sizeof(text), "%zu thread%s without a row: how many of them were", row->thread_count,
		 row->thread_count == 1 ? "" : "s");
	svg_text(svg, 24, row->y + 18, 11, "start", "process", text);
	columns_begin(&ran, &layout->scale);
	columns_begin(&waited, &layout->scale);
	for (size_t i = 0; i < row->span_count; i++) {
		add_work(&ran, model, &model->spans[row->spans[i]]);
		add_waiting(&waited, model, &model->spans[row->spans[i]]);
	}
	draw_area(svg, &running, &ran);
	draw_area(svg, &waiting, &waited);
}
