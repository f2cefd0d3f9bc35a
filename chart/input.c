/* SPDX-License-Identifier: MIT */
/* Reads files line by line; what a line is shows in the line itself, so one file may hold both forms. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"

#define TOLD_MOST 10

static void tell(struct input *input, const char *path, size_t number, const char *what)
{
	input->bad++;
	if (input->bad <= TOLD_MOST)
		fprintf(stderr, "inorder-chart: %s:%zu: %s\n", path, number, what);
	if (input->bad == TOLD_MOST + 1)
		fprintf(stderr, "inorder-chart: more such lines are counted only\n");
}

const char *input_line(struct input *input, char *line, size_t bytes)
{
	while (bytes && (line[bytes - 1] == '\n' || line[bytes - 1] == '\r'))
		line[--bytes] = 0;
	if (line[0] == '{')
		return parse_trace_line(input, line, bytes);
	return memchr(line, 0, bytes) ? NULL : parse_klog_line(input, line);
}

static void read_line(struct input *input, const char *path, size_t number, char *line, size_t bytes)
{
	bool whole = bytes && line[bytes - 1] == '\n';
	const char *wrong = input_line(input, line, bytes);

	if (wrong && !whole)
		fprintf(stderr, "inorder-chart: %s:%zu: the last line is cut short; its writer was stopped\n", path,
			number);
	else if (wrong)
		tell(input, path, number, wrong);
}

bool input_read(struct input *input, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdin : fopen(path, "re");
	const char *name = standard ? "standard input" : path;
	char *line = NULL;
	size_t room = 0;
	ssize_t bytes;
	bool failed;

	if (!file) {
		fprintf(stderr, "inorder-chart: cannot open %s: %s\n", name, strerror(errno));
		return false;
	}
	errno = 0;
	for (size_t number = 1; (bytes = getline(&line, &room, file)) >= 0; number++)
		read_line(input, name, number, line, (size_t)bytes);
	failed = ferror(file);
	if (failed)
		fprintf(stderr, "inorder-chart: cannot read %s: %s\n", name, strerror(errno));
	free(line);
	if (!standard)
		fclose(file);
	return !failed;
}

void input_free(struct input *input)
{
	free(input->open_calls);
	free(input->records);
	*input = (struct input){0};
}
