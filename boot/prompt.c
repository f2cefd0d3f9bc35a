/* SPDX-License-Identifier: MIT */
/* A question at the console. */
#include "volumes.h"

#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Waits for a line, reads it. Return: bytes without the newline, or -errno. */
static int read_line(int console, unsigned int timeout_s, char *answer, size_t room)
{
	struct pollfd line = {.fd = console, .events = POLLIN};
	const int timeout_ms = timeout_s && timeout_s < 1000000 ? (int)timeout_s * 1000 : -1;
	int ready;
	ssize_t got;

	do {
		ready = poll(&line, 1, timeout_ms);
	} while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return ready ? -errno : -ETIME;
	got = read(console, answer, room - 1);
	if (got <= 0)
		return got ? -errno : -EIO; /* no one can be at a console that is at its end */
	answer[got] = '\0';
	answer[strcspn(answer, "\r\n")] = '\0';
	return (int)strlen(answer);
}

int prompt(const char *question, unsigned int timeout_s, char *answer, size_t room)
{
	const int console = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios before, silent;
	int result = -errno;

	if (console < 0)
		return result;
	if (tcgetattr(console, &before)) {
		result = -errno;
	} else {
		silent = before;
		silent.c_lflag = (silent.c_lflag & ~(tcflag_t)(ECHO | ECHOE | ECHOK)) | ICANON | ISIG | ECHONL;
		silent.c_iflag |= ICRNL;
		tcsetattr(console, TCSAFLUSH, &silent);
		dprintf(console, "%s", question);
		say("waits for an answer at the console"); /* the log tells what a boot took its time for */
		result = read_line(console, timeout_s, answer, room);
		tcsetattr(console, TCSANOW, &before);
	}
	close(console);
	return result;
}
