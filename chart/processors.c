/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdlib.h>

#include "chart.h"
#include "processors.h"

static double rate(const struct processors *processors)
{
	return processors->working > processors->count ? processors->count / processors->working : 1;
}

double processors_until(const struct processors *processors, double done_ns)
{
	double left_ns = done_ns - processors->done_ns;

	return processors->now_ns + (left_ns > 0 ? left_ns / rate(processors) : 0);
}

void processors_go_on(struct processors *processors, double now_ns)
{
	if (now_ns <= processors->now_ns)
		return;
	processors->done_ns += (now_ns - processors->now_ns) * rate(processors);
	processors->now_ns = now_ns;
}

static bool is_before(const struct due *a, const struct due *b)
{
	return a->at_ns < b->at_ns || (a->at_ns <= b->at_ns && a->event < b->event);
}

static void grow(struct queue *queue)
{
	queue->room = queue->room ? queue->room * 2 : 64;
	queue->heap = reallocarray(queue->heap, queue->room, sizeof(*queue->heap));
	if (!queue->heap)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
}

void queue_add(struct queue *queue, const struct due *due)
{
	size_t place;

	if (queue->count == queue->room) /* more() is for what never shrinks */
		grow(queue);
	for (place = queue->count++; place > 0; place = (place - 1) / 2) {
		if (!is_before(due, &queue->heap[(place - 1) / 2]))
			break;
		queue->heap[place] = queue->heap[(place - 1) / 2];
	}
	queue->heap[place] = *due;
}

struct due queue_take(struct queue *queue)
{
	struct due first = queue->heap[0];
	struct due last = queue->heap[--queue->count];
	size_t place = 0;

	for (size_t child = 1; child < queue->count; child = 2 * place + 1) {
		if (child + 1 < queue->count && is_before(&queue->heap[child + 1], &queue->heap[child]))
			child++;
		if (is_before(&last, &queue->heap[child]))
			break;
		queue->heap[place] = queue->heap[child];
		place = child;
	}
	queue->heap[place] = last;
	return first;
}

void processors_work(struct processors *processors, struct queue *queue, double work_ns, const struct due *due)
{
	struct due added = *due;

	added.at_ns = processors->done_ns + work_ns / (due->workers ? due->workers : 1);
	processors->working += due->workers;
	queue_add(queue, &added);
}

void queue_free(struct queue *queue)
{
	free(queue->heap);
	*queue = (struct queue){NULL, 0, 0};
}
