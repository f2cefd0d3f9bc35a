/* SPDX-License-Identifier: MIT */
/*
 * Names that have no room where they belong stand in a band of lines. From each a straight line leads up to what has
 * the name; the text stands beside that line.
 */
#include <stdlib.h>

#include "layout.h"

#define NAME_WIDTH 300.0 /* px; what is cut stands in the tooltip */

static void set(struct callout *callout, const struct callout *offered)
{
	char duration[32];
	char name[256];
	char text[300];

	*callout = *offered;
	text_fit(offered->text, NAME_WIDTH, CALLOUT_FONT, name, sizeof(name));
	duration_text(offered->length_ns, duration, sizeof(duration));
	snprintf(text, sizeof(text), "%s  %s", name, duration);
	callout->text = keep(text);
	callout->width = text_width(text) * CALLOUT_FONT;
}

void callouts_offer(struct callouts *callouts, const struct callout *offered)
{
	size_t shortest = 0;

	if (callouts->count < callouts->most) {
		set(APPEND(callouts->items, callouts->count), offered);
		return;
	}
	for (size_t i = 1; i < callouts->count; i++)
		if (callouts->items[i].length_ns < callouts->items[shortest].length_ns)
			shortest = i;
	if (callouts->count && callouts->items[shortest].length_ns < offered->length_ns)
		set(&callouts->items[shortest], offered);
}

static double text_left(const struct callout *callout)
{
	return callout->leftwards ? callout->x - CALLOUT_GAP - callout->width : callout->x + CALLOUT_GAP;
}

/* Whether the line that leads to @other goes through the text of @callout, or touches it. */
static bool is_crossed(const struct callout *callout, const struct callout *other)
{
	double left = text_left(callout) - 1;

	return other->line >= callout->line && other->x >= left && other->x <= left + callout->width + 2;
}

static bool collide(const struct callout *a, const struct callout *b)
{
	bool overlap = a->line == b->line && text_left(a) < text_left(b) + b->width + 2 * CALLOUT_GAP &&
		       text_left(b) < text_left(a) + a->width + 2 * CALLOUT_GAP;

	return overlap || is_crossed(a, b) || is_crossed(b, a);
}

static bool is_free(const struct callouts *placed, const struct callout *callout)
{
	for (size_t i = 0; i < placed->count; i++)
		if (collide(callout, &placed->items[i]))
			return false;
	return true;
}

static int compare_x(const void *a, const void *b)
{
	const struct callout *left = a;
	const struct callout *right = b;

	if (left->x != right->x)
		return left->x < right->x ? -1 : 1;
	return left->length_ns > right->length_ns ? -1 : left->length_ns < right->length_ns;
}

/* The first line in which it touches no other; at worst its own line goes through another text. */
static void place(struct callouts *callouts, size_t index, struct callouts *placed)
{
	struct callout *callout = &callouts->items[index];

	callout->line = 0;
	while (callout->line < placed->lines && !is_free(placed, callout))
		callout->line++;
	placed->lines = callout->line < placed->lines ? placed->lines : callout->line + 1;
	*APPEND(placed->items, placed->count) = *callout;
}

/* Which way the text goes. Returns where the texts of those that come next have to end: before a line inwards. */
static double point(struct callout *callout, bool left, double end)
{
	callout->leftwards = left;
	callout->inwards = left ? text_left(callout) < end : text_left(callout) + callout->width > end;
	callout->leftwards = left != callout->inwards;
	return callout->inwards ? callout->x : end;
}

/*
 * Texts point outwards, so that the outer lines are short and the inner ones pass below their texts. Where the picture
 * ends, they point inwards: these come last, and so lie below.
 */
void callouts_place(struct callouts *callouts, double left_end, double right_end)
{
	struct callouts placed = {.most = callouts->most};
	size_t middle = callouts->count / 2;

	if (!callouts->count)
		return;
	qsort(callouts->items, callouts->count, sizeof(*callouts->items), compare_x);
	for (size_t i = 0; i < middle; i++)
		left_end = point(&callouts->items[i], true, left_end);
	for (size_t i = callouts->count; i-- > middle;)
		right_end = point(&callouts->items[i], false, right_end);
	for (size_t i = 0; i < middle; i++)
		if (!callouts->items[i].inwards)
			place(callouts, i, &placed);
	for (size_t i = callouts->count; i-- > middle;)
		if (!callouts->items[i].inwards)
			place(callouts, i, &placed);
	for (size_t i = middle; i-- > 0;)
		if (callouts->items[i].inwards)
			place(callouts, i, &placed);
	for (size_t i = middle; i < callouts->count; i++)
		if (callouts->items[i].inwards)
			place(callouts, i, &placed);
	free(callouts->items);
	*callouts = placed;
}

double callouts_height(const struct callouts *callouts)
{
	return callouts->lines ? callouts->lines * CALLOUT_LINE + 6 : 0;
}

void callouts_free(struct callouts *callouts)
{
	free(callouts->items);
	*callouts = (struct callouts){0};
}
