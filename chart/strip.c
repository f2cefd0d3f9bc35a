/* SPDX-License-Identifier: MIT */
/* The critical path as one strip: what the total consists of, from left to right, and what is not explained. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "layout.h"

#define NAMES_MOST 12
#define NAMED_PER_MILLE 6 /* of the path: shorter parts have no callout */
#define FONT 11
#define MARGIN 4

/* A part of the path as it comes: of the chain, or a gap. */
struct part {
	uint64_t begin_ns, end_ns;
	const char *class_name;
	char name[300];
	size_t span;
	size_t count; /* of parts that are drawn as one */
};

struct builder {
	struct strip *strip;
	const struct model *model;
	const struct scale *scale;
	struct part part; /* the one before */
};

static void finish(struct builder *builder)
{
	const struct model *model = builder->model;
	struct part *part = &builder->part;
	double left = scale_x(builder->scale, part->begin_ns);
	double right = scale_x(builder->scale, part->end_ns);
	uint64_t length_ns = part->end_ns - part->begin_ns;
	struct segment segment = {left, right, part->class_name, NULL, part->span, NULL};
	char duration[32];
	char from[32];
	char text[512];

	if (!part->count || right <= left)
		return;
	duration_text(length_ns, duration, sizeof(duration));
	if (part->count > 1) {
		segment.span = NONE;
		snprintf(part->name, sizeof(part->name), "%zu short parts", part->count);
	}
	snprintf(text, sizeof(text), "%s\n%s, from %s", part->name, duration,
		 moment_text(model, part->begin_ns, from, sizeof(from)));
	segment.tip = keep(text);
	snprintf(text, sizeof(text), "%s  %s", part->name, duration);
	if (text_width(text) * FONT <= right - left - 2 * MARGIN)
		segment.text = keep(text);
	else if (text_width(part->name) * FONT <= right - left - 2 * MARGIN)
		segment.text = keep(part->name);
	else if (part->count == 1 && length_ns >= (model->path.end_ns - model->path.begin_ns) / 1000 * NAMED_PER_MILLE)
		callouts_offer(&builder->strip->callouts, &(struct callout){.x = (left + right) / 2,
									    .length_ns = length_ns,
									    .text = part->name,
									    .span = part->span});
	*APPEND(builder->strip->segments, builder->strip->count) = segment;
}

/* What follows under the same name is the same part; what is too short to be seen joins its like. */
static void add(struct builder *builder, const struct part *next)
{
	struct part *part = &builder->part;
	double least_ns = TINY / builder->scale->width * (double)(builder->scale->end_ns - builder->scale->begin_ns);
	bool same = part->count == 1 && strcmp(part->name, next->name) == 0 && part->class_name == next->class_name;
	bool tiny = part->count && (double)(next->end_ns - next->begin_ns) < least_ns &&
		    (part->count > 1 || (double)(part->end_ns - part->begin_ns) < least_ns);

	if (same || tiny) {
		part->end_ns = next->end_ns;
		part->count += !same;
		return;
	}
	finish(builder);
	*part = *next;
}

static const char *class_of(const struct model *model, const struct span *span)
{
	return span_failed(model, span) ? "failed" : span_words[span->kind];
}

static void add_link(struct builder *builder, const struct link *link)
{
	const struct span *span = &builder->model->spans[link->span];
	struct part part = {.begin_ns = link->begin_ns, .end_ns = link->end_ns, .span = link->span, .count = 1};

	part.class_name = link->kind == LINK_SPAN ? class_of(builder->model, span) : "queued";
	span_label(builder->model, span, part.name, sizeof(part.name) - sizeof(", deferred"));
	if (link->kind != LINK_SPAN)
		strcat(part.name, link->kind == LINK_QUEUED ? ", queued" : ", deferred");
	add(builder, &part);
}

static void add_gap(struct builder *builder, const struct gap *gap)
{
	struct part part = {
		.begin_ns = gap->begin_ns, .end_ns = gap->end_ns, .class_name = "gap", .span = NONE, .count = 1};

	gap_text(builder->model, gap, part.name, sizeof(part.name));
	add(builder, &part);
}

void strip_build(struct strip *strip, const struct model *model, const struct scale *scale)
{
	struct builder builder = {.strip = strip, .model = model, .scale = scale};
	size_t chain = model->chain_count;
	size_t gap = model->gap_count;

	*strip = (struct strip){.callouts = {.most = NAMES_MOST}};
	while (chain || gap)
		if (!gap || (chain && model->chain[chain - 1].begin_ns <= model->gaps[gap - 1].begin_ns))
			add_link(&builder, &model->chain[--chain]);
		else
			add_gap(&builder, &model->gaps[--gap]);
	finish(&builder);
	callouts_place(&strip->callouts, 24, scale->left + scale->width + 20);
}

bool strip_names(const struct strip *strip, size_t span)
{
	for (size_t i = 0; i < strip->callouts.count; i++)
		if (strip->callouts.items[i].span == span)
			return true;
	for (size_t i = 0; i < strip->count; i++)
		if (strip->segments[i].text && strip->segments[i].span == span)
			return true;
	return false;
}

void strip_free(struct strip *strip)
{
	callouts_free(&strip->callouts);
	free(strip->segments);
	*strip = (struct strip){0};
}
