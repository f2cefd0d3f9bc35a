/* SPDX-License-Identifier: MIT */
/* How long all takes with a change, and what the critical path then consists of. */
#define _GNU_SOURCE
#include <stdlib.h>

#include "outcome.h"

struct share {
	const char *name;
	double ns;
};

static int compare_shares(const void *a, const void *b)
{
	const struct share *left = a;
	const struct share *right = b;

	return (left->name > right->name) - (left->name < right->name);
}

/* The name that has most of the way back from @number to the begin. */
static void find_next(const struct simulation *simulation, uint32_t number, struct outcome *outcome)
{
	struct share *shares = NULL;
	size_t count = 0;

	for (; number != NO_EVENT; number = simulation->before[number]) {
		const struct event *event = &simulation->replay.events[number];
		uint32_t before = simulation->before[number];
		double before_ns = before == NO_EVENT ? 0 : simulation->new_ns[before];

		if (event->name && simulation->new_ns[number] > before_ns)
			*APPEND(shares, count) = (struct share){event->name, simulation->new_ns[number] - before_ns};
	}
	if (count)
		qsort(shares, count, sizeof(*shares), compare_shares);
	for (size_t i = 0; i < count; i++) {
		if (i && shares[i].name == shares[i - 1].name)
			shares[i].ns += shares[i - 1].ns;
		if (shares[i].ns > outcome->next_ns)
			*outcome = (struct outcome){outcome->total_ns, shares[i].name, shares[i].ns};
	}
	free(shares);
}

/* What goes on beside a boot has no part in its end: that is a span's, or one in the thread that boots. */
static bool leads_to_end(const struct model *model, const struct event *event)
{
	if (!model->path.end_name)
		return true;
	if (model->path.end_span != NONE)
		return event->type == END && event->index == model->path.end_span;
	return model->path.end_thread == NONE || event_thread(model, event) == model->path.end_thread;
}

/* The path's end comes as long after the last event before it as in the trace. */
uint32_t outcome_find(const struct simulation *simulation, struct outcome *outcome)
{
	const struct replay *replay = &simulation->replay;
	const struct path *path = &replay->model->path;
	uint64_t latest_ns = replay->model->begin_ns;
	uint32_t last = NO_EVENT;

	*outcome = (struct outcome){0, NULL, 0};
	for (uint32_t i = 0; i < replay->count && replay->events[i].t_ns <= path->end_ns; i++) {
		if (!leads_to_end(replay->model, &replay->events[i]))
			continue;
		if (last == NO_EVENT || simulation->new_ns[i] >= simulation->new_ns[last])
			last = i;
		latest_ns = replay->events[i].t_ns;
	}
	outcome->total_ns = (last == NO_EVENT ? 0 : simulation->new_ns[last]) + (double)(path->end_ns - latest_ns);
	for (size_t i = 0; i < simulation->aside_count; i++)
		if (simulation->new_ns[simulation->asides[i]] > outcome->total_ns) {
			last = simulation->asides[i];
			outcome->total_ns = simulation->new_ns[last];
		}
	find_next(simulation, last, outcome);
	return last;
}
