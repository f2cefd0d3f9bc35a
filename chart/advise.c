/* SPDX-License-Identifier: MIT */
/* What-if in words, and which changes gain most. */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "whatif.h"

#define CANDIDATES_MOST 40 /* the names that have most of the path are tried */
#define ADVICE_MOST 10
#define TIMES_MOST 1e6

struct candidate {
	struct change change;
	double path_ns;
	struct outcome outcome;
};

static bool refuse(const char *text)
{
	fprintf(stderr,
		"inorder-chart: --what-if %s: faster=NAME[,TIMES], async=NAME, earlier=NAME, threads or "
		"processors=NUMBER[,NUMBER BEFORE]\n",
		text);
	return false;
}

/* "4", or "4,2" where the trace does not tell that there were two */
static bool read_processors(struct change *change, const char *text)
{
	unsigned int number = 0;
	int used = 0;

	change->name = "";
	change->processors = 0;
	if (sscanf(text, "%4u%n", &number, &used) == 1 && text[used] == ',')
		if (sscanf(text + used, ",%4u%n", &change->processors, &used) != 1 || !change->processors)
			return false;
	change->times = number;
	return number > 0 && strspn(text, "0123456789,") == strlen(text);
}

bool change_read(struct change *change, const char *text)
{
	static const char *const words[] = {
#define CHANGE_WORD(name, word) word,
		CHANGES(CHANGE_WORD)
#undef CHANGE_WORD
	};
	size_t length = strcspn(text, "=");
	const char *name = text[length] ? text + length + 1 : "";
	const char *comma = strrchr(name, ',');
	char *end;

	*change = (struct change){CHANGE_NONE, NULL, 2, 0};
	for (size_t i = CHANGE_FASTER; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == length && memcmp(words[i], text, length) == 0)
			change->kind = (enum change_kind)i;
	if (change->kind == CHANGE_FASTER && comma) {
		change->times = strtod(comma + 1, &end);
		if (end != comma + 1 && !*end)
			name = keep_part(name, (size_t)(comma - name));
		else
			change->times = 2; /* the comma is one of the name */
	}
	if (change->kind == CHANGE_PROCESSORS)
		return read_processors(change, name) || refuse(text);
	change->name = keep(name);
	if (change->kind != CHANGE_NONE && (change->kind == CHANGE_THREADS) == !*name && isfinite(change->times) &&
	    change->times > 0 && change->times <= TIMES_MOST)
		return true;
	return refuse(text);
}

static bool span_has(const struct model *model, const struct span *span, const struct change *change)
{
	bool own = is_own_wait(span);

	if ((span->kind == SPAN_WAIT && !own) || span->kind == SPAN_TURN ||
	    strcmp(span_name(model, span), change->name) != 0)
		return false;
	if (own)
		return change->kind == CHANGE_FASTER;
	if (span->is_unit && change->kind == CHANGE_EARLIER)
		return span->join_count > 0;
	return change->kind == CHANGE_FASTER || (change->kind == CHANGE_ASYNC) == (span->kind == SPAN_STEP);
}

bool change_fits(const struct model *model, const struct change *change)
{
	if (change->kind == CHANGE_THREADS)
		return true;
	if (change->kind == CHANGE_PROCESSORS) {
		if (change_processors(model, change))
			return true;
		fputs("inorder-chart: --what-if processors: the trace does not tell how many there were: add that, as in "
		      "processors=4,2\n",
		      stderr);
		return false;
	}
	for (size_t i = 0; i < model->span_count; i++)
		if (span_has(model, &model->spans[i], change))
			return true;
	fprintf(stderr, "inorder-chart: --what-if: no %s is called %s; --text lists names\n",
		change->kind == CHANGE_ASYNC     ? "synchronous step"
		: change->kind == CHANGE_EARLIER ? "call or unit"
						 : "call or step",
		change->name);
	return false;
}

static void change_text(const struct change *change, char *text, size_t bytes)
{
	int length = text_bytes(change->name ? change->name : "", 200);

	switch (change->kind) {
	case CHANGE_FASTER:
		snprintf(text, bytes, "%.*s %g times as fast", length, change->name, change->times);
		break;
	case CHANGE_ASYNC:
		snprintf(text, bytes, "%.*s asynchronous", length, change->name);
		break;
	case CHANGE_EARLIER:
		snprintf(text, bytes, "%.*s earlier", length, change->name);
		break;
	case CHANGE_PROCESSORS:
		snprintf(text, bytes, "%g processors", change->times);
		break;
	case CHANGE_THREADS:
		snprintf(text, bytes, "a thread for every call");
		break;
	default:
		snprintf(text, bytes, "no change");
	}
}

static void print_line(const struct change *change, const struct outcome *outcome, double before_ns, FILE *file)
{
	char text[300];

	change_text(change, text, sizeof(text));
	fprintf(file, "%12.3f %12.3f  %s; then %s (%.3f ms) is most of the path\n",
		(before_ns - outcome->total_ns) / 1e6, outcome->total_ns / 1e6, text,
		outcome->next ? outcome->next : "nothing that is named", outcome->next_ns / 1e6);
}

static double print_head(const struct model *model, const char *title, FILE *file)
{
	const struct change none = {.kind = CHANGE_NONE, .name = ""};
	struct outcome outcome;

	whatif(model, &none, &outcome);
	fprintf(file, "%s\n", title);
	for (size_t i = 0; i < model->span_count && !whatif_shares(model, &none); i++)
		if (model->spans[i].is_unit) {
			fputs("assumed: units take as long beside others as alone: CPUUsageNSec of them and the number "
			      "of processors are not both told\n",
			      file);
			break;
		}
	fprintf(file, "%12s %12s  %s\n", "gain ms", "total ms", "what if");
	print_line(&none, &outcome, outcome.total_ns, file);
	return outcome.total_ns;
}

static int finish(FILE *file)
{
	return ferror(file) || fflush(file) ? (errno ? -errno : -EIO) : 0;
}

int whatif_print(const struct model *model, const struct change *change, const char *title, FILE *file)
{
	double before_ns = print_head(model, title, file);
	struct outcome outcome;

	whatif(model, change, &outcome);
	print_line(change, &outcome, before_ns, file);
	return finish(file);
}

/* ---- advice ---- */

static int compare_names(const void *a, const void *b)
{
	const struct candidate *left = a;
	const struct candidate *right = b;

	if (left->change.kind != right->change.kind)
		return left->change.kind < right->change.kind ? -1 : 1;
	return strcmp(left->change.name, right->change.name);
}

static int compare_path(const void *a, const void *b)
{
	const struct candidate *left = a;
	const struct candidate *right = b;

	if (left->path_ns != right->path_ns)
		return left->path_ns > right->path_ns ? -1 : 1;
	return compare_names(a, b);
}

static int compare_gains(const void *a, const void *b)
{
	const struct candidate *left = a;
	const struct candidate *right = b;

	if (left->outcome.total_ns != right->outcome.total_ns)
		return left->outcome.total_ns < right->outcome.total_ns ? -1 : 1;
	return compare_names(a, b);
}

static void add(struct candidate **candidates, size_t *count, enum change_kind kind, const char *name, double path_ns)
{
	*APPEND(*candidates, *count) = (struct candidate){.change = {kind, name, 2, 0}, .path_ns = path_ns};
}

/* What can be done about each part of the path; equal ones are one. */
static size_t collect(const struct model *model, struct candidate **candidates)
{
	size_t count = 0;
	size_t kept = 0;

	for (size_t i = 0; i < model->chain_count; i++) {
		const struct span *span = &model->spans[model->chain[i].span];
		double length = (double)(model->chain[i].end_ns - model->chain[i].begin_ns);

		if (span->kind == SPAN_WAIT && !is_own_wait(span))
			continue;
		add(candidates, &count, CHANGE_FASTER, span_name(model, span), length);
		if (span->kind == SPAN_STEP && !span->is_unit)
			add(candidates, &count, CHANGE_ASYNC, span_name(model, span), length);
		else if (span->kind != SPAN_STEP && span->kind != SPAN_WAIT)
			add(candidates, &count, CHANGE_EARLIER, span_name(model, span), length);
	}
	add(candidates, &count, CHANGE_THREADS, "", INFINITY);
	qsort(*candidates, count, sizeof(**candidates), compare_names);
	for (size_t i = 0; i < count; i++) {
		struct candidate *last = kept ? &(*candidates)[kept - 1] : NULL;

		if (last && compare_names(last, &(*candidates)[i]) == 0)
			last->path_ns += (*candidates)[i].path_ns;
		else
			(*candidates)[kept++] = (*candidates)[i];
	}
	qsort(*candidates, kept, sizeof(**candidates), compare_path);
	return kept < CANDIDATES_MOST ? kept : CANDIDATES_MOST;
}

int advise_print(const struct model *model, const char *title, FILE *file)
{
	double before_ns = print_head(model, title, file);
	struct candidate *candidates = NULL;
	size_t count = collect(model, &candidates);

	for (size_t i = 0; i < count; i++)
		whatif(model, &candidates[i].change, &candidates[i].outcome);
	qsort(candidates, count, sizeof(*candidates), compare_gains);
	for (size_t i = 0; i < count && i < ADVICE_MOST; i++)
		if (candidates[i].outcome.total_ns < before_ns * 0.9995)
			print_line(&candidates[i].change, &candidates[i].outcome, before_ns, file);
	free(candidates);
	return finish(file);
}
