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
} commands[] = {
	{"build", command_build},   {"ls", command_ls},           {"cat", command_cat},
	{"unpack", command_unpack}, {"diff", command_diff},       {"check", command_check},
	{"install", command_setup}, {"uninstall", command_setup}, {"status", command_setup},
};

int main(int argc, char **argv)
{
	int code = -1;

	catch_signals();
	for (size_t i = 0; argc > 1 && code < 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			code = commands[i].run(argc - 1, argv + 1);
	if (code < 0)
		code = command_build(argc, argv);
	if (fflush(stdout) && !code)
		code = 1;
	return code;
}
