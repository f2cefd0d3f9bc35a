/* SPDX-License-Identifier: MIT */
/*
 * Events in order of their new times. An event is ready when all that it comes after have been; then its delay passes:
 * time, or, where processors are shared, work, which takes longer beside other work. A wait is for all calls of a set:
 * it stands at one that is not complete, looks for another one when that is, and is ready when it finds none.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

struct simulation *simulation_open(const struct model *model)
{
	struct simulation *simulation = zeroed(1, sizeof(*simulation));
	size_t count;

	replay_open(&simulation->replay, model);
	count = simulation->replay.count;
	simulation->new_ns = zeroed(count, sizeof(*simulation->new_ns));
	simulation->before = event_array(count);
	simulation->pending = event_array(count);
	simulation->first = event_array(count);
	simulation->next_waiter = event_array(count);
	simulation->waiter = event_array(model->call_count);
	return simulation;
}

void simulation_close(struct simulation *simulation)
{
	free(simulation->new_ns);
	free(simulation->before);
	free(simulation->asides);
	free(simulation->pending);
	free(simulation->first);
	free(simulation->edges);
	free(simulation->joiner);
	free(simulation->held);
	free(simulation->waiter);
	free(simulation->next_waiter);
	free(simulation->work_ns);
	free(simulation->computed);
	lowest_free(&simulation->left[0]);
	lowest_free(&simulation->left[1]);
	queue_free(&simulation->times);
	queue_free(&simulation->works);
	replay_close(&simulation->replay);
	free(simulation);
}

static bool is_changed(const struct simulation *simulation, enum change_kind kind, const char *name)
{
	const struct change *change = simulation->change;

	return change->kind == kind && name && (name == change->name || strcmp(name, change->name) == 0);
}

/* ---- what comes after what ---- */

static void add_edge(struct simulation *simulation, uint32_t from, uint32_t to)
{
	uint32_t number = (uint32_t)simulation->edge_count;

	*APPEND(simulation->edges, simulation->edge_count) = (struct edge){to, simulation->first[from]};
	simulation->first[from] = number;
	simulation->pending[to]++;
}

/* With a change to earlier a unit does not come after the last of the units that it came after. */
static uint32_t left_out(const struct simulation *simulation, const struct span *unit)
{
	const struct replay *replay = &simulation->replay;
	uint32_t last = NO_EVENT;
	size_t others = 0;

	if (!is_changed(simulation, CHANGE_EARLIER, span_name(replay->model, unit)))
		return NO_EVENT;
	for (size_t i = 0; i < unit->join_count; i++) {
		uint32_t ended = replay->ended[unit->joins[i]];

		if (ended == NO_EVENT)
			continue;
		others++;
		if (replay->model->spans[unit->joins[i]].is_unit && (last == NO_EVENT || ended > last))
			last = ended;
	}
	return others > 1 ? last : NO_EVENT; /* systemd itself was there before any unit */
}

static void after_units(struct simulation *simulation, uint32_t number)
{
	const struct replay *replay = &simulation->replay;
	const struct span *unit = &replay->model->spans[replay->events[number].index];
	uint32_t without = left_out(simulation, unit);

	for (size_t i = 0; i < unit->join_count; i++) {
		uint32_t ended = replay->ended[unit->joins[i]];

		if (ended < number && ended != without)
			add_edge(simulation, ended, number);
	}
}

static uint32_t other_of(const struct simulation *simulation, const struct event *event)
{
	const struct replay *replay = &simulation->replay;
	size_t call;

	if (!event->run_begin || simulation->change->kind != CHANGE_EARLIER)
		return event->other;
	call = replay->model->spans[event->index].call;
	return is_changed(simulation, CHANGE_EARLIER, call_name(&replay->model->calls[call])) ? replay->earliest[call]
											      : event->other;
}

/* Whether the thread's event before, in whose place @previous is, counts. */
static bool is_chained(const struct simulation *simulation, const struct event *event)
{
	if (event->run_begin && simulation->change->kind == CHANGE_THREADS)
		return false;
	return event->chained && !(simulation->shares && event->computes);
}

static void link_event(struct simulation *simulation, uint32_t number, uint32_t previous)
{
	const struct event *event = &simulation->replay.events[number];
	uint32_t other = other_of(simulation, event);

	if (simulation->shares && event->computes)
		add_edge(simulation, simulation->replay.began[event->index], number);
	if (previous != NO_EVENT && is_chained(simulation, event))
		add_edge(simulation, previous, number);
	if (other != NO_EVENT)
		add_edge(simulation, other, number);
	if (event->joined)
		after_units(simulation, number);
}

/* ---- what is made asynchronous ---- */

/* Of a thread, in which a step was made asynchronous: it goes on where that began. */
struct detour {
	uint32_t resume; /* what the next event comes after instead; NO_EVENT: none */
	uint32_t *ends;  /* of steps that nothing waits for yet */
	size_t count;
};

/* The thread's next wait, the end of the call that the step was in, or of the kernel's own start, is for it, too. */
static bool joins(const struct replay *replay, uint32_t number, uint32_t aside)
{
	const struct event *event = &replay->events[number];
	const struct span *span = event->type == END ? &replay->model->spans[event->index] : NULL;

	if (number == replay->kernel_joins)
		return true;
	return span &&
	       ((span->kind == SPAN_WAIT && !is_own_wait(span)) ||
		(span->kind == SPAN_RUN && replay->began[event->index] < replay->began[replay->events[aside].index]));
}

static void join_asides(struct simulation *simulation, struct detour *detour, uint32_t number)
{
	size_t kept = 0;

	for (size_t i = 0; i < detour->count; i++)
		if (joins(&simulation->replay, number, detour->ends[i])) {
			simulation->joiner[detour->ends[i]] = number;
			simulation->held[number]++;
		} else {
			detour->ends[kept++] = detour->ends[i];
		}
	detour->count = kept;
}

static void detour_event(struct simulation *simulation, struct detour *detours, uint32_t number)
{
	const struct replay *replay = &simulation->replay;
	const struct event *event = &replay->events[number];
	struct detour *detour = &detours[event_thread(replay->model, event)];
	const struct span *span = event->type == END ? &replay->model->spans[event->index] : NULL;

	if (event->type == TURN_END) {
		link_event(simulation, number, NO_EVENT);
		return;
	}
	if (detour->count)
		join_asides(simulation, detour, number);
	link_event(simulation, number, detour->resume != NO_EVENT ? detour->resume : event->previous);
	detour->resume = NO_EVENT;
	if (!span || span->kind != SPAN_STEP || !is_changed(simulation, CHANGE_ASYNC, span_name(replay->model, span)))
		return;
	detour->resume = replay->began[event->index];
	*APPEND(detour->ends, detour->count) = number;
	*APPEND(simulation->asides, simulation->aside_count) = number;
}

static void link_detoured(struct simulation *simulation)
{
	const struct model *model = simulation->replay.model;
	struct detour *detours = zeroed(model->thread_count, sizeof(*detours));

	simulation->joiner = event_array(simulation->replay.count);
	simulation->held = zeroed(simulation->replay.count, sizeof(*simulation->held));
	for (size_t i = 0; i < model->thread_count; i++)
		detours[i].resume = NO_EVENT;
	for (uint32_t i = 0; i < simulation->replay.count; i++)
		detour_event(simulation, detours, i);
	for (size_t i = 0; i < model->thread_count; i++)
		free(detours[i].ends);
	free(detours);
}

/* ---- the run ---- */

#define PASSED 0x80000000 /* in "held": its own delay has */

static void add_time(struct simulation *simulation, uint32_t number, double delay_ns)
{
	double at_ns = simulation->processors.now_ns + delay_ns;

	queue_add(&simulation->times, &(struct due){at_ns, number, 0, DUE_EVENT});
}

static void add_work(struct simulation *simulation, uint32_t number, double work_ns, unsigned int workers,
		     enum due_what what)
{
	processors_work(&simulation->processors, &simulation->works, work_ns, &(struct due){0, number, workers, what});
}

/* All that it comes after has been: its delay begins. */
static void start(struct simulation *simulation, uint32_t number)
{
	const struct event *event = &simulation->replay.events[number];
	double times = is_changed(simulation, CHANGE_FASTER, event->name) ? simulation->change->times : 1;

	simulation->before[number] = simulation->current;
	if (simulation->shares && event->computes)
		add_work(simulation, number, simulation->computed[event->index].work_ns / times, 1, DUE_WORKED);
	else if (simulation->shares && event->joined && simulation->current != NO_EVENT)
		add_work(simulation, number, simulation->work_ns[number], 0, DUE_EVENT);
	else if (simulation->all_works && event->works)
		add_work(simulation, number, simulation->work_ns[number], 1, DUE_EVENT);
	else
		add_time(simulation, number, event->delay_ns / times);
}

static void ready(struct simulation *simulation, uint32_t number)
{
	const struct event *event = &simulation->replay.events[number];
	const struct set *set = event->set == NO_EVENT ? NULL : &simulation->replay.sets[event->set];
	size_t found = set ? lowest_find(&simulation->left[set->all], set->end, set->bound) : NONE;
	uint32_t call;

	if (found == NONE || found < set->begin) {
		start(simulation, number);
		return;
	}
	call = simulation->replay.rows[set->all].completions[found].call;
	simulation->next_waiter[number] = simulation->waiter[call];
	simulation->waiter[call] = number;
}

static void complete(struct simulation *simulation, uint32_t call)
{
	uint32_t waiter = simulation->waiter[call];

	simulation->waiter[call] = NO_EVENT;
	for (size_t i = 0; i < 2; i++)
		lowest_remove(&simulation->left[i], simulation->replay.rows[i].place[call]);
	while (waiter != NO_EVENT) {
		uint32_t next = simulation->next_waiter[waiter];

		ready(simulation, waiter);
		waiter = next;
	}
}

/* The call that is complete with the event; NO_EVENT if none is. */
static uint32_t completes(const struct replay *replay, uint32_t number)
{
	const struct event *event = &replay->events[number];
	size_t call = event->type == END || event->type == TURN_END ? replay->model->spans[event->index].call : NONE;
	uint32_t place = call == NONE ? NO_EVENT : replay->rows[1].place[call];

	return place != NO_EVENT && replay->rows[1].completions[place].event == number ? (uint32_t)call : NO_EVENT;
}

/* One of those that held it up has been. */
static void release(struct simulation *simulation, uint32_t number)
{
	if (--simulation->held[number] != PASSED)
		return;
	simulation->held[number] = 0;
	simulation->before[number] = simulation->current;
	add_time(simulation, number, 0);
}

static void happen(struct simulation *simulation, uint32_t number)
{
	const struct event *event = &simulation->replay.events[number];
	uint32_t call = completes(&simulation->replay, number);

	simulation->new_ns[number] = simulation->processors.now_ns;
	simulation->current = number;
	for (uint32_t i = simulation->first[number]; i != NO_EVENT; i = simulation->edges[i].next)
		if (--simulation->pending[simulation->edges[i].to] == 0)
			ready(simulation, simulation->edges[i].to);
	if (call != NO_EVENT)
		complete(simulation, call);
	if (simulation->joiner && simulation->joiner[number] != NO_EVENT)
		release(simulation, simulation->joiner[number]);
	if (simulation->shares && event->computes && simulation->computed[event->index].rest_ns > 0)
		add_work(simulation, number, simulation->computed[event->index].rest_ns, BESIDE_WORKERS, DUE_REST);
}

/* A span that has done its work waits for as long as in the trace. */
static void has_worked(struct simulation *simulation, uint32_t number)
{
	const struct event *event = &simulation->replay.events[number];
	double times = is_changed(simulation, CHANGE_FASTER, event->name) ? simulation->change->times : 1;

	add_time(simulation, number, simulation->computed[event->index].wait_ns / times);
}

/* Its delay has passed; what was made asynchronous may hold it up. */
static void pass(struct simulation *simulation, uint32_t number)
{
	if (simulation->held && simulation->held[number])
		simulation->held[number] |= PASSED;
	else
		happen(simulation, number);
}

static void next_due(struct simulation *simulation)
{
	struct processors *processors = &simulation->processors;
	double work_ns =
		simulation->works.count ? processors_until(processors, simulation->works.heap[0].at_ns) : INFINITY;
	struct due due;

	if (simulation->times.count && simulation->times.heap[0].at_ns <= work_ns) {
		due = queue_take(&simulation->times);
		processors_go_on(processors, due.at_ns);
	} else {
		due = queue_take(&simulation->works);
		processors_go_on(processors, work_ns);
		processors->working -= due.workers;
	}
	if (due.what == DUE_EVENT)
		pass(simulation, due.event);
	else if (due.what == DUE_WORKED)
		has_worked(simulation, due.event);
}

static void reset(struct simulation *simulation, const struct change *change)
{
	const struct replay *replay = &simulation->replay;

	simulation->change = change;
	simulation->current = NO_EVENT;
	simulation->edge_count = simulation->aside_count = 0;
	free(simulation->edges); /* APPEND() grows from nothing */
	free(simulation->asides);
	free(simulation->joiner);
	free(simulation->held);
	simulation->edges = NULL;
	simulation->asides = simulation->joiner = simulation->held = NULL;
	memset(simulation->pending, 0, replay->count * sizeof(*simulation->pending));
	memset(simulation->first, 0xff, replay->count * sizeof(*simulation->first));
	for (size_t i = 0; i < 2; i++)
		lowest_copy(&simulation->left[i], &replay->rows[i].cookies);
	load_record(simulation);
}

void simulation_run(struct simulation *simulation, const struct change *change)
{
	struct replay *replay = &simulation->replay;

	reset(simulation, change);
	if (change->kind == CHANGE_ASYNC)
		link_detoured(simulation);
	else
		for (uint32_t i = 0; i < replay->count; i++)
			link_event(simulation, i, replay->events[i].previous);
	for (uint32_t i = 0; i < replay->count; i++)
		if (!simulation->pending[i])
			ready(simulation, i);
	while (simulation->times.count || simulation->works.count)
		next_due(simulation);
}
