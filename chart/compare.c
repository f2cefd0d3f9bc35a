/* SPDX-License-Identifier: MIT */
/* What moved from one chart to another: phases, calls and steps, each matched by its name and its turn under it. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "compare.h"

/* Less is the machine's mood, not a change. */
#define LEAST_NS 10000

struct part {
	const char *what;
	const char *name;
	size_t turn; /* 0: the first of that name */
	uint64_t begin_ns;
	uint64_t length_ns;
	bool shown;
};

struct parts {
	struct part *parts;
	size_t count;
};

static int compare_names(const struct part *left, const struct part *right)
{
	int order = strcmp(left->what, right->what);

	return order ? order : strcmp(left->name, right->name);
}

static int compare_parts(const void *a, const void *b)
{
	const struct part *left = a;
	const struct part *right = b;
	int order = compare_names(left, right);

	if (order)
		return order;
	if (left->begin_ns != right->begin_ns)
		return left->begin_ns < right->begin_ns ? -1 : 1;
	return (left->length_ns > right->length_ns) - (left->length_ns < right->length_ns);
}

/* Of what was done from @begin_ns to @end_ns; what is not shown counts as one of its name, and is left out later. */
static void add(struct parts *parts, const struct model *model, struct part part, uint64_t end_ns)
{
	part.shown = model_shows(model, &part.begin_ns, &end_ns);
	part.begin_ns -= model->begin_ns;
	*APPEND(parts->parts, parts->count) = part;
}

/* Of each span, how long it waited: in waits in it, but for what its thread ran in them. The caller frees it. */
static int64_t *waited(const struct model *model)
{
	int64_t *sums = zeroed(model->span_count, sizeof(*sums));

	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *span = &model->spans[i];
		int64_t length_ns = (int64_t)shown_ns(model, span);
		bool in_wait = span->parent != NONE && model->spans[span->parent].kind == SPAN_WAIT;
		bool wait = span->kind == SPAN_WAIT;

		if (span->kind == SPAN_TURN || wait == in_wait)
			continue;
		for (size_t above = span->parent; above != NONE; above = model->spans[above].parent)
			sums[above] += wait ? length_ns : -length_ns;
	}
	return sums;
}

static uint64_t worked_ns(const struct model *model, const int64_t *sums, size_t index)
{
	const struct span *span = &model->spans[index];
	int64_t length_ns = (int64_t)shown_ns(model, span) - sums[index];

	return length_ns > 0 ? (uint64_t)length_ns : 0;
}

static void add_call(struct parts *parts, const struct model *model, const struct call *call, const int64_t *sums)
{
	uint64_t length_ns;
	uint64_t end_ns;

	if (call->run == NONE)
		return;
	length_ns = worked_ns(model, sums, call->run);
	end_ns = model->spans[call->run].end_ns;
	if (call->retire != NONE) {
		length_ns += worked_ns(model, sums, call->retire);
		end_ns = model->spans[call->retire].end_ns;
	}
	add(parts, model, (struct part){"call", call_name(call), 0, model->spans[call->run].begin_ns, length_ns, true},
	    end_ns);
}

static void leave_shown(struct parts *parts)
{
	size_t count = 0;

	for (size_t i = 0; i < parts->count; i++)
		if (parts->parts[i].shown)
			parts->parts[count++] = parts->parts[i];
	parts->count = count;
}

/* Sorted by name, those of one name in order of time. */
static void collect(struct parts *parts, const struct model *model)
{
	int64_t *sums = waited(model);

	for (size_t i = 0; i < model->phase_count; i++)
		add(parts, model,
		    (struct part){"phase", model->phases[i].name, 0, model->phases[i].begin_ns,
				  phase_length_ns(model, &model->phases[i]), true},
		    model->phases[i].end_ns);
	for (size_t i = 0; i < model->call_count; i++)
		add_call(parts, model, &model->calls[i], sums);
	for (size_t i = 0; i < model->span_count; i++)
		if (model->spans[i].kind == SPAN_STEP)
			add(parts, model,
			    (struct part){"step", span_name(model, &model->spans[i]), 0, model->spans[i].begin_ns,
					  worked_ns(model, sums, i), true},
			    model->spans[i].end_ns);
	free(sums);
	if (parts->count)
		qsort(parts->parts, parts->count, sizeof(*parts->parts), compare_parts);
	for (size_t i = 1; i < parts->count; i++)
		if (compare_names(&parts->parts[i - 1], &parts->parts[i]) == 0)
			parts->parts[i].turn = parts->parts[i - 1].turn + 1;
	leave_shown(parts);
}

/* @before or @after may be NULL: it is in one chart only. */
static void add_move(struct comparison *comparison, const struct part *before, const struct part *after)
{
	const struct part *any = before ? before : after;
	struct move move = {.what = any->what, .name = any->name, .in_before = before, .in_after = after};

	if (before) {
		move.before_begin_ns = before->begin_ns;
		move.before_ns = before->length_ns;
	}
	if (after) {
		move.after_begin_ns = after->begin_ns;
		move.after_ns = after->length_ns;
	}
	move.took_ns = (int64_t)(move.after_ns - move.before_ns);
	if (move.took_ns >= LEAST_NS || move.took_ns <= -LEAST_NS)
		*APPEND(comparison->moves, comparison->count) = move;
}

static int compare_moves(const void *a, const void *b)
{
	const struct move *left = a;
	const struct move *right = b;
	uint64_t left_ns = (uint64_t)llabs(left->took_ns);
	uint64_t right_ns = (uint64_t)llabs(right->took_ns);
	int order;

	if (left_ns != right_ns)
		return left_ns > right_ns ? -1 : 1;
	order = strcmp(left->name, right->name);
	if (order)
		return order;
	return (left->after_begin_ns > right->after_begin_ns) - (left->after_begin_ns < right->after_begin_ns);
}

void compare(struct comparison *comparison, const struct model *before, const struct model *after)
{
	struct parts left = {NULL, 0};
	struct parts right = {NULL, 0};
	size_t i = 0;
	size_t j = 0;

	*comparison = (struct comparison){.before = before, .after = after};
	collect(&left, before);
	collect(&right, after);
	while (i < left.count || j < right.count) {
		int order = i == left.count    ? 1
			    : j == right.count ? -1
					       : compare_names(&left.parts[i], &right.parts[j]);

		if (order == 0 && left.parts[i].turn != right.parts[j].turn)
			order = left.parts[i].turn < right.parts[j].turn ? -1 : 1;
		add_move(comparison, order <= 0 ? &left.parts[i] : NULL, order >= 0 ? &right.parts[j] : NULL);
		i += order <= 0;
		j += order >= 0;
	}
	if (comparison->count)
		qsort(comparison->moves, comparison->count, sizeof(*comparison->moves), compare_moves);
	free(left.parts);
	free(right.parts);
}

void compare_free(struct comparison *comparison)
{
	free(comparison->moves);
	*comparison = (struct comparison){0};
}
