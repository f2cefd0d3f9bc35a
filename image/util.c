/* SPDX-License-Identifier: MIT */
/* Errors, strings and child processes of inorder-image. */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static volatile sig_atomic_t signalled;

static void on_signal(int number)
{
	signalled = number;
}

bool interrupted(void)
{
	return signalled != 0;
}

void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN); /* a compressor that dies is an error of a write */
}

static bool line_shown;

void progress_end(void)
{
	if (line_shown)
		fputs("\r\033[K", stderr);
	line_shown = false;
}

/* Ten times a second is enough to see that it goes on. */
void progress(const char *what, size_t done)
{
	static uint64_t last_ns;
	struct timespec now;
	uint64_t now_ns;

	if (!isatty(STDERR_FILENO))
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	if (line_shown && done && now_ns - last_ns < 100000000)
		return;
	last_ns = now_ns;
	line_shown = true;
	if (done)
		fprintf(stderr, "\r\033[K%s: %zu", what, done);
	else
		fprintf(stderr, "\r\033[K%s", what);
}

/* The length of the character in UTF-8 at @text; 0: it is none. */
static size_t character(const unsigned char *text)
{
	size_t length = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;

	if (text[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0; /* longer than need be, half of a pair, or beyond the last one */
	return length;
}

char *visible(const char *string, bool control)
{
	const unsigned char *from = (const unsigned char *)string;
	char *result = must(malloc(strlen(string) * 4 + 1)), *to = result;

	while (*from) {
		size_t length = character(from);

		if (!control && (*from < ' ' || *from == 0x7f || (*from == 0xc2 && from[1] < 0xa0)))
			length = 0;
		if (!length)
			to += sprintf(to, "\\%03o", *from++);
		for (; length; length--)
			*to++ = (char)*from++;
	}
	*to = '\0';
	return result;
}

ssize_t line_read(FILE *file, char line[LINE_ROOM])
{
	size_t count = 0;
	int c;

	while (count < LINE_ROOM - 1 && (c = getc(file)) != EOF) {
		line[count++] = (char)c;
		if (c == '\n')
			break;
	}
	line[count] = '\0';
	if (count == LINE_ROOM - 1 && line[count - 1] != '\n')
		return -2;
	return count ? (ssize_t)count : -1;
}

/* A line as a whole, whoever else writes to standard error. */
static void print(const char *kind, const char *format, va_list args)
{
	char line[4096], *shown;

	vsnprintf(line, sizeof(line), format, args);
	shown = visible(line, false);
	progress_end();
	fprintf(stderr, "inorder-image: %s%s\n", kind, shown);
	free(shown);
}

int fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print("", format, args);
	va_end(args);
	return -1;
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print("warning: ", format, args);
	va_end(args);
}

void *must(void *memory)
{
	if (!memory) {
		fail("out of memory");
		exit(1);
	}
	return memory;
}

char *text(const char *format, ...)
{
	char *result = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&result, format, args);
	va_end(args);
	return must(length < 0 ? NULL : result);
}

void strings_add(struct strings *list, const char *item)
{
	list->items = must(reallocarray(list->items, list->count + 1, sizeof(*list->items)));
	list->items[list->count++] = must(strdup(item));
}

void strings_free(struct strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strings){0};
}

/* Reads @fd to its end into a string. */
static int read_all(int fd, char **output)
{
	FILE *stream = fdopen(fd, "r");
	size_t room = 0;
	ssize_t length;

	if (!stream) {
		close(fd);
		return fail("cannot read from a program: %s", strerror(errno));
	}
	*output = NULL;
	length = getdelim(output, &room, '\0', stream);
	if (length < 0 && ferror(stream)) {
		fclose(stream);
		return fail("cannot read from a program: %s", strerror(errno));
	}
	fclose(stream);
	if (length < 0) {
		free(*output);
		*output = must(strdup(""));
	}
	return 0;
}

static int reap(pid_t pid, const char *program)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail("cannot wait for '%s': %s", program, strerror(errno));
	if (WIFSIGNALED(status))
		return fail("'%s' was ended by signal %d (%s)", program, WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		return fail("'%s' failed with exit code %d", program, WEXITSTATUS(status));
	return 0;
}

int command_run(char *const argv[], char **output)
{
	posix_spawn_file_actions_t actions;
	int ends[2] = {-1, -1}, error, result = 0;
	pid_t pid;

	if (output && pipe2(ends, O_CLOEXEC))
		return fail("cannot make a pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	if (output)
		posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (output)
		close(ends[1]);
	if (error) {
		if (output)
			close(ends[0]);
		return fail("cannot run '%s': %s", argv[0], strerror(error));
	}
	if (output)
		result = read_all(ends[0], output);
	if (reap(pid, argv[0]) && !result) {
		if (output)
			free(*output);
		return -1;
	}
	return result;
}
