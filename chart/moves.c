/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>

#include "json.h"
#include "moves.h"

static int finish(FILE *file)
{
	return ferror(file) || fflush(file) ? (errno ? -errno : -EIO) : 0;
}

/* ---- JSON ---- */

static void write_time(bool known, uint64_t ns, FILE *file)
{
	if (known)
		fprintf(file, ",%" PRIu64, ns);
	else
		fputs(",null", file);
}

static void write_move(const struct move *move, FILE *file)
{
	fprintf(file, "[\"%s\",", move->what);
	json_text(file, move->name);
	write_time(move->in_before, move->before_begin_ns, file);
	write_time(move->in_before, move->before_ns, file);
	write_time(move->in_after, move->after_begin_ns, file);
	write_time(move->in_after, move->after_ns, file);
	fprintf(file, ",%" PRId64, move->took_ns);
	if (move->in_before && move->in_after)
		fprintf(file, ",%" PRId64 "]", (int64_t)(move->after_begin_ns - move->before_begin_ns));
	else
		fputs(",null]", file);
}

void moves_table(const struct comparison *comparison, size_t most, FILE *file)
{
	fputs("{\"columns\":[\"what\",\"name\",\"before_begin_ns\",\"before_ns\",\"after_begin_ns\",\"after_ns\","
	      "\"took_ns\",\"begins_ns\"],\"rows\":[",
	      file);
	for (size_t i = 0; i < comparison->count && i < most; i++) {
		fputs(i ? ",\n" : "\n", file);
		write_move(&comparison->moves[i], file);
	}
	fputs("]}", file);
}

static void write_chart(const struct model *model, const char *key, const char *title, FILE *file)
{
	char sentence[512];

	fprintf(file, ",\n\"%s\":{\"title\":", key);
	json_text(file, title);
	fprintf(file, ",\"total_ns\":%" PRIu64 ",\"explained_ns\":%" PRIu64 ",\"path_end\":",
		model->path.end_ns - model->path.begin_ns, model->path.explained_ns);
	json_text(file, model->path.end_name);
	fputs(",\"sentence\":", file);
	json_text(file, path_sentence(model, sentence, sizeof(sentence)));
	putc('}', file);
}

int moves_json(const struct comparison *comparison, const char *const titles[2], FILE *file)
{
	fputs("{\"inorder_chart_comparison\":1", file);
	write_chart(comparison->before, "before", titles[0], file);
	write_chart(comparison->after, "after", titles[1], file);
	fputs(",\n\"moves\":", file);
	moves_table(comparison, NONE, file);
	fputs("}\n", file);
	return finish(file);
}

/* ---- words ---- */

static void print_ms(bool known, double ns, const char *format, FILE *file)
{
	if (known)
		fprintf(file, format, ns / 1e6);
	else
		fprintf(file, "%12s ", "-");
}

static void print_move(const struct move *move, FILE *file)
{
	bool both = move->in_before && move->in_after;

	print_ms(move->in_before, (double)move->before_ns, "%12.3f ", file);
	print_ms(move->in_after, (double)move->after_ns, "%12.3f ", file);
	print_ms(true, (double)move->took_ns, "%+12.3f ", file);
	if (both)
		print_ms(true, (double)(int64_t)(move->after_begin_ns - move->before_begin_ns), "%+12.3f ", file);
	else
		fprintf(file, "%12s ", move->in_before ? "gone" : "new");
	fprintf(file, " %-5s  %s\n", move->what, move->name);
}

/* "2100.000 ms before, 1600.000 ms after: 500.000 ms (23.8 %) shorter" */
static void print_totals(const struct comparison *comparison, FILE *file)
{
	const struct path *before = &comparison->before->path;
	const struct path *after = &comparison->after->path;
	double before_ms = (double)(before->end_ns - before->begin_ns) / 1e6;
	double after_ms = (double)(after->end_ns - after->begin_ns) / 1e6;
	bool longer = after_ms > before_ms;
	double by_ms = longer ? after_ms - before_ms : before_ms - after_ms;

	fprintf(file, "%.3f ms before, %.3f ms after: %.3f ms (%.1f %%) %s\n", before_ms, after_ms, by_ms,
		before_ms > 0 ? by_ms * 100 / before_ms : 0, longer ? "longer" : "shorter");
}

int moves_print(const struct comparison *comparison, const char *const titles[2], FILE *file)
{
	char sentence[512];

	fprintf(file, "before: %s\nafter: %s\n", titles[0], titles[1]);
	print_totals(comparison, file);
	fprintf(file, "in short, before: %s\n", path_sentence(comparison->before, sentence, sizeof(sentence)));
	fprintf(file, "in short, after: %s\n", path_sentence(comparison->after, sentence, sizeof(sentence)));
	fprintf(file, "\nwhat moved (without waits): %zu\n%12s %12s %12s %12s  %-5s  %s\n", comparison->count,
		"before ms", "after ms", "longer ms", "begins later", "what", "name");
	for (size_t i = 0; i < comparison->count; i++)
		print_move(&comparison->moves[i], file);
	return finish(file);
}
