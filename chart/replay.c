/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "replay.h"

static void *array_of(size_t count, size_t bytes)
{
	unsigned char *array = calloc(count + 1, bytes);

	if (!array)
		more(NULL, 0, SIZE_MAX);                 /* says that there is no memory */
	return memset(array, 0xff, (count + 1) * bytes); /* NONE */
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
	*APPEND(replay->events, replay->count) = (struct event){type, index, t_ns, 0, NONE, NULL};
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

/* ---- completions below a cookie ---- */

size_t later(const struct replay *replay, size_t a, size_t b, bool new_time)
{
	if (a == NONE || b == NONE)
		return a == NONE ? b : a;
	if (new_time)
		return replay->events[a].new_ns >= replay->events[b].new_ns ? a : b;
	return replay->events[a].t_ns >= replay->events[b].t_ns ? a : b;
}

static struct completions *completions_of(struct replay *replay, size_t process, const char *domain)
{
	struct completions *new;

	for (size_t i = 0; i < replay->domain_count; i++)
		if (replay->domains[i].domain == domain && replay->domains[i].process == process)
			return &replay->domains[i];
	new = APPEND(replay->domains, replay->domain_count);
	new->domain = domain;
	new->process = process;
	new->latest_new = array_of(replay->model->call_count, sizeof(size_t));
	new->latest_old = array_of(replay->model->call_count, sizeof(size_t));
	return new;
}

static void complete_in(struct replay *replay, struct completions *in, size_t call, size_t event)
{
	for (size_t i = replay->rank[call]; i <= replay->model->call_count; i += i & -i) {
		in->latest_new[i] = later(replay, in->latest_new[i], event, true);
		in->latest_old[i] = later(replay, in->latest_old[i], event, false);
	}
}

void complete(struct replay *replay, size_t call, size_t event)
{
	const struct call *of = &replay->model->calls[call];

	if (of->domain)
		complete_in(replay, completions_of(replay, of->process, of->domain), call, event);
	complete_in(replay, completions_of(replay, of->process, NULL), call, event);
}

size_t completed_below(struct replay *replay, size_t process, const char *domain, uint64_t cookie, bool new_time)
{
	const struct completions *in = completions_of(replay, process, domain);
	size_t low = 0;
	size_t high = replay->model->call_count;
	size_t last = NONE;

	while (cookie && low < high) {
		size_t middle = low + (high - low) / 2;

		if (replay->cookies[middle] < cookie)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = cookie ? low : high; i; i -= i & -i)
		last = later(replay, last, new_time ? in->latest_new[i] : in->latest_old[i], new_time);
	return last;
}

/* ---- all of them ---- */

static int compare_cookies(const void *a, const void *b, void *data)
{
	const struct call *left = (const struct call *)data + *(const size_t *)a;
	const struct call *right = (const struct call *)data + *(const size_t *)b;

	return (left->cookie > right->cookie) - (left->cookie < right->cookie);
}

static void rank_calls(struct replay *replay)
{
	const struct model *model = replay->model;
	size_t *calls = array_of(model->call_count, sizeof(*calls));

	for (size_t i = 0; i < model->call_count; i++)
		calls[i] = i;
	qsort_r(calls, model->call_count, sizeof(*calls), compare_cookies, model->calls);
	for (size_t i = 0; i < model->call_count; i++) {
		replay->rank[calls[i]] = i + 1;
		replay->cookies[i] = model->calls[calls[i]].cookie;
	}
	free(calls);
}

void replay_open(struct replay *replay)
{
	const struct model *model = replay->model;

	add_events(replay);
	if (replay->count)
		qsort_r(replay->events, replay->count, sizeof(*replay->events), compare_events,
			(void *)(uintptr_t)model);
	replay->tracks = array_of(model->thread_count, sizeof(*replay->tracks));
	for (size_t i = 0; i < model->thread_count; i++)
		replay->tracks[i] = (struct track){.first = NONE, .last = NONE, .aside = NONE};
	replay->scheduled = array_of(model->call_count, sizeof(size_t));
	replay->earliest = array_of(model->call_count, sizeof(size_t));
	replay->returned = array_of(model->call_count, sizeof(size_t));
	replay->began = array_of(model->span_count, sizeof(size_t));
	replay->ended = array_of(model->span_count, sizeof(size_t));
	replay->rank = array_of(model->call_count, sizeof(size_t));
	replay->cookies = array_of(model->call_count, sizeof(uint64_t));
	rank_calls(replay);
}

void replay_close(struct replay *replay)
{
	for (size_t i = 0; i < replay->model->thread_count; i++)
		free(replay->tracks[i].stack);
	for (size_t i = 0; i < replay->domain_count; i++) {
		free(replay->domains[i].latest_new);
		free(replay->domains[i].latest_old);
	}
	free(replay->domains);
	free(replay->events);
	free(replay->tracks);
	free(replay->scheduled);
	free(replay->earliest);
	free(replay->returned);
	free(replay->began);
	free(replay->ended);
	free(replay->rank);
	free(replay->cookies);
}
