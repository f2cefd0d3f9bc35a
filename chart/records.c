/* SPDX-License-Identifier: MIT */
/* What is done to records before they become a model: one boot, in order of time. */
#include <stdlib.h>

#include "chart.h"

static int compare_records(const void *a, const void *b)
{
	const struct record *left = a;
	const struct record *right = b;

	if (left->t_ns != right->t_ns)
		return left->t_ns < right->t_ns ? -1 : 1;
	return (left->order > right->order) - (left->order < right->order);
}

/* A file that is appended to may hold several boots, whose clocks begin anew. Only the last one is drawn. */
static size_t drop_earlier_boots(struct input *input)
{
	const char *boot = NULL;
	uint64_t latest_ns = 0;
	size_t earlier = 0;
	size_t first = 0;
	size_t kept = 0;

	for (size_t i = 0; i < input->count; i++) {
		const struct record *record = &input->records[i];
		bool other = record->type == RECORD_START && boot && record->domain
				     ? boot != record->domain
				     : record->type == RECORD_START && record->t_ns < latest_ns && !record->domain;

		if (other) {
			first = i;
			latest_ns = 0;
			earlier++;
		}
		if (record->type == RECORD_START)
			boot = record->domain;
		if (record->pid && record->t_ns > latest_ns)
			latest_ns = record->t_ns;
	}
	for (size_t i = 0; i < input->count; i++)
		if (i >= first || input->records[i].pid == 0)
			input->records[kept++] = input->records[i];
	input->count = kept;
	return earlier;
}

/* The same of a console's log: a kernel that begins anew, earlier than the line before it, is another boot. */
static size_t drop_earlier_kernels(struct input *input)
{
	const char *kernel = keep("kernel");
	uint64_t latest_ns = 0;
	size_t earlier = 0;
	size_t first = 0;
	size_t kept = 0;

	for (size_t i = 0; i < input->count; i++) {
		const struct record *record = &input->records[i];

		if (record->pid)
			continue;
		if (record->type == ASYNC_TRACE_PHASE && record->name == kernel && record->t_ns < latest_ns) {
			first = i;
			latest_ns = 0;
			earlier++;
		}
		if (record->t_ns > latest_ns)
			latest_ns = record->t_ns;
	}
	for (size_t i = 0; i < input->count; i++)
		if (i >= first || input->records[i].pid)
			input->records[kept++] = input->records[i];
	input->count = kept;
	return earlier;
}

size_t records_prepare(struct input *input)
{
	size_t kernels = drop_earlier_kernels(input);
	size_t earlier = drop_earlier_boots(input);

	if (kernels > earlier)
		earlier = kernels;
	for (size_t i = 0; i < input->count; i++)
		input->records[i].order = i;
	if (input->count)
		qsort(input->records, input->count, sizeof(*input->records), compare_records);
	return earlier;
}
