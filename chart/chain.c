/* SPDX-License-Identifier: MIT */
/*
 * What the whole had to wait for, found backwards from the end. At every moment one span is to blame: the one
 * that ran in the thread that we are in. Where it began, we go on with what it had to wait for: the call
 * that ended its wait, the call before it in order, the thread that scheduled it, or the worker's work before.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "completions.h"

/* An event is written shortly after it happened, so an effect may be seen before its cause. */
#define SLACK_NS 50000

struct walk {
	struct model *model;
	struct search *search;
	size_t *pending; /* calls that run, and never complete */
	size_t pending_count;
	size_t *by_end; /* spans in which something was done, in order of their end */
	size_t ended;
	size_t thread; /* NONE: none in particular */
	size_t later;  /* the span that was walked through last, or NONE */
	uint64_t t_ns;
};

static int compare_ends(const void *a, const void *b, void *data)
{
	const struct span *left = (const struct span *)data + *(const size_t *)a;
	const struct span *right = (const struct span *)data + *(const size_t *)b;

	if (left->end_ns != right->end_ns)
		return left->end_ns < right->end_ns ? -1 : 1;
	return (left > right) - (left < right);
}

static void sort_ends(struct walk *walk)
{
	struct model *model = walk->model;

	for (size_t i = 0; i < model->span_count; i++)
		if (model->spans[i].kind != SPAN_TURN && model->spans[i].kind != SPAN_WAIT &&
		    model->spans[i].end_ns > model->spans[i].begin_ns)
			*APPEND(walk->by_end, walk->ended) = i;
	if (walk->ended)
		qsort_r(walk->by_end, walk->ended, sizeof(size_t), compare_ends, model->spans);
}

/* The span that ended last in any thread, before @t_ns or then; NONE if none did. */
static size_t ended_last(const struct walk *walk, uint64_t t_ns)
{
	size_t low = 0;
	size_t high = walk->ended;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (walk->model->spans[walk->by_end[middle]].end_ns <= t_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? walk->by_end[low - 1] : NONE;
}

static bool is_awaited(const struct model *model, const struct span *wait, const struct call *call)
{
	for (size_t i = wait->parent; i != NONE; i = model->spans[i].parent)
		if (model->spans[i].call != NONE && &model->calls[model->spans[i].call] == call)
			return false; /* no call waits for itself */
	if (model->threads[wait->thread].process != call->process)
		return false;
	if (wait->domain && call->domain && wait->domain != call->domain)
		return false;
	if (wait->name) /* the library does not know of it */
		return false;
	if (wait->one)
		return call->cookie == wait->wait_for;
	if (!wait->domain && call->exclusive)
		return false;
	/* The bound is exclusive; but in version 1 a wait for one call names that call, and is not marked. */
	return wait->wait_for == 0 || call->cookie < wait->wait_for ||
	       (call->cookie == wait->wait_for && model->processes[call->process].version < 2);
}

static size_t later(const struct model *model, size_t a, size_t b)
{
	if (a == NONE || b == NONE)
		return a == NONE ? b : a;
	return model->calls[a].completed_ns >= model->calls[b].completed_ns ? a : b;
}

/* The last that was complete when the wait ended; else, since lines are written a little late, soon after. */
static size_t find_awaited(const struct walk *walk, size_t index)
{
	const struct model *model = walk->model;
	const struct span *wait = &model->spans[index];
	size_t process = model->threads[wait->thread].process;
	struct sought sought = {.process = process,
				.domain = wait->domain,
				.any = !wait->domain,
				.from_ns = wait->begin_ns,
				.to_ns = wait->end_ns,
				.bound = UINT64_MAX,
				.wait = index};
	size_t found = NONE;

	if (wait->name) /* the library does not know of it */
		return NONE;
	if (wait->one) {
		found = search_cookie(walk->search, process, wait->wait_for, wait->begin_ns);
		return found != NONE && model->calls[found].completed_ns <= wait->end_ns + SLACK_NS ? found : NONE;
	}
	if (wait->wait_for) /* in version 1 a wait for one call names that call, and is not marked */
		sought.bound = wait->wait_for + (model->processes[process].version < 2);
	for (int soon = 0; soon < 2 && found == NONE; soon++) {
		sought.to_ns = wait->end_ns + (soon ? SLACK_NS : 0);
		sought.domain = wait->domain;
		found = search_last(walk->search, &sought);
		sought.domain = NULL; /* lines of a call whose domain the trace does not tell */
		if (wait->domain)
			found = later(model, found, search_last(walk->search, &sought));
	}
	return found;
}

/* Of a wait that never ended: the first call that it still waits for, and that runs. */
static size_t find_pending(const struct walk *walk, const struct span *wait)
{
	for (size_t i = 0; i < walk->pending_count; i++) {
		const struct call *call = &walk->model->calls[walk->pending[i]];

		if (call->scheduled_ns <= wait->begin_ns && is_awaited(walk->model, wait, call))
			return walk->pending[i];
	}
	return NONE;
}

static void list_pending(struct walk *walk)
{
	for (size_t i = 0; i < walk->model->call_count; i++)
		if (!walk->model->calls[i].completed_ns && walk->model->calls[i].run != NONE)
			*APPEND(walk->pending, walk->pending_count) = i;
}

/* The call of the same domain whose completion gave @call its turn, or NONE. */
static size_t find_before(const struct walk *walk, const struct call *call)
{
	struct sought sought = {.process = call->process,
				.domain = call->domain,
				.from_ns = call->returned_ns,
				.to_ns = call->retiring_ns + SLACK_NS,
				.bound = call->cookie,
				.wait = NONE};

	return search_last(walk->search, &sought);
}

/* In the walk's thread: the innermost span that began before and reaches to now, and the last one in it that did not.
 */
static void look(const struct walk *walk, size_t *inside, size_t *before)
{
	const struct thread *thread;
	size_t low = 0;
	size_t high;

	*inside = *before = NONE;
	if (walk->thread == NONE)
		return;
	thread = &walk->model->threads[walk->thread];
	high = thread->span_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (walk->model->spans[thread->spans[middle]].begin_ns < walk->t_ns)
			low = middle + 1;
		else
			high = middle;
	}
	while (low > 0 && walk->model->spans[thread->spans[low - 1]].kind == SPAN_TURN)
		low--;
	if (low == 0)
		return;
	*inside = thread->spans[low - 1];
	while (*inside != NONE && walk->model->spans[*inside].end_ns < walk->t_ns) {
		*before = *inside;
		*inside = walk->model->spans[*inside].parent;
	}
}

/*
 * @span is what the time from @begin_ns until now depended on; of that, what lies in the path's range. What stands for
 * all that was done then explains nothing: it is a gap that has a name.
 */
static void blame(struct walk *walk, size_t span, enum link_kind kind, uint64_t begin_ns)
{
	struct model *model = walk->model;

	if (begin_ns < model->path.begin_ns)
		begin_ns = model->path.begin_ns;
	if (begin_ns < walk->t_ns && model->spans[span].stand_in != STANDS_FOR_ALL)
		*APPEND(model->chain, model->chain_count) = (struct link){span, kind, begin_ns, walk->t_ns};
}

static void go(struct walk *walk, size_t thread, uint64_t t_ns)
{
	walk->thread = thread;
	if (t_ns < walk->t_ns)
		walk->t_ns = t_ns;
}

/* Whose end was the call's completion; NONE if the trace does not tell. */
static size_t last_span(const struct call *call)
{
	return call->retire != NONE ? call->retire : call->run;
}

static void go_to_completion(struct walk *walk, const struct call *call)
{
	size_t span = last_span(call);

	if (span != NONE)
		go(walk, walk->model->spans[span].thread, call->completed_ns ? call->completed_ns : walk->t_ns);
}

/* From the beginning of the run of @call to what it had to wait for. */
static void go_before_run(struct walk *walk, const struct span *run, const struct call *call)
{
	size_t inside;
	size_t before;
	uint64_t free_ns;

	go(walk, run->thread, run->begin_ns);
	if (call->inlined || call->scheduler == NONE)
		return;
	look(walk, &inside, &before);
	free_ns = before != NONE   ? walk->model->spans[before].end_ns
		  : inside != NONE ? walk->model->spans[inside].begin_ns
				   : 0;
	if (call->scheduled_ns < free_ns)
		return;
	blame(walk, call->run, LINK_QUEUED, call->scheduled_ns);
	go(walk, call->scheduler, call->scheduled_ns);
}

static void go_before_retire(struct walk *walk, const struct span *retire, const struct call *call)
{
	size_t before = call->returned_ns ? find_before(walk, call) : NONE;

	go(walk, retire->thread, retire->begin_ns);
	if (before != NONE)
		go_to_completion(walk, &walk->model->calls[before]);
	else if (call->run != NONE)
		go(walk, walk->model->spans[call->run].thread, call->returned_ns ? call->returned_ns : walk->t_ns);
}

/* Back from the end of a wait, or from within one that never ended, to the call that it was for. */
static void go_to_awaited(struct walk *walk, size_t index)
{
	const struct span *wait = &walk->model->spans[index];
	uint64_t completed_ns = walk->model->calls[wait->awaited].completed_ns;

	if (completed_ns)
		blame(walk, index, LINK_SPAN, completed_ns > wait->begin_ns ? completed_ns : wait->begin_ns);
	go_to_completion(walk, &walk->model->calls[wait->awaited]);
}

/*
 * The program waits for what it does itself in another thread, and the trace does not tell which: what ended last there
 * while it waited. False if nothing did.
 */
static bool went_to_event(struct walk *walk, size_t index)
{
	const struct model *model = walk->model;
	const struct span *wait = &model->spans[index];
	size_t last = ended_last(walk, walk->t_ns);

	if (last == NONE || model->spans[last].end_ns <= wait->begin_ns || model->spans[last].thread == wait->thread)
		return false;
	blame(walk, index, LINK_SPAN, model->spans[last].end_ns);
	go(walk, model->spans[last].thread, model->spans[last].end_ns);
	return true;
}

size_t last_join(const struct model *model, const struct span *unit)
{
	size_t last = NONE;

	for (size_t i = 0; i < unit->join_count; i++) {
		const struct span *join = &model->spans[unit->joins[i]];
		const struct span *best = last == NONE ? NULL : &model->spans[last];

		if (!best || join->end_ns > best->end_ns ||
		    (join->end_ns == best->end_ns && join->begin_ns < best->begin_ns))
			last = unit->joins[i];
	}
	return last;
}

/* A device is there at once when the kernel has found it: the step of the kernel that ended last before, or NONE. */
static size_t found_by(const struct walk *walk, const struct span *unit, uint64_t after_ns)
{
	const struct model *model = walk->model;
	const char *dot = strrchr(unit->name, '.');
	size_t i = walk->ended;

	if (unit->end_ns > unit->begin_ns || !dot || strcmp(dot, ".device") != 0)
		return NONE;
	for (; i-- > 0 && model->spans[walk->by_end[i]].end_ns > after_ns;) {
		const struct span *span = &model->spans[walk->by_end[i]];

		if (span->end_ns <= unit->begin_ns && model->processes[model->threads[span->thread].process].pid == 0)
			return walk->by_end[i];
	}
	return NONE;
}

/* Back from the begin of a unit, over the units that it and they had to come after. */
static void go_before_unit(struct walk *walk, size_t index)
{
	struct model *model = walk->model;

	for (size_t join; model->spans[index].is_unit; index = join) {
		size_t found;

		go(walk, NONE, model->spans[index].begin_ns);
		join = last_join(model, &model->spans[index]);
		found = found_by(walk, &model->spans[index], join == NONE ? 0 : model->spans[join].end_ns);
		model->spans[index].found_by = found;
		join = found == NONE ? join : found;
		if (join == NONE)
			return;
		blame(walk, index, LINK_QUEUED, model->spans[join].end_ns);
		go(walk, model->spans[join].thread, model->spans[join].end_ns);
		if (model->spans[join].is_unit)
			blame(walk, join, LINK_SPAN, model->spans[join].begin_ns);
	}
}

static void step_back(struct walk *walk, size_t index)
{
	const struct span *span = &walk->model->spans[index];

	walk->later = index;
	if (span->kind == SPAN_WAIT && span->name && strncmp(span->name, "event ", 6) == 0 &&
	    went_to_event(walk, index))
		return;
	if (span->kind == SPAN_WAIT && span->awaited != NONE &&
	    (span->unfinished || walk->t_ns + SLACK_NS >= span->end_ns) &&
	    last_span(&walk->model->calls[span->awaited]) != NONE) {
		go_to_awaited(walk, index);
		return;
	}
	blame(walk, index, LINK_SPAN, span->begin_ns);
	if (span->kind == SPAN_RUN && span->call != NONE)
		go_before_run(walk, span, &walk->model->calls[span->call]);
	else if (span->kind == SPAN_RETIRE && span->call != NONE)
		go_before_retire(walk, span, &walk->model->calls[span->call]);
	else if (span->is_unit)
		go_before_unit(walk, index);
	else
		go(walk, span->thread, span->begin_ns);
}

/*
 * The thread did nothing that is traced. A short while (a line is written, the next step is looked for) it goes on
 * with its own last span; else with what ended last in any thread. False if nothing was before.
 */
static bool bridge(struct walk *walk, size_t before)
{
	const struct model *model = walk->model;
	uint64_t short_ns = (model->path.end_ns - model->path.begin_ns) / 100;
	size_t last = ended_last(walk, walk->t_ns);

	if (before != NONE && (last == NONE || model->spans[last].end_ns <= model->spans[before].end_ns ||
			       walk->t_ns - model->spans[before].end_ns <= short_ns))
		last = before;
	if (last == NONE)
		return false;
	if (walk->later != NONE && model->spans[walk->later].retry_of != NONE)
		blame(walk, walk->later, LINK_DEFERRED, model->spans[last].end_ns);
	go(walk, model->spans[last].thread, model->spans[last].end_ns);
	return true;
}

static void walk_back(struct walk *walk)
{
	struct model *model = walk->model;
	size_t inside;
	size_t before;

	/* Each step goes back in time or to another thread; the bound is for traces whose times make no sense. */
	for (size_t i = 0; i < 4 * model->span_count + 4 && walk->t_ns > model->path.begin_ns; i++) {
		look(walk, &inside, &before);
		if (inside == NONE) {
			if (!bridge(walk, before))
				return;
		} else if (before != NONE && model->spans[before].end_ns < walk->t_ns) {
			walk->later = inside;
			blame(walk, inside, LINK_SPAN, model->spans[before].end_ns);
			go(walk, walk->thread, model->spans[before].end_ns);
		} else {
			step_back(walk, inside);
		}
	}
}

/* The thread that a boot, or a program, ends in: the first of its process; NONE if it has nothing to show. */
static size_t main_thread(const struct model *model)
{
	for (size_t i = 0; i < model->thread_count; i++) {
		long pid = model->processes[model->threads[i].process].pid;

		if (model->threads[i].span_count && model->threads[i].tid == (pid ? pid : 1))
			return i;
	}
	return NONE;
}

/* A call, step or phase of that name at the end of the path. */
static size_t named_span(const struct model *model)
{
	for (size_t i = model->span_count; i-- > 0;)
		if (model->spans[i].end_ns == model->path.end_ns && model->path.end_name &&
		    model->spans[i].kind != SPAN_TURN && span_name(model, &model->spans[i]) == model->path.end_name)
			return i;
	return NONE;
}

/* The end of all is that of the thread which wrote the last line; of a thread with something to show, if that one has
 * not. */
static void find_end(struct walk *walk)
{
	struct model *model = walk->model;
	size_t named = named_span(model);

	model->path.end_span = named;
	walk->t_ns = model->path.end_ns;
	if (named != NONE && model->spans[named].is_unit) {
		step_back(walk, named);
		return;
	}
	if (named != NONE) {
		walk->thread = model->spans[named].thread;
		return;
	}
	walk->thread = walk->t_ns < model->end_ns ? main_thread(model) : model->last_thread;
	if (walk->thread == NONE || !model->threads[walk->thread].span_count)
		walk->thread = NONE;
}

void model_find_chain(struct model *model)
{
	struct walk walk = {.model = model, .later = NONE};

	walk.search = search_make(model);
	list_pending(&walk);
	sort_ends(&walk);
	for (size_t i = 0; i < model->span_count; i++)
		if (model->spans[i].kind == SPAN_WAIT)
			model->spans[i].awaited = model->spans[i].unfinished ? find_pending(&walk, &model->spans[i])
									     : find_awaited(&walk, i);
	find_end(&walk);
	model->path.end_thread = walk.thread;
	walk_back(&walk);
	model_find_gaps(model);
	search_free(walk.search);
	free(walk.pending);
	free(walk.by_end);
}
