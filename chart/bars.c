/* SPDX-License-Identifier: MIT */
/* What is seen of each row: bars, and names in or beside them. */
#define _GNU_SOURCE
#include <stdlib.h>

#include "layout.h"

#define MARGIN 4.0
#define LONGEST 20 /* calls and steps that are named, whether there is room or not */

double layout_span_y(const struct layout *layout, const struct span *span)
{
	const struct row *row = &layout->rows[layout->row_of_thread[span->thread]];

	if (row->folded)
		return row->y + row->height - layout->lane_height;
	if (span->kind == SPAN_TURN)
		return row->y + row->height - (row->turn_lanes - span->lane) * layout->turn_height;
	return row->y + span->lane * (layout->lane_height + layout->lane_gap);
}

static bool is_work(const struct span *span)
{
	return span->kind == SPAN_RUN || span->kind == SPAN_STEP || span->kind == SPAN_RETIRE;
}

/* What is among the longest has its name, if it has none on the critical path. */
static void offer(struct layout *layout, const struct model *model, size_t index)
{
	const struct span *span = &model->spans[index];
	struct callout callout = {.y = layout_span_y(layout, span) + layout->lane_height,
				  .length_ns = span->end_ns - span->begin_ns,
				  .span = index};
	char name[256];

	if (!is_work(span) || callout.length_ns < layout->named_ns || strip_names(&layout->strip, index))
		return;
	callout.x = (scale_x(&layout->scale, span->begin_ns) + scale_x(&layout->scale, span->end_ns)) / 2;
	callout.text = span_label(model, span, name, sizeof(name));
	callouts_offer(&layout->callouts, &callout);
}

/* Adds a span to its lane: a tiny one joins a tiny one of the same kind that it touches. */
static void add_bar(struct bars *bars, size_t *last, const struct model *model, struct layout *layout, size_t index)
{
	const struct span *span = &model->spans[index];
	double left = scale_x(&layout->scale, span->begin_ns);
	double right = scale_x(&layout->scale, span->end_ns);
	bool overlay = span->kind == SPAN_WAIT && span->parent != NONE;
	struct bar *before = last[span->lane] == NONE ? NULL : &bars->bars[last[span->lane]];

	if (overlay && right - left < TINY) /* a wait that had nothing to wait for */
		return;
	if (before && right - left < TINY && left - before->right < TINY &&
	    model->spans[before->span].kind == span->kind &&
	    (before->count > 1 || before->right - before->left < TINY)) {
		before->right = right > before->right ? right : before->right;
		before->count++;
		before->total_ns += span->end_ns - span->begin_ns;
		offer(layout, model, index);
		return;
	}
	last[span->lane] = bars->count;
	*APPEND(bars->bars, bars->count) =
		(struct bar){left, right, span->lane, index, 1, span->end_ns - span->begin_ns};
}

/* The bars of all lanes of a row, in order of their begin. */
static void collect_bars(struct bars *bars, const struct model *model, struct layout *layout, const size_t *spans,
			 size_t count, unsigned int lanes)
{
	size_t *last = malloc((lanes + 1) * sizeof(*last));

	if (!last)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	for (unsigned int i = 0; i < lanes; i++)
		last[i] = NONE;
	for (size_t i = 0; i < count; i++)
		add_bar(bars, last, model, layout, spans[i]);
	free(last);
}

/* ---- names ---- */

/* A wait that stands on another span has no name of its own. */
static bool is_named(const struct model *model, const struct bar *bar)
{
	const struct span *span = &model->spans[bar->span];

	return bar->count == 1 && !(span->kind == SPAN_WAIT && span->parent != NONE);
}

struct lane {
	double taken; /* up to here it is full */
	double next;  /* where the next bar begins */
};

static void add_name(struct bars *bars, double x, double y, const char *anchor, const char *text, bool beside)
{
	*APPEND(bars->names, bars->name_count) = (struct name){x, y, anchor, keep(text), beside};
}

/* In the bar, else right of it, else left of it, else a part of it in the bar. False if it does not all stand there. */
static bool place_name(struct layout *layout, struct bars *bars, const struct bar *bar, const char *name, double y,
		       struct lane *lane)
{
	double width = text_width(name) * layout->font;
	double right_end = layout->scale.left + layout->scale.width + 20;
	double next = lane->next > right_end ? right_end : lane->next;
	double room = bar->right - bar->left;
	double taken = lane->taken;
	char part[256];

	lane->taken = bar->right;
	if (width + 2 * MARGIN <= room) {
		add_name(bars, bar->left + MARGIN, y, "start", name, false);
	} else if (bar->right + 2 * MARGIN + width <= next) {
		add_name(bars, bar->right + MARGIN, y, "start", name, true);
		lane->taken = bar->right + MARGIN + width;
	} else if (bar->left - 2 * MARGIN - width >= taken) {
		add_name(bars, bar->left - MARGIN, y, "end", name, true);
	} else {
		if (text_fit(name, room - MARGIN, layout->font, part, sizeof(part))[0])
			add_name(bars, bar->left + MARGIN / 2, y, "start", part, false);
		return false;
	}
	return true;
}

static void name_bar(struct layout *layout, struct bars *bars, const struct model *model, const struct bar *bar,
		     struct lane *lane)
{
	const struct span *span = &model->spans[bar->span];
	double base = layout_span_y(layout, span) + layout->lane_height / 2 + layout->font * 0.36;
	char name[256];

	span_label(model, span, name, sizeof(name));
	if (layout->font > 0 && place_name(layout, bars, bar, name, base, lane))
		return;
	offer(layout, model, bar->span);
}

static void name_bars(struct layout *layout, struct bars *bars, const struct model *model, const struct row *row)
{
	unsigned int lane_count = row->lanes;
	unsigned int unnamed = row->deep ? lane_count - 1 : lane_count; /* where bars may cover each other */
	struct lane *lanes = calloc(lane_count + 1, sizeof(*lanes));
	double *next = malloc((bars->count + 1) * sizeof(double));

	if (!lanes || !next)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	for (unsigned int i = 0; i < lane_count; i++)
		lanes[i] = (struct lane){layout->scale.left, layout->width};
	for (size_t i = bars->count; i-- > 0;) {
		const struct bar *bar = &bars->bars[i];

		next[i] = lanes[bar->lane].next;
		if (is_named(model, bar) || bar->count > 1)
			lanes[bar->lane].next = bar->left;
	}
	for (size_t i = 0; i < bars->count; i++) {
		const struct bar *bar = &bars->bars[i];
		struct lane *lane = &lanes[bar->lane];

		lane->next = next[i];
		if (is_named(model, bar) && bar->lane != unnamed) {
			name_bar(layout, bars, model, bar, lane);
			continue;
		}
		if (bar->right > lane->taken)
			lane->taken = bar->right;
		if (bar->count > 1 || bar->lane == unnamed)
			offer(layout, model, bar->span);
	}
	free(lanes);
	free(next);
}

/* ---- which are the longest ---- */

static int compare_lengths(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return left == right ? 0 : left > right ? -1 : 1;
}

/* What is as long as the result is among the longest. */
static uint64_t longest_ns(const struct layout *layout, const struct model *model)
{
	uint64_t *lengths = NULL;
	uint64_t result;
	size_t count = 0;

	for (size_t i = 0; i < layout->row_count; i++)
		for (size_t j = 0; j < layout->rows[i].span_count; j++) {
			const struct span *span = &model->spans[layout->rows[i].spans[j]];

			if (is_work(span))
				*APPEND(lengths, count) = span->end_ns - span->begin_ns;
		}
	if (count)
		qsort(lengths, count, sizeof(*lengths), compare_lengths);
	result = count > LONGEST ? lengths[LONGEST - 1] : 1;
	free(lengths);
	return result ? result : 1;
}

void bars_build(struct layout *layout, const struct model *model)
{
	layout->bars = calloc(layout->row_count + 1, sizeof(*layout->bars));
	layout->turns = calloc(layout->row_count + 1, sizeof(*layout->turns));
	if (!layout->bars || !layout->turns)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	layout->callouts.most = LONGEST;
	layout->named_ns = longest_ns(layout, model);
	for (size_t i = 0; i < layout->row_count; i++) {
		const struct row *row = &layout->rows[i];

		if (row->folded) {
			for (size_t j = 0; j < row->span_count; j++)
				offer(layout, model, row->spans[j]);
			continue;
		}
		collect_bars(&layout->bars[i], model, layout, row->spans, row->span_count, row->lanes);
		collect_bars(&layout->turns[i], model, layout, row->turns, row->turn_count, row->turn_lanes);
		name_bars(layout, &layout->bars[i], model, row);
	}
	callouts_place(&layout->callouts, 24, layout->scale.left + layout->scale.width + 20);
}

void bars_free(struct layout *layout)
{
	for (size_t i = 0; layout->bars && i < layout->row_count; i++) {
		free(layout->bars[i].bars);
		free(layout->bars[i].names);
		free(layout->turns[i].bars);
	}
	free(layout->bars);
	free(layout->turns);
	callouts_free(&layout->callouts);
}
