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

#include "replay.h"

#define ROUNDS_MOST 300
#define SAME 1e-6           /* of the total: no other round is needed */
#define BESIDE_WORKERS 10.0 /* that systemd-udevd has, and what units compute beside others is mostly its */

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
	return replay->all_works && track->depth &&
	       replay->model->spans[track->stack[track->depth - 1]].kind != SPAN_WAIT;
}

static bool is_changed(const struct replay *replay, enum change_kind kind, const char *name)
{
	return replay->change->kind == kind && name && strcmp(name, replay->change->name) == 0;
}

/* When work that begins then is done, by so many at the same time. */
static double work(const struct replay *replay, double begin_ns, double work_ns, double workers)
{
	double end_ns = shared_end(replay->new, begin_ns, work_ns / workers);

	shared_add(replay->busy, begin_ns, end_ns, workers);
	return end_ns;
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
	if (is_work(replay, track)) {
		double old_ns = (double)(before_ns - replay->model->begin_ns);

		event->new_ns =
			work(replay, last ? last->new_ns : 0, shared_done(replay->old, old_ns, old_ns + length), 1);
	}
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

/*
 * A unit computes first and waits then, for as long as in the trace. What it has computed in all and had no time for
 * until it was active, it does then, beside what came after it.
 */
static void end_unit(struct replay *replay, struct event *event, const struct span *unit)
{
	double old_ns = (double)(unit->begin_ns - replay->model->begin_ns);
	double length = (double)(event->t_ns - unit->begin_ns);
	double begin_ns = replay->events[replay->began[event->index]].new_ns;
	double work_ns = unit->is_unit ? shared_done(replay->old, old_ns, old_ns + length) : 0;
	double rest_ns = 0;
	double wait_ns;

	event->name = span_name(replay->model, unit);
	event->before = replay->began[event->index];
	if (work_ns > (double)unit->cpu_ns)
		work_ns = (double)unit->cpu_ns;
	else
		rest_ns = (double)unit->cpu_ns - work_ns;
	wait_ns = old_ns + length - shared_end(replay->old, old_ns, work_ns);
	if (is_changed(replay, CHANGE_FASTER, event->name)) {
		work_ns /= replay->change->times;
		wait_ns /= replay->change->times;
	}
	event->new_ns = work(replay, begin_ns, work_ns, 1) + wait_ns;
	work(replay, event->new_ns, rest_ns, BESIDE_WORKERS);
}

/*
 * After the last of the units that it came after; with a change to earlier, without that. Process 1 computes as long
 * until it gets to it as in the trace.
 */
static void begin_unit(struct replay *replay, struct event *event, const struct span *unit)
{
	size_t last[2] = {NONE, NONE}; /* in the trace, and with the change */
	size_t left_out = NONE;

	for (size_t i = 0; i < unit->join_count; i++)
		last[0] = later(replay, last[0], replay->ended[unit->joins[i]], false);
	if (is_changed(replay, CHANGE_EARLIER, span_name(replay->model, unit)))
		left_out = last[0];
	for (size_t i = 0; i < unit->join_count; i++)
		if (replay->ended[unit->joins[i]] != left_out)
			last[1] = later(replay, last[1], replay->ended[unit->joins[i]], true);
	wait_for(replay, event, NONE, last[0], last[1]);
	if (replay->shares && last[0] != NONE && last[1] != NONE) {
		double old_ns = (double)(replay->events[last[0]].t_ns - replay->model->begin_ns);
		double work_ns = shared_done(replay->old, old_ns, (double)(event->t_ns - replay->model->begin_ns));

		event->new_ns = shared_end(replay->new, replay->events[last[1]].new_ns, work_ns);
	}
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
	else if (replay->shares && span->cpu_ns)
		end_unit(replay, event, span);
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
	unsigned int most = change->processors ? change->processors : model->processors;

	for (size_t i = 0; i < model->process_count && !change->processors; i++)
		if (model->processes[i].processors > most)
			most = model->processes[i].processors;
	return most;
}

/*
 * How fast each works follows from how many do so at the same time, and that from how fast each works: it is found in
 * rounds. A round finds all right up to the first moment at which the one before was wrong, and more.
 */
static void find_load(const struct replay *replay, double processors, struct outcome *outcome)
{
	double last_ns = -1;

	for (unsigned int i = 0; i < ROUNDS_MOST; i++) {
		struct shared busy = {NULL, 0};
		struct replay round = *replay;
		double length;

		round.busy = &busy;
		run(&round, outcome);
		length = shared_share(&busy, processors);
		shared_free(replay->new);
		*replay->new = busy;
		if (i > 1 && fabs(length - last_ns) <= SAME * outcome->total_ns)
			break;
		last_ns = length;
	}
}

static void share_processors(const struct model *model, const struct change *change, struct outcome *outcome)
{
	const struct change none = {.kind = CHANGE_NONE, .name = ""};
	bool all_works = change->kind == CHANGE_PROCESSORS;
	unsigned int processors = change_processors(model, change);
	struct shared old = {NULL, 0};
	struct shared new = {NULL, 0};
	struct replay before = {.change = &none, .old = &old, .new = &old};
	struct replay after = {.change = change, .old = &old, .new = &new};

	before.model = after.model = model;
	before.shares = after.shares = true;
	before.all_works = after.all_works = all_works;
	find_load(&before, processors, outcome);
	shared_copy(&new, &old); /* so that without a change nothing moves */
	find_load(&after, all_works ? change->times : processors, outcome);
	shared_free(&old);
	shared_free(&new);
}

bool whatif_shares(const struct model *model, const struct change *change)
{
	if (change->kind == CHANGE_PROCESSORS)
		return true;
	for (size_t i = 0; i < model->span_count; i++)
		if (model->spans[i].cpu_ns)
			return change_processors(model, change) > 0;
	return false;
}

void whatif(const struct model *model, const struct change *change, struct outcome *outcome)
{
	struct replay replay = {.model = model, .change = change};

	if (whatif_shares(model, change))
		share_processors(model, change, outcome);
	else
		run(&replay, outcome);
}
