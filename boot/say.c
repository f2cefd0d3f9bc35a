/* SPDX-License-Identifier: MIT */
/* Messages: one line, one write. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 960 }; /* the kernel cuts records at about 1000 */

/* Into the kernel's log at a level that a quiet console does not show. Return: false if there is no log. */
static bool write_log(int level, const char *line)
{
	char record[LINE_BYTES + 8];
	const int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	const int bytes = snprintf(record, sizeof(record), "<%d>%s", level, line);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, record, (size_t)bytes) == bytes;
	close(fd);
	return done;
}

static void make_line(char *line, const char *format, va_list args)
{
	const int start = snprintf(line, LINE_BYTES, "inorder-init: ");

	vsnprintf(line + start, (size_t)(LINE_BYTES - start - 1), format, args);
	strcat(line, "\n");
}

void say(const char *format, ...)
{
	const int saved = errno;
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	make_line(line, format, args);
	va_end(args);
	if (!write_log(6, line) && write(STDERR_FILENO, line, strlen(line)) < 0)
		errno = saved; /* no one is left to be told */
	errno = saved;
}

void complain(const char *format, ...)
{
	const int saved = errno;
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	make_line(line, format, args);
	va_end(args);
	write_log(7, line);
	if (write(STDERR_FILENO, line, strlen(line)) < 0)
		write_log(3, line);
	errno = saved;
}
