/* SPDX-License-Identifier: MIT */
/* Memory: growing arrays, and texts that are kept once. */
#define _GNU_SOURCE
#include <libxml/parserInternals.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"

static void *texts;

static void *or_end(void *memory)
{
	if (!memory) {
		fprintf(stderr, "inorder-chart: out of memory\n");
		exit(1);
	}
	return memory;
}

/* Room for one more than @count: doubled whenever @count reaches a power of two. */
void *zeroed(size_t count, size_t bytes)
{
	return or_end(calloc(count + 1, bytes));
}

void *more(void *array, size_t count, size_t bytes)
{
	if (count & (count - 1))
		return array;
	return or_end(reallocarray(array, count ? count * 2 : 1, bytes));
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* What libxml2 decoded is only UTF-8 if it is what it would write for that character. */
static bool is_utf8(const char *text, int code, int bytes)
{
	unsigned char written[4];

	return code > 0 && code <= 0x10ffff && xmlCopyCharMultiByte(written, code) == bytes &&
	       !memcmp(written, text, (size_t)bytes);
}

static bool fits_xml(int code)
{
	return code >= 0x20 && code != 0x7f && (code < 0xd800 || code > 0xdfff) && code != 0xfffe && code != 0xffff;
}

/* A copy in which every byte or character that may not stand in a line of XML is U+FFFD. */
static char *clean(const char *text)
{
	char *copy = or_end(malloc(strlen(text) * 3 + 1));
	char *end = copy;

	while (*text) {
		int bytes = 4;
		int code = xmlGetUTF8Char((const unsigned char *)text, &bytes);

		if (!is_utf8(text, code, bytes))
			code = 0, bytes = 1;
		if (fits_xml(code))
			end = mempcpy(end, text, (size_t)bytes);
		else
			end = mempcpy(end, "\xef\xbf\xbd", 3);
		text += bytes;
	}
	*end = 0;
	return copy;
}

const char *keep(const char *text)
{
	char *copy = clean(text);
	char **node = or_end(tsearch(copy, &texts, compare));

	if (*node != copy)
		free(copy);
	return *node;
}

const char *keep_part(const char *text, size_t bytes)
{
	char *part = or_end(strndup(text, bytes));
	const char *kept = keep(part);

	free(part);
	return kept;
}

void keep_free(void)
{
	tdestroy(texts, free);
	texts = NULL;
}
