/* SPDX-License-Identifier: MIT */
/* What is read must not be what is written over it. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chart.h"

static bool is_same(const char *path, const struct stat *output)
{
	struct stat input;

	return (strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &input) : stat(path, &input)) == 0 &&
	       input.st_dev == output->st_dev && input.st_ino == output->st_ino;
}

bool input_survives(const char *const *files, size_t count, const char *output)
{
	struct stat status;

	if (!output || stat(output, &status) != 0 || !S_ISREG(status.st_mode))
		return true;
	for (size_t i = 0; i < count; i++) {
		if (!is_same(files[i], &status))
			continue;
		fprintf(stderr, "inorder-chart: --output %s: it is %s, which is read: give another name\n", output,
			files[i]);
		return false;
	}
	return true;
}
