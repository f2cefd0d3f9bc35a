/* SPDX-License-Identifier: MIT */
/* The critical path in one sentence: what it consists of, and what would shorten it most. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "whatif.h"

#define PARTS_MOST 3

struct part {
	const char *name;
	uint64_t sum_ns;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct part *)a)->name, ((const struct part *)b)->name);
}

static int compare_sums(const void *a, const void *b)
{
	const struct part *left = a;
	const struct part *right = b;

	if (left->sum_ns != right->sum_ns)
		return left->sum_ns > right->sum_ns ? -1 : 1;
	return strcmp(left->name, right->name);
}

/* What the time of a link went to. A wait is for what ended it, or for what it says. */
static const char *name_of(const struct model *model, const struct link *link)
{
	const struct span *span = &model->spans[link->span];
	bool call = span->kind == SPAN_WAIT && !span->name && span->awaited != NONE;
	const char *name = call ? call_name(&model->calls[span->awaited]) : span_name(model, span);

	return *name ? name : "a wait";
}

/* The path's links, those of one name together, the longest first. */
static struct part *collect(const struct model *model, size_t *count)
{
	struct part *parts = NULL;
	size_t links = 0;

	*count = 0;
	if (model->path.end_ns == model->path.begin_ns) /* of nothing there are no parts */
		return NULL;
	for (size_t i = 0; i < model->chain_count; i++)
		*APPEND(parts, links) = (struct part){name_of(model, &model->chain[i]),
						      model->chain[i].end_ns - model->chain[i].begin_ns};
	if (links)
		qsort(parts, links, sizeof(*parts), compare_names);
	for (size_t i = 0; i < links; i++) {
		if (*count && strcmp(parts[*count - 1].name, parts[i].name) == 0)
			parts[*count - 1].sum_ns += parts[i].sum_ns;
		else
			parts[(*count)++] = parts[i];
	}
	if (*count)
		qsort(parts, *count, sizeof(*parts), compare_sums);
	return parts;
}

/* What would gain most: the first that --advise proposes. */
static void add_best(const struct model *model, char *text, size_t bytes)
{
	const char *unended = change_unended(model);
	struct change change;
	char best[512];
	char time[32];
	double gain_ns;

	if (unended)
		snprintf(text, bytes, "; %.*s has not ended: what would shorten it is not known",
			 text_bytes(unended, 60), unended);
	else if (!advise_best(model, &change, &gain_ns))
		snprintf(text, bytes, "; no change that is known of would shorten it");
	else
		snprintf(text, bytes, "; %.*s would shorten it most, by %s",
			 text_bytes(change_text(model, &change, best, sizeof(best)), 140), best,
			 duration_text((uint64_t)gain_ns, time, sizeof(time)));
}

const char *path_sentence(const struct model *model, char *text, size_t bytes)
{
	double total_ns = (double)(model->path.end_ns - model->path.begin_ns);
	size_t count;
	struct part *parts = collect(model, &count);
	int used = snprintf(text, bytes, "the path is ");

	for (size_t i = 0; i < count && i < PARTS_MOST; i++)
		used += snprintf(text + used, bytes - (size_t)used, "%s%.*s (%.0f %%)",
				 !i                                    ? ""
				 : i + 1 < count && i + 1 < PARTS_MOST ? ", "
								       : " and ",
				 text_bytes(parts[i].name, 60), parts[i].name,
				 (double)parts[i].sum_ns * 100 / total_ns);
	if (count > PARTS_MOST)
		used += snprintf(text + used, bytes - (size_t)used, ", and %zu more", count - PARTS_MOST);
	if (count)
		add_best(model, text + used, bytes - (size_t)used);
	else
		snprintf(text, bytes, "the path is not known: nothing that takes time is traced");
	free(parts);
	return text;
}

/* Of steps that stand for a part of a boot the log tells the name alone: what they take is told once more, together. */
#define PARTS_LEAST 0.1 /* of the path */

void path_note(struct model *model)
{
	const char *names[8] = {NULL};
	char list[200] = "";
	double sum_ns = 0;
	double total_ns = (double)(model->path.end_ns - model->path.begin_ns);
	size_t count = 0;

	for (size_t i = model->chain_count; i-- > 0;) {
		const struct span *span = &model->spans[model->chain[i].span];
		size_t known = 0;

		if (span->stand_in != STANDS_FOR_PART)
			continue;
		sum_ns += (double)(model->chain[i].end_ns - model->chain[i].begin_ns);
		while (known < count && names[known] != span->name)
			known++;
		if (known < count || count == sizeof(names) / sizeof(names[0]))
			continue;
		names[count++] = span->name;
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", *list ? ", " : "", span->name);
	}
	if (sum_ns > 0 && sum_ns >= total_ns * PARTS_LEAST)
		model_note(model, "%.0f %% of the path is %s: of what that consists is not known",
			   sum_ns * 100 / total_ns, list);
}
