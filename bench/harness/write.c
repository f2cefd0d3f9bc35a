/* SPDX-License-Identifier: MIT */
/* Tables and JSON. */
#include <string.h>

#include "harness.h"

#define CELL_BYTES 64

void point_name(const struct point *point, char *text, size_t bytes)
{
	const struct row *row = point->row;
	char value[16] = "", loops[32] = "";
	unsigned swept = point->domains;

	if (row->sweep && !strcmp(row->sweep, "calls"))
		swept = point->calls;
	else if (row->sweep && !strcmp(row->sweep, "threads"))
		swept = point->threads;
	if (row->sweep)
		snprintf(value, sizeof(value), " %u", swept);
	if (point->loops)
		snprintf(loops, sizeof(loops), " beside %u loops", point->loops);
	snprintf(text, bytes, "%s%s%s", row->id, value, loops);
}

static void put_number(char *text, size_t bytes, double value)
{
	if (value >= 1000)
		snprintf(text, bytes, "%.0f", value);
	else if (value >= 100)
		snprintf(text, bytes, "%.1f", value);
	else
		snprintf(text, bytes, "%.2f", value);
}

/* "30.1 +-4% <35.0": median, spread, worst; "~" before a figure for which every sample was loaded. */
static void put_cell(char *text, size_t bytes, const struct series *series, size_t figure)
{
	struct summary summary;
	char number[16], worst[16];

	if (!summarize(series, figure, &summary)) {
		snprintf(text, bytes, "%s", series->failed[0] ? "failed" : series->slow ? "too slow" : "-");
		return;
	}
	put_number(number, sizeof(number), summary.median);
	put_number(worst, sizeof(worst), summary.worst);
	if (summary.median > 0)
		snprintf(text, bytes, "%s%s +-%.0f%% <%s", summary.loaded ? "~" : "", number,
			 50 * (summary.high - summary.low) / summary.median, worst);
	else
		snprintf(text, bytes, "%s%s", summary.loaded ? "~" : "", number);
}

/* The best peer's figure over ours, in pairs. */
static void put_best(char *text, size_t bytes, const struct point *point, size_t figure)
{
	double best = 0;
	size_t who = 0;

	for (size_t peer = 1; peer < peer_count && strcmp(point->row->figures[figure].unit, "calls") != 0; peer++) {
		double ratio = is_peer(peer) ? paired_ratio(point, peer, figure) : 0;

		if (ratio > 0 && (best <= 0 || ratio < best)) {
			best = ratio;
			who = peer;
		}
	}
	if (best > 0)
		snprintf(text, bytes, "%.2f (%s)", best, peers[who].title);
	else
		snprintf(text, bytes, "-");
}

static void rule(FILE *file, bool markdown)
{
	if (!markdown)
		return;
	fprintf(file, "|---|");
	for (size_t i = 0; i < peer_count; i++)
		fprintf(file, "---|");
	fprintf(file, "---|\n");
}

static void line(FILE *file, bool markdown, const char *name, char cells[][CELL_BYTES], const char *best)
{
	fprintf(file, markdown ? "| %s" : "%-44s", name);
	for (size_t i = 0; i < peer_count; i++)
		fprintf(file, markdown ? " | %s" : " %22s", cells[i]);
	fprintf(file, markdown ? " | %s |\n" : "  %s\n", best);
}

static void write_point(FILE *file, const struct point *point, bool markdown)
{
	for (size_t i = 0; i < figure_count(point->row); i++) {
		const struct figure *figure = &point->row->figures[i];
		char name[256], what[128], cells[PEERS_MOST][CELL_BYTES], best[64];

		point_name(point, what, sizeof(what));
		snprintf(name, sizeof(name), "%s, %s: %s", what, figure->unit, figure->what);
		for (size_t peer = 0; peer < peer_count; peer++)
			put_cell(cells[peer], sizeof(cells[peer]), &point->of[peer], i);
		put_best(best, sizeof(best), point, i);
		line(file, markdown, name, cells, best);
	}
}

static void head(FILE *file, const struct machine *machine, bool markdown)
{
	fprintf(file, "%sMeasured %s on %s, %ld processors, %s; %u passes.%s\n", markdown ? "" : "", machine->date,
		machine->processor[0] ? machine->processor : "an unknown processor", machine->cpus, machine->kernel,
		machine->passes, markdown ? "\n" : "");
	fprintf(file,
		"Medians, with half the distance of the quartiles, and the worst run (<). %u samples were taken, %u of them discarded because others\n"
		"used the processors; \"~\": all of them had to be, and these are what they said. The last column: how many times\n"
		"the figure of inorder the best peer takes, median of the pairs. \"-\": the peer has no such thing.\n\n",
		machine->taken, machine->discarded);
}

void write_text(FILE *file, const struct points *points, const struct machine *machine, bool markdown)
{
	char titles[PEERS_MOST][CELL_BYTES];
	const struct row *last = NULL;

	head(file, machine, markdown);
	for (size_t i = 0; i < peer_count; i++)
		snprintf(titles[i], sizeof(titles[i]), "%s", peers[i].title);
	for (size_t i = 0; i < points->count; i++) {
		const struct point *point = &points->point[i];

		if (point->row != last) {
			fprintf(file, markdown ? "\n### %s\n\n" : "\n%s\n", point->row->title);
			line(file, markdown, "", titles, "best peer / inorder");
			rule(file, markdown);
		}
		last = point->row;
		write_point(file, point, markdown);
	}
}

/* ---- JSON; no string here needs an escape but the processor's name, which is cleaned ---- */

static void json_samples(FILE *file, const char *name, const struct sample *samples, unsigned count, size_t figure)
{
	fprintf(file, ", \"%s\": [", name);
	for (unsigned i = 0; i < count; i++)
		fprintf(file, "%s{\"pass\": %u, \"value\": %.6g, \"foreign\": %.4f}", i ? ", " : "", samples[i].pass,
			samples[i].value[figure], samples[i].foreign);
	fprintf(file, "]");
}

static void json_series(FILE *file, const struct point *point, size_t peer, size_t figure, bool *first)
{
	const struct series *series = &point->of[peer];
	struct summary summary;

	if (!summarize(series, figure, &summary))
		return;
	fprintf(file,
		"%s\n  {\"row\": \"%s\", \"workload\": \"%s\", \"calls\": %u, \"threads\": %u, \"submitters\": %u, ",
		*first ? "" : ",", point->row->id, point->row->work, point->calls, point->threads, point->submitters);
	fprintf(file, "\"domains\": %u, \"loops\": %u, \"peer\": \"%s\", \"figure\": \"%s\", \"unit\": \"%s\", ",
		point->domains, point->loops, peers[peer].name, point->row->figures[figure].key,
		point->row->figures[figure].unit);
	fprintf(file,
		"\"median\": %.6g, \"low_quartile\": %.6g, \"high_quartile\": %.6g, \"worst\": %.6g, \"only_loaded\": %s",
		summary.median, summary.low, summary.high, summary.worst, summary.loaded ? "true" : "false");
	json_samples(file, "samples", series->good, series->goods, figure);
	json_samples(file, "discarded", series->loaded, series->loadeds, figure);
	fprintf(file, "}");
	*first = false;
}

void write_json(FILE *file, const struct points *points, const struct machine *machine)
{
	bool first = true;

	fprintf(file, "{\"date\": \"%s\", \"processor\": \"", machine->date);
	for (const char *c = machine->processor; *c; c++)
		fputc(*c == '"' || *c == '\\' || *c < ' ' ? '_' : *c, file);
	fprintf(file, "\", \"processors\": %ld, \"kernel\": \"%s\", \"passes\": %u, ", machine->cpus, machine->kernel,
		machine->passes);
	fprintf(file, "\"taken\": %u, \"discarded\": %u, \"results\": [", machine->taken, machine->discarded);
	for (size_t i = 0; i < points->count; i++)
		for (size_t peer = 0; peer < peer_count; peer++)
			for (size_t figure = 0; figure < figure_count(points->point[i].row); figure++)
				json_series(file, &points->point[i], peer, figure, &first);
	fprintf(file, "\n]}\n");
}
