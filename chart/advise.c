/* SPDX-License-Identifier: MIT */
/* What-if in words, and which changes gain most, of those that a person can make. */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "outcome.h"

#define TRIED_MOST 24
#define ADVICE_MOST 10
#define GAIN_LEAST 0.0005 /* of the total: less is not worth a line */
#define DEPTH_MOST 32     /* of steps in steps */

struct candidate {
	struct change change;
	double most_ns; /* more it cannot gain: the path of today stays, without that */
	struct outcome outcome;
};

struct candidates {
	struct candidate *all;
	size_t count;
	bool *seen; /* steps that were added */
};

static void print_line(const struct model *model, const struct change *change, const struct outcome *outcome,
		       double before_ns, FILE *file)
{
	char text[512];

	fprintf(file, "%12.3f %12.3f  %s; then %s (%.3f ms) is most of the path\n",
		(before_ns - outcome->total_ns) / 1e6, outcome->total_ns / 1e6,
		change_text(model, change, text, sizeof(text)), outcome->next ? outcome->next : "nothing that is named",
		outcome->next_ns / 1e6);
}

/* Simulates the trace as it is. Returns the event at the end of its path. */
static uint32_t print_head(struct simulation *simulation, const char *title, struct outcome *outcome, FILE *file)
{
	const struct change none = {.kind = CHANGE_NONE, .name = ""};
	const struct model *model = simulation->replay.model;
	bool units = false;
	uint32_t last;

	simulation_run(simulation, &none);
	last = outcome_find(simulation, outcome);
	fprintf(file, "%s\n", title);
	for (size_t i = 0; i < model->span_count && !units; i++)
		units = model->spans[i].is_unit;
	if (units && !change_shares(model, &none))
		fputs("assumed: units take as long beside others as alone: CPUUsageNSec of them and the number "
		      "of processors are not both told\n",
		      file);
	fprintf(file, "%12s %12s  %s\n", "gain ms", "total ms", "what if");
	print_line(model, &none, outcome, outcome->total_ns, file);
	return last;
}

static int finish(FILE *file)
{
	return ferror(file) || fflush(file) ? (errno ? -errno : -EIO) : 0;
}

int whatif_print(const struct model *model, const struct change *change, const char *title, FILE *file)
{
	struct simulation *simulation = simulation_open(model);
	struct outcome before;
	struct outcome outcome;

	print_head(simulation, title, &before, file);
	simulation_run(simulation, change);
	outcome_find(simulation, &outcome);
	print_line(model, change, &outcome, before.total_ns, file);
	simulation_close(simulation);
	return finish(file);
}

/* ---- candidates ---- */

static int compare_names(const void *a, const void *b)
{
	const struct candidate *left = a;
	const struct candidate *right = b;

	if (left->change.kind != right->change.kind)
		return left->change.kind < right->change.kind ? -1 : 1;
	return strcmp(left->change.name, right->change.name);
}

static int compare_most(const void *a, const void *b)
{
	const struct candidate *left = a;
	const struct candidate *right = b;

	if (left->most_ns > right->most_ns || left->most_ns < right->most_ns)
		return left->most_ns > right->most_ns ? -1 : 1;
	return compare_names(a, b);
}

static int compare_gains(const void *a, const void *b)
{
	const struct candidate *left = a;
	const struct candidate *right = b;

	if (left->outcome.total_ns > right->outcome.total_ns || left->outcome.total_ns < right->outcome.total_ns)
		return left->outcome.total_ns < right->outcome.total_ns ? -1 : 1;
	return compare_names(a, b);
}

static void add(struct candidates *candidates, enum change_kind kind, const char *name, double most_ns)
{
	if (most_ns > 0)
		*APPEND(candidates->all, candidates->count) =
			(struct candidate){.change = {kind, name, 2, 0}, .most_ns = most_ns};
}

/* The steps around a part of the path: beside what follows them, they could gain all of their length. */
static void add_steps(struct candidates *candidates, const struct model *model, size_t span)
{
	for (size_t depth = 0; span != NONE && depth < DEPTH_MOST; depth++, span = model->spans[span].parent) {
		const struct span *step = &model->spans[span];

		if (candidates->seen[span])
			return; /* so were those around it */
		candidates->seen[span] = true;
		if (change_can(model, step, CHANGE_ASYNC) && !change_lacks_end(model, step))
			add(candidates, CHANGE_ASYNC, span_name(model, step), (double)(step->end_ns - step->begin_ns));
	}
}

/* How long the unit waited for the last of the units that it had to come after alone. */
static double waited_alone(const struct simulation *simulation, const struct span *unit, uint32_t last)
{
	double others_ns = 0;

	for (size_t i = 0; i < unit->join_count; i++) {
		uint32_t ended = simulation->replay.ended[unit->joins[i]];

		if (ended != NO_EVENT && ended != last && simulation->new_ns[ended] > others_ns)
			others_ns = simulation->new_ns[ended];
	}
	return simulation->new_ns[last] - others_ns;
}

static void add_earlier(struct candidates *candidates, const struct simulation *simulation, uint32_t number)
{
	const struct replay *replay = &simulation->replay;
	const struct event *event = &replay->events[number];
	uint32_t before = simulation->before[number];
	const struct span *span = &replay->model->spans[event->index];
	double most_ns;

	if (before == NO_EVENT || (!event->joined && !(event->run_begin && before == event->other)) ||
	    !change_can(replay->model, span, CHANGE_EARLIER))
		return;
	if (event->joined)
		most_ns = waited_alone(simulation, span, before);
	else
		most_ns = simulation->new_ns[before] - simulation->new_ns[replay->earliest[span->call]];
	add(candidates, CHANGE_EARLIER, span_name(replay->model, span), most_ns);
}

/* What can be done about a part of the path. Returns whether a call had to wait for a thread there. */
static bool add_part(struct candidates *candidates, const struct simulation *simulation, uint32_t number)
{
	const struct replay *replay = &simulation->replay;
	const struct event *event = &replay->events[number];
	uint32_t before = simulation->before[number];
	double length_ns = simulation->new_ns[number] - (before == NO_EVENT ? 0 : simulation->new_ns[before]);
	const struct span *around = event->around == NO_EVENT ? NULL : &replay->model->spans[event->around];

	if (around && length_ns > 0) {
		if (event->name && change_can(replay->model, around, CHANGE_FASTER) &&
		    !change_lacks_end(replay->model, around))
			add(candidates, CHANGE_FASTER, event->name, length_ns / 2);
		add_steps(candidates, replay->model, event->around);
	}
	if (event->type == BEGIN)
		add_earlier(candidates, simulation, number);
	return event->run_begin && before != NO_EVENT && before == event->previous;
}

/* Of as many as are known, if it is known what is work, too. */
static void add_processors(struct candidates *candidates, const struct model *model)
{
	const struct change none = {.kind = CHANGE_NONE, .name = ""};
	bool traced = change_shares(model, &none);

	for (size_t i = 0; i < model->process_count; i++)
		traced = traced || model->processes[i].processors;
	if (!traced)
		return;
	add(candidates, CHANGE_PROCESSORS, "", INFINITY);
	candidates->all[candidates->count - 1].change.times = 2.0 * change_processors(model, &none);
}

/* Names are kept, so that equal ones are equal pointers. */
static int compare_kept(const void *a, const void *b)
{
	const struct change *left = &((const struct candidate *)a)->change;
	const struct change *right = &((const struct candidate *)b)->change;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return (left->name > right->name) - (left->name < right->name);
}

/* Those of one kind and name are one; those that cannot gain enough are left out. The first ones may gain most. */
static void sort(struct candidates *candidates, double least_ns)
{
	struct candidate *all = candidates->all;
	size_t kept = 0;

	if (candidates->count)
		qsort(all, candidates->count, sizeof(*all), compare_kept);
	for (size_t i = 0, next; i < candidates->count; i = next) {
		struct candidate one = all[i];

		for (next = i + 1; next < candidates->count && compare_kept(&one, &all[next]) == 0; next++)
			one.most_ns += all[next].most_ns;
		if (one.most_ns >= least_ns)
			all[kept++] = one;
	}
	candidates->count = kept;
	if (kept)
		qsort(all, kept, sizeof(*all), compare_most);
}

static void collect(struct candidates *candidates, const struct simulation *simulation, uint32_t last, double least_ns)
{
	const struct model *model = simulation->replay.model;
	bool queued = false;

	candidates->seen = zeroed(model->span_count, sizeof(*candidates->seen));
	for (uint32_t i = last; i != NO_EVENT; i = simulation->before[i])
		if (add_part(candidates, simulation, i))
			queued = true;
	if (queued)
		add(candidates, CHANGE_THREADS, "", INFINITY);
	add_processors(candidates, model);
	sort(candidates, least_ns);
	free(candidates->seen);
}

/* Simulates the first ones, until no other can be among the @wanted best. Returns how many; they are sorted. */
static size_t try(struct candidates *candidates, struct simulation *simulation, double before_ns, size_t wanted)
{
	size_t tried = 0;

	for (; tried < candidates->count && tried < TRIED_MOST; tried++) {
		struct candidate *candidate = &candidates->all[tried];

		if (tried >= wanted && before_ns - candidates->all[wanted - 1].outcome.total_ns > candidate->most_ns)
			break;
		simulation_run(simulation, &candidate->change);
		outcome_find(simulation, &candidate->outcome);
		if (tried >= wanted - 1)
			qsort(candidates->all, tried + 1, sizeof(*candidates->all), compare_gains);
	}
	if (tried)
		qsort(candidates->all, tried, sizeof(*candidates->all), compare_gains);
	return tried;
}

bool advise_best(const struct model *model, struct change *change, double *gain_ns)
{
	const struct change none = {.kind = CHANGE_NONE, .name = ""};
	struct simulation *simulation = simulation_open(model);
	struct candidates candidates = {NULL, 0, NULL};
	struct outcome before;
	bool found;
	uint32_t last;

	simulation_run(simulation, &none);
	last = outcome_find(simulation, &before);
	collect(&candidates, simulation, last, before.total_ns * GAIN_LEAST);
	*gain_ns = 0;
	/* Where processors are shared, the most that a change can gain is an estimate. */
	if (try(&candidates, simulation, before.total_ns, change_shares(model, &none) ? ADVICE_MOST : 1)) {
		*change = candidates.all[0].change;
		*gain_ns = before.total_ns - candidates.all[0].outcome.total_ns;
	}
	found = *gain_ns > 0 && *gain_ns >= before.total_ns * GAIN_LEAST;
	free(candidates.all);
	simulation_close(simulation);
	return found;
}

static void print_none(const struct model *model, size_t printed, FILE *file)
{
	const char *unended = change_unended(model);

	if (unended)
		fprintf(file,
			"%s is most of the path and has not ended: what it would take is not known, so no change of it is tried\n",
			unended);
	else if (!printed)
		fputs("no change that is known of would gain anything\n", file);
}

int advise_print(const struct model *model, const char *title, FILE *file)
{
	struct simulation *simulation = simulation_open(model);
	struct candidates candidates = {NULL, 0, NULL};
	struct outcome before;
	size_t count;
	size_t printed = 0;
	uint32_t last;

	last = print_head(simulation, title, &before, file);
	collect(&candidates, simulation, last, before.total_ns * GAIN_LEAST);
	count = try(&candidates, simulation, before.total_ns, ADVICE_MOST);
	for (size_t i = 0; i < count && i < ADVICE_MOST; i++) {
		const struct candidate *candidate = &candidates.all[i];

		if (before.total_ns - candidate->outcome.total_ns < before.total_ns * GAIN_LEAST)
			break;
		print_line(model, &candidate->change, &candidate->outcome, before.total_ns, file);
		printed++;
	}
	print_none(model, printed, file);
	free(candidates.all);
	simulation_close(simulation);
	return finish(file);
}
