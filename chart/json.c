/* SPDX-License-Identifier: MIT */
/* JSON, written as it comes: nothing is kept in memory, however long the trace is. */
#include "json.h"

void json_text(FILE *file, const char *text)
{
	if (!text) {
		fputs("null", file);
		return;
	}
	putc('"', file);
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			fprintf(file, "\\%c", byte);
		else if (byte < ' ' || byte == '<') /* "</script>" would end the data in a page */
			fprintf(file, "\\u%04x", byte);
		else
			putc(byte, file);
	}
	putc('"', file);
}

void json_index(FILE *file, size_t index)
{
	if (index == NONE)
		fputs("null", file);
	else
		fprintf(file, "%zu", index);
}
