/* SPDX-License-Identifier: MIT */
/* What is done to records before they become a model: one boot, in order of time. */
#include <stdio.h>
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

/* Lines that may be of another boot than those before them: of console logs' kernels, or of traces' programs. */
struct boots {
	bool of_kernel;
	const char *boot; /* the id of the last one, if it is known */
	uint64_t latest_ns;
	size_t first; /* record of the last boot */
	size_t earlier;
};

/* A boot's clock begins anew. */
static bool is_other_boot(const struct boots *boots, const struct record *record)
{
	if (boots->of_kernel && record->type == RECORD_BOOT)
		return true;
	if (boots->of_kernel)
		return record->type == ASYNC_TRACE_PHASE && record->t_ns < boots->latest_ns &&
		       record->name == keep("kernel");
	if (record->type != RECORD_START)
		return false;
	return boots->boot && record->domain ? boots->boot != record->domain
					     : !record->domain && record->t_ns < boots->latest_ns;
}

static void look_at(struct boots *boots, const struct record *record, size_t index)
{
	if (is_other_boot(boots, record)) {
		boots->first = index;
		boots->latest_ns = 0;
		boots->earlier++;
	}
	if (record->type == RECORD_START)
		boots->boot = record->domain;
	if (record->t_ns > boots->latest_ns)
		boots->latest_ns = record->t_ns;
}

/* A file that is appended to, or a console's log, may hold several boots. Only the last one is drawn. */
static size_t drop_earlier_boots(struct input *input)
{
	struct boots boots[] = {{.of_kernel = false}, {.of_kernel = true}};
	size_t kept = 0;

	for (size_t i = 0; i < input->count; i++)
		look_at(&boots[input->records[i].pid == 0], &input->records[i], i);
	for (size_t i = 0; i < input->count; i++)
		if (i >= boots[input->records[i].pid == 0].first && input->records[i].type != RECORD_BOOT)
			input->records[kept++] = input->records[i];
	input->count = kept;
	return boots[0].earlier > boots[1].earlier ? boots[0].earlier : boots[1].earlier;
}

bool records_are_of_units(const struct input *input)
{
	const char *boot = NULL;

	for (size_t i = 0; i < input->count; i++)
		if (input->records[i].type == RECORD_START && input->records[i].domain)
			boot = input->records[i].domain;
	if (!boot || !input->unit_count || !input->units_boot || boot == input->units_boot)
		return true;
	fprintf(stderr,
		"inorder-chart: the trace is of the boot %s, the units of systemd are of the boot %s, and clocks of two boots "
		"have nothing in common: give both of one boot\n",
		boot, input->units_boot);
	return false;
}

/* 0 stands for unknown: the begin of a kernel's clock is read as 1. */
static bool is_zero(const struct record *record, uint64_t t_ns)
{
	return record->pid == 0 && t_ns == 1;
}

bool records_from_zero(const struct input *input)
{
	for (size_t i = 0; i < input->count; i++)
		if (is_zero(&input->records[i], input->records[i].t_ns))
			return true;
	return false;
}

void records_move(struct input *input, uint64_t ns)
{
	input->passed_ns += input->passed_ns ? ns : 0;
	for (size_t i = 0; i < input->count; i++) {
		struct record *record = &input->records[i];

		record->t_ns += is_zero(record, record->t_ns) ? ns - 1 : ns;
		if (record->since_ns)
			record->since_ns += is_zero(record, record->since_ns) ? ns - 1 : ns;
		record->started_ns += record->started_ns ? ns : 0;
	}
}

static void sort(struct input *input)
{
	if (input->count)
		qsort(input->records, input->count, sizeof(*input->records), compare_records);
}

static bool is_same(const struct record *a, const struct record *b)
{
	return a->pid == b->pid && a->tid == b->tid && a->type == b->type && a->t_ns == b->t_ns &&
	       a->since_ns == b->since_ns && a->cookie == b->cookie && a->arg == b->arg && a->error == b->error &&
	       a->domain == b->domain && a->func == b->func && a->name == b->name;
}

/* The record, of those at the same time before @index, that is the same; NONE if there is none. */
static size_t same_before(const struct record *records, size_t index)
{
	for (size_t i = index; i-- > 0 && records[i].t_ns == records[index].t_ns;)
		if (is_same(&records[i], &records[index]))
			return i;
	return NONE;
}

static bool starts_twice(const struct input *input)
{
	for (size_t i = 0; i < input->count; i++)
		if (input->records[i].type == RECORD_START && same_before(input->records, i) != NONE)
			return true;
	return false;
}

/* A trace that was given twice, or is in the file twice, counts once. */
static void drop_repeated(struct input *input)
{
	size_t kept = 0;

	if (!starts_twice(input))
		return;
	for (size_t i = 0; i < input->count; i++) {
		input->records[kept] = input->records[i];
		kept += input->records[kept].pid == 0 || same_before(input->records, kept) == NONE;
	}
	input->repeated = input->count - kept;
	input->count = kept;
}

size_t records_prepare(struct input *input)
{
	size_t earlier;

	records_mark_open(input);
	earlier = drop_earlier_boots(input);
	for (size_t i = 0; i < input->count; i++)
		input->records[i].order = 2 * i + 1; /* there is room for ends that were lost */
	sort(input);
	drop_repeated(input);
	if (records_end_lost(input))
		sort(input);
	return earlier;
}
