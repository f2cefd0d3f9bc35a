/* SPDX-License-Identifier: MIT */
/*
 * Where the critical path begins and ends. A boot ends at /init or at the switch to the real root, whichever is
 * last; what comes later (a USB stick, a day after) is no part of it. All else ends with its last event.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"

static bool ends_boot(const struct model *model, const struct phase *phase)
{
	long pid = model->processes[phase->process].pid;

	return (pid == 0 && phase->name[0] == '/') || (pid == 1 && strcmp(phase->name, "switch") == 0);
}

static void default_end(const struct model *model, struct path *path)
{
	const struct phase *end = NULL;

	for (size_t i = 0; i < model->phase_count; i++)
		if (ends_boot(model, &model->phases[i]) && (!end || model->phases[i].begin_ns >= end->begin_ns))
			end = &model->phases[i];
	if (model->login != NONE && (!end || model->spans[model->login].end_ns >= end->begin_ns)) {
		path->end_ns = model->spans[model->login].end_ns;
		path->end_name = span_name(model, &model->spans[model->login]);
		return;
	}
	if (!end || end->begin_ns <= model->begin_ns)
		return;
	path->end_ns = end->begin_ns;
	path->end_name = end->name;
}

/* The end of the last span, or the begin of the last phase, of that name. */
static bool named_end(const struct model *model, const char *name, struct path *path)
{
	bool found = false;

	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *span = &model->spans[i];

		if (span->kind == SPAN_WAIT || strcmp(span_name(model, span), name) != 0)
			continue;
		path->end_ns = found && path->end_ns > span->end_ns ? path->end_ns : span->end_ns;
		found = true;
	}
	for (size_t i = 0; !found && i < model->phase_count; i++) {
		if (strcmp(model->phases[i].name, name) != 0)
			continue;
		path->end_ns = model->phases[i].begin_ns;
		found = true;
	}
	path->end_name = found ? keep(name) : NULL;
	return found;
}

static bool chosen_end(const struct model *model, const char *text, struct path *path)
{
	char *rest;
	double seconds = strtod(text, &rest);

	if (rest == text || *rest || !isfinite(seconds) || seconds < 0 || seconds > 1e9)
		return named_end(model, text, path);
	path->end_ns = model->zero_ns + (uint64_t)llround(seconds * 1e9);
	path->end_name = NULL;
	return true;
}

#define ROUNDED_NS 1000000 /* outputs tell times as milliseconds */

/* False, told on standard error, if the path cannot end where it is asked to. */
static bool choose_end(const struct model *model, const char *text, struct path *path)
{
	if (!chosen_end(model, text, path)) {
		fprintf(stderr, "inorder-chart: --to %s: no call, step or phase has that name, and it is no time\n",
			text);
		return false;
	}
	if (path->end_ns <= model->end_ns + ROUNDED_NS)
		return true;
	fprintf(stderr, "inorder-chart: --to %s: the chart ends before, at %.6f s\n", text,
		(double)(model->end_ns - model->zero_ns) / 1e9);
	return false;
}

/* A time at which nothing in particular ends. */
static void end_at(struct path *path, uint64_t end_ns)
{
	if (path->end_ns != end_ns)
		path->end_name = NULL;
	path->end_ns = end_ns;
}

static void count_late(const struct model *model, struct path *path)
{
	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *span = &model->spans[i];

		if (span->begin_ns <= path->end_ns)
			continue;
		if (!path->late_count++ || span->begin_ns < path->late_first_ns)
			path->late_first_ns = span->begin_ns;
	}
}

bool model_select(struct model *model, const struct selection *selection)
{
	struct path path = {.begin_ns = model->begin_ns, .end_ns = model->end_ns};

	default_end(model, &path);
	if (selection->end && !choose_end(model, selection->end, &path))
		return false;
	if (selection->has_from)
		path.begin_ns = model->zero_ns + selection->from_ns;
	if (selection->has_to)
		end_at(&path, model->zero_ns + selection->to_ns);
	if (path.end_ns > model->end_ns)
		path.end_ns = model->end_ns;
	if (path.end_ns < path.begin_ns || (path.end_ns == path.begin_ns && model->end_ns > model->begin_ns)) {
		fprintf(stderr,
			"inorder-chart: nothing lies between %.6f s and %.6f s: the chart has %.6f s "
			"(--from, --until, --to)\n",
			((double)path.begin_ns - (double)model->zero_ns) / 1e9,
			((double)path.end_ns - (double)model->zero_ns) / 1e9,
			(double)(model->end_ns - model->zero_ns) / 1e9);
		return false;
	}
	count_late(model, &path);
	model->path = path;
	if (selection->has_from)
		model->shown.begin_ns = path.begin_ns;
	if (selection->has_to)
		model->shown.end_ns = path.end_ns;
	return true;
}
