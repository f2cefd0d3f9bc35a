/* SPDX-License-Identifier: MIT */
/* How fast work goes on, at each moment, where processors are shared by all that works. */
#ifndef CHART_PROCESSORS_H
#define CHART_PROCESSORS_H

#include <stddef.h>

struct moment {
	double t_ns;
	double change;  /* of how many work, from then on */
	double rate;    /* how fast each of them is until the next moment: 1 has a processor of its own */
	double done_ns; /* what one that worked since the first moment has done by then */
};

struct shared {
	struct moment *moments;
	size_t count;
};

/* So many work from @begin_ns to @end_ns. */
void shared_add(struct shared *load, double begin_ns, double end_ns, double workers);
/* All is added: each gets an equal part of @processors, and one at most. Returns how long all work, together. */
double shared_share(struct shared *load, double processors);
/* What is done between two moments. */
double shared_done(const struct shared *load, double begin_ns, double end_ns);
/* When work of @work_ns that begins then is done. */
double shared_end(const struct shared *load, double begin_ns, double work_ns);
/* @copy is empty before. */
void shared_copy(struct shared *copy, const struct shared *load);
void shared_free(struct shared *load);
#endif
