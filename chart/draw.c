/* SPDX-License-Identifier: MIT */
/* The picture but for its rows: title, legend, phases, axis, load. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chart.h"
#include "draw.h"

#define TICKS 12

static const char style[] =
	"svg { background: #ffffff; font-family: \"Helvetica Neue\", Arial, \"Liberation Sans\", \"DejaVu Sans\","
	" sans-serif; font-size: 11px }\n"
	"text { fill: #1f2933 }\n"
	".page { fill: #ffffff }\n"
	".title { font-size: 19px; font-weight: bold }\n"
	".quiet { fill: #52606d }\n"
	".process { fill: #52606d; stroke: #ffffff; stroke-width: 4; paint-order: stroke }\n"
	".grid { stroke: #dde3ea; stroke-width: 1 }\n"
	".boundary { stroke: #9aa5b1; stroke-width: 1; stroke-dasharray: 4 3 }\n"
	".phase0 { fill: #dfe7f1 } .phase1 { fill: #ebe6f3 }\n"
	"path.load { fill: #a9cdf0; stroke: #3d7ab5; stroke-width: 1 }\n"
	"path.pending { fill: #e6e9ee; stroke: #7b8794; stroke-width: 1 }\n"
	"rect.run { fill: #a9cdf0; stroke: #3d7ab5 }\n"
	"rect.step { fill: #d3dae3; stroke: #6b7f95 }\n"
	"rect.retire { fill: #86cf92; stroke: #34834a }\n"
	"rect.wait { fill: url(#stripes); stroke: #b98900 }\n"
	"rect.turn { fill: #b48ad6; stroke: none }\n"
	"rect.failed { fill: #ee8278; stroke: #b3261e }\n"
	"path.cross { fill: none; stroke: #6b120c; stroke-width: 1.8; pointer-events: none }\n"
	".unfinished { stroke-dasharray: 4 2 }\n"
	".bars rect { stroke-width: 0.8 } .bars rect:hover { stroke-width: 2 }\n"
	".bars rect.narrow { stroke: none }\n"
	"rect.run.narrow { fill: #77ade0 } rect.step.narrow { fill: #94a3b5 } rect.retire.narrow { fill: #5fb974 }\n"
	"rect.wait.narrow { fill: #e3b53c } rect.failed.narrow { fill: #dc5a4f }\n"
	".waits { stroke: #8d6a00; stroke-width: 1; stroke-opacity: 0.75; fill: none }\n"
	".chain { stroke: #d6225f; stroke-width: 2.4 }\n"
	".follows { stroke: #d6225f; stroke-width: 1 } .idle { stroke-dasharray: 3 3 }\n"
	".worse { fill: #b3261e } .better { fill: #23703a }\n"
	".names text { pointer-events: none }\n";

struct item {
	const char *text;
	const char *class_name;
	bool line;
};

static bool has_kind(const struct model *model, enum span_kind kind)
{
	for (size_t i = 0; i < model->span_count; i++)
		if (model->spans[i].kind == kind)
			return true;
	return false;
}

static bool has_failed(const struct model *model)
{
	for (size_t i = 0; i < model->span_count; i++)
		if (span_failed(model, &model->spans[i]))
			return true;
	return false;
}

static double legend_item(struct svg *svg, double x, double y, const struct item *item)
{
	if (item->line)
		svg_line(svg, x, y - 4, x + 18, y - 4, item->class_name);
	else if (strcmp(item->class_name, "turn") == 0)
		svg_rect(svg, x, y - 6, 18, 4, item->class_name, NULL);
	else
		svg_rect(svg, x, y - 10, 18, 12, item->class_name, NULL);
	svg_text(svg, x + 24, y, 11, "start", "quiet", item->text);
	return x + 24 + text_width(item->text) * 10 + 16;
}

static void draw_legend(struct svg *svg, const struct model *model, const struct layout *layout)
{
	static const struct item items[] = {
		[SPAN_RUN] = {"running", "run", false},
		[SPAN_STEP] = {"synchronous step", "step", false},
		[SPAN_RETIRE] = {"retiring, in order", "retire", false},
		[SPAN_WAIT] = {"waiting for calls", "wait", false},
		[SPAN_TURN] = {"returned, waiting for its turn", "turn", false},
	};
	static const struct item failed = {"failed, with a cross", "failed", false};
	static const struct item chain = {"what the total depends on", "chain", true};
	static const struct item ends = {"which call ended a wait", "waits", true};
	double x = 24;

	svg_group(svg, "bars");
	for (size_t i = 0; i < SPAN_TYPES; i++)
		if (has_kind(model, (enum span_kind)i))
			x = legend_item(svg, x, layout->legend_y, &items[i]);
	if (has_failed(model))
		x = legend_item(svg, x, layout->legend_y, &failed);
	if (has_kind(model, SPAN_WAIT) && model->call_count)
		x = legend_item(svg, x, layout->legend_y, &ends);
	if (model->chain_count)
		legend_item(svg, x, layout->legend_y, &chain);
	svg_group_end(svg);
}

static void draw_phase(struct svg *svg, const struct layout *layout, const struct phase *phase, double y, bool odd)
{
	double from = scale_x(&layout->scale, phase->begin_ns);
	double to = scale_x(&layout->scale, phase->end_ns);
	char duration[32];
	char tooltip[512];
	char name[256];

	if (phase->end_ns < layout->scale.begin_ns || phase->begin_ns > layout->scale.end_ns)
		return;
	duration_text(phase->end_ns - phase->begin_ns, duration, sizeof(duration));
	snprintf(tooltip, sizeof(tooltip), "%.*s: %s", text_bytes(phase->name, 400), phase->name, duration);
	svg_rect(svg, from, y, to - from, layout->phases_height, odd ? "phase1" : "phase0", tooltip);
	snprintf(name, sizeof(name), "%.*s  %s", text_bytes(phase->name, 200), phase->name, duration);
	if (text_width(name) * 11 > to - from - 6)
		snprintf(name, sizeof(name), "%.*s", text_bytes(phase->name, 200), phase->name);
	text_fit(name, to - from - 6, 11, tooltip, sizeof(tooltip));
	svg_text(svg, from + 3, y + 14, 11, "start", NULL, tooltip);
	if (phase->begin_ns > layout->scale.begin_ns)
		svg_line(svg, from, layout->load_y - 4, from, layout->rows_bottom, "boundary");
}

static int compare_phases(const void *a, const void *b, void *data)
{
	const struct model *model = data;
	const struct phase *left = &model->phases[*(const size_t *)a];
	const struct phase *right = &model->phases[*(const size_t *)b];
	bool left_kernel = model->processes[left->process].pid == 0;
	bool right_kernel = model->processes[right->process].pid == 0;

	if (left_kernel != right_kernel)
		return left_kernel ? -1 : 1;
	if (left->process != right->process)
		return left->process < right->process ? -1 : 1;
	return (left > right) - (left < right);
}

/* Those of one process follow each other; a kernel's come first: they began before all others. */
static size_t *sort_phases(const struct model *model)
{
	size_t *phases = NULL;
	size_t count = 0;

	for (size_t i = 0; i < model->phase_count; i++)
		*APPEND(phases, count) = i;
	if (count)
		qsort_r(phases, count, sizeof(*phases), compare_phases, (void *)(uintptr_t)model);
	return phases;
}

static void draw_phases_label(struct svg *svg, const struct model *model, const struct layout *layout,
			      const struct process *process, double y)
{
	char label[64];

	snprintf(label, sizeof(label), "phases");
	if (model->process_count > 1)
		snprintf(label, sizeof(label), process->pid ? "phases of %ld" : "phases of Linux", process->pid);
	svg_text(svg, layout->scale.left - 10, y + 14, 11, "end", "quiet", label);
}

static void draw_phases(struct svg *svg, const struct model *model, const struct layout *layout)
{
	size_t *phases = sort_phases(model);
	double y = layout->phases_y;
	bool odd = false;

	svg_group(svg, "phases");
	for (size_t i = 0; i < model->phase_count; i++) {
		const struct phase *phase = &model->phases[phases[i]];
		bool first = i == 0 || model->phases[phases[i - 1]].process != phase->process;

		if (i && first)
			y += layout->phases_height + 2;
		if (first)
			draw_phases_label(svg, model, layout, &model->processes[phase->process], y);
		odd = !first && !odd;
		draw_phase(svg, layout, phase, y, odd);
	}
	svg_group_end(svg);
	free(phases);
}

static void draw_axis(struct svg *svg, const struct model *model, const struct layout *layout)
{
	uint64_t step_ns = scale_step_ns(&layout->scale, TICKS);
	uint64_t from_ns = layout->scale.begin_ns - model->begin_ns;
	uint64_t to_ns = layout->scale.end_ns - model->begin_ns;
	double top = layout->load_y - 4;
	char label[48];

	svg_group(svg, "axis");
	for (uint64_t t_ns = (from_ns + step_ns - 1) / step_ns * step_ns; t_ns <= to_ns; t_ns += step_ns) {
		double x = scale_x(&layout->scale, model->begin_ns + t_ns);

		svg_line(svg, x, top, x, layout->rows_bottom, "grid");
		tick_text(t_ns, step_ns, label, sizeof(label));
		svg_text(svg, x, top - 5, 11, "middle", "quiet", label);
		svg_text(svg, x, layout->rows_bottom + 16, 11, "middle", "quiet", label);
	}
	svg_group_end(svg);
}

/* ---- how many threads were at work, how many calls were not ---- */

struct area {
	const char *label;
	const char *class_name;
	void (*add)(double *columns, size_t count, const struct model *model, const struct scale *scale);
	double y;
	double height;
};

static void add_time(double *columns, size_t count, const struct scale *scale, const struct span *span, double sign)
{
	double per_column = scale->width / (double)count;
	double from = (scale_x(scale, span->begin_ns) - scale->left) / per_column;
	double to = (scale_x(scale, span->end_ns) - scale->left) / per_column;

	for (size_t i = (size_t)from; i < count && (double)i < to; i++) {
		double begin = from > (double)i ? from : (double)i;
		double end = to < (double)i + 1 ? to : (double)i + 1;

		columns[i] += sign * (end - begin);
	}
}

/* A thread is at work in a span, but not while that span waits; a call that is run in a wait is work again. */
static void add_load(double *columns, size_t count, const struct model *model, const struct scale *scale)
{
	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *span = &model->spans[i];
		bool in_wait = span->parent == NONE || model->spans[span->parent].kind == SPAN_WAIT;

		if (span->end_ns < scale->begin_ns || span->begin_ns > scale->end_ns || span->kind == SPAN_TURN)
			continue;
		if (span->kind == SPAN_WAIT && !in_wait)
			add_time(columns, count, scale, span, -1);
		else if (span->kind != SPAN_WAIT && in_wait)
			add_time(columns, count, scale, span, 1);
	}
}

/* How many calls were scheduled and had not begun. */
static void add_pending(double *columns, size_t count, const struct model *model, const struct scale *scale)
{
	for (size_t i = 0; i < model->call_count; i++) {
		const struct call *call = &model->calls[i];
		uint64_t end_ns = call->started_ns     ? call->started_ns
				  : call->completed_ns ? call->completed_ns
						       : model->end_ns;
		struct span pending = {.begin_ns = call->scheduled_ns, .end_ns = end_ns};

		if (call->scheduled_ns && end_ns > call->scheduled_ns && end_ns >= scale->begin_ns &&
		    call->scheduled_ns <= scale->end_ns)
			add_time(columns, count, scale, &pending, 1);
	}
}

static void area_path(struct svg *svg, const struct area *area, const struct scale *scale, const double *columns,
		      size_t count, double most)
{
	double step = scale->width / (double)count;
	double bottom = area->y + area->height;
	char *path = NULL;
	size_t bytes = 0;
	FILE *file = open_memstream(&path, &bytes);
	double before = -1;

	if (!file)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	fprintf(file, "M%.1f %.1f", scale->left, bottom);
	for (size_t i = 0; i < count; i++) {
		double y = bottom - (columns[i] > 0 ? columns[i] : 0) / most * area->height;

		if (y - before < 0.05 && before - y < 0.05)
			continue;
		fprintf(file, "H%.1fV%.1f", scale->left + step * (double)i, y);
		before = y;
	}
	fprintf(file, "H%.1fV%.1fZ", scale->left + scale->width, bottom);
	fclose(file);
	svg_path(svg, path, area->class_name, NULL);
	free(path);
}

static void draw_area(struct svg *svg, const struct model *model, const struct layout *layout, const struct area *area)
{
	size_t count = (size_t)layout->scale.width;
	double *columns = calloc(count + 1, sizeof(*columns));
	double most = 1;
	char label[64];

	if (!columns)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	area->add(columns, count, model, &layout->scale);
	for (size_t i = 0; i < count; i++)
		most = columns[i] > most ? columns[i] : most;
	svg_group(svg, area->class_name);
	svg_text(svg, layout->scale.left - 10, area->y + area->height / 2 - 2, 11, "end", NULL, area->label);
	snprintf(label, sizeof(label), "at most %.0f", most);
	svg_text(svg, layout->scale.left - 10, area->y + area->height / 2 + 12, 11, "end", "quiet", label);
	area_path(svg, area, &layout->scale, columns, count, most);
	svg_group_end(svg);
	free(columns);
}

static void draw_load(struct svg *svg, const struct model *model, const struct layout *layout)
{
	struct area load = {"threads at work", "load", add_load, layout->load_y, layout->load_height};
	struct area pending = {"calls not begun", "pending", add_pending, layout->load_y + layout->load_height + 6,
			       layout->pending_height};

	draw_area(svg, model, layout, &load);
	if (layout->pending_height > 0)
		draw_area(svg, model, layout, &pending);
}

/* ---- title ---- */

__attribute__((format(printf, 3, 4))) static void add(char *text, size_t bytes, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, bytes - used, format, args);
	va_end(args);
}

static void subtitle_text(const struct model *model, char *text, size_t bytes)
{
	size_t failed = 0;
	size_t cancelled = 0;
	size_t inlined = 0;
	size_t steps = 0;

	for (size_t i = 0; i < model->call_count; i++) {
		failed += model->calls[i].error != 0;
		cancelled += model->calls[i].cancelled;
		inlined += model->calls[i].inlined;
	}
	for (size_t i = 0; i < model->span_count; i++)
		steps += model->spans[i].kind == SPAN_STEP;
	text[0] = 0;
	add(text, bytes, "%zu asynchronous call%s", model->call_count, model->call_count == 1 ? "" : "s");
	if (inlined)
		add(text, bytes, " (%zu inline)", inlined);
	if (steps)
		add(text, bytes, ", %zu synchronous step%s", steps, steps == 1 ? "" : "s");
	if (failed)
		add(text, bytes, ", %zu failed", failed);
	if (cancelled)
		add(text, bytes, ", %zu cancelled", cancelled);
	add(text, bytes, ", %zu thread%s", model->thread_count, model->thread_count == 1 ? "" : "s");
	if (model->process_count > 1)
		add(text, bytes, " in %zu processes", model->process_count);
	if (model->processes[0].realtime_ns) {
		time_t seconds = (time_t)(model->processes[0].realtime_ns / 1000000000);
		struct tm tm;
		char when[64];

		if (gmtime_r(&seconds, &tm) && strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm))
			add(text, bytes, ", begun %s", when);
	}
	for (size_t i = 0; i < model->note_count; i++)
		add(text, bytes, "; %s", model->notes[i]);
}

static void draw_picture(struct svg *svg, const struct picture *picture)
{
	const struct model *model = picture->model;
	const struct layout *layout = picture->layout;
	char title[600];
	char fitted[600];
	char text[1024];

	snprintf(title, sizeof(title), "%s%s%s", picture->label ? picture->label : "", picture->label ? ": " : "",
		 picture->title);
	svg_text(svg, 24, 32, 0, "start", "title",
		 text_fit(title, (layout->width - 48) * 0.88, 19, fitted, sizeof(fitted)));
	subtitle_text(model, text, sizeof(text));
	svg_text(svg, 24, 50, 11.5, "start", "quiet", text);
	draw_legend(svg, model, layout);
	draw_axis(svg, model, layout);
	draw_phases(svg, model, layout);
	draw_load(svg, model, layout);
	draw_rows(svg, model, layout);
}

int draw(const struct picture *picture, FILE *file)
{
	const struct layout *layout = picture->layout;
	struct svg *svg = svg_open(layout->width, layout->height, picture->title, style);

	if (!svg)
		return -ENOMEM;
	svg_stripes(svg, "stripes", "#fdf0c8", "#f0cf73");
	svg_rect(svg, 0, 0, layout->width, layout->height, "page", NULL);
	draw_picture(svg, picture);
	return svg_close(svg, file);
}

int draw_compared(const struct picture pictures[2], const struct comparison *comparison, FILE *file)
{
	double width = pictures[0].layout->width;
	double after_y = pictures[0].layout->height + 12;
	double moves_y = after_y + pictures[1].layout->height + 12;
	double height = moves_y + draw_moves_height(comparison);
	struct svg *svg = svg_open(width, height, pictures[1].title, style);

	if (!svg)
		return -ENOMEM;
	svg_stripes(svg, "stripes", "#fdf0c8", "#f0cf73");
	svg_rect(svg, 0, 0, width, height, "page", NULL);
	draw_picture(svg, &pictures[0]);
	svg_group_at(svg, after_y);
	draw_picture(svg, &pictures[1]);
	svg_group_end(svg);
	svg_group_at(svg, moves_y);
	draw_moves(svg, comparison, width);
	svg_group_end(svg);
	return svg_close(svg, file);
}
