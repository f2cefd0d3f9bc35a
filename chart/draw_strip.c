/* SPDX-License-Identifier: MIT */
/* The critical path as one strip, and names that lines lead to. */
#include "draw.h"

#define FONT 11

static void draw_leader(struct svg *svg, const struct callout *callout, double y)
{
	svg_line(svg, callout->x, callout->y, callout->x, y + 3, "leader");
}

void draw_callouts(struct svg *svg, const struct callouts *callouts, double y)
{
	if (!callouts->count)
		return;
	svg_group_sized(svg, "callouts", CALLOUT_FONT);
	for (size_t i = 0; i < callouts->count; i++)
		draw_leader(svg, &callouts->items[i], y + callouts->items[i].line * CALLOUT_LINE + CALLOUT_LINE / 2);
	for (size_t i = 0; i < callouts->count; i++) {
		const struct callout *callout = &callouts->items[i];
		double x = callout->leftwards ? callout->x - CALLOUT_GAP : callout->x + CALLOUT_GAP;

		svg_text(svg, x, y + (callout->line + 1) * CALLOUT_LINE, 0, callout->leftwards ? "end" : "start", NULL,
			 callout->text);
	}
	svg_group_end(svg);
}

void draw_strip(struct svg *svg, const struct layout *layout)
{
	const struct strip *strip = &layout->strip;
	double middle = layout->strip_y + layout->strip_height / 2 + FONT * 0.36;

	svg_group(svg, "bars strip");
	svg_text(svg, layout->scale.left - 10, middle, FONT, "end", "strong", "critical path");
	for (size_t i = 0; i < strip->count; i++) {
		const struct segment *segment = &strip->segments[i];
		double width = segment->right - segment->left;

		svg_rect(svg, segment->left, layout->strip_y, width > TINY ? width : TINY, layout->strip_height,
			 segment->class_name, segment->tip);
		if (segment->text)
			svg_text(svg, segment->left + 4, middle, FONT, "start", NULL, segment->text);
	}
	svg_group_end(svg);
	draw_callouts(svg, &strip->callouts, layout->strip_y + layout->strip_height);
}
