/* SPDX-License-Identifier: MIT */
/* A plot: cost against a parameter, both logarithmic; a curve for each peer, the limit of the machine dashed. */
#include <math.h>
#include <string.h>

#include "harness.h"

#define WIDTH 900
#define HEIGHT 520
#define LEFT 80
#define TOP 50
#define PLOT_WIDTH 620
#define PLOT_HEIGHT 400

/* What the axes span, as logarithms. */
struct scale {
	double x_low, x_high, y_low, y_high;
};

static double parameter(const struct point *point)
{
	if (!strcmp(point->row->sweep, "calls"))
		return point->calls;
	return !strcmp(point->row->sweep, "threads") ? point->threads : point->domains;
}

static double x_of(const struct scale *scale, double value)
{
	return LEFT + PLOT_WIDTH * (log10(value) - scale->x_low) / (scale->x_high - scale->x_low);
}

static double y_of(const struct scale *scale, double value)
{
	return TOP + PLOT_HEIGHT - PLOT_HEIGHT * (log10(value) - scale->y_low) / (scale->y_high - scale->y_low);
}

static bool scale_find(struct scale *scale, const struct points *points, const struct row *row)
{
	bool found = false;

	*scale = (struct scale){INFINITY, -INFINITY, INFINITY, -INFINITY};
	for (size_t i = 0; i < points->count; i++) {
		const struct point *point = &points->point[i];
		struct summary summary;

		for (size_t peer = 0; point->row == row && peer < peer_count; peer++) {
			if (!summarize(&point->of[peer], 0, &summary) || summary.median <= 0)
				continue;
			found = true;
			scale->x_low = fmin(scale->x_low, log10(parameter(point)));
			scale->x_high = fmax(scale->x_high, log10(parameter(point)));
			scale->y_low = fmin(scale->y_low, floor(log10(summary.median)));
			scale->y_high = fmax(scale->y_high, ceil(log10(summary.median)));
		}
	}
	if (scale->x_high <= scale->x_low)
		scale->x_high = scale->x_low + 1;
	if (scale->y_high <= scale->y_low)
		scale->y_high = scale->y_low + 1;
	return found;
}

static void svg_text(FILE *file, double x, double y, const char *anchor, const char *text)
{
	fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, text);
}

static void svg_line(FILE *file, double x1, double y1, double x2, double y2, const char *colour)
{
	fprintf(file, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x1, y1, x2, y2,
		colour);
}

static void axes(FILE *file, const struct scale *scale, const struct points *points, const struct row *row)
{
	char text[64];

	for (double power = scale->y_low; power <= scale->y_high + 1e-9; power++) {
		double y = y_of(scale, pow(10, power));

		svg_line(file, LEFT, y, LEFT + PLOT_WIDTH, y, "#dddddd");
		snprintf(text, sizeof(text), "%g", pow(10, power));
		svg_text(file, LEFT - 8, y + 4, "end", text);
	}
	for (size_t i = 0; i < points->count; i++) {
		double x;

		if (points->point[i].row != row)
			continue;
		x = x_of(scale, parameter(&points->point[i]));
		svg_line(file, x, TOP, x, TOP + PLOT_HEIGHT, "#eeeeee");
		snprintf(text, sizeof(text), "%.0f", parameter(&points->point[i]));
		svg_text(file, x, TOP + PLOT_HEIGHT + 18, "middle", text);
	}
	svg_text(file, LEFT + PLOT_WIDTH / 2.0, TOP + PLOT_HEIGHT + 42, "middle",
		 strcmp(row->sweep, "threads") ? row->sweep : "threads allowed");
	snprintf(text, sizeof(text), "%s, %s", row->figures[0].unit, row->figures[0].what);
	svg_text(file, LEFT, TOP - 10, "start", text);
}

static void curve(FILE *file, const struct scale *scale, const struct points *points, const struct row *row,
		  size_t peer)
{
	const char *dashes = strcmp(peers[peer].name, "limit") ? "" : " stroke-dasharray=\"6 4\"";

	fprintf(file, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"%s points=\"", peers[peer].colour,
		peer == PEER_INORDER ? "3" : "1.5", dashes);
	for (size_t i = 0; i < points->count; i++) {
		const struct point *point = &points->point[i];
		struct summary summary;

		if (point->row != row || !summarize(&point->of[peer], 0, &summary) || summary.median <= 0)
			continue;
		fprintf(file, "%.1f,%.1f ", x_of(scale, parameter(point)), y_of(scale, summary.median));
	}
	fprintf(file, "\"/>\n");
}

static void legend(FILE *file, size_t peer, unsigned place)
{
	double y = TOP + 14 + 22 * place, x = LEFT + PLOT_WIDTH + 24;

	fprintf(file, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"%s\"%s/>\n",
		x, y - 4, x + 28, y - 4, peers[peer].colour, peer == PEER_INORDER ? "3" : "1.5",
		strcmp(peers[peer].name, "limit") ? "" : " stroke-dasharray=\"6 4\"");
	svg_text(file, x + 36, y, "start", peers[peer].title);
}

void plot_row(FILE *file, const struct points *points, const struct row *row)
{
	struct scale scale;
	unsigned place = 0;

	fprintf(file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
		"font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		WIDTH, HEIGHT, WIDTH, HEIGHT);
	fprintf(file, "<text x=\"%d\" y=\"22\" font-size=\"16\">%s</text>\n", LEFT, row->title);
	if (scale_find(&scale, points, row)) {
		axes(file, &scale, points, row);
		for (size_t peer = peer_count; peer-- > 0;)
			curve(file, &scale, points, row, peer);
		for (size_t peer = 0; peer < peer_count; peer++) {
			struct summary summary;
			bool drawn = false;

			for (size_t i = 0; i < points->count; i++)
				drawn |= points->point[i].row == row &&
					 summarize(&points->point[i].of[peer], 0, &summary);
			if (drawn)
				legend(file, peer, place++);
		}
	}
	fprintf(file, "</svg>\n");
}
