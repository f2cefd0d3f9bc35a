/* SPDX-License-Identifier: MIT */
/* What a reader of any output has to know, because the lines do not tell all. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define SLACK_NS 1000 /* what a step says that it took is a whole number of microseconds */

void model_note(struct model *model, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	*APPEND(model->notes, model->note_count) = keep(text);
}

static uint64_t first_line(const struct input *input)
{
	uint64_t first_ns = input->first_ns ? input->first_ns : UINT64_MAX;

	for (size_t i = 0; i < input->count; i++)
		if (input->records[i].pid == 0 && input->records[i].t_ns < first_ns)
			first_ns = input->records[i].t_ns;
	return first_ns;
}

/* A ring buffer overwrites its oldest lines: then steps end that began before the first line, which names no kernel. */
static bool lost_beginning(const struct input *input)
{
	const char *kernel = keep("kernel");
	uint64_t first_ns = first_line(input);
	bool headless = false;

	for (size_t i = 0; i < input->count; i++) {
		const struct record *record = &input->records[i];

		if (record->pid == 0 && record->type == ASYNC_TRACE_PHASE && record->name == kernel)
			return false;
		headless = headless || (record->headless && !record->cookie && record->since_ns + SLACK_NS < first_ns);
	}
	return headless;
}

void add_notes(struct model *model, const struct input *input)
{
	char text[32];

	if (lost_beginning(input))
		model_note(model,
			   "the kernel log's beginning is lost: its first line is of %s (boot with log_buf_len=8M, so "
			   "that the ring buffer holds all)",
			   duration_text(first_line(input), text, sizeof(text)));
	if (input->lost_ends)
		model_note(model, "the log lacks the ends of %zu steps: each lasts until its thread's next one at most",
			   input->lost_ends);
	if (input->renamed)
		model_note(model, "%zu steps end under another name than they began with: a character was lost",
			   input->renamed);
	if (input->repeated)
		model_note(model, "%zu lines of the trace are there twice: they count once", input->repeated);
	if (input->callbacks)
		model_note(model,
			   "%zu callbacks of suspend and resume do not tell how long they took: they are not drawn",
			   input->callbacks);
	if (input->clock.placed)
		model_note(model,
			   "%zu lines do not tell the microsecond: they are placed in sequence, by what they say they "
			   "took",
			   input->clock.placed);
}
