/* SPDX-License-Identifier: MIT */
/* The log: one message, one write. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdarg.h>

#include "rob.h"

struct message {
	int fd;
	const char *text;
	size_t bytes;
};

static int write_all(void *data)
{
	const struct message *message = data;
	size_t done = 0;

	while (done < message->bytes) {
		ssize_t now = write(message->fd, message->text + done, message->bytes - done);

		/* Covered by chance: a write that is cut or interrupted */
		if (now < 0 && errno != EINTR)
			break; /* there is nowhere else to say it */
		done += now > 0 ? (size_t)now : 0;
	}
	return 0;
}

void port_log(int fd, const char *format, ...)
{
	char text[2048];
	struct message message = {fd, text, 0};
	va_list args;
	int length, cancel, saved = errno;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE,
			       &cancel); /* write() would end the thread, with a lock held maybe */
	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* Covered by chance: printing does not fail */
	message.bytes = length < 0 ? 0 : (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1;
	port_in_program(write_all, &message);
	pthread_setcancelstate(cancel, &cancel);
	errno = saved;
}
