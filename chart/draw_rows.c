/* SPDX-License-Identifier: MIT */
/* A row a thread: bars, names in or beside them, who waited for whom, what the total depends on. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "draw.h"

#define NARROW 2.5 /* bars narrower than this have no outline, which would be all that is seen of them */
#define WAIT_LINES_MOST 200
#define CHAIN_LINES_MOST 300 /* a chain of more parts has no lines between them */
#define CHAIN_NARROWEST 0.3
#define CROSS 5.5 /* from the edges to the middle of a cross */

static const char *bar_class(const struct model *model, const struct span *span, char *text, size_t bytes)
{
	snprintf(text, bytes, "%s%s%s", span_words[span->kind], span_failed(model, span) ? " failed" : "",
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
	char tip[1400];

	bar_class(model, span, class_name, sizeof(class_name));
	if (width < NARROW)
		strcat(class_name, " narrow");
	if (bar->count > 1)
		tip_several(tip, sizeof(tip), model, span, bar->count, bar->total_ns);
	else
		tip_span(tip, sizeof(tip), model, span);
	svg_rect(svg, bar->left, layout_span_y(layout, span), width > TINY ? width : TINY, height, class_name, tip);
}

/* A failure shows without colour, too. */
static void draw_cross(struct svg *svg, const struct model *model, const struct layout *layout, const struct bar *bar)
{
	const struct span *span = &model->spans[bar->span];
	double width = bar->right - bar->left;
	double x = width > 2 * CROSS ? bar->right - CROSS : (bar->left + bar->right) / 2;
	double y = layout_span_y(layout, span) + CROSS;
	char path[160];

	snprintf(path, sizeof(path), "M%.1f %.1fl%d %dm0 -%dl-%d %d", x - 3, y - 3, 6, 6, 6, 6, 6);
	svg_path(svg, path, "cross", NULL);
}

/* ---- rows ---- */

static void draw_label(struct svg *svg, const struct model *model, const struct layout *layout, const struct row *row)
{
	const struct thread *thread = &model->threads[row->first_thread];
	const struct process *process = &model->processes[thread->process];
	double size = layout->lane_height - 2 > 11 ? 11 : layout->lane_height - 2;
	char text[64];

	if (thread->tid < 0)
		snprintf(text, sizeof(text), process->is_systemd ? "units" : "probes");
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

static void draw_names(struct svg *svg, const struct bars *bars)
{
	for (size_t i = 0; i < bars->name_count; i++) {
		const struct name *name = &bars->names[i];

		svg_text(svg, name->x, name->y, 0, name->anchor, name->beside ? "beside" : NULL, name->text);
	}
}

static void draw_row(struct svg *svg, const struct model *model, const struct layout *layout, size_t row)
{
	const struct bars *bars = &layout->bars[row];
	const struct bars *turns = &layout->turns[row];

	svg_group(svg, "bars");
	for (size_t i = 0; i < turns->count; i++)
		draw_bar(svg, model, layout, &turns->bars[i]);
	for (size_t i = 0; i < bars->count; i++)
		draw_bar(svg, model, layout, &bars->bars[i]);
	for (size_t i = 0; i < bars->count; i++)
		if (span_failed(model, &model->spans[bars->bars[i].span]) && layout->lane_height >= 2 * CROSS)
			draw_cross(svg, model, layout, &bars->bars[i]);
	svg_group_end(svg);
}

/* ---- lines between rows ---- */

static double middle(const struct layout *layout, const struct span *span)
{
	return layout_span_y(layout, span) + layout->lane_height / 2;
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
		svg_line(svg, scale_x(&layout->scale, call->completed_ns), middle(layout, &model->spans[from]),
			 scale_x(&layout->scale, wait->end_ns), middle(layout, wait), NULL);
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
		y = layout_span_y(layout, span) + layout->lane_height - 1.2;
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
		if (!row->folded)
			draw_label(svg, model, layout, row);
	}
	draw_wait_lines(svg, model, layout);
	for (size_t i = 0; i < layout->row_count; i++)
		if (layout->rows[i].folded)
			draw_folded(svg, model, layout, &layout->rows[i]);
		else
			draw_row(svg, model, layout, i);
	draw_chain(svg, model, layout);
	draw_callouts(svg, &layout->callouts, layout->rows_bottom);
	svg_group_sized(svg, "names", layout->font); /* over the lines, so that each can be read */
	for (size_t i = 0; i < layout->row_count; i++)
		if (!layout->rows[i].folded)
			draw_names(svg, &layout->bars[i]);
	svg_group_end(svg);
}
