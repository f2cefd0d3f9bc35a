/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "chart.h"
#include "processors.h"

void shared_add(struct shared *load, double begin_ns, double end_ns, double workers)
{
	if (end_ns <= begin_ns)
		return;
	*APPEND(load->moments, load->count) = (struct moment){.t_ns = begin_ns, .change = workers};
	*APPEND(load->moments, load->count) = (struct moment){.t_ns = end_ns, .change = -workers};
}

static int compare_moments(const void *a, const void *b)
{
	const struct moment *left = a;
	const struct moment *right = b;

	return (left->t_ns > right->t_ns) - (left->t_ns < right->t_ns);
}

double shared_share(struct shared *load, double processors)
{
	double working = 0;
	double length = 0;

	if (load->count)
		qsort(load->moments, load->count, sizeof(*load->moments), compare_moments);
	for (size_t i = 0; i < load->count; i++) {
		struct moment *moment = &load->moments[i];
		const struct moment *last = i ? moment - 1 : NULL;

		length += last ? working * (moment->t_ns - last->t_ns) : 0;
		moment->done_ns = last ? last->done_ns + last->rate * (moment->t_ns - last->t_ns) : 0;
		working += moment->change;
		moment->rate = working > processors ? processors / working : 1;
	}
	return length;
}

static double time_of(const struct moment *moment)
{
	return moment->t_ns;
}

static double work_of(const struct moment *moment)
{
	return moment->done_ns;
}

/* The last moment of which @value_of, which rises, is at most @value; NULL: it was before all of them. */
static const struct moment *last_at(const struct shared *load, double (*value_of)(const struct moment *moment),
				    double value)
{
	size_t low = 0;
	size_t high = load->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (value_of(&load->moments[middle]) <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &load->moments[low - 1] : NULL;
}

/* What one that works all the time has done by then, since the first moment. */
static double done_by(const struct shared *load, double t_ns)
{
	const struct moment *last = last_at(load, time_of, t_ns);

	if (!last)
		return load->count ? t_ns - load->moments[0].t_ns : t_ns;
	return last->done_ns + last->rate * (t_ns - last->t_ns);
}

double shared_done(const struct shared *load, double begin_ns, double end_ns)
{
	return done_by(load, end_ns) - done_by(load, begin_ns);
}

double shared_end(const struct shared *load, double begin_ns, double work_ns)
{
	double done_ns = done_by(load, begin_ns) + work_ns;
	const struct moment *last = last_at(load, work_of, done_ns);

	return last ? last->t_ns + (done_ns - last->done_ns) / last->rate : begin_ns + work_ns;
}

void shared_copy(struct shared *copy, const struct shared *load)
{
	for (size_t i = 0; i < load->count; i++)
		*APPEND(copy->moments, copy->count) = load->moments[i];
}

void shared_free(struct shared *load)
{
	free(load->moments);
	*load = (struct shared){NULL, 0};
}
