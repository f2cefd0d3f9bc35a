/* SPDX-License-Identifier: MIT */
/* One page that needs no other file: page/ draws what is embedded here, the model as JSON. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>

#include "html.h"
#include "json.h"
#include "page.h"

#define MOVES_MOST 200

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

static void write_moves(const struct comparison *moves, FILE *file)
{
	fputs("<script type=\"application/json\" id=\"moves-data\">{\"columns\":[\"what\",\"name\",\"before_begin_ns\","
	      "\"before_ns\",\"after_begin_ns\",\"after_ns\",\"took_ns\",\"begins_ns\"],\"rows\":[",
	      file);
	for (size_t i = 0; i < moves->count && i < MOVES_MOST; i++) {
		fputs(i ? ",\n" : "\n", file);
		write_move(&moves->moves[i], file);
	}
	fputs("]}</script>\n", file);
}

int html_write(const struct html_model *models, size_t count, const struct comparison *moves, FILE *file)
{
	fputs((const char *)page_head, file);
	for (size_t i = 0; i < count; i++) {
		int result;

		fprintf(file, "<script type=\"application/json\" class=\"model\" data-label=\"%s\">",
			models[i].label ? models[i].label : "");
		result = json_write(models[i].model, models[i].title, file);
		if (result < 0)
			return result;
		fputs("</script>\n", file);
	}
	if (moves)
		write_moves(moves, file);
	fputs((const char *)page_tail, file);
	return ferror(file) || fflush(file) ? (errno ? -errno : -EIO) : 0;
}
