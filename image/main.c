/* SPDX-License-Identifier: MIT */
/* inorder-image: makes the initramfs that boots with inorder-init. */
#define _GNU_SOURCE
#include "internal.h"
#include "look.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int command_build(int argc, char **argv)
{
	struct request request = {.output = NULL};
	int code = request_parse(&request, argc, argv);

	if (code < 0)
		code = build(&request) ? 1 : 0;
	request_free(&request);
	return code;
}

/* The script that knows the distribution takes the words as they are. */
static int command_setup(int argc, char **argv)
{
	char **words = must(calloc((size_t)argc + 2, sizeof(*words)));

	words[0] = (char *)INORDER_SETUP;
	memcpy(words + 1, argv, (size_t)argc * sizeof(*words));
	execv(words[0], words);
	fail("cannot run '%s': %s; is inorder-image installed?", words[0], strerror(errno));
	free(words);
	return 1;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv); /* returns the exit code; argv[0] is the name */
	int trouble;                       /* the exit code where its output cannot be written */
} commands[] = {
	{"build", command_build, 1},   {"ls", command_ls, 1},           {"cat", command_cat, 1},
	{"unpack", command_unpack, 1}, {"diff", command_diff, 2},       {"check", command_check, 2},
	{"install", command_setup, 1}, {"uninstall", command_setup, 1}, {"status", command_setup, 1},
};

static bool is_help(const char *word)
{
	return word && (!strcmp(word, "--help") || !strcmp(word, "-h"));
}

int main(int argc, char **argv)
{
	int code = -1, trouble = 1;

	catch_signals();
	for (size_t i = 0; argc > 1 && code < 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name)) {
			code = is_help(argv[2]) ? help_print(true) : commands[i].run(argc - 1, argv + 1);
			trouble = commands[i].trouble;
		}
	if (code < 0)
		code = command_build(argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && code != trouble) {
		fail("cannot write to standard output: %s", strerror(errno));
		code = trouble;
	}
	return code;
}
