/* SPDX-License-Identifier: MIT */
/* What build is asked for: one table for the command line. */
#define _GNU_SOURCE
#include "internal.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	FLAG, /* a bool */
	WORD, /* a string: the last one counts */
	LIST, /* a strings */
};

#define FIELD(name) offsetof(struct request, name)

/* A letter of 0: none. */
static const struct option_row {
	const char *name;
	char letter;
	enum kind kind;
	size_t field;
	bool command_only; /* no word of the configuration */
} rows[] = {
	{"output", 'o', WORD, FIELD(output), true},
	{"list", 'l', FLAG, FIELD(list), true},
	{"host", 0, FLAG, FIELD(host), true},
	{"universal", 0, FLAG, FIELD(universal), true},
	{"cmdline", 0, WORD, FIELD(cmdline), false},
	{"sysroot", 0, WORD, FIELD(sysroot), true},
	{"config", 0, WORD, FIELD(config), true},
	{"tree", 't', WORD, FIELD(tree), true},
	{"add-module", 'm', LIST, FIELD(modules.wanted), false},
	{"module", 0, LIST, FIELD(modules.wanted), false},
	{"modules", 'M', LIST, FIELD(module_lists), false},
	{"add-program", 'p', LIST, FIELD(programs), false},
	{"program", 0, LIST, FIELD(programs), false},
	{"add-file", 'f', LIST, FIELD(files), false},
	{"file", 0, LIST, FIELD(files), false},
	{"add-dir", 'd', LIST, FIELD(dirs), false},
	{"omit", 'O', LIST, FIELD(omits.patterns), false},
	{"firmware", 0, WORD, FIELD(modules.firmware.root), false},
	{"microcode", 0, WORD, FIELD(microcode), false},
	{"shell", 's', WORD, FIELD(shell), false},
	{"init", 'i', WORD, FIELD(init), false},
	{"compress", 'c', WORD, FIELD(compression), false},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void set(struct request *request, const struct option_row *row, const char *value)
{
	void *field = (char *)request + row->field;

	switch (row->kind) {
	case FLAG:
		*(bool *)field = true;
		break;
	case WORD:
		*(const char **)field = value;
		break;
	case LIST:
		strings_add(field, value);
		break;
	}
}

/* The table in the forms that getopt_long() wants; help and version come last. */
static void make_getopt(struct option *options, char *letters)
{
	size_t i;

	for (i = 0; i < ROWS; i++) {
		int argument = rows[i].kind == FLAG    ? no_argument
			       : rows[i].letter == 's' ? optional_argument
						       : required_argument;

		options[i] = (struct option){rows[i].name, argument, NULL, (int)i + 256};
		if (!rows[i].letter)
			continue;
		*letters++ = rows[i].letter;
		for (int colons = argument; colons > 0; colons--)
			*letters++ = ':';
	}
	options[i++] = (struct option){"help", no_argument, NULL, 'h'};
	options[i++] = (struct option){"version", no_argument, NULL, 'V'};
	options[i] = (struct option){NULL, 0, NULL, 0};
	strcpy(letters, "hV");
}

/* What is wrong with a value, where that can be told at once. */
static const char *judge(const struct option_row *row, const char *value)
{
	if (!value)
		return row->letter == 's' ? NULL : "needs a value";
	if (row->letter == 'c' && !archive_knows(value))
		return "takes none, zstd, lz4, gzip or xz";
	if (!strcmp(row->name, "microcode") && !microcode_knows(value))
		return "takes no, host or all";
	return NULL;
}

const char *request_set(struct request *request, const char *word, const char *value)
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct option_row *row = &rows[i];
		const char *wrong;

		if (strcmp(row->name, word))
			continue;
		if (row->command_only)
			return "is for the command line only";
		wrong = judge(row, value);
		if (wrong)
			return wrong;
		strings_add(&request->words, value ? value : "/bin/sh");
		set(request, row, request->words.items[request->words.count - 1]);
		return NULL;
	}
	return "is unknown; see inorder-image.conf(5)";
}

static const struct option_row *find(int option)
{
	for (size_t i = 0; i < ROWS; i++)
		if (option == (int)i + 256 || (rows[i].letter && option == rows[i].letter))
			return &rows[i];
	return NULL;
}

int usage_error(const char *what, const char *word)
{
	fail("%s%s%s%s; see --help", what, word ? " '" : "", word ? word : "", word ? "'" : "");
	return 2;
}

int request_words(struct request *request, int argc, char **argv)
{
	struct option options[ROWS + 3];
	char letters[ROWS * 3 + 4] = ":"; /* a value that is missing is told from an option that is unknown */
	int option;

	make_getopt(options, letters + 1);
	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, letters, options, NULL)) >= 0) {
		const struct option_row *row = find(option);

		if (row)
			set(request, row, row->letter == 's' && !optarg ? "/bin/sh" : optarg);
		else if (option == 'h' || option == 'V')
			return help_print(option == 'h');
		else
			return usage_error(option == ':' ? "no value is given to the option" : "unknown option",
					   argv[optind - 1]);
	}
	if (optind == argc)
		return -1;
	return usage_error(optind == 1 ? "unknown command" : "neither an option nor a value of one:", argv[optind]);
}

void request_free(struct request *request)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].kind == LIST)
			strings_free((void *)((char *)request + rows[i].field));
	strings_free(&request->modules.matched);
	strings_free(&request->words);
	free(request->omits.used);
}
