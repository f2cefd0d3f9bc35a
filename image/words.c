/* SPDX-License-Identifier: MIT */
/* What the words mean that say what is to be in the image: in lists of modules and on the command line. */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int modules_read_line(struct modules *modules, char *line, size_t bytes)
{
	char *rest = line, *word;

	if (memchr(line, 0, bytes))
		return -1;
	line[strcspn(line, "#\n")] = '\0';
	while ((word = strsep(&rest, " \t\r")))
		if (*word)
			strings_add(&modules->wanted, word);
	return 0;
}

int modules_read_list(struct modules *modules, const char *path)
{
	FILE *list = fopen(path, "re");
	char line[LINE_ROOM];
	size_t number = 0;
	ssize_t bytes = 0;
	int result = 0;

	if (!list)
		return fail("cannot read the list of modules '%s': %s", path, strerror(errno));
	while (!result && (bytes = line_read(list, line)) >= 0) {
		number++;
		if (interrupted())
			result = fail("interrupted");
		if (modules_read_line(modules, line, (size_t)bytes))
			result = fail("'%s' is no list of modules: line %zu has a NUL byte", path, number);
	}
	if (bytes == -2)
		result = fail("'%s' is no list of modules: line %zu is longer than %d bytes", path, number + 1,
			      LINE_ROOM - 2);
	if (ferror(list))
		result = fail("cannot read '%s': %s", path, strerror(errno));
	fclose(list);
	return result;
}

void want_parse(const char *word, struct want *want)
{
	size_t length = strlen(word);

	want->optional = length && word[length - 1] == '?';
	if (want->optional)
		length--;
	want->folder = length && word[length - 1] == '/';
	want->name = must(strndup(word, length));
}

void spec_parse(const char *spec, char **source, char **place)
{
	const char *colon = strchr(spec, ':');

	*source = must(colon ? strndup(spec, (size_t)(colon - spec)) : strdup(spec));
	*place = colon ? must(strdup(colon + 1)) : NULL;
}

static bool is(const char *component, size_t length, const char *word)
{
	return length == strlen(word) && !strncmp(component, word, length);
}

/* With @up, ".." goes up; else it is refused. */
static char *parse_place(const char *path, bool up)
{
	char *place = must(malloc(strlen(path) + 1)), *end = place;
	bool good = *path == '/';

	while (good && *path) {
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		*end = '\0';
		if (is(path, length, "..")) {
			good = up;
			if (strrchr(place, '/'))
				end = strrchr(place, '/');
		} else if (length && !is(path, length, ".")) {
			*end++ = '/';
			end = mempcpy(end, path, length);
		}
		path += length;
	}
	*end = '\0';
	if (good && end > place)
		return place;
	free(place);
	return NULL;
}

char *place_parse(const char *path)
{
	return parse_place(path, false);
}

char *place_beside(const char *path, const char *target)
{
	const char *slash = strrchr(path, '/');
	char *joined =
		*target == '/' || !slash ? must(strdup(target)) : text("%.*s/%s", (int)(slash - path), path, target);
	char *place = parse_place(joined, true);

	free(joined);
	return place;
}
