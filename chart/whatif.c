/* SPDX-License-Identifier: MIT */
/*
 * What a change would do. The trace's events are gone through in order of time, and each gets its new time: that of
 * the event before it in its thread and the work between them, or, where it waited, that of the last of those it
 * waited for and what passed then. A wait is for all calls of its domain below its bound, not only for that which
 * ended it in the trace. Without a change every event keeps its time.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "processors.h"
#include "whatif.h"

#define ROUNDS_MOST 60
#define SAME 1e-6 /* of the total: no other round is needed */

enum event_type { SCHEDULED, BEGIN, END, TURN_END };

struct event {
	enum event_type type;
	size_t index; /* of the span, or of the call that is scheduled */
	uint64_t t_ns;
	double new_ns;
	size_t before;    /* the event that it came after; NONE: nothing */
	const char *name; /* whose time lies between them; NULL: of no name */
};

struct track {
	size_t first; /* event; NONE: none yet */
	size_t last;
	size_t *stack; /* open spans */
	size_t depth;
	double aside_ns; /* until when what was made asynchronous runs */
	size_t aside;    /* its event */
	double step_ns;  /* when that began */
};

/* For each prefix of the cookies the completion that is last: a Fenwick tree of events, NONE where there is none. */
struct completions {
	const char *domain; /* NULL: all */
	size_t process;
	size_t *latest_new;
	size_t *latest_old;
};

struct replay {
	const struct model *model;
	const struct change *change;
	struct event *events;
	size_t count;
	struct track *tracks;
	size_t *scheduled; /* a call's event */
	size_t *earliest;  /* the event after which the change schedules it; else the same */
	size_t *began;     /* a span's event */
	size_t *ended;     /* a span's event */
	size_t *returned;  /* that of the end of its run */
	size_t *rank;      /* a call's place among the cookies, from 1 */
	uint64_t *cookies; /* in order */
	struct completions *domains;
	size_t domain_count;
	struct shared *busy;      /* gets when something works; NULL: of no interest */
	const struct shared *old; /* in the trace, and, as far as it is known, with another number of processors */
	const struct shared *new; /* NULL: work takes as long as in the trace */
};

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

static size_t later(const struct replay *replay, size_t a, size_t b, bool new_time)
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

static void complete(struct replay *replay, size_t call, size_t event)
{
	const struct call *of = &replay->model->calls[call];

	if (of->domain)
		complete_in(replay, completions_of(replay, of->process, of->domain), call, event);
	complete_in(replay, completions_of(replay, of->process, NULL), call, event);
}

/* The last completion of a call below @cookie (0: of any). */
static size_t completed_below(struct replay *replay, size_t process, const char *domain, uint64_t cookie, bool new_time)
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

/* ---- one event ---- */

bool is_own_wait(const struct span *span)
{
	return span->kind == SPAN_WAIT && span->name && strncmp(span->name, "event ", 6) != 0;
}

static const char *context(const struct replay *replay, const struct track *track)
{
	const struct span *top = track->depth ? &replay->model->spans[track->stack[track->depth - 1]] : NULL;

	return top && (top->kind != SPAN_WAIT || is_own_wait(top)) ? span_name(replay->model, top) : NULL;
}

/* What a span does by itself is taken for work that needs a processor all the time: the trace does not tell. */
static bool is_work(const struct replay *replay, const struct track *track)
{
	return track->depth && replay->model->spans[track->stack[track->depth - 1]].kind != SPAN_WAIT;
}

static bool is_changed(const struct replay *replay, enum change_kind kind, const char *name)
{
	return replay->change->kind == kind && name && strcmp(name, replay->change->name) == 0;
}

/* After the thread's event before, by the work between them. */
static void follow(struct replay *replay, struct event *event, const struct track *track)
{
	const struct event *last = track->last == NONE ? NULL : &replay->events[track->last];
	uint64_t before_ns = last ? last->t_ns : replay->model->begin_ns;
	double length = event->t_ns > before_ns ? (double)(event->t_ns - before_ns) : 0;

	event->name = context(replay, track);
	event->before = track->last;
	if (is_changed(replay, CHANGE_FASTER, event->name))
		length /= replay->change->times;
	event->new_ns = (last ? last->new_ns : 0) + length;
	if (!is_work(replay, track))
		return;
	if (replay->new) {
		double old_ns = (double)(before_ns - replay->model->begin_ns);

		event->new_ns = shared_end(replay->new, last ? last->new_ns : 0,
					   shared_done(replay->old, old_ns, old_ns + length));
	}
	if (replay->busy)
		shared_add(replay->busy, last ? last->new_ns : 0, event->new_ns);
}

/* After the later one of two events; what passed after both of them in the trace passes again. Either may be NONE. */
static void wait_for(struct replay *replay, struct event *event, size_t a, size_t old, size_t new)
{
	size_t old_last = later(replay, a, old, false);
	size_t new_last = later(replay, a, new, true);
	uint64_t old_ns = old_last == NONE ? replay->model->begin_ns : replay->events[old_last].t_ns;
	double rest = event->t_ns > old_ns ? (double)(event->t_ns - old_ns) : 0;

	event->before = new_last;
	event->new_ns = (new_last == NONE ? 0 : replay->events[new_last].new_ns) + rest;
}

static void end_wait(struct replay *replay, struct event *event, struct track *track, const struct span *wait)
{
	size_t process = replay->model->threads[wait->thread].process;
	const struct call *awaited = wait->awaited == NONE ? NULL : &replay->model->calls[wait->awaited];
	uint64_t bound = wait->wait_for;

	if (awaited && bound && awaited->cookie >= bound) /* for that call */
		bound = awaited->cookie + 1;
	wait_for(replay, event, track->last, completed_below(replay, process, wait->domain, bound, false),
		 completed_below(replay, process, wait->domain, bound, true));
	if (track->aside_ns > event->new_ns) {
		event->new_ns = track->aside_ns;
		event->before = track->aside;
		event->name = replay->change->name;
	}
	track->aside_ns = 0;
}

/* Its turn has come: it has returned, and the calls before it are complete. */
static void take_turn(struct replay *replay, struct event *event, size_t index)
{
	const struct call *call = &replay->model->calls[index];

	wait_for(replay, event, replay->returned[index],
		 completed_below(replay, call->process, call->domain, call->cookie, false),
		 completed_below(replay, call->process, call->domain, call->cookie, true));
}

/* After the last of the units that it came after; systemd takes as long to get to it as in the trace. */
static void begin_unit(struct replay *replay, struct event *event, const struct span *unit)
{
	size_t last[2] = {NONE, NONE}; /* in the trace, and with the change */

	for (size_t i = 0; i < unit->join_count; i++) {
		size_t ended = replay->ended[unit->joins[i]];

		last[0] = later(replay, last[0], ended, false);
		last[1] = later(replay, last[1], ended, true);
	}
	wait_for(replay, event, NONE, last[0], last[1]);
}

static void begin_span(struct replay *replay, struct event *event, struct track *track, const struct span *span)
{
	const struct call *call = span->call == NONE ? NULL : &replay->model->calls[span->call];

	if (span->kind == SPAN_RETIRE && call)
		take_turn(replay, event, span->call);
	else if (span->kind == SPAN_RUN && call && !call->inlined && replay->scheduled[span->call] != NONE)
		wait_for(replay, event, replay->change->kind == CHANGE_THREADS ? NONE : track->last,
			 replay->scheduled[span->call], replay->earliest[span->call]);
	else if (span->join_count)
		begin_unit(replay, event, span);
	else
		follow(replay, event, track);
	if (span->kind == SPAN_STEP && is_changed(replay, CHANGE_ASYNC, span_name(replay->model, span)))
		track->step_ns = event->new_ns;
	*APPEND(track->stack, track->depth) = event->index;
	replay->began[event->index] = (size_t)(event - replay->events);
}

/* A step that was made asynchronous: its thread goes on where it began. */
static void set_aside(struct event *event, struct track *track, size_t number)
{
	if (event->new_ns > track->aside_ns) {
		track->aside_ns = event->new_ns;
		track->aside = number;
	}
	event->new_ns = track->step_ns;
}

static void end_span(struct replay *replay, struct event *event, struct track *track, const struct span *span)
{
	const struct call *call = span->call == NONE ? NULL : &replay->model->calls[span->call];
	size_t number = (size_t)(event - replay->events);

	if (span->kind == SPAN_WAIT && !is_own_wait(span))
		end_wait(replay, event, track, span);
	else
		follow(replay, event, track);
	while (track->depth && track->stack[--track->depth] != event->index)
		;
	if (span->kind == SPAN_STEP && is_changed(replay, CHANGE_ASYNC, span_name(replay->model, span)))
		set_aside(event, track, number);
	replay->ended[event->index] = number;
	if (span->kind == SPAN_RUN && call)
		replay->returned[span->call] = number;
	if (call && call->completed_ns && (span->kind == SPAN_RETIRE || (span->kind == SPAN_RUN && !call->returned_ns)))
		complete(replay, span->call, number);
}

static void schedule(struct replay *replay, struct event *event, const struct track *track)
{
	const struct model *model = replay->model;

	follow(replay, event, track);
	replay->scheduled[event->index] = replay->earliest[event->index] = (size_t)(event - replay->events);
	if (!is_changed(replay, CHANGE_EARLIER, call_name(&model->calls[event->index])))
		return;
	for (size_t i = track->depth; i-- > 0;)
		if (model->spans[track->stack[i]].kind == SPAN_RUN) {
			replay->earliest[event->index] = replay->began[track->stack[i]];
			return;
		}
	replay->earliest[event->index] = track->first;
}

static void replay_event(struct replay *replay, size_t number)
{
	const struct model *model = replay->model;
	struct event *event = &replay->events[number];
	const struct span *span = event->type == SCHEDULED ? NULL : &model->spans[event->index];
	struct track *track = &replay->tracks[span ? span->thread : model->calls[event->index].scheduler];

	if (event->type == SCHEDULED) {
		schedule(replay, event, track);
	} else if (event->type == TURN_END) {
		take_turn(replay, event, span->call);
		complete(replay, span->call, number);
		return; /* holds no thread */
	} else if (event->type == BEGIN) {
		begin_span(replay, event, track, span);
	} else {
		end_span(replay, event, track, span);
	}
	if (track->first == NONE)
		track->first = number;
	track->last = number;
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

static void replay_open(struct replay *replay)
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

static void replay_close(struct replay *replay)
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

/* The name that has most of the way back from @event to the begin. */
static void find_next(const struct replay *replay, size_t event, struct outcome *outcome)
{
	struct share *shares = NULL;
	size_t count = 0;

	for (; event != NONE; event = replay->events[event].before) {
		const struct event *at = &replay->events[event];
		double before_ns = at->before == NONE ? 0 : replay->events[at->before].new_ns;

		if (at->name && at->new_ns > before_ns)
			*APPEND(shares, count) = (struct share){at->name, at->new_ns - before_ns};
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
	size_t thread =
		event->type == SCHEDULED ? model->calls[event->index].scheduler : model->spans[event->index].thread;

	if (!model->path.end_name)
		return true;
	if (model->path.end_span != NONE)
		return event->type == END && event->index == model->path.end_span;
	return model->path.end_thread == NONE || thread == model->path.end_thread;
}

/* The path's end comes as long after the last event before it as in the trace. */
static void find_total(const struct replay *replay, struct outcome *outcome)
{
	const struct model *model = replay->model;
	uint64_t latest_ns = model->begin_ns;
	size_t last = NONE;

	for (size_t i = 0; i < replay->count && replay->events[i].t_ns <= model->path.end_ns; i++) {
		if (!leads_to_end(model, &replay->events[i]))
			continue;
		last = later(replay, last, i, true);
		latest_ns = replay->events[i].t_ns;
	}
	outcome->total_ns = (last == NONE ? 0 : replay->events[last].new_ns) + (double)(model->path.end_ns - latest_ns);
	for (size_t i = 0; i < model->thread_count; i++)
		if (replay->tracks[i].aside_ns > outcome->total_ns)
			outcome->total_ns = replay->tracks[i].aside_ns;
	find_next(replay, last, outcome);
}

static void run(struct replay *replay, struct outcome *outcome)
{
	*outcome = (struct outcome){0};
	replay_open(replay);
	for (size_t i = 0; i < replay->count; i++)
		replay_event(replay, i);
	find_total(replay, outcome);
	replay_close(replay);
}

unsigned int change_processors(const struct model *model, const struct change *change)
{
	unsigned int most = change->processors;

	for (size_t i = 0; i < model->process_count && !change->processors; i++)
		if (model->processes[i].processors > most)
			most = model->processes[i].processors;
	return most;
}

/*
 * How fast each works follows from how many do so at the same time, and that from how fast each works: it is found in
 * rounds. A round finds all right up to the first moment at which the one before was wrong, and more.
 */
static void share_processors(const struct model *model, const struct change *change, struct outcome *outcome)
{
	const struct change none = {.kind = CHANGE_NONE, .name = ""};
	struct shared old = {NULL, 0};
	struct shared new = {NULL, 0};
	double last_ns = -1;
	struct replay before = {.model = model, .change = &none, .busy = &old};

	run(&before, outcome);
	shared_share(&old, change_processors(model, change));
	for (unsigned int i = 0; i < ROUNDS_MOST; i++) {
		struct shared busy = {NULL, 0};
		struct replay replay = {.model = model, .change = change, .busy = &busy, .old = &old, .new = &new};

		run(&replay, outcome);
		shared_share(&busy, change->times);
		shared_free(&new);
		new = busy;
		if (fabs(outcome->total_ns - last_ns) <= SAME * outcome->total_ns && i > 1)
			break;
		last_ns = outcome->total_ns;
	}
	shared_free(&old);
	shared_free(&new);
}

void whatif(const struct model *model, const struct change *change, struct outcome *outcome)
{
	struct replay replay = {.model = model, .change = change};

	if (change->kind == CHANGE_PROCESSORS)
		share_processors(model, change, outcome);
	else
		run(&replay, outcome);
}
