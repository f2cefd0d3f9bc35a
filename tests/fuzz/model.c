/* SPDX-License-Identifier: MIT */
/* What holds for every chart, whatever the lines said that it was made of. */
#include <fcntl.h>
#include <libxml/parser.h>
#include <math.h>

#include "draw.h"
#include "fuzz.h"
#include "model.h"

/* No span is nested in itself. */
static void check_nesting(const struct model *model)
{
	size_t *depths = fuzz_memory(calloc(model->span_count + 1, sizeof(*depths)));

	for (size_t i = 0; i < model->span_count; i++) {
		size_t depth = 0;

		for (size_t j = i; j != NONE && !depths[j]; j = model->spans[j].parent)
			HOLD(++depth <= model->span_count);
		depths[i] = 1; /* known to end */
	}
	free(depths);
}

static void check_span(const struct model *model, const struct span *span)
{
	HOLD(span->thread < model->thread_count);
	HOLD(span->begin_ns <= span->end_ns);
	HOLD(span->begin_ns >= model->begin_ns && span->end_ns <= model->end_ns);
	HOLD(span->call == NONE || span->call < model->call_count);
	HOLD(span->awaited == NONE || span->awaited < model->call_count);
	if (span->parent == NONE)
		return;
	HOLD(span->parent < model->span_count);
	HOLD(model->spans[span->parent].thread == span->thread);
	HOLD(model->spans[span->parent].begin_ns <= span->begin_ns);
	HOLD(model->spans[span->parent].end_ns >= span->end_ns);
}

/* Every span stands in its thread's list once, in order of their begin. */
static void check_threads(const struct model *model)
{
	size_t spans = 0;

	for (size_t i = 0; i < model->thread_count; i++) {
		const struct thread *thread = &model->threads[i];

		HOLD(thread->process < model->process_count);
		spans += thread->span_count;
		for (size_t j = 0; j < thread->span_count; j++) {
			const struct span *span = &model->spans[thread->spans[j]];

			HOLD(span->thread == i);
			HOLD(j == 0 || model->spans[thread->spans[j - 1]].begin_ns <= span->begin_ns);
		}
	}
	HOLD(spans == model->span_count);
}

static void check_calls(const struct model *model)
{
	for (size_t i = 0; i < model->call_count; i++) {
		const struct call *call = &model->calls[i];

		HOLD(call->process < model->process_count && call->cookie);
		HOLD(call->run == NONE ||
		     (model->spans[call->run].kind == SPAN_RUN && model->spans[call->run].call == i));
		HOLD(call->retire == NONE || model->spans[call->retire].kind == SPAN_RETIRE);
		HOLD(call->scheduler == NONE || call->scheduler < model->thread_count);
		HOLD(*call_name(call));
	}
}

static bool has_call(const struct model *model, const struct record *record)
{
	for (size_t i = 0; i < model->call_count; i++)
		if (model->calls[i].cookie == record->cookie &&
		    model->processes[model->calls[i].process].pid == record->pid)
			return true;
	return false;
}

/* No event is lost on the way from the records. (A kernel log's beside a trace are: they say the same again.) */
static void check_records(const struct model *model, const struct input *input)
{
	size_t waits = 0, ends = 0, phases = 0, kernel = 0, wait_spans = 0;

	for (size_t i = 0; i < input->count; i++)
		kernel += input->records[i].pid == 0;
	if (kernel && kernel < input->count)
		return;
	for (size_t i = 0; i < input->count; i++) {
		const struct record *record = &input->records[i];

		waits += record->type == ASYNC_TRACE_WAITING || record->type == ASYNC_TRACE_AWAITING;
		ends += record->type == ASYNC_TRACE_CONTINUED || record->type == ASYNC_TRACE_AWAITED;
		phases += record->type == ASYNC_TRACE_PHASE;
		if (record->cookie && record->type < ASYNC_TRACE_WAITING)
			HOLD(has_call(model, record));
	}
	for (size_t i = 0; i < model->span_count; i++)
		wait_spans += model->spans[i].kind == SPAN_WAIT;
	HOLD(wait_spans >= waits && wait_spans <= waits + ends);
	HOLD(model->phase_count == phases);
}

/* Backwards in time, one after the other, never twice the same moment. */
static void check_chain(const struct model *model)
{
	uint64_t last_ns = model->end_ns;

	for (size_t i = 0; i < model->chain_count; i++) {
		const struct link *link = &model->chain[i];

		HOLD(link->span < model->span_count);
		HOLD(link->begin_ns < link->end_ns && link->end_ns <= last_ns);
		HOLD(link->begin_ns >= model->begin_ns);
		last_ns = link->begin_ns;
	}
}

/* Bars of a lane do not cover each other. */
static void check_row(const struct model *model, const struct row *row)
{
	uint64_t *ends_ns = fuzz_memory(calloc(row->lanes, sizeof(*ends_ns)));

	HOLD(isfinite(row->y) && isfinite(row->height) && row->height > 0);
	for (size_t i = 0; i < row->span_count; i++) {
		const struct span *span = &model->spans[row->spans[i]];

		HOLD(span->lane < row->lanes);
		if (span->kind == SPAN_WAIT && span->parent != NONE)
			continue; /* stands on the span that it interrupts */
		if (row->deep && span->lane == row->lanes - 1)
			continue; /* too deep for a lane of its own */
		HOLD(span->begin_ns >= ends_ns[span->lane]);
		ends_ns[span->lane] = span->end_ns;
	}
	free(ends_ns);
}

static void check_layout(const struct model *model, const struct layout *layout)
{
	size_t spans = 0;

	for (size_t i = 0; i < layout->row_count; i++) {
		spans += layout->rows[i].span_count + layout->rows[i].turn_count;
		if (!layout->rows[i].folded)
			check_row(model, &layout->rows[i]);
	}
	HOLD(spans == model->span_count); /* all of the time is shown */
	HOLD(isfinite(layout->height) && layout->height > 0);
}

/* The picture is XML, and the summary is text. */
static void check_output(struct model *model, struct layout *layout, const char *title)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *file = fuzz_memory(open_memstream(&text, &bytes));
	xmlDoc *document;

	HOLD(draw(&(struct picture){NULL, title, model, layout}, file) == 0);
	fclose(file);
	document = xmlReadMemory(text, (int)bytes, "chart.svg", NULL, XML_PARSE_NONET | XML_PARSE_HUGE);
	HOLD(document);
	xmlFreeDoc(document);
	free(text);
	file = fuzz_memory(open_memstream(&text, &bytes));
	HOLD(summary_print(model, title, file) == 0);
	fclose(file);
	HOLD(bytes && text[bytes - 1] == '\n' && strlen(text) == bytes);
	for (size_t i = 0; i < bytes; i++)
		HOLD(text[i] == '\n' || (unsigned char)text[i] >= ' ');
	free(text);
}

void check_chart(struct input *input, bool picture)
{
	const struct selection all = {0};
	struct layout layout;
	struct model model;
	char title[512];

	if (!model_build(&model, input, 0)) {
		model_free(&model);
		return;
	}
	model_find_chain(&model);
	for (size_t i = 0; i < model.span_count; i++)
		check_span(&model, &model.spans[i]);
	check_nesting(&model);
	check_threads(&model);
	check_calls(&model);
	check_records(&model, input);
	check_chain(&model);
	title_text(&model, &all, NULL, title, sizeof(title));
	layout_build(&layout, &model, layout_length_ns(&model, &all), 1400);
	check_layout(&model, &layout);
	if (picture)
		check_output(&model, &layout, title);
	layout_free(&layout);
	model_free(&model);
}

/* In place of the C library's: a trace may name any file. */
int open(const char *path, int flags, ...)
{
	HOLD(*path && (flags & O_CLOEXEC));
	return -1;
}
