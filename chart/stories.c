/* SPDX-License-Identifier: MIT */
/*
 * A driver that comes too early for its device is deferred (517) and tried again, perhaps often. The tries of a device
 * are one story: each knows the one before.
 */
#define _GNU_SOURCE
#include <stdlib.h>

#include "model.h"

static int compare_tries(const void *a, const void *b, void *spans)
{
	const struct span *left = (const struct span *)spans + *(const size_t *)a;
	const struct span *right = (const struct span *)spans + *(const size_t *)b;

	if (left->name != right->name)
		return left->name < right->name ? -1 : 1;
	if (left->begin_ns != right->begin_ns)
		return left->begin_ns < right->begin_ns ? -1 : 1;
	return (left > right) - (left < right);
}

void link_retries(struct model *model)
{
	size_t *tries = NULL;
	size_t count = 0;

	for (size_t i = 0; i < model->span_count; i++)
		if (model->spans[i].kind == SPAN_STEP && model->spans[i].name &&
		    model->processes[model->threads[model->spans[i].thread].process].pid == 0)
			*APPEND(tries, count) = i;
	if (count)
		qsort_r(tries, count, sizeof(*tries), compare_tries, model->spans);
	for (size_t i = 1; i < count; i++) {
		const struct span *before = &model->spans[tries[i - 1]];
		struct span *span = &model->spans[tries[i]];

		if (before->name == span->name && before->error == -PROBE_DEFER)
			span->retry_of = tries[i - 1];
	}
	free(tries);
}
