/* SPDX-License-Identifier: MIT */
/* What calls, spans and gaps are called. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>

#include "chart.h"

const char *const link_words[] = {[LINK_SPAN] = "span", [LINK_QUEUED] = "queued", [LINK_DEFERRED] = "defer"};

const char *call_name(const struct call *call)
{
	if (call->name && *call->name)
		return call->name;
	return call->func && *call->func ? resolve(call->func) : "(unnamed)";
}

const char *span_name(const struct model *model, const struct span *span)
{
	if (span->kind == SPAN_STEP)
		return span->name && *span->name ? resolve(span->name) : "(unnamed)";
	if (span->kind == SPAN_WAIT && span->name)
		return span->name;
	return span->call == NONE ? "" : call_name(&model->calls[span->call]);
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

const char *gap_text(const struct model *model, const struct gap *gap, char *text, size_t bytes)
{
	const char *after = gap->after == NONE ? "the first event" : span_name(model, &model->spans[gap->after]);
	const char *before = gap->before == NONE ? "the end" : span_name(model, &model->spans[gap->before]);

	after = *after ? after : "a wait";
	before = *before ? before : "a wait";
	if (gap->before != NONE && model->spans[gap->before].retry_of != NONE) {
		snprintf(text, bytes, "%.*s was deferred, and is not tried again yet", text_bytes(before, 100), before);
		return text;
	}
	snprintf(text, bytes, "nothing traced between %.*s and %.*s", text_bytes(after, 100), after,
		 text_bytes(before, 100), before);
	return text;
}

unsigned int path_permille(const struct model *model)
{
	uint64_t total_ns = model->path.end_ns - model->path.begin_ns;

	return total_ns ? (unsigned int)((double)model->path.explained_ns * 1000 / (double)total_ns) : 1000;
}
