/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine that slept, or was moved, may find its clock an hour later. Such a time, in which no thread did or
 * awaited anything and beside which all else would be a hairline, is left out of the chart, and a note reports it.
 */
#define _GNU_SOURCE
#include <stdlib.h>

#include "model.h"

#define JUMP_LEAST_NS UINT64_C(600000000000) /* a boot may well wait some minutes for a disk */
#define JUMP_RATIO 100                       /* to all of the other time */
#define LEFT_NS UINT64_C(1000000)            /* of the jump, so that both sides stand apart */

struct jump {
	uint64_t from_ns;
	uint64_t to_ns;
};

static int compare_begins(const void *a, const void *b, void *spans)
{
	const struct span *left = (const struct span *)spans + *(const size_t *)a;
	const struct span *right = (const struct span *)spans + *(const size_t *)b;

	return (left->begin_ns > right->begin_ns) - (left->begin_ns < right->begin_ns);
}

/* Of the kernel's first thread, which is in these functions whatever it does, or does not. */
static bool fills(const struct span *span)
{
	return span->stand_in == STANDS_FOR_PART &&
	       (span->name == keep("start_kernel") || span->name == keep("kernel_init"));
}

/* The longest time before @until_ns in which there is no span; of no length if there is always one. */
static struct jump longest_hole(const struct model *model, uint64_t until_ns)
{
	struct jump longest = {0, 0};
	uint64_t covered_ns = model->begin_ns;
	size_t *order = NULL;
	size_t count = 0;

	for (size_t i = 0; i < model->span_count; i++)
		if (!fills(&model->spans[i]) && model->spans[i].begin_ns < until_ns)
			*APPEND(order, count) = i;
	if (count)
		qsort_r(order, count, sizeof(*order), compare_begins, model->spans);
	for (size_t i = 0; i < count; i++) {
		const struct span *span = &model->spans[order[i]];

		if (span->begin_ns > covered_ns && span->begin_ns - covered_ns > longest.to_ns - longest.from_ns)
			longest = (struct jump){covered_ns, span->begin_ns};
		if (span->end_ns > covered_ns)
			covered_ns = span->end_ns;
	}
	if (until_ns > covered_ns && until_ns - covered_ns > longest.to_ns - longest.from_ns)
		longest = (struct jump){covered_ns, until_ns};
	free(order);
	return longest;
}

static void shift(uint64_t *t_ns, const struct jump *jump)
{
	if (*t_ns >= jump->to_ns)
		*t_ns -= jump->to_ns - jump->from_ns - LEFT_NS;
	else if (*t_ns > jump->from_ns + LEFT_NS)
		*t_ns = jump->from_ns + LEFT_NS;
}

static void shift_all(struct model *model, const struct jump *jump)
{
	for (size_t i = 0; i < model->span_count; i++) {
		shift(&model->spans[i].begin_ns, jump);
		shift(&model->spans[i].end_ns, jump);
	}
	for (size_t i = 0; i < model->call_count; i++) {
		shift(&model->calls[i].scheduled_ns, jump);
		shift(&model->calls[i].started_ns, jump);
		shift(&model->calls[i].returned_ns, jump);
		shift(&model->calls[i].retiring_ns, jump);
		shift(&model->calls[i].completed_ns, jump);
	}
	for (size_t i = 0; i < model->thread_count; i++) {
		if (model->threads[i].first_ns != UINT64_MAX)
			shift(&model->threads[i].first_ns, jump);
		shift(&model->threads[i].last_ns, jump);
	}
	for (size_t i = 0; i < model->phase_count; i++) {
		shift(&model->phases[i].begin_ns, jump);
		shift(&model->phases[i].end_ns, jump);
	}
	for (size_t i = 0; i < model->process_count; i++)
		shift(&model->processes[i].last_ns, jump);
	shift(&model->end_ns, jump);
}

/*
 * After /init, the kernel's log and systemd tell hours that passed: a stick is plugged in, a unit started, a day later.
 * Up to when no such time is told; 0: it always may be.
 */
static uint64_t jumps_until(const struct model *model)
{
	uint64_t until_ns = model->end_ns;

	for (size_t i = 0; i < model->process_count; i++)
		if (model->processes[i].is_systemd)
			until_ns = 0;
	for (size_t i = 0; i < model->phase_count; i++)
		if (model->processes[model->phases[i].process].pid == 0 && model->phases[i].name[0] == '/')
			return model->phases[i].begin_ns;
	return until_ns;
}

void cut_jumps(struct model *model)
{
	struct jump jump;
	char length[32];
	char at[32];

	for (;;) {
		uint64_t until_ns = jumps_until(model);
		uint64_t length_ns;

		jump = longest_hole(model, until_ns);
		length_ns = jump.to_ns - jump.from_ns;
		if (length_ns < JUMP_LEAST_NS || (until_ns - model->begin_ns - length_ns) > length_ns / JUMP_RATIO)
			return;
		model_note(model, "the clock jumps by %s at %s, or nothing was traced: that time is left out",
			   duration_text(length_ns, length, sizeof(length)),
			   duration_text(jump.from_ns - model->begin_ns, at, sizeof(at)));
		shift_all(model, &jump);
	}
}
