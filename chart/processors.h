/* SPDX-License-Identifier: MIT */
/*
 * Processors that are shared by all that works: each gets an equal part, and one of them at most. So all that works at
 * a time gets the same, and how much one has done since some moment is one number for all of them.
 */
#ifndef CHART_PROCESSORS_H
#define CHART_PROCESSORS_H

#include <stddef.h>

struct processors {
	double count;
	double working;
	double now_ns;
	double done_ns; /* what one that has worked from the beginning has done */
};

/* When @done_ns will be what is given, if none begins or stops to work. */
double processors_until(const struct processors *processors, double done_ns);
/* It is @now_ns, and none began or stopped to work meanwhile. */
void processors_go_on(struct processors *processors, double now_ns);

enum due_what { DUE_EVENT, DUE_WORKED, DUE_REST };

/* What waits for a time, the earliest first. */
struct due {
	double at_ns;
	unsigned int event;   /* of those of one time the lower one is first */
	unsigned int workers; /* until then */
	enum due_what what;
};

struct queue {
	struct due *heap;
	size_t count;
	size_t room;
};

void queue_add(struct queue *queue, const struct due *due);
/* Removes the first one. */
struct due queue_take(struct queue *queue);
/* What is due when its workers have done @work_ns, together. @queue is in order of what is done. */
void processors_work(struct processors *processors, struct queue *queue, double work_ns, const struct due *due);
void queue_free(struct queue *queue);
#endif
