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
	size_t room = 0, number = 0;
	char *line = NULL;
	ssize_t bytes;
	int result = 0;

	if (!file)
		return fail("cannot read '%s': %s", path, strerror(errno));
	errno = 0;
	while ((bytes = getline(&line, &room, file)) >= 0) {
		number++;
		if (memchr(line, 0, (size_t)bytes))
			result = fail("%s:%zu: a NUL byte: this is no configuration", path, number);
		else if (read_line(request, path, number, line))
			result = -1; /* and on: all mistakes are named */
	}
	if (ferror(file))
		result = fail("cannot read '%s': %s", path, strerror(errno));
	free(line);
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
