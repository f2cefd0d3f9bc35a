/* SPDX-License-Identifier: MIT */
/* Programs of the image. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inorder/trace.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* No udev runs in the image: libdevmapper must make its nodes itself. */
static const char *const environment[] = {
	"PATH=/sbin:/usr/sbin:/bin:/usr/bin", "HOME=/", "TERM=linux", "LC_ALL=C", "DM_DISABLE_UDEV=1",
	"LVM_SUPPRESS_FD_WARNINGS=1",         NULL};

/* Starts the program with both its outputs in the pipe. @input: its input, or -1. Return: 0 or an errno. */
static int start(const char *const argv[], int input, const int ends[2], pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int error = posix_spawn_file_actions_init(&actions);

	if (error)
		return error;
	error = posix_spawnattr_init(&attributes);
	if (error) {
		posix_spawn_file_actions_destroy(&actions);
		return error;
	}
	sigemptyset(&none); /* whatever this thread blocks: a checker that hangs can be ended */
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	error = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	if (!error)
		error = posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
	if (!error && input >= 0)
		error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (!error)
		error = posix_spawn(pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv,
				    (char *const *)(uintptr_t)environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* Reads all, keeps what there is room for. */
static void collect(int fd, char *output, size_t room)
{
	size_t kept = 0;
	char more[512];
	ssize_t got;

	while ((got = read(fd, more, sizeof(more))) > 0 || (got < 0 && errno == EINTR))
		for (ssize_t i = 0; i < got && kept < room - 1; i++)
			output[kept++] = more[i];
	while (kept && output[kept - 1] == '\n')
		kept--;
	output[kept] = '\0';
}

/* The read end of a pipe that holds the text; it must be shorter than a pipe is. Return: fd or -errno. */
static int open_input(const char *text)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	if (write(ends[1], text, strlen(text)) < 0) {
		const int error = -errno;

		close(ends[0]);
		ends[0] = error;
	}
	close(ends[1]);
	return ends[0];
}

static int run_untraced(const char *const argv[], int input, char *output, size_t room)
{
	int ends[2], error, status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	error = start(argv, input, ends, &pid);
	close(ends[1]);
	if (!error)
		collect(ends[0], output, room);
	close(ends[0]);
	if (error)
		return -error;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(const char *const argv[], int input, char *output, size_t room)
{
	char what[128];
	uint64_t since_ns;
	int result;

	path_print(what, "process %s", argv[0]);
	since_ns = async_trace_wait_begin(what);
	result = run_untraced(argv, input, output, room);
	async_trace_wait_end(what, since_ns);
	return result;
}

int process_run(const char *const argv[], char *output, size_t room)
{
	return run(argv, -1, output, room);
}

int process_run_input(const char *const argv[], const char *text, char *output, size_t room)
{
	const int input = text ? open_input(text) : -1;
	int status;

	if (text && input < 0)
		return input;
	status = run(argv, input, output, room);
	if (input >= 0)
		close(input);
	return status;
}
