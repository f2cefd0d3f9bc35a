/* SPDX-License-Identifier: MIT */
/* The same in words: totals, the longest calls and steps, what the total depends on. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "chart.h"

#define LONGEST_MOST 20
#define CHAIN_MOST 40
#define GAPS_MOST 10
#define BAR 30

static double ms_at(const struct model *model, uint64_t t_ns)
{
	return (double)(int64_t)(t_ns - model->zero_ns) / 1e6;
}

static int compare_lengths(const void *a, const void *b, void *data)
{
	const struct model *model = data;
	const struct span *left = &model->spans[*(const size_t *)a];
	const struct span *right = &model->spans[*(const size_t *)b];
	uint64_t left_ns = shown_ns(model, left);
	uint64_t right_ns = shown_ns(model, right);

	if (left_ns != right_ns)
		return left_ns > right_ns ? -1 : 1;
	return (left > right) - (left < right);
}

/* Where it lies between the begin and the end of all that is shown: "  ==== ". At least one sign, however short it is. */
static const char *bar_text(const struct model *model, uint64_t begin_ns, uint64_t end_ns, char text[BAR + 1])
{
	uint64_t first_ns = model->shown.begin_ns;
	uint64_t last_ns = model->path.late_count ? model->path.end_ns : model->shown.end_ns;
	double length = (double)(last_ns > first_ns ? last_ns - first_ns : 1);
	size_t from = (size_t)((double)(begin_ns - first_ns) / length * BAR);
	size_t to = (size_t)((double)(end_ns - first_ns) / length * BAR + 0.5);

	from = from < BAR ? from : BAR - 1;
	to = to > BAR ? BAR : to;
	for (size_t i = 0; i < BAR; i++)
		text[i] = i == from || (i > from && i < to) ? '=' : '.';
	text[BAR] = 0;
	return text;
}

/* A kernel log does not tell the thread of a probe. */
static const char *thread_text(const struct model *model, const struct span *span, char *text, size_t bytes)
{
	long tid = model->threads[span->thread].tid;

	if (tid < 0)
		return "-";
	snprintf(text, bytes, "%ld", tid);
	return text;
}

static void print_span(const struct model *model, const struct span *span, uint64_t begin_ns, uint64_t end_ns,
		       FILE *file)
{
	char bar[BAR + 1];
	char thread[32];
	bool wait = span->kind == SPAN_WAIT && (span->awaited != NONE || span->name);

	fprintf(file, "%12.3f %12.3f  %-7s %7s  %s  %s%s%s\n", (double)(end_ns - begin_ns) / 1e6,
		ms_at(model, begin_ns), span_words[span->kind], thread_text(model, span, thread, sizeof(thread)),
		bar_text(model, begin_ns, end_ns, bar), wait ? "for " : "",
		wait && !span->name ? call_name(&model->calls[span->awaited]) : span_name(model, span),
		span->unfinished ? " (no end)" : "");
}

static bool is_shown(const struct model *model, const struct span *span)
{
	uint64_t begin_ns = span->begin_ns;
	uint64_t end_ns = span->end_ns;

	return model_shows(model, &begin_ns, &end_ns);
}

static void print_longest(struct model *model, FILE *file)
{
	size_t *spans = NULL;
	size_t count = 0;

	for (size_t i = 0; i < model->span_count; i++)
		if (model->spans[i].kind != SPAN_WAIT && model->spans[i].kind != SPAN_TURN &&
		    is_shown(model, &model->spans[i]))
			*APPEND(spans, count) = i;
	if (count)
		qsort_r(spans, count, sizeof(*spans), compare_lengths, model);
	fprintf(file, "\nlongest\n%12s %12s  %-7s %7s  %-30s  %s\n", "ms", "at ms", "what", "thread", "where", "name");
	for (size_t i = 0; i < count && i < LONGEST_MOST; i++) {
		uint64_t begin_ns = model->spans[spans[i]].begin_ns;
		uint64_t end_ns = model->spans[spans[i]].end_ns;

		model_shows(model, &begin_ns, &end_ns);
		print_span(model, &model->spans[spans[i]], begin_ns, end_ns, file);
	}
	free(spans);
}

/* The phase in which a boot ends lasts for ever: for how long is not told by what was plugged in an hour later. */
static void print_phases(const struct model *model, FILE *file)
{
	if (model->phase_count)
		fprintf(file, "\nphases\n%12s %12s  %s\n", "ms", "at ms", "name");
	for (size_t i = 0; i < model->phase_count; i++) {
		const struct phase *phase = &model->phases[i];
		uint64_t length_ns = phase_length_ns(model, phase);
		uint64_t begin_ns = phase->begin_ns;
		uint64_t end_ns = phase->end_ns;

		if (!model_shows(model, &begin_ns, &end_ns))
			continue;
		if (length_ns || phase->end_ns == phase->begin_ns)
			fprintf(file, "%12.3f", (double)length_ns / 1e6);
		else
			fprintf(file, "%12s", "-");
		fprintf(file, " %12.3f  %s\n", ms_at(model, begin_ns), phase->name);
	}
}

static void print_link(const struct model *model, const struct link *link, FILE *file)
{
	const struct span *span = &model->spans[link->span];
	char bar[BAR + 1];
	char thread[32];

	if (link->kind != LINK_SPAN)
		fprintf(file, "%12.3f %12.3f  %-7s %7s  %s  %s\n", (double)(link->end_ns - link->begin_ns) / 1e6,
			ms_at(model, link->begin_ns), link_words[link->kind],
			thread_text(model, span, thread, sizeof(thread)),
			bar_text(model, link->begin_ns, link->end_ns, bar), span_name(model, span));
	else
		print_span(model, span, link->begin_ns, link->end_ns, file);
}

static int compare_gaps(const void *a, const void *b)
{
	const struct gap *left = a;
	const struct gap *right = b;
	uint64_t left_ns = left->end_ns - left->begin_ns;
	uint64_t right_ns = right->end_ns - right->begin_ns;

	if (left_ns != right_ns)
		return left_ns > right_ns ? -1 : 1;
	return (left->begin_ns > right->begin_ns) - (left->begin_ns < right->begin_ns);
}

static void print_gaps(const struct model *model, FILE *file)
{
	struct gap *gaps = NULL;
	size_t count = 0;
	uint64_t sum_ns = 0;
	char text[256];

	for (size_t i = 0; i < model->gap_count; i++) {
		*APPEND(gaps, count) = model->gaps[i];
		sum_ns += model->gaps[i].end_ns - model->gaps[i].begin_ns;
	}
	if (count) {
		qsort(gaps, count, sizeof(*gaps), compare_gaps);
		fprintf(file, "\nnot explained: %.3f ms in %zu gaps\n%12s %12s  %s\n", (double)sum_ns / 1e6, count,
			"ms", "at ms", "where");
	}
	for (size_t i = 0; i < count && i < GAPS_MOST; i++)
		fprintf(file, "%12.3f %12.3f  %s\n", (double)(gaps[i].end_ns - gaps[i].begin_ns) / 1e6,
			ms_at(model, gaps[i].begin_ns), gap_text(model, &gaps[i], text, sizeof(text)));
	free(gaps);
}

/* The tries of devices whose probe was deferred, the last first. Nothing if there are none. */
static void print_deferred(const struct model *model, FILE *file)
{
	bool *followed = zeroed(model->span_count, sizeof(*followed));
	bool any = false;

	for (size_t i = 0; i < model->span_count; i++)
		if (model->spans[i].retry_of != NONE)
			followed[model->spans[i].retry_of] = true;
	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *last = &model->spans[i];
		const struct span *first = last;
		uint64_t sum_ns = shown_ns(model, last);
		bool shown = is_shown(model, last);
		size_t tries = 1;

		if (followed[i] || (last->retry_of == NONE && last->error != -PROBE_DEFER))
			continue;
		for (; first->retry_of != NONE; tries++) {
			first = &model->spans[first->retry_of];
			sum_ns += shown_ns(model, first);
			shown = shown || is_shown(model, first);
		}
		if (!shown)
			continue;
		if (!any)
			fprintf(file, "\ndeferred probes\n%12s %12s %7s  %-12s %s\n", "ms", "from ms", "tries",
				"result", "name");
		any = true;
		fprintf(file, "%12.3f %12.3f %7zu  %-12s %s, last tried until %.3f ms\n", (double)sum_ns / 1e6,
			ms_at(model, first->begin_ns), tries,
			last->error == -PROBE_DEFER ? "deferred"
			: last->error               ? "failed"
						    : "bound",
			span_name(model, last), ms_at(model, last->end_ns));
	}
	free(followed);
}

/* The longest links, in order of time. */
static void print_chain(const struct model *model, FILE *file)
{
	uint64_t *lengths = NULL;
	uint64_t shortest_ns = 0;
	uint64_t sum_ns = 0;
	size_t count = 0;

	for (size_t i = 0; i < model->chain_count; i++) {
		uint64_t length = model->chain[i].end_ns - model->chain[i].begin_ns;
		size_t at = count < CHAIN_MOST ? count : CHAIN_MOST;

		sum_ns += length;
		*APPEND(lengths, count) = length;
		for (; at > 0 && lengths[at - 1] < length; at--)
			lengths[at] = lengths[at - 1];
		lengths[at] = length;
	}
	if (count > CHAIN_MOST)
		shortest_ns = lengths[CHAIN_MOST - 1];
	fprintf(file,
		"\nwhat the total depends on: %.3f ms of %.3f ms (%u.%u %%) in %zu parts\n%12s %12s  %-7s %7s  %-30s  %s\n",
		(double)sum_ns / 1e6, (double)(model->path.end_ns - model->path.begin_ns) / 1e6,
		path_permille(model) / 10, path_permille(model) % 10, model->chain_count, "ms", "at ms", "what",
		"thread", "where", "name");
	for (size_t i = model->chain_count; i-- > 0;)
		if (model->chain[i].end_ns - model->chain[i].begin_ns >= shortest_ns)
			print_link(model, &model->chain[i], file);
	free(lengths);
}

/* How long threads were in spans of each kind: in the innermost one, so that no time of a thread counts twice. */
static void sum_kinds(const struct model *model, double sums_ns[SPAN_TYPES])
{
	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *span = &model->spans[i];
		const struct span *around = span->parent == NONE ? NULL : &model->spans[span->parent];
		uint64_t begin_ns = around && around->begin_ns > span->begin_ns ? around->begin_ns : span->begin_ns;
		uint64_t end_ns = around && around->end_ns < span->end_ns ? around->end_ns : span->end_ns;

		sums_ns[span->kind] += (double)shown_ns(model, span);
		if (around && span->kind != SPAN_TURN && end_ns > begin_ns && model_shows(model, &begin_ns, &end_ns))
			sums_ns[around->kind] -= (double)(end_ns - begin_ns);
	}
}

/* Whether something of it happened in what is shown: from when it was scheduled to its completion. */
static bool is_call_shown(const struct model *model, const struct call *call)
{
	const uint64_t times_ns[] = {call->scheduled_ns, call->started_ns, call->returned_ns, call->retiring_ns,
				     call->completed_ns};
	uint64_t begin_ns = model->end_ns;
	uint64_t end_ns = call->completed_ns ? call->completed_ns : model->end_ns;

	for (size_t i = 0; i < sizeof(times_ns) / sizeof(times_ns[0]); i++)
		if (times_ns[i] && times_ns[i] < begin_ns)
			begin_ns = times_ns[i];
	return model_shows(model, &begin_ns, &end_ns);
}

/* The calls and threads of which something is shown. */
static void count_shown(const struct model *model, size_t *calls, size_t *threads)
{
	bool *seen = zeroed(model->thread_count, sizeof(*seen));

	*calls = *threads = 0;
	for (size_t i = 0; i < model->call_count; i++)
		*calls += is_call_shown(model, &model->calls[i]);
	for (size_t i = 0; i < model->span_count; i++)
		seen[model->spans[i].thread] = seen[model->spans[i].thread] || is_shown(model, &model->spans[i]);
	for (size_t i = 0; i < model->thread_count; i++)
		*threads += seen[i];
	free(seen);
}

/* Of all: a thread may have done nothing that takes time. */
static bool shows_all(const struct model *model)
{
	return model->shown.begin_ns == model->begin_ns && model->shown.end_ns == model->end_ns;
}

int summary_print(struct model *model, const char *title, FILE *file)
{
	double sums_ns[SPAN_TYPES] = {0};
	char sentence[512];
	size_t calls = model->call_count;
	size_t threads = model->thread_count;

	if (!shows_all(model))
		count_shown(model, &calls, &threads);
	sum_kinds(model, sums_ns);
	fprintf(file, "%s\n", title);
	fprintf(file, "%zu calls, %zu threads; running %.3f ms, steps %.3f ms, retiring %.3f ms, waiting %.3f ms\n",
		calls, threads, sums_ns[SPAN_RUN] / 1e6, sums_ns[SPAN_STEP] / 1e6, sums_ns[SPAN_RETIRE] / 1e6,
		sums_ns[SPAN_WAIT] / 1e6);
	fprintf(file, "in short: %s\n", path_sentence(model, sentence, sizeof(sentence)));
	for (size_t i = 0; i < model->note_count; i++)
		fprintf(file, "note: %s\n", model->notes[i]);
	print_phases(model, file);
	if (model->path.late_count)
		fprintf(file, "\n%zu steps begin after the end, the first at %.3f ms\n", model->path.late_count,
			ms_at(model, model->path.late_first_ns));
	print_chain(model, file);
	print_gaps(model, file);
	print_deferred(model, file);
	print_longest(model, file);
	return ferror(file) || fflush(file) ? (errno ? -errno : -EIO) : 0;
}
