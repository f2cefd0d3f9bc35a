/* SPDX-License-Identifier: MIT */
/* New threads and spans of the model. */
#define _GNU_SOURCE
#include <search.h>
#include <stdlib.h>

#include "model.h"

struct tid_node {
	long tid;
	size_t thread; /* the one that was made last */
};

static int compare_tids(const void *a, const void *b)
{
	const struct tid_node *left = a;
	const struct tid_node *right = b;

	return (left->tid > right->tid) - (left->tid < right->tid);
}

static struct tid_node *tid_node(struct model *model, long tid)
{
	struct tid_node *node = more(NULL, 0, sizeof(*node));
	struct tid_node **found;

	*node = (struct tid_node){tid, NONE};
	found = tsearch(node, &model->threads_by_tid, compare_tids);
	if (!found)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	if (*found != node)
		free(node);
	return *found;
}

size_t thread_find(const struct model *model, size_t process, long tid, bool any)
{
	const struct tid_node key = {tid, NONE};
	struct tid_node **found = tfind(&key, &model->threads_by_tid, compare_tids);
	size_t thread = found ? (*found)->thread : NONE;

	while (thread != NONE && !any && model->threads[thread].process != process)
		thread = model->threads[thread].same_tid;
	return thread;
}

size_t thread_make(struct model *model, size_t process, long tid)
{
	struct thread *thread = APPEND(model->threads, model->thread_count);

	*thread = (struct thread){.process = process, .tid = tid, .first_ns = UINT64_MAX, .same_tid = NONE};
	model->processes[process].threads++;
	if (tid < 0) {
		*APPEND(model->stand_ins, model->stand_in_count) = model->thread_count - 1;
	} else {
		struct tid_node *node = tid_node(model, tid);

		thread->same_tid = node->thread;
		node->thread = model->thread_count - 1;
	}
	return model->thread_count - 1;
}

size_t thread_free_since(struct model *model, size_t process, uint64_t since_ns)
{
	for (size_t i = 0; i < model->stand_in_count; i++) {
		const struct thread *thread = &model->threads[model->stand_ins[i]];

		if (thread->process == process && thread->last_ns <= since_ns)
			return model->stand_ins[i];
	}
	return thread_make(model, process, -1);
}

size_t span_make(struct model *model, enum span_kind kind, size_t thread, uint64_t begin_ns, uint64_t end_ns)
{
	struct span *span = APPEND(model->spans, model->span_count);

	*span = (struct span){.kind = kind,
			      .thread = thread,
			      .begin_ns = begin_ns,
			      .end_ns = end_ns,
			      .call = NONE,
			      .parent = NONE,
			      .awaited = NONE,
			      .last_child = NONE,
			      .sibling = NONE,
			      .retry_of = NONE,
			      .found_by = NONE};
	if (end_ns > model->threads[thread].last_ns)
		model->threads[thread].last_ns = end_ns;
	return model->span_count - 1;
}

void span_nest(struct model *model, size_t index, size_t parent)
{
	model->spans[index].parent = parent;
	model->spans[index].sibling = model->spans[parent].last_child;
	model->spans[parent].last_child = index;
}

static void thread_opens(struct model *model, size_t thread)
{
	model->threads[thread].open_place = model->open_count;
	*APPEND(model->open_threads, model->open_count) = thread;
}

static void thread_closes(struct model *model, size_t thread)
{
	size_t place = model->threads[thread].open_place;
	size_t last = model->open_threads[--model->open_count];

	model->open_threads[place] = last;
	model->threads[last].open_place = place;
}

size_t span_open(struct model *model, enum span_kind kind, size_t thread, uint64_t t_ns)
{
	size_t index = span_make(model, kind, thread, t_ns, 0);
	struct thread *on = &model->threads[thread];

	if (on->depth)
		span_nest(model, index, on->stack[on->depth - 1]);
	else
		thread_opens(model, thread);
	*APPEND(on->stack, on->depth) = index;
	return index;
}

void span_close(struct model *model, size_t index, uint64_t t_ns)
{
	struct thread *on = &model->threads[model->spans[index].thread];
	size_t depth = on->depth;

	if (model->spans[index].end_ns)
		return;
	while (depth > 0 && on->stack[depth - 1] != index)
		depth--;
	if (depth == 0)
		return;
	while (on->depth >= depth) {
		struct span *span = &model->spans[on->stack[--on->depth]];

		span->end_ns = t_ns;
		span->unfinished = on->depth >= depth; /* inside it, and without an end of its own */
	}
	if (on->depth == 0)
		thread_closes(model, model->spans[index].thread);
	if (t_ns > on->last_ns)
		on->last_ns = t_ns;
}
