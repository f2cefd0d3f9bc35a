/* SPDX-License-Identifier: MIT */
/* Lines of hints: "filesystem TYPE", "root MODULE...", "module NAME MILLISECONDS", "#..." and empty ones. */
#include "hint_file.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { LONGEST_NAME = 55, LONGEST_NUMBER = 9 }; /* the kernel's limit of a module's name; of what fits an int */

static bool is_name(const char *word)
{
	const size_t length = strlen(word);

	for (const char *at = word; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("_-.", *at))
			return false;
	return length && length <= LONGEST_NAME;
}

static bool is_number(const char *word)
{
	const size_t length = strlen(word);

	return length && length <= LONGEST_NUMBER && strspn(word, "0123456789") == length;
}

/* The next word; NULL: there is none. */
static char *next_word(char **line)
{
	char *word;

	do
		word = strsep(line, " \t");
	while (word && !*word);
	return word;
}

/* All of the names or none. */
static bool parse_root(char *line, struct hints *hints)
{
	const size_t before = hints->count;
	char *word;

	while ((word = next_word(&line))) {
		if (!is_name(word) || hints->count == HINTS_MOST) {
			hints->count = before;
			return false;
		}
		hints->modules[hints->count++] = word;
	}
	return hints->count > before;
}

/* Return: false if the line is malformed. */
static bool parse_line(char *line, struct hints *hints)
{
	char *key = next_word(&line), *name, *number;

	if (!key || *key == '#')
		return true;
	if (!strcmp(key, "root"))
		return parse_root(line, hints);
	name = next_word(&line);
	number = next_word(&line);
	if (!name || !is_name(name) || next_word(&line))
		return false;
	if (!strcmp(key, "module"))
		return number && is_number(number);
	if (strcmp(key, "filesystem") || number)
		return false;
	hints->filesystem = name;
	return true;
}

/* What a line says, before it is taken apart. */
static void take_sample(const char *line, char sample[], size_t room)
{
	size_t i = 0;

	for (; i < room - 1 && line[i]; i++)
		sample[i] = (char)(isprint((unsigned char)line[i]) ? line[i] : '?');
	sample[i] = '\0';
}

void hints_parse(char *text, size_t bytes, struct hints *hints)
{
	char *end = text + bytes, *next;
	size_t number = 0;

	*hints = (struct hints){0};
	for (char *line = text; line < end; line = next) {
		char sample[sizeof(hints->sample)];
		bool good;

		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next : end;
		*next++ = '\0';
		number++;
		take_sample(line, sample, sizeof(sample));
		good = strlen(line) == (size_t)(next - line) - 1 && parse_line(line, hints);
		if (!good && !hints->malformed++) {
			hints->line = number;
			memcpy(hints->sample, sample, sizeof(sample));
		}
	}
}
