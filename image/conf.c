/* SPDX-License-Identifier: MIT */
/* The configuration: a word a line, the same words as the options, without the dashes. */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *strip(char *word)
{
	size_t length;

	word += strspn(word, " \t");
	length = strlen(word);
	while (length && strchr(" \t\r\n", word[length - 1]))
		word[--length] = '\0';
	return word;
}

/* Returns -1 with a message that names file and line. */
static int read_line(struct request *request, const char *path, size_t number, char *line)
{
	char *word = strip(line), *value;
	const char *wrong;

	if (!*word || *word == '#')
		return 0;
	value = word + strcspn(word, " \t=");
	if (*value)
		*value++ = '\0';
	value = strip(value);
	if (*value == '=')
		value = strip(value + 1);
	wrong = request_set(request, word, *value ? value : NULL);
	return wrong ? fail("%s:%zu: '%s' %s", path, number, word, wrong) : 0;
}

static int read_file(struct request *request, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[LINE_ROOM];
	size_t number = 0;
	ssize_t bytes;
	int result = 0;

	if (!file)
		return fail("cannot read '%s': %s", path, strerror(errno));
	errno = 0;
	while ((bytes = line_read(file, line)) >= 0 && !interrupted()) {
		number++;
		if (number == 1 && !strncmp(line, "\xef\xbb\xbf", 3))
			result = fail("%s:1: a byte order mark: save the file without it", path);
		else if (memchr(line, 0, (size_t)bytes))
			result = fail("%s:%zu: a NUL byte: this is no configuration", path, number);
		else if (read_line(request, path, number, line))
			result = -1; /* and on: all mistakes are named */
	}
	if (bytes == -2)
		result = fail("%s:%zu: a line of more than %d bytes: this is no configuration", path, number + 1,
			      LINE_ROOM - 2);
	if (interrupted())
		result = fail("interrupted");
	if (ferror(file))
		result = fail("cannot read '%s': %s", path, strerror(errno));
	fclose(file);
	return result;
}

int conf_read(struct request *request, const char *path)
{
	char *pattern = text("%s.d/*.conf", path);
	glob_t matches = {0};
	int result = 0;

	if (access(path, F_OK) == 0)
		result = read_file(request, path);
	else if (errno != ENOENT)
		result = fail("cannot read '%s': %s", path, strerror(errno));
	if (glob(pattern, 0, NULL, &matches) == 0) /* sorted */
		for (size_t i = 0; i < matches.gl_pathc; i++)
			if (read_file(request, matches.gl_pathv[i]))
				result = -1;
	globfree(&matches);
	free(pattern);
	return result;
}
