/* SPDX-License-Identifier: MIT */
/* One page that needs no other file: page/ draws what is embedded here, the model as JSON. */
#define _GNU_SOURCE
#include <errno.h>

#include "html.h"
#include "json.h"
#include "moves.h"
#include "page.h"

#define MOVES_MOST 200

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
	if (moves) {
		fputs("<script type=\"application/json\" id=\"moves-data\">", file);
		moves_table(moves, MOVES_MOST, file);
		fputs("</script>\n", file);
	}
	fputs((const char *)page_tail, file);
	return ferror(file) || fflush(file) ? (errno ? -errno : -EIO) : 0;
}
