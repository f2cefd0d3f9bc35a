/* SPDX-License-Identifier: MIT */
/* Tooltips: all that is known of a bar. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "draw.h"

struct tip {
	char *text;
	size_t bytes;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void tip_add(struct tip *tip, const char *format, ...)
{
	size_t room = tip->bytes - tip->used;
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

static void tip_moment(struct tip *tip, const char *before, const struct model *model, uint64_t t_ns)
{
	char text[32];

	tip_add(tip, "%s%s", before, moment_text(model, t_ns, text, sizeof(text)));
}

static void tip_call(struct tip *tip, const struct model *model, const struct call *call)
{
	tip_add(tip, "\ncookie %" PRIu64, call->cookie);
	if (call->domain)
		tip_text(tip, ", domain ", domain_text(call->domain, call->domain_name), 200);
	if (call->exclusive)
		tip_add(tip, ", exclusive");
	if (call->by)
		tip_add(tip, ", scheduled by the call %" PRIu64, call->by);
	if (call->name && call->func)
		tip_text(tip, "\nfunction ", resolve(call->func), 200);
	if (call->inlined)
		tip_add(tip, "\nrun inline by its scheduler");
	else if (call->scheduled_ns && call->started_ns >= call->scheduled_ns) {
		tip_moment(tip, "\nscheduled at ", model, call->scheduled_ns);
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
		tip_text(tip, ", domain ", domain_text(span->domain, span->domain_name), 200);
	if (span->awaited != NONE) {
		tip_text(tip, "\nended with ", call_name(&model->calls[span->awaited]), 200);
		tip_add(tip, " (%" PRIu64 ")", model->calls[span->awaited].cookie);
	}
	if (span->error)
		tip_add(tip, "\nreturned %d", span->error);
}

void tip_span(char *text, size_t bytes, const struct model *model, const struct span *span)
{
	static const char *const kinds[] = {
#define KIND_WORD(name, word) word,
		SPAN_KINDS(KIND_WORD)
#undef KIND_WORD
	};
	const char *name = span_name(model, span);
	struct tip *tip = &(struct tip){text, bytes, 0};

	tip_text(tip, "", name, 300);
	tip_add(tip, "%s", name[0] ? "\n" : "");
	tip_add(tip, "%s", kinds[span->kind]);
	tip_duration(tip, " ", span->end_ns - span->begin_ns);
	tip_moment(tip, ", from ", model, span->begin_ns);
	tip_moment(tip, " to ", model, span->end_ns);
	if (span->unfinished)
		tip_add(tip, "\nits end is not in the trace");
	if (span->kind == SPAN_WAIT)
		tip_wait(tip, model, span);
	else if (span->call != NONE)
		tip_call(tip, model, &model->calls[span->call]);
	if (span->is_unit)
		tip_add(tip, "\nunit of systemd%s", span->error ? ", failed" : "");
	else if (span->kind == SPAN_STEP && span->error)
		tip_add(tip, "\nreturned %d", span->error);
	if (model->threads[span->thread].tid >= 0)
		tip_add(tip, "\nthread %ld", model->threads[span->thread].tid);
}

void tip_several(char *text, size_t bytes, const struct model *model, const struct span *first, size_t count,
		 uint64_t total_ns)
{
	struct tip *tip = &(struct tip){text, bytes, 0};

	tip_add(tip, "%zu short ones", count);
	tip_text(tip, ", from ", span_name(model, first), 200);
	tip_add(tip, " on");
	tip_duration(tip, "\nin all ", total_ns);
}
