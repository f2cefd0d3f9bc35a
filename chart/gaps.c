/* SPDX-License-Identifier: MIT */
/* What of the path is left between the links of the chain. */
#include "chart.h"

/* The step that stands for most of that time, or NONE. */
static size_t stands_for(const struct model *model, uint64_t begin_ns, uint64_t end_ns)
{
	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *span = &model->spans[i];
		uint64_t from_ns = span->begin_ns > begin_ns ? span->begin_ns : begin_ns;
		uint64_t to_ns = span->end_ns < end_ns ? span->end_ns : end_ns;

		if (span->stand_in == STANDS_FOR_ALL && to_ns > from_ns && to_ns - from_ns > (end_ns - begin_ns) / 2)
			return i;
	}
	return NONE;
}

/* What of the path is left between the links. */
void model_find_gaps(struct model *model)
{
	uint64_t until_ns = model->path.end_ns;
	bool stand_ins = false;
	size_t later = NONE;

	for (size_t i = 0; i < model->span_count; i++)
		stand_ins = stand_ins || model->spans[i].stand_in == STANDS_FOR_ALL;
	for (size_t i = 0; i <= model->chain_count; i++) {
		const struct link *link = i < model->chain_count ? &model->chain[i] : NULL;
		uint64_t end_ns = link ? link->end_ns : model->path.begin_ns;

		if (end_ns < until_ns)
			*APPEND(model->gaps, model->gap_count) =
				(struct gap){link ? link->span : NONE, later, NONE, end_ns, until_ns};
		if (end_ns < until_ns && stand_ins)
			model->gaps[model->gap_count - 1].within = stands_for(model, end_ns, until_ns);
		if (!link)
			return;
		model->path.explained_ns += link->end_ns - link->begin_ns;
		until_ns = link->begin_ns;
		later = link->span;
	}
}
