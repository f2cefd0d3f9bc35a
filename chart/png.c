/* SPDX-License-Identifier: MIT */
/* SVG to PNG, by librsvg's program: who does not want PNG needs neither it nor what it needs. */
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "png.h"

extern char **environ;

static int start(pid_t *pid, int from, int to)
{
	char *const arguments[] = {(char[]){"rsvg-convert"}, (char[]){"--unlimited"}, (char[]){"--format=png"}, NULL};
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error)
		return error;
	error = posix_spawn_file_actions_adddup2(&actions, from, STDIN_FILENO);
	if (!error)
		error = posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
	if (!error)
		error = posix_spawnp(pid, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

static int end(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	fputs("inorder-chart: rsvg-convert made no PNG of the picture: write SVG (without --png)\n", stderr);
	return -EIO;
}

int png_write(FILE *svg, FILE *file)
{
	pid_t pid;
	int error;

	if (fflush(svg) || fseek(svg, 0, SEEK_SET) || lseek(fileno(svg), 0, SEEK_SET) < 0 || fflush(file))
		return errno ? -errno : -EIO;
	error = start(&pid, fileno(svg), fileno(file));
	if (error == ENOENT)
		fputs("inorder-chart: --png needs rsvg-convert, which is not installed (Debian: librsvg2-bin); or write "
		      "SVG, without --png\n",
		      stderr);
	return error == ENOENT ? -EOPNOTSUPP : error ? -error : end(pid);
}
