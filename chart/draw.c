/* SPDX-License-Identifier: MIT */
/* The picture but for its rows: title, legend, phases, axis, load. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "draw.h"

#define TICKS 12
#define LEFT 24
#define NOTE_FONT 11.5

static const char style[] =
	"svg { background: #ffffff; font-family: \"Helvetica Neue\", Arial, \"Liberation Sans\", \"DejaVu Sans\","
	" sans-serif; font-size: 11px }\n"
	"text { fill: #1f2933 }\n"
	".page { fill: #ffffff }\n"
	".title { font-size: 19px; font-weight: bold }\n"
	".quiet { fill: #52606d }\n"
	".process { fill: #52606d; stroke: #ffffff; stroke-width: 4; paint-order: stroke }\n"
	".strong { font-weight: bold }\n"
	".grid { stroke: #dde3ea; stroke-width: 1 }\n"
	".boundary { stroke: #9aa5b1; stroke-width: 1; stroke-dasharray: 4 3 }\n"
	".phase0 { fill: #dfe7f1 } .phase1 { fill: #ebe6f3 }\n"
	"path.load { fill: #a9cdf0; stroke: #3d7ab5; stroke-width: 1 }\n"
	"path.waiting { fill: #fdf0c8; stroke: #b98900; stroke-width: 1 }\n"
	"path.pending { fill: #e6e9ee; stroke: #7b8794; stroke-width: 1 }\n"
	"rect.run { fill: #a9cdf0; stroke: #3d7ab5 }\n"
	"rect.step { fill: #d3dae3; stroke: #6b7f95 }\n"
	"rect.retire { fill: #86cf92; stroke: #34834a }\n"
	"rect.wait { fill: url(#stripes); stroke: #b98900 }\n"
	"rect.turn { fill: #b48ad6; stroke: none }\n"
	"rect.failed { fill: #ee8278; stroke: #b3261e }\n"
	"rect.queued { fill: #e6e9ee; stroke: #7b8794 }\n"
	"rect.gap { fill: #ffffff; stroke: #9aa5b1; stroke-dasharray: 2 2 }\n"
	"path.cross { fill: none; stroke: #6b120c; stroke-width: 1.8; pointer-events: none }\n"
	".unfinished { stroke-dasharray: 4 2 }\n"
	".bars rect { stroke-width: 0.8 } .bars rect:hover { stroke-width: 2 }\n"
	".bars rect.narrow { stroke: none }\n"
	"rect.run.narrow { fill: #77ade0 } rect.step.narrow { fill: #94a3b5 } rect.retire.narrow { fill: #5fb974 }\n"
	"rect.wait.narrow { fill: #e3b53c } rect.failed.narrow { fill: #dc5a4f }\n"
	".waits { stroke: #8d6a00; stroke-width: 1; stroke-opacity: 0.75; fill: none }\n"
	".chain { stroke: #d6225f; stroke-width: 2.4 }\n"
	".follows { stroke: #d6225f; stroke-width: 1 } .idle { stroke-dasharray: 3 3 }\n"
	".end { stroke: #1f2933; stroke-width: 1.2 }\n"
	"path.late { fill: #1f2933 }\n"
	".leader { stroke: #52606d; stroke-width: 0.8 }\n"
	".callouts text, .beside { paint-order: stroke; stroke: #ffffff; stroke-width: 2.5 }\n"
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

/* Where the next item of the legend stands, or the next word of the notes. */
struct flow {
	double x, y;
	double right;
	double line;
};

/* Room for @width, in a line of its own if need be. Returns where it begins. */
static double flow_place(struct flow *flow, double width)
{
	double x;

	if (flow->x > LEFT && flow->x + width > flow->right) {
		flow->x = LEFT;
		flow->y += flow->line;
	}
	x = flow->x;
	flow->x += width;
	return x;
}

static void legend_item(struct svg *svg, struct flow *flow, const struct item *item)
{
	double x = flow_place(flow, 24 + text_width(item->text) * 10.5 + 16);
	double y = flow->y;

	if (item->line)
		svg_line(svg, x, y - 4, x + 18, y - 4, item->class_name);
	else if (strcmp(item->class_name, "turn") == 0)
		svg_rect(svg, x, y - 6, 18, 4, item->class_name, NULL);
	else
		svg_rect(svg, x, y - 10, 18, 12, item->class_name, NULL);
	svg_text(svg, x + 24, y, 11, "start", "quiet", item->text);
}

static bool has_queued(const struct model *model)
{
	for (size_t i = 0; i < model->chain_count; i++)
		if (model->chain[i].kind != LINK_SPAN)
			return true;
	return false;
}

static void draw_legend(struct svg *svg, const struct model *model, struct flow *flow)
{
	static const struct item items[] = {
		[SPAN_RUN] = {"running", "run", false},
		[SPAN_STEP] = {"synchronous step", "step", false},
		[SPAN_RETIRE] = {"retiring, in order", "retire", false},
		[SPAN_WAIT] = {"waiting for calls", "wait", false},
		[SPAN_TURN] = {"returned, waiting for its turn", "turn", false},
	};
	static const struct item failed = {"failed, with a cross", "failed", false};
	static const struct item queued = {"not begun yet", "queued", false};
	static const struct item gap = {"nothing traced", "gap", false};
	static const struct item chain = {"what the total depends on", "chain", true};
	static const struct item ends = {"which call ended a wait", "waits", true};

	svg_group(svg, "bars");
	for (size_t i = 0; i < SPAN_TYPES; i++)
		if (has_kind(model, (enum span_kind)i))
			legend_item(svg, flow, &items[i]);
	if (has_failed(model))
		legend_item(svg, flow, &failed);
	if (has_queued(model))
		legend_item(svg, flow, &queued);
	if (model->gap_count)
		legend_item(svg, flow, &gap);
	if (has_kind(model, SPAN_WAIT) && model->call_count)
		legend_item(svg, flow, &ends);
	if (model->chain_count)
		legend_item(svg, flow, &chain);
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
	int64_t step_ns = (int64_t)scale_step_ns(&layout->scale, TICKS);
	int64_t from_ns = (int64_t)(layout->scale.begin_ns - model->zero_ns);
	int64_t to_ns = (int64_t)(layout->scale.end_ns - model->zero_ns);
	double top = layout->load_y - 4;
	char label[48];

	svg_group(svg, "axis");
	for (int64_t t_ns = from_ns / step_ns * step_ns; t_ns <= to_ns; t_ns += step_ns) {
		double x = scale_x(&layout->scale, model->zero_ns + (uint64_t)t_ns);

		if (t_ns < from_ns)
			continue;

		svg_line(svg, x, top, x, layout->rows_bottom, "grid");
		tick_text(t_ns, (uint64_t)step_ns, label, sizeof(label));
		svg_text(svg, x, top - 5, 11, "middle", "quiet", label);
		svg_text(svg, x, layout->axis_y + 16, 11, "middle", "quiet", label);
	}
	svg_group_end(svg);
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
}

struct words {
	double font; /* as wide as this one is a letter, px */
	double size; /* of the font, px; 0: that of the class */
	const char *class_name;
};

static const struct words title_words = {21.6, 0, "title"}; /* bold letters are wider */
static const struct words note_words = {NOTE_FONT, NOTE_FONT, "quiet"};

static void draw_line(struct svg *svg, struct flow *flow, const struct words *words, const char *line)
{
	char fitted[600];

	text_fit(line, flow->right - LEFT, words->font, fitted, sizeof(fitted));
	svg_text(svg, LEFT, flow->y, words->size, "start", words->class_name, fitted);
	flow->y += flow->line;
}

/* In as many lines as they need. */
static void draw_words(struct svg *svg, struct flow *flow, const struct words *words, const char *text)
{
	char line[600];
	size_t used = 0;

	for (const char *word = text; *word;) {
		size_t bytes = strcspn(word, " ");
		size_t next = bytes + strspn(word + bytes, " ");

		snprintf(line + used, sizeof(line) - used, "%s%.*s", used ? " " : "", (int)bytes, word);
		if (used && text_width(line) * words->font > flow->right - LEFT) {
			line[used] = 0;
			draw_line(svg, flow, words, line);
			snprintf(line, sizeof(line), "%.*s", (int)bytes, word);
		}
		used = strlen(line);
		word += next;
	}
	if (used)
		draw_line(svg, flow, words, line);
}

/* Spans that share the last line of a row. */
static size_t count_deep(const struct layout *layout)
{
	size_t deep = 0;

	for (size_t i = 0; i < layout->row_count; i++)
		deep += layout->rows[i].deep;
	return deep;
}

static void draw_notes(struct svg *svg, const struct model *model, const struct layout *layout, struct flow *flow)
{
	char text[1024];

	subtitle_text(model, text, sizeof(text));
	draw_words(svg, flow, &note_words, text);
	path_sentence(model, text, sizeof(text));
	text[0] = 'T';
	draw_words(svg, flow, &note_words, text);
	for (size_t i = 0; i < model->note_count; i++)
		draw_words(svg, flow, &note_words, model->notes[i]);
	if (layout->folded_threads) {
		snprintf(text, sizeof(text),
			 "%zu threads have no row of their own: how many of them ran and waited stands below the rows",
			 layout->folded_threads);
		draw_words(svg, flow, &note_words, text);
	}
	if (count_deep(layout)) {
		snprintf(text, sizeof(text),
			 "%zu calls and steps lie deeper in others than a row has lines: they share its last one",
			 count_deep(layout));
		draw_words(svg, flow, &note_words, text);
	}
}

/* Title, notes and legend. Returns where they end. */
static double draw_head(struct svg *svg, const struct picture *picture)
{
	const struct layout *layout = picture->layout;
	struct flow flow = {LEFT, 32, layout->width - LEFT, 23};
	char title[600];

	snprintf(title, sizeof(title), "%s%s%s", picture->label ? picture->label : "", picture->label ? ": " : "",
		 picture->title);
	draw_words(svg, &flow, &title_words, title);
	flow.y -= 3;
	flow.line = 16;
	draw_notes(svg, picture->model, layout, &flow);
	flow = (struct flow){LEFT, flow.y + 6, layout->width - LEFT, 18};
	draw_legend(svg, picture->model, &flow);
	return flow.y + 18;
}

/* Where the path ends, if more is shown. */
static void draw_end(struct svg *svg, const struct model *model, const struct layout *layout)
{
	double x = scale_x(&layout->scale, model->path.end_ns);
	char text[80];

	if (model->path.end_ns >= layout->scale.end_ns || !model->path.end_name)
		return;
	svg_line(svg, x, layout->strip_y, x, layout->axis_y, "end");
	snprintf(text, sizeof(text), "%.*s", text_bytes(model->path.end_name, 60), model->path.end_name);
	svg_text(svg, x + 4, layout->strip_y + 15, 11, "start", "strong", text);
}

/* At the end of the axis: that more begins after it. */
static void draw_late(struct svg *svg, const struct model *model, const struct layout *layout)
{
	double x = layout->scale.left + layout->scale.width;
	double y = layout->axis_y + 4;
	char text[96];
	char when[32];

	if (!layout->late)
		return;
	snprintf(text, sizeof(text), "M%.1f %.1fl-9 -5v10z", x, y);
	svg_path(svg, text, "late", NULL);
	svg_line(svg, layout->scale.left, y, x - 9, y, "grid");
	snprintf(text, sizeof(text), "%zu step%s after the end of this axis, the first at %s", model->path.late_count,
		 model->path.late_count == 1 ? " begins" : "s begin",
		 moment_text(model, model->path.late_first_ns, when, sizeof(when)));
	svg_text(svg, x, layout->axis_y + 16 + LATE_LINE, 11, "end", "strong", text);
}

/* Returns how high it is. */
static double draw_picture(struct svg *svg, const struct picture *picture)
{
	const struct model *model = picture->model;
	const struct layout *layout = picture->layout;
	double head = draw_head(svg, picture);

	svg_group_at(svg, head);
	draw_axis(svg, model, layout);
	draw_phases(svg, model, layout);
	draw_end(svg, model, layout);
	draw_late(svg, model, layout);
	draw_strip(svg, layout);
	draw_load(svg, model, layout);
	draw_rows(svg, model, layout);
	svg_group_end(svg);
	return head + layout->height;
}

static struct svg *begin(const struct picture *picture)
{
	struct svg *svg = svg_open(picture->title, style);

	if (svg)
		svg_stripes(svg, "stripes", "#fdf0c8", "#f0cf73");
	return svg;
}

int draw(const struct picture *picture, FILE *file)
{
	struct svg *svg = begin(picture);

	if (!svg)
		return -ENOMEM;
	return svg_close(svg, picture->layout->width, draw_picture(svg, picture), file);
}

int draw_compared(const struct picture pictures[2], const struct comparison *comparison, FILE *file)
{
	double width = pictures[0].layout->width;
	struct svg *svg = begin(&pictures[1]);
	double y;

	if (!svg)
		return -ENOMEM;
	y = draw_picture(svg, &pictures[0]) + 12;
	svg_group_at(svg, y);
	y += draw_picture(svg, &pictures[1]) + 12;
	svg_group_end(svg);
	svg_group_at(svg, y);
	draw_moves(svg, comparison, width);
	svg_group_end(svg);
	return svg_close(svg, width, y + draw_moves_height(comparison), file);
}
