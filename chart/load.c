/* SPDX-License-Identifier: MIT */
/*
 * The trace once more as it was: how much what worked has done between its events, where it shared processors. A unit
 * computes first and waits then. What it has computed in all and had no time for until it was active, it does then,
 * beside what came after it.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>

#include "load.h"

struct recorder {
	struct simulation *simulation;
	struct processors *processors;
	struct queue works;
	double *done_ns;  /* at each event: what one that worked from the beginning has done */
	double *until_ns; /* of a span: when it had computed all; 0: not yet; below 0: it has ended */
};

/* Up to @now_ns, some have done what they had to. */
static void go_on(struct recorder *recorder, double now_ns)
{
	struct processors *processors = recorder->processors;

	while (recorder->works.count) {
		double at_ns = processors_until(processors, recorder->works.heap[0].at_ns);
		struct due due;
		double *until_ns;

		if (at_ns > now_ns)
			break;
		due = queue_take(&recorder->works);
		processors_go_on(processors, at_ns);
		until_ns = &recorder->until_ns[recorder->simulation->replay.events[due.event].index];
		if (due.what == DUE_WORKED && *until_ns < 0)
			continue; /* it has ended before, and did not work since */
		processors->working -= due.workers;
		if (due.what == DUE_WORKED)
			*until_ns = at_ns;
	}
	processors_go_on(processors, now_ns);
}

static void begin_computing(struct recorder *recorder, uint32_t number, double cpu_ns)
{
	processors_work(recorder->processors, &recorder->works, cpu_ns, &(struct due){0, number, 1, DUE_WORKED});
}

static void end_computing(struct recorder *recorder, uint32_t number, double now_ns)
{
	const struct replay *replay = &recorder->simulation->replay;
	size_t index = replay->events[number].index;
	const struct span *span = &replay->model->spans[index];
	struct computed *computed = &recorder->simulation->computed[index];
	double cpu_ns = (double)span->cpu_ns;

	*computed = (struct computed){.wait_ns = now_ns - (double)(span->begin_ns - replay->model->begin_ns)};
	if (span->is_unit && recorder->until_ns[index] > 0) {
		computed->work_ns = cpu_ns;
		computed->wait_ns = now_ns - recorder->until_ns[index];
	} else if (span->is_unit) {
		computed->work_ns = recorder->done_ns[number] - recorder->done_ns[replay->began[index]];
		computed->wait_ns = 0;
		recorder->processors->working--;
	}
	recorder->until_ns[index] = -1;
	computed->rest_ns = cpu_ns - computed->work_ns;
	if (computed->rest_ns > 0)
		processors_work(recorder->processors, &recorder->works, computed->rest_ns,
				&(struct due){0, number, BESIDE_WORKERS, DUE_REST});
}

/* The last of those that the unit had to come after. */
static uint32_t last_of(const struct replay *replay, uint32_t number)
{
	const struct span *unit = &replay->model->spans[replay->events[number].index];
	uint32_t last = replay->events[number].other;

	for (size_t i = 0; i < unit->join_count; i++) {
		uint32_t ended = replay->ended[unit->joins[i]];

		if (ended < number && (last == NO_EVENT || ended > last))
			last = ended;
	}
	return last;
}

/* Whether the time before it is work of its thread. */
static bool ends_work(const struct recorder *recorder, uint32_t number)
{
	const struct event *event = number == NO_EVENT ? NULL : &recorder->simulation->replay.events[number];

	return event && recorder->simulation->all_works && event->works && !event->computes;
}

static void record_event(struct recorder *recorder, uint32_t number)
{
	struct simulation *simulation = recorder->simulation;
	const struct replay *replay = &simulation->replay;
	const struct event *event = &replay->events[number];
	double now_ns = (double)(event->t_ns - replay->model->begin_ns);
	uint32_t last = event->joined ? last_of(replay, number) : event->previous;

	go_on(recorder, now_ns);
	recorder->done_ns[number] = recorder->processors->done_ns;
	if (last != NO_EVENT)
		simulation->work_ns[number] = recorder->done_ns[number] - recorder->done_ns[last];
	if (ends_work(recorder, number))
		recorder->processors->working--;
	if (event->type == END && event->computes)
		end_computing(recorder, number, now_ns);
	else if (event->type == BEGIN && replay->model->spans[event->index].is_unit &&
		 replay->model->spans[event->index].cpu_ns)
		begin_computing(recorder, number, (double)replay->model->spans[event->index].cpu_ns);
	if (ends_work(recorder, event->next))
		recorder->processors->working++;
}

static void record(struct simulation *simulation)
{
	const struct replay *replay = &simulation->replay;
	struct recorder recorder = {.simulation = simulation, .processors = &simulation->recorded};

	if (!simulation->work_ns) {
		simulation->work_ns = zeroed(replay->count, sizeof(*simulation->work_ns));
		simulation->computed = zeroed(replay->model->span_count, sizeof(*simulation->computed));
	}
	recorder.done_ns = zeroed(replay->count, sizeof(*recorder.done_ns));
	recorder.until_ns = zeroed(replay->model->span_count, sizeof(*recorder.until_ns));
	for (uint32_t i = 0; i < replay->count; i++)
		record_event(&recorder, i);
	free(recorder.done_ns);
	free(recorder.until_ns);
	queue_free(&recorder.works);
}

void load_record(struct simulation *simulation)
{
	const struct change *change = simulation->change;
	double count = change_processors(simulation->replay.model, change);
	bool all_works = change->kind == CHANGE_PROCESSORS;

	simulation->processors = (struct processors){.count = all_works ? change->times : count};
	simulation->shares = change_shares(simulation->replay.model, change);
	if (!simulation->shares) {
		simulation->all_works = false;
		return;
	}
	if (simulation->recorded.now_ns > 0 && simulation->all_works == all_works &&
	    fabs(simulation->recorded.count - count) < 0.5)
		return; /* by the change before */
	simulation->all_works = all_works;
	simulation->recorded = (struct processors){.count = count};
	record(simulation);
}
