/* SPDX-License-Identifier: MIT */
/*
 * What the whole had to wait for, found backwards from the end. At every moment one span is to blame: the one
 * that ran in the thread that we are in. Where it began, we go on with what it had to wait for: the call
 * that ended its wait, the call before it in order, the thread that scheduled it, or the worker's work before.
 */
#define _GNU_SOURCE
#include <stdlib.h>

#include "chart.h"

/* An event is written shortly after it happened, so an effect may be seen before its cause. */
#define SLACK_NS 50000

struct walk {
	struct model *model;
	size_t *by_completion; /* calls in order of their completion */
	size_t completed;
	size_t thread;
	uint64_t t_ns;
};

static int compare_completion(const void *a, const void *b, void *data)
{
	const struct call *left = (const struct call *)data + *(const size_t *)a;
	const struct call *right = (const struct call *)data + *(const size_t *)b;

	if (left->completed_ns != right->completed_ns)
		return left->completed_ns < right->completed_ns ? -1 : 1;
	return (left > right) - (left < right);
}

static void sort_completions(struct walk *walk)
{
	struct model *model = walk->model;

	for (size_t i = 0; i < model->call_count; i++)
		if (model->calls[i].completed_ns)
			*APPEND(walk->by_completion, walk->completed) = i;
	if (walk->completed)
		qsort_r(walk->by_completion, walk->completed, sizeof(size_t), compare_completion, model->calls);
}

/* The number of calls that were complete at @t_ns. */
static size_t completed_by(const struct walk *walk, uint64_t t_ns)
{
	size_t low = 0;
	size_t high = walk->completed;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (walk->model->calls[walk->by_completion[middle]].completed_ns <= t_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_awaited(const struct model *model, const struct span *wait, const struct call *call)
{
	for (size_t i = wait->parent; i != NONE; i = model->spans[i].parent)
		if (model->spans[i].call != NONE && &model->calls[model->spans[i].call] == call)
			return false; /* nobody waits for himself */
	if (model->threads[wait->thread].process != call->process)
		return false;
	if (wait->domain && call->domain && wait->domain != call->domain)
		return false;
	/* The bound is exclusive; but a wait for one call names that call. */
	return wait->wait_for == 0 || call->cookie <= wait->wait_for;
}

static size_t find_awaited(const struct walk *walk, const struct span *wait)
{
	for (size_t i = completed_by(walk, wait->end_ns + SLACK_NS); i-- > 0;) {
		const struct call *call = &walk->model->calls[walk->by_completion[i]];

		if (call->completed_ns < wait->begin_ns)
			break;
		if (is_awaited(walk->model, wait, call))
			return walk->by_completion[i];
	}
	return NONE;
}

/* The call of the same domain whose completion gave @call its turn, or NONE. */
static size_t find_before(const struct walk *walk, const struct call *call)
{
	for (size_t i = completed_by(walk, call->retiring_ns + SLACK_NS); i-- > 0;) {
		const struct call *other = &walk->model->calls[walk->by_completion[i]];

		if (other->completed_ns < call->returned_ns)
			break;
		if (other->domain == call->domain && other->process == call->process && other->cookie < call->cookie)
			return walk->by_completion[i];
	}
	return NONE;
}

/* In the walk's thread: the innermost span that began before and reaches to now, and the last one in it that did not.
 */
static void look(const struct walk *walk, size_t *inside, size_t *before)
{
	const struct thread *thread = &walk->model->threads[walk->thread];
	size_t low = 0;
	size_t high = thread->span_count;

	*inside = *before = NONE;
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

static void blame(struct walk *walk, size_t span, uint64_t begin_ns)
{
	struct model *model = walk->model;

	if (begin_ns < walk->t_ns)
		*APPEND(model->chain, model->chain_count) = (struct link){span, begin_ns, walk->t_ns};
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
		go(walk, walk->model->spans[span].thread, call->completed_ns);
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
	if (call->scheduled_ns >= free_ns)
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

static void step_back(struct walk *walk, size_t index)
{
	const struct span *span = &walk->model->spans[index];

	if (span->kind == SPAN_WAIT && span->awaited != NONE && walk->t_ns + SLACK_NS >= span->end_ns &&
	    last_span(&walk->model->calls[span->awaited]) != NONE) {
		uint64_t completed_ns = walk->model->calls[span->awaited].completed_ns;

		blame(walk, index, completed_ns > span->begin_ns ? completed_ns : span->begin_ns);
		go_to_completion(walk, &walk->model->calls[span->awaited]);
		return;
	}
	blame(walk, index, span->begin_ns);
	if (span->kind == SPAN_RUN && span->call != NONE)
		go_before_run(walk, span, &walk->model->calls[span->call]);
	else if (span->kind == SPAN_RETIRE && span->call != NONE)
		go_before_retire(walk, span, &walk->model->calls[span->call]);
	else
		go(walk, span->thread, span->begin_ns);
}

static void walk_back(struct walk *walk)
{
	struct model *model = walk->model;
	size_t inside;
	size_t before;

	/* Each step goes back in time or to another thread; the bound is for traces whose times make no sense. */
	for (size_t i = 0; i < 4 * model->span_count; i++) {
		look(walk, &inside, &before);
		if (inside == NONE && before == NONE)
			return;
		if (before != NONE && model->spans[before].end_ns < walk->t_ns) {
			if (inside != NONE)
				blame(walk, inside, model->spans[before].end_ns);
			go(walk, walk->thread, model->spans[before].end_ns);
		} else {
			step_back(walk, inside);
		}
	}
}

/* The end is that of the thread which wrote the last line; of a thread with something to show, if that one has not. */
static void find_end(struct walk *walk)
{
	const struct model *model = walk->model;

	walk->thread = model->last_thread;
	walk->t_ns = model->end_ns;
	if (walk->thread != NONE && model->threads[walk->thread].span_count)
		return;
	walk->thread = NONE;
	walk->t_ns = 0;
	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *span = &model->spans[i];

		if (span->kind == SPAN_TURN || span->end_ns <= walk->t_ns || span->end_ns == span->begin_ns)
			continue;
		walk->thread = span->thread;
		walk->t_ns = span->end_ns;
	}
}

void model_find_chain(struct model *model)
{
	struct walk walk = {.model = model};

	sort_completions(&walk);
	for (size_t i = 0; i < model->span_count; i++)
		if (model->spans[i].kind == SPAN_WAIT && !model->spans[i].unfinished)
			model->spans[i].awaited = find_awaited(&walk, &model->spans[i]);
	find_end(&walk);
	if (walk.thread != NONE)
		walk_back(&walk);
	free(walk.by_completion);
}
