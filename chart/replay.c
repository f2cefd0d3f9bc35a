/* SPDX-License-Identifier: MIT */
/*
 * An event comes after the one before it in its thread, and the end of a wait after all calls of its domain below its
 * bound that were complete then, not only after the one which ended it. What passed after the last of them passes
 * with any change: the event's delay. In order of time, each comes after earlier ones alone.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "replay.h"

/* A span that is open, while the events are gone through. */
struct open_span {
	size_t span;
	size_t run; /* the innermost call's around it, or its own; NONE */
	const char *name;
};

struct track {
	uint32_t first, last;
	struct open_span *stack;
	size_t depth;
};

struct linker {
	struct replay *replay;
	struct track *tracks;
	uint32_t *returned; /* of a call: the end of its run */
};

uint32_t *event_array(size_t count)
{
	uint32_t *array = malloc((count + 1) * sizeof(*array));

	if (!array)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	return memset(array, 0xff, (count + 1) * sizeof(*array));
}

/* ---- the events ---- */

/* Causes stand before their effects, which the trace may show a little later. */
static uint64_t end_time(const struct model *model, const struct span *span)
{
	uint64_t t_ns = span->end_ns;

	if (span->kind == SPAN_WAIT && span->awaited != NONE && model->calls[span->awaited].completed_ns > t_ns)
		t_ns = model->calls[span->awaited].completed_ns;
	return t_ns;
}

static void add_event(struct replay *replay, enum event_type type, size_t index, uint64_t t_ns)
{
	*APPEND(replay->events, replay->count) = (struct event){.type = type,
								.index = (uint32_t)index,
								.t_ns = t_ns,
								.previous = NO_EVENT,
								.around = NO_EVENT,
								.next = NO_EVENT,
								.other = NO_EVENT,
								.set = NO_EVENT};
}

static void add_events(struct replay *replay)
{
	const struct model *model = replay->model;

	for (size_t i = 0; i < model->call_count; i++)
		if (model->calls[i].scheduled_ns && model->calls[i].scheduler != NONE && !model->calls[i].inlined)
			add_event(replay, SCHEDULED, i, model->calls[i].scheduled_ns);
	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *span = &model->spans[i];

		if (span->kind != SPAN_TURN) {
			add_event(replay, BEGIN, i, span->begin_ns);
			add_event(replay, END, i, end_time(model, span));
		} else if (span->call != NONE && model->calls[span->call].retire == NONE) {
			add_event(replay, TURN_END, i, span->end_ns);
		}
	}
	if (replay->count >= NO_EVENT)
		more(NULL, 0, SIZE_MAX);
}

static bool is_empty(const struct model *model, const struct event *event)
{
	return event->type >= BEGIN && model->spans[event->index].begin_ns == model->spans[event->index].end_ns;
}

static int rank_of(const struct model *model, const struct event *event)
{
	if (event->type == SCHEDULED)
		return 1;
	if (event->type == END && model->spans[event->index].kind == SPAN_WAIT)
		return 2; /* after the call that it waited for */
	return event->type == END && !is_empty(model, event) ? 0 : 3;
}

static int compare_events(const void *a, const void *b, void *data)
{
	const struct event *left = a;
	const struct event *right = b;
	int left_rank, right_rank;

	if (left->t_ns != right->t_ns)
		return left->t_ns < right->t_ns ? -1 : 1;
	left_rank = rank_of(data, left);
	right_rank = rank_of(data, right);
	if (left_rank != right_rank)
		return left_rank < right_rank ? -1 : 1;
	if (left->index != right->index) /* inner spans begin later and end before */
		return (left->index < right->index) == (left_rank != 0) ? -1 : 1;
	return (int)left->type - (int)right->type;
}

/* ---- completions ---- */

/* The call that is complete with an event, or NONE. */
static size_t completes(const struct model *model, const struct event *event)
{
	const struct span *span = event->type == SCHEDULED ? NULL : &model->spans[event->index];
	const struct call *call = span && span->call != NONE ? &model->calls[span->call] : NULL;

	if (!call || event->type == BEGIN)
		return NONE;
	if (event->type == TURN_END)
		return span->call;
	/* In a broken trace other spans, too, may be of the call: it is complete once. */
	if (!call->completed_ns)
		return NONE;
	if (call->retire != NONE)
		return call->retire == event->index ? span->call : NONE;
	return call->run == event->index && !call->returned_ns ? span->call : NONE;
}

static int compare_completions(const void *a, const void *b)
{
	const struct completion *left = a;
	const struct completion *right = b;

	if (left->process != right->process)
		return left->process < right->process ? -1 : 1;
	if (left->domain != right->domain)
		return (uintptr_t)left->domain < (uintptr_t)right->domain ? -1 : 1;
	return (left->event > right->event) - (left->event < right->event);
}

static void finish_row(struct row *row, size_t calls)
{
	if (row->count)
		qsort(row->completions, row->count, sizeof(*row->completions), compare_completions);
	row->place = event_array(calls);
	lowest_make(&row->cookies, row->count);
	for (size_t i = 0; i < row->count; i++) {
		row->place[row->completions[i].call] = (uint32_t)i;
		*lowest_leaf(&row->cookies, i) = row->completions[i].cookie;
	}
	lowest_ready(&row->cookies);
}

static void find_completions(struct replay *replay)
{
	const struct model *model = replay->model;

	for (size_t i = 0; i < replay->count; i++) {
		size_t index = completes(model, &replay->events[i]);
		const struct call *call = index == NONE ? NULL : &model->calls[index];
		struct completion one = {.event = (uint32_t)i, .call = (uint32_t)index};

		if (!call)
			continue;
		one.process = call->process;
		one.cookie = call->exclusive ? UINT64_MAX : call->cookie;
		*APPEND(replay->rows[1].completions, replay->rows[1].count) = one;
		one.domain = call->domain;
		one.cookie = call->cookie;
		*APPEND(replay->rows[0].completions, replay->rows[0].count) = one;
	}
	finish_row(&replay->rows[0], model->call_count);
	finish_row(&replay->rows[1], model->call_count);
}

/* How many completions stand before those of @process and @domain from that event on. */
static uint32_t place_of(const struct row *row, size_t process, const char *domain, uint32_t event)
{
	const struct completion sought = {.process = process, .domain = domain, .event = event};
	size_t low = 0;
	size_t high = row->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_completions(&row->completions[middle], &sought) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return (uint32_t)low;
}

/* The later one; either may be NO_EVENT. */
static uint32_t later(uint32_t a, uint32_t b)
{
	return a == NO_EVENT || (b != NO_EVENT && b > a) ? b : a;
}

/* The event comes after the completion of all calls below @bound (0: of all). Returns the last of them. */
static uint32_t after_calls(struct replay *replay, uint32_t number, size_t process, const char *domain, uint64_t bound)
{
	struct set set = {.all = !domain, .bound = bound ? bound : UINT64_MAX};
	const struct row *row = &replay->rows[set.all];
	size_t last;

	set.begin = place_of(row, process, domain, 0);
	set.end = place_of(row, process, domain, number);
	last = lowest_find(&row->cookies, set.end, set.bound);
	if (last == NONE || last < set.begin)
		return NO_EVENT;
	replay->events[number].set = (uint32_t)replay->set_count;
	*APPEND(replay->sets, replay->set_count) = set;
	return row->completions[last].event;
}

static uint32_t completed(const struct replay *replay, size_t call, uint32_t number)
{
	const struct row *row = &replay->rows[1];
	uint32_t place = row->place[call];

	return place == NO_EVENT || row->completions[place].event >= number ? NO_EVENT : row->completions[place].event;
}

/* ---- what each came after ---- */

bool is_own_wait(const struct span *span)
{
	return span->kind == SPAN_WAIT && span->name && strncmp(span->name, "event ", 6) != 0;
}

/* Its delay passes after @last. */
static void passes_after(const struct replay *replay, struct event *event, uint32_t last)
{
	uint64_t last_ns = last == NO_EVENT ? replay->model->begin_ns : replay->events[last].t_ns;

	event->delay_ns = event->t_ns > last_ns ? (double)(event->t_ns - last_ns) : 0;
}

/* After the thread's event before, by the work between them. */
static void follow(const struct replay *replay, struct event *event, const struct track *track)
{
	const struct open_span *top = track->depth ? &track->stack[track->depth - 1] : NULL;
	const struct span *span = top ? &replay->model->spans[top->span] : NULL;

	event->chained = true;
	event->name = span && (span->kind != SPAN_WAIT || is_own_wait(span)) ? top->name : NULL;
	event->works = span && span->kind != SPAN_WAIT;
	passes_after(replay, event, track->last);
}

static void end_wait(struct replay *replay, struct event *event, const struct track *track, const struct span *wait)
{
	uint32_t number = (uint32_t)(event - replay->events);
	size_t process = replay->model->threads[wait->thread].process;
	const struct call *awaited = wait->awaited == NONE ? NULL : &replay->model->calls[wait->awaited];
	/* In version 1 a wait for one call names that call, and is not marked. */
	bool one = wait->one || (awaited && wait->wait_for && awaited->cookie >= wait->wait_for);
	uint32_t last = track->last;

	event->chained = true;
	if (awaited)
		event->other = completed(replay, wait->awaited, number);
	if (!one)
		last = later(last, after_calls(replay, number, process, wait->domain, wait->wait_for));
	passes_after(replay, event, later(last, event->other));
}

/* Its turn has come: it has returned, and the calls before it are complete. */
static void take_turn(struct linker *linker, struct event *event, size_t index)
{
	const struct call *call = &linker->replay->model->calls[index];
	uint32_t number = (uint32_t)(event - linker->replay->events);
	uint32_t last = after_calls(linker->replay, number, call->process, call->domain, call->cookie);

	event->other = linker->returned[index];
	passes_after(linker->replay, event, later(event->other, last));
}

/* After the last of the units that it had to come after; a device, after the kernel has found it. */
static void begin_unit(const struct replay *replay, struct event *event, const struct span *unit)
{
	uint32_t last = unit->found_by == NONE ? NO_EVENT : replay->ended[unit->found_by];

	event->other = last;

	for (size_t i = 0; i < unit->join_count; i++)
		last = later(last, replay->ended[unit->joins[i]]);
	event->joined = true;
	passes_after(replay, event, last);
}

static void push(const struct linker *linker, struct track *track, const struct event *event)
{
	const struct span *span = &linker->replay->model->spans[event->index];
	size_t around = track->depth ? track->stack[track->depth - 1].run : NONE;

	*APPEND(track->stack, track->depth) = (struct open_span){
		event->index, span->kind == SPAN_RUN ? event->index : around, span_name(linker->replay->model, span)};
}

static void begin_span(struct linker *linker, struct event *event, struct track *track, const struct span *span)
{
	struct replay *replay = linker->replay;
	const struct call *call = span->call == NONE ? NULL : &replay->model->calls[span->call];

	if (span->kind == SPAN_RETIRE && call) {
		take_turn(linker, event, span->call);
	} else if (span->kind == SPAN_RUN && call && !call->inlined && replay->scheduled[span->call] != NO_EVENT) {
		event->chained = event->run_begin = true;
		event->other = replay->scheduled[span->call];
		passes_after(replay, event, later(track->last, event->other));
	} else if (span->join_count || (span->is_unit && span->found_by != NONE)) {
		begin_unit(replay, event, span);
	} else {
		follow(replay, event, track);
	}
	push(linker, track, event);
	replay->began[event->index] = (uint32_t)(event - replay->events);
}

static void end_span(struct linker *linker, struct event *event, struct track *track, const struct span *span)
{
	struct replay *replay = linker->replay;
	uint32_t number = (uint32_t)(event - replay->events);

	if (span->kind == SPAN_WAIT && !is_own_wait(span))
		end_wait(replay, event, track, span);
	else
		follow(replay, event, track);
	event->computes = span->cpu_ns > 0;
	while (track->depth && track->stack[--track->depth].span != event->index)
		;
	replay->ended[event->index] = number;
	if (span->kind == SPAN_RUN && span->call != NONE)
		linker->returned[span->call] = number;
}

static void schedule(struct linker *linker, struct event *event, const struct track *track)
{
	struct replay *replay = linker->replay;
	size_t run = track->depth ? track->stack[track->depth - 1].run : NONE;
	uint32_t number = (uint32_t)(event - replay->events);

	follow(replay, event, track);
	replay->scheduled[event->index] = replay->earliest[event->index] = number;
	if (run != NONE)
		replay->earliest[event->index] = replay->began[run];
	else if (track->first != NO_EVENT)
		replay->earliest[event->index] = track->first;
}

size_t event_thread(const struct model *model, const struct event *event)
{
	return event->type == SCHEDULED ? model->calls[event->index].scheduler : model->spans[event->index].thread;
}

static void link_event(struct linker *linker, uint32_t number)
{
	struct replay *replay = linker->replay;
	struct event *event = &replay->events[number];
	const struct span *span = event->type == SCHEDULED ? NULL : &replay->model->spans[event->index];
	struct track *track = &linker->tracks[event_thread(replay->model, event)];

	if (event->type == TURN_END) { /* holds no thread */
		take_turn(linker, event, span->call);
		return;
	}
	event->previous = track->last;
	if (track->depth)
		event->around = (uint32_t)track->stack[track->depth - 1].span;
	if (event->type == SCHEDULED)
		schedule(linker, event, track);
	else if (event->type == BEGIN)
		begin_span(linker, event, track, span);
	else
		end_span(linker, event, track, span);
	if (track->first == NO_EVENT)
		track->first = number;
	else
		replay->events[track->last].next = number;
	track->last = number;
}

/* ---- all of them ---- */

/* Before it runs /init, the kernel waits for all asynchronous calls: the first event after that. */
static void find_kernel_join(struct replay *replay)
{
	const struct model *model = replay->model;
	const struct phase *init = NULL;

	replay->kernel_joins = NO_EVENT;
	for (size_t i = 0; i < model->phase_count && !init; i++)
		if (model->processes[model->phases[i].process].pid == 0 && model->phases[i].name[0] == '/')
			init = &model->phases[i];
	for (size_t i = 0; init && i < replay->count && replay->kernel_joins == NO_EVENT; i++) {
		const struct event *event = &replay->events[i];

		if (event->t_ns >= init->begin_ns && (event->type == BEGIN || event->type == SCHEDULED) &&
		    model->threads[event_thread(model, event)].tid == 1)
			replay->kernel_joins = (uint32_t)i;
	}
}

void replay_open(struct replay *replay, const struct model *model)
{
	struct linker linker = {.replay = replay};

	*replay = (struct replay){.model = model};
	add_events(replay);
	if (replay->count)
		qsort_r(replay->events, replay->count, sizeof(*replay->events), compare_events,
			(void *)(uintptr_t)model);
	find_completions(replay);
	replay->scheduled = event_array(model->call_count);
	replay->earliest = event_array(model->call_count);
	replay->began = event_array(model->span_count);
	replay->ended = event_array(model->span_count);
	linker.returned = event_array(model->call_count);
	for (size_t i = 0, count = 0; i < model->thread_count; i++)
		*APPEND(linker.tracks, count) = (struct track){NO_EVENT, NO_EVENT, NULL, 0};
	for (size_t i = 0; i < replay->count; i++)
		link_event(&linker, (uint32_t)i);
	find_kernel_join(replay);
	for (size_t i = 0; i < model->thread_count; i++)
		free(linker.tracks[i].stack);
	free(linker.tracks);
	free(linker.returned);
}

void replay_close(struct replay *replay)
{
	for (size_t i = 0; i < 2; i++) {
		free(replay->rows[i].completions);
		free(replay->rows[i].place);
		lowest_free(&replay->rows[i].cookies);
	}
	free(replay->events);
	free(replay->sets);
	free(replay->scheduled);
	free(replay->earliest);
	free(replay->began);
	free(replay->ended);
	*replay = (struct replay){0};
}
