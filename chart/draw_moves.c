/* SPDX-License-Identifier: MIT */
/* The table of what moved, below two charts. */
#include <stdlib.h>

#include "draw.h"

#define MOVES_MOST 30
#define LINE 17
#define TOP 60

static size_t shown(const struct comparison *comparison)
{
	return comparison->count < MOVES_MOST ? comparison->count : MOVES_MOST;
}

double draw_moves_height(const struct comparison *comparison)
{
	return TOP + (double)shown(comparison) * LINE + 24;
}

static void cell(struct svg *svg, double x, double y, const char *class_name, const char *text)
{
	svg_text(svg, x, y, 11.5, "end", class_name, text);
}

/* "-1.20 ms" */
static const char *signed_text(int64_t ns, char *text, size_t bytes)
{
	char duration[32];

	duration_text((uint64_t)llabs(ns), duration, sizeof(duration));
	snprintf(text, bytes, "%s%s", ns > 0 ? "+" : ns < 0 ? "-" : "", duration);
	return text;
}

static void draw_move(struct svg *svg, const struct move *move, double right, double y)
{
	char text[512];

	svg_text(svg, 24, y, 11.5, "start", "quiet", move->what);
	svg_text(svg, 80, y, 11.5, "start", NULL, text_fit(move->name, right - 560, 11.5, text, sizeof(text)));
	cell(svg, right - 360, y, NULL, move->in_before ? duration_text(move->before_ns, text, sizeof(text)) : "–");
	cell(svg, right - 240, y, NULL, move->in_after ? duration_text(move->after_ns, text, sizeof(text)) : "–");
	cell(svg, right - 120, y, move->took_ns > 0 ? "worse" : "better",
	     signed_text(move->took_ns, text, sizeof(text)));
	if (move->in_before && move->in_after)
		cell(svg, right, y, NULL,
		     signed_text((int64_t)(move->after_begin_ns - move->before_begin_ns), text, sizeof(text)));
	else
		cell(svg, right, y, "quiet", move->in_before ? "gone" : "new");
}

void draw_moves(struct svg *svg, const struct comparison *comparison, double width)
{
	double right = width < 1100 ? width - 28 : 1072;
	char title[128];

	snprintf(title, sizeof(title), "what moved (without waits): %s%zu of %zu",
		 shown(comparison) < comparison->count ? "the largest " : "", shown(comparison), comparison->count);
	svg_text(svg, 24, 24, 0, "start", "title", title);
	cell(svg, right - 360, TOP - 12, "quiet", "before");
	cell(svg, right - 240, TOP - 12, "quiet", "after");
	cell(svg, right - 120, TOP - 12, "quiet", "longer");
	cell(svg, right, TOP - 12, "quiet", "begins later");
	for (size_t i = 0; i < shown(comparison); i++)
		draw_move(svg, &comparison->moves[i], right, TOP + LINE * ((double)i + 0.5));
}
