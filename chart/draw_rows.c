/* SPDX-License-Identifier: MIT */
/* A row a thread: bars, names in or beside them, who waited for whom, what the total depends on. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"

#define TINY 0.7   /* bars narrower than this that touch are drawn as one */
#define NARROW 2.5 /* bars narrower than this have no outline, which would be all that is seen of them */
#define WAIT_LINES_MOST 200
#define CHAIN_LINES_MOST 300 /* a chain of more parts has no lines between them */
#define CHAIN_NARROWEST 0.3
#define MARGIN 4.0
#define CROSS 5.5 /* from the edges to the middle of a cross */

/* What stands in a lane, from left to right. */
struct bar {
	double left;
	double right;
	unsigned int lane;
	size_t span; /* the first one of several */
	size_t count;
	uint64_t total_ns;
};

struct bars {
	struct bar *bars;
	size_t count;
};

struct tip {
	char text[1400];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void tip_add(struct tip *tip, const char *format, ...)
{
	size_t room = sizeof(tip->text) - tip->used;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(tip->text + tip->used, room, format, args);
	va_end(args);
	if (length > 0)
		tip->used += (size_t)length < room ? (size_t)length : room - 1;
}

static void tip_text(struct tip *tip, const char *before, const char *text, int most)
{
	tip_add(tip, "%s%.*s", before, text_bytes(text, most), text);
}

static void tip_duration(struct tip *tip, const char *before, uint64_t ns)
{
	char text[32];

	tip_add(tip, "%s%s", before, duration_text(ns, text, sizeof(text)));
}

static void tip_call(struct tip *tip, const struct model *model, const struct call *call)
{
	tip_add(tip, "\ncookie %" PRIu64, call->cookie);
	if (call->domain)
		tip_text(tip, ", domain ", resolve(call->domain), 200);
	if (call->by)
		tip_add(tip, ", scheduled by the call %" PRIu64, call->by);
	if (call->name && call->func)
		tip_text(tip, "\nfunction ", resolve(call->func), 200);
	if (call->inlined)
		tip_add(tip, "\nrun inline by its scheduler");
	else if (call->scheduled_ns && call->started_ns >= call->scheduled_ns) {
		tip_duration(tip, "\nscheduled at ", call->scheduled_ns - model->begin_ns);
		tip_duration(tip, ", begun after ", call->started_ns - call->scheduled_ns);
	}
	if (call->helped)
		tip_add(tip, "\nrun by a thread that waited for it");
	if (call->returned_ns && call->retiring_ns >= call->returned_ns)
		tip_duration(tip, "\nwaited for its turn ", call->retiring_ns - call->returned_ns);
	if (call->error)
		tip_add(tip, "\nerror %d (%.100s)", call->error,
			strerror(call->error < 0 && call->error > INT_MIN ? -call->error : call->error));
}

static void tip_wait(struct tip *tip, const struct model *model, const struct span *span)
{
	if (span->wait_for)
		tip_add(tip, "\nfor the calls before %" PRIu64, span->wait_for);
	else
		tip_add(tip, "\nfor all calls");
	if (span->domain)
		tip_text(tip, ", domain ", resolve(span->domain), 200);
	if (span->awaited != NONE) {
		tip_text(tip, "\nended with ", call_name(&model->calls[span->awaited]), 200);
		tip_add(tip, " (%" PRIu64 ")", model->calls[span->awaited].cookie);
	}
	if (span->error)
		tip_add(tip, "\nreturned %d", span->error);
}

static void tip_span(struct tip *tip, const struct model *model, const struct span *span)
{
	static const char *const kinds[] = {
#define KIND_WORD(name, word) word,
		SPAN_KINDS(KIND_WORD)
#undef KIND_WORD
	};
	const char *name = span_name(model, span);

	tip->used = 0;
	tip_text(tip, "", name, 300);
	tip_add(tip, "%s", name[0] ? "\n" : "");
	tip_add(tip, "%s", kinds[span->kind]);
	tip_duration(tip, " ", span->end_ns - span->begin_ns);
	tip_duration(tip, ", from ", span->begin_ns - model->begin_ns);
	tip_duration(tip, " to ", span->end_ns - model->begin_ns);
	if (span->unfinished)
		tip_add(tip, "\nnot finished when the trace ended");
	if (span->kind == SPAN_WAIT)
		tip_wait(tip, model, span);
	else if (span->call != NONE)
		tip_call(tip, model, &model->calls[span->call]);
	if (span->kind == SPAN_STEP && span->error)
		tip_add(tip, "\nreturned %d", span->error);
	if (model->threads[span->thread].tid >= 0)
		tip_add(tip, "\nthread %ld", model->threads[span->thread].tid);
}

static const char *span_class(const struct model *model, const struct span *span, char *text, size_t bytes)
{
	static const char *const classes[] = {[SPAN_RUN] = "run",
					      [SPAN_STEP] = "step",
					      [SPAN_RETIRE] = "retire",
					      [SPAN_WAIT] = "wait",
					      [SPAN_TURN] = "turn"};

	snprintf(text, bytes, "%s%s%s", classes[span->kind], span_failed(model, span) ? " failed" : "",
		 span->unfinished ? " unfinished" : "");
	return text;
}

static bool shown(const struct layout *layout, const struct span *span)
{
	return span->end_ns >= layout->scale.begin_ns && span->begin_ns <= layout->scale.end_ns;
}

/* ---- bars ---- */

static void draw_bar(struct svg *svg, const struct model *model, const struct layout *layout, const struct bar *bar)
{
	const struct span *span = &model->spans[bar->span];
	double height = span->kind == SPAN_TURN ? layout->turn_height - 1 : layout->lane_height;
	double width = bar->right - bar->left;
	char class_name[64];
	struct tip tip = {.used = 0};

	span_class(model, span, class_name, sizeof(class_name));
	if (width < NARROW)
		strcat(class_name, " narrow");
	if (bar->count > 1) {
		tip_add(&tip, "%zu short ones", bar->count);
		tip_text(&tip, ", from ", span_name(model, span), 200);
		tip_add(&tip, " on");
		tip_duration(&tip, "\nin all ", bar->total_ns);
	} else {
		tip_span(&tip, model, span);
	}
	svg_rect(svg, bar->left, layout_span_y(layout, model, span), width > TINY ? width : TINY, height, class_name,
		 tip.text);
}

/* A failure shows without colour, too. */
static void draw_cross(struct svg *svg, const struct model *model, const struct layout *layout, const struct bar *bar)
{
	const struct span *span = &model->spans[bar->span];
	double width = bar->right - bar->left;
	double x = width > 2 * CROSS ? bar->right - CROSS : (bar->left + bar->right) / 2;
	double y = layout_span_y(layout, model, span) + CROSS;
	char path[160];

	snprintf(path, sizeof(path), "M%.1f %.1fl%d %dm0 -%dl-%d %d", x - 3, y - 3, 6, 6, 6, 6, 6);
	svg_path(svg, path, "cross", NULL);
}

/* Adds a span to its lane: a tiny one joins a tiny one of the same kind that it touches. */
static void add_bar(struct bars *bars, size_t *last, const struct model *model, const struct layout *layout,
		    size_t index)
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
		return;
	}
	last[span->lane] = bars->count;
	*APPEND(bars->bars, bars->count) =
		(struct bar){left, right, span->lane, index, 1, span->end_ns - span->begin_ns};
}

static void collect_bars(struct bars *bars, const struct model *model, const struct layout *layout, const size_t *spans,
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

static void bar_name(const struct model *model, const struct span *span, char *text, size_t bytes)
{
	bool wait = span->kind == SPAN_WAIT;
	const char *before = !wait ? "" : span->awaited == NONE ? "waits" : "waits for ";
	const char *name = !wait                   ? span_name(model, span)
			   : span->awaited == NONE ? ""
						   : call_name(&model->calls[span->awaited]);

	snprintf(text, bytes, "%s%.*s", before, text_bytes(name, (int)(bytes - sizeof("waits for "))), name);
}

/* In the bar, else right of it, else left of it, else a part of it in the bar. Returns up to where the lane is taken.
 */
static double draw_name(struct svg *svg, const struct layout *layout, const char *name, const struct bar *bar, double y,
			double taken, double next)
{
	double width = text_width(name) * layout->font;
	double right_end = layout->scale.left + layout->scale.width + 20;
	char part[256];

	if (next > right_end)
		next = right_end;
	if (width + 2 * MARGIN <= bar->right - bar->left) {
		svg_text(svg, bar->left + MARGIN, y, 0, "start", NULL, name);
	} else if (bar->right + 2 * MARGIN + width <= next) {
		svg_text(svg, bar->right + MARGIN, y, 0, "start", NULL, name);
		return bar->right + MARGIN + width;
	} else if (bar->left - 2 * MARGIN - width >= taken) {
		svg_text(svg, bar->left - MARGIN, y, 0, "end", NULL, name);
	} else if (text_fit(name, bar->right - bar->left - MARGIN, layout->font, part, sizeof(part))[0]) {
		svg_text(svg, bar->left + MARGIN / 2, y, 0, "start", NULL, part);
	}
	return bar->right;
}

/* A wait that stands on another span has no name of its own. */
static bool is_named(const struct model *model, const struct bar *bar)
{
	const struct span *span = &model->spans[bar->span];

	return bar->count == 1 && !(span->kind == SPAN_WAIT && span->parent != NONE);
}

static void draw_names(struct svg *svg, const struct model *model, const struct layout *layout, const struct bars *bars,
		       unsigned int lanes)
{
	double *next_of_lane = malloc((lanes + 1) * sizeof(double));
	double *taken = malloc((lanes + 1) * sizeof(double));
	double *next = malloc((bars->count + 1) * sizeof(double));
	char name[256];

	if (!next_of_lane || !taken || !next)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	for (unsigned int i = 0; i < lanes; i++) {
		next_of_lane[i] = layout->width;
		taken[i] = layout->scale.left;
	}
	for (size_t i = bars->count; i-- > 0;) {
		const struct span *span = &model->spans[bars->bars[i].span];

		next[i] = next_of_lane[bars->bars[i].lane];
		if (span->kind != SPAN_WAIT || span->parent == NONE)
			next_of_lane[bars->bars[i].lane] = bars->bars[i].left;
	}
	for (size_t i = 0; i < bars->count; i++) {
		const struct bar *bar = &bars->bars[i];
		const struct span *span = &model->spans[bar->span];
		double y = layout_span_y(layout, model, span) + layout->lane_height / 2 + layout->font * 0.36;

		if (!is_named(model, bar)) {
			if (bar->right > taken[bar->lane])
				taken[bar->lane] = bar->right;
			continue;
		}
		bar_name(model, span, name, sizeof(name));
		taken[bar->lane] = draw_name(svg, layout, name, bar, y, taken[bar->lane], next[i]);
	}
	free(next_of_lane);
	free(taken);
	free(next);
}

/* ---- rows ---- */

static void draw_label(struct svg *svg, const struct model *model, const struct layout *layout, const struct row *row)
{
	const struct thread *thread = &model->threads[row->first_thread];
	const struct process *process = &model->processes[thread->process];
	double size = layout->lane_height - 2 > 11 ? 11 : layout->lane_height - 2;
	char text[64];

	if (thread->tid < 0)
		snprintf(text, sizeof(text), "probes");
	else if (row->thread_count > 1)
		snprintf(text, sizeof(text), "%zu threads", row->thread_count);
	else if (process->pid == 0)
		snprintf(text, sizeof(text), "thread %ld", thread->tid);
	else if (thread->tid == process->pid)
		snprintf(text, sizeof(text), "main · %ld", thread->tid);
	else
		snprintf(text, sizeof(text), "thread %zu · %ld", thread->number, thread->tid);
	svg_text(svg, layout->scale.left - 10, row->y + layout->lane_height / 2 + size * 0.36, size, "end", NULL, text);
}

static void draw_process(struct svg *svg, const struct model *model, const struct layout *layout, const struct row *row)
{
	const struct process *process = &model->processes[row->process];
	char fitted[512];
	char text[512];

	if (process->pid == 0)
		snprintf(text, sizeof(text), "kernel log");
	else if (process->program)
		snprintf(text, sizeof(text), "%.*s, process %ld", text_bytes(process->program, 400), process->program,
			 process->pid);
	else
		snprintf(text, sizeof(text), "process %ld", process->pid);
	svg_text(svg, 24, row->y - 7, 11.5, "start", "process",
		 text_fit(text, layout->width - 48, 11.5, fitted, sizeof(fitted)));
}

static void draw_row(struct svg *svg, const struct model *model, const struct layout *layout, const struct row *row)
{
	struct bars turns = {NULL, 0};
	struct bars bars = {NULL, 0};

	collect_bars(&bars, model, layout, row->spans, row->span_count, row->lanes);
	collect_bars(&turns, model, layout, row->turns, row->turn_count, row->turn_lanes);
	svg_group(svg, "bars");
	for (size_t i = 0; i < turns.count; i++)
		draw_bar(svg, model, layout, &turns.bars[i]);
	for (size_t i = 0; i < bars.count; i++)
		draw_bar(svg, model, layout, &bars.bars[i]);
	for (size_t i = 0; i < bars.count; i++)
		if (span_failed(model, &model->spans[bars.bars[i].span]) && layout->lane_height >= 2 * CROSS)
			draw_cross(svg, model, layout, &bars.bars[i]);
	svg_group_end(svg);
	if (layout->font > 0)
		draw_names(svg, model, layout, &bars, row->lanes);
	free(turns.bars);
	free(bars.bars);
}

/* ---- lines between rows ---- */

static double middle(const struct layout *layout, const struct model *model, const struct span *span)
{
	return layout_span_y(layout, model, span) + layout->lane_height / 2;
}

static int compare_longer(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return left == right ? 0 : left > right ? -1 : 1;
}

/* Only the longest waits get their line when there are many. */
static uint64_t shortest_line_ns(const struct model *model)
{
	uint64_t *lengths = NULL;
	uint64_t shortest_ns = 0;
	size_t count = 0;

	for (size_t i = 0; i < model->span_count; i++)
		if (model->spans[i].kind == SPAN_WAIT && model->spans[i].awaited != NONE)
			*APPEND(lengths, count) = model->spans[i].end_ns - model->spans[i].begin_ns;
	if (count > WAIT_LINES_MOST) {
		qsort(lengths, count, sizeof(*lengths), compare_longer);
		shortest_ns = lengths[WAIT_LINES_MOST - 1];
	}
	free(lengths);
	return shortest_ns;
}

static void draw_wait_lines(struct svg *svg, const struct model *model, const struct layout *layout)
{
	uint64_t shortest_ns = shortest_line_ns(model);

	svg_group(svg, "waits");
	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *wait = &model->spans[i];
		const struct call *call = wait->awaited == NONE ? NULL : &model->calls[wait->awaited];
		size_t from = !call ? NONE : call->retire != NONE ? call->retire : call->run;

		if (wait->kind != SPAN_WAIT || from == NONE || wait->end_ns - wait->begin_ns < shortest_ns ||
		    !shown(layout, wait) || !shown(layout, &model->spans[from]) ||
		    model->spans[from].thread == wait->thread)
			continue;
		svg_line(svg, scale_x(&layout->scale, call->completed_ns), middle(layout, model, &model->spans[from]),
			 scale_x(&layout->scale, wait->end_ns), middle(layout, model, wait), NULL);
	}
	svg_group_end(svg);
}

static size_t count_links(const struct model *model, const struct layout *layout)
{
	size_t count = 0;

	for (size_t i = 0; i < model->chain_count; i++)
		count += scale_x(&layout->scale, model->chain[i].end_ns) -
				 scale_x(&layout->scale, model->chain[i].begin_ns) >=
			 CHAIN_NARROWEST;
	return count;
}

/*
 * The chain runs along the lower edges of its bars. Where the next part did not begin at once (a call waited
 * for a worker, or the program did what it does not trace), a dashed line leads to it.
 */
static void draw_chain(struct svg *svg, const struct model *model, const struct layout *layout)
{
	double later_x = 0;
	double later_y = 0;
	bool connected = false;
	bool connect = count_links(model, layout) <= CHAIN_LINES_MOST;

	svg_group(svg, "critical");
	for (size_t i = 0; i < model->chain_count; i++) {
		const struct link *link = &model->chain[i];
		const struct span *span = &model->spans[link->span];
		double left = scale_x(&layout->scale, link->begin_ns);
		double right = scale_x(&layout->scale, link->end_ns);
		double y;

		if (!shown(layout, span) || right - left < CHAIN_NARROWEST)
			continue;
		y = layout_span_y(layout, model, span) + layout->lane_height - 1.2;
		if (connected && (y > later_y + 1 || y < later_y - 1))
			svg_line(svg, right, y, right, later_y, "follows");
		if (connected && later_x - right > 1)
			svg_line(svg, right, later_y, later_x, later_y, "follows idle");
		svg_line(svg, left, y, right, y, "chain");
		later_x = left;
		later_y = y;
		connected = connect;
	}
	svg_group_end(svg);
}

void draw_rows(struct svg *svg, const struct model *model, const struct layout *layout)
{
	for (size_t i = 0; i < layout->row_count; i++) {
		const struct row *row = &layout->rows[i];

		if (model->process_count > 1 && (i == 0 || layout->rows[i - 1].process != row->process))
			draw_process(svg, model, layout, row);
		draw_label(svg, model, layout, row);
	}
	draw_wait_lines(svg, model, layout);
	svg_group_sized(svg, "names", layout->font);
	for (size_t i = 0; i < layout->row_count; i++)
		draw_row(svg, model, layout, &layout->rows[i]);
	svg_group_end(svg);
	draw_chain(svg, model, layout);
}
