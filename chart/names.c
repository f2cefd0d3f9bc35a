/* SPDX-License-Identifier: MIT */
/* What calls, spans and gaps are called. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chart.h"

const char *const link_words[] = {[LINK_SPAN] = "span", [LINK_QUEUED] = "queued", [LINK_DEFERRED] = "defer"};

const char *const span_words[] = {
	[SPAN_RUN] = "run", [SPAN_STEP] = "step", [SPAN_RETIRE] = "retire", [SPAN_WAIT] = "wait", [SPAN_TURN] = "turn"};

const char *call_name(const struct call *call)
{
	if (call->name && *call->name)
		return call->name;
	return call->func && *call->func ? resolve(call->func) : "(unnamed)";
}

const char *domain_text(const char *domain, const char *name)
{
	return name && *name ? name : domain ? resolve(domain) : NULL;
}

const char *span_name(const struct model *model, const struct span *span)
{
	if (span->kind == SPAN_STEP)
		return span->name && *span->name ? resolve(span->name) : "(unnamed)";
	if (span->kind == SPAN_WAIT && span->name)
		return span->name;
	return span->call == NONE ? "" : call_name(&model->calls[span->call]);
}

const char *span_label(const struct model *model, const struct span *span, char *text, size_t bytes)
{
	bool wait = span->kind == SPAN_WAIT;
	bool call = wait && !span->name && span->awaited != NONE;
	const char *name = call                  ? call_name(&model->calls[span->awaited])
			   : wait && !span->name ? ""
						 : span_name(model, span);

	snprintf(text, bytes, "%s%.*s",
		 !wait   ? ""
		 : *name ? "waits for "
			 : "waits",
		 text_bytes(name, (int)(bytes - sizeof("waits for "))), name);
	return text;
}

bool span_failed(const struct model *model, const struct span *span)
{
	bool in_kernel = model->processes[model->threads[span->thread].process].pid == 0;

	if (span->kind == SPAN_STEP) /* a driver without its device, or too early for it, is nothing to worry about */
		return span->error &&
		       !(in_kernel && (span->error == -ENODEV || span->error == -ENXIO || span->error == -PROBE_DEFER));
	return (span->kind == SPAN_RUN || span->kind == SPAN_RETIRE) && span->call != NONE &&
	       model->calls[span->call].error;
}

/* Of a gap's neighbour. */
static const char *neighbour(const struct model *model, size_t index, const char *none, char *text, size_t bytes)
{
	const struct span *span = index == NONE ? NULL : &model->spans[index];
	const char *name = !span                                              ? none
			   : span->kind == SPAN_WAIT && span->awaited != NONE ? call_name(&model->calls[span->awaited])
									      : span_name(model, span);
	bool wait = span && span->kind == SPAN_WAIT;

	snprintf(text, bytes, "%s%.*s", !wait ? "" : *name ? "the wait for " : "a wait", text_bytes(name, 100), name);
	return text;
}

const char *gap_text(const struct model *model, const struct gap *gap, char *text, size_t bytes)
{
	char after[128];
	char before[128];

	if (gap->within != NONE) {
		const char *name = span_name(model, &model->spans[gap->within]);

		snprintf(text, bytes, "%.*s: of what it consists is not traced%s", text_bytes(name, 100), name,
			 strcmp(name, "kernel") == 0 ? " (lines of initcalls would tell)" : "");
		return text;
	}
	neighbour(model, gap->after, "the first event", after, sizeof(after));
	neighbour(model, gap->before, "the end", before, sizeof(before));
	if (gap->before != NONE && model->spans[gap->before].retry_of != NONE) {
		snprintf(text, bytes, "%s was deferred, and is not tried again yet", before);
		return text;
	}
	snprintf(text, bytes, "nothing traced between %s and %s", after, before);
	return text;
}

const char *moment_text(const struct model *model, uint64_t t_ns, char *text, size_t bytes)
{
	if (t_ns >= model->zero_ns)
		return duration_text(t_ns - model->zero_ns, text, bytes);
	text[0] = '-';
	duration_text(model->zero_ns - t_ns, text + 1, bytes - 1);
	return text;
}

bool model_shows(const struct model *model, uint64_t *begin_ns, uint64_t *end_ns)
{
	bool moment = *begin_ns == *end_ns;

	if (*begin_ns < model->shown.begin_ns)
		*begin_ns = model->shown.begin_ns;
	if (*end_ns > model->shown.end_ns)
		*end_ns = model->shown.end_ns;
	return moment ? *begin_ns == *end_ns : *begin_ns < *end_ns;
}

uint64_t shown_ns(const struct model *model, const struct span *span)
{
	uint64_t begin_ns = span->begin_ns;
	uint64_t end_ns = span->end_ns;

	return model_shows(model, &begin_ns, &end_ns) ? end_ns - begin_ns : 0;
}

uint64_t phase_length_ns(const struct model *model, const struct phase *phase)
{
	uint64_t begin_ns = phase->begin_ns;
	uint64_t end_ns = phase->end_ns;

	if (model->path.late_count && end_ns > model->path.end_ns)
		end_ns = model->path.end_ns;
	return model_shows(model, &begin_ns, &end_ns) ? end_ns - begin_ns : 0;
}

unsigned int path_permille(const struct model *model)
{
	uint64_t total_ns = model->path.end_ns - model->path.begin_ns;

	return total_ns ? (unsigned int)((double)model->path.explained_ns * 1000 / (double)total_ns) : 1000;
}
