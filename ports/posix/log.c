/* SPDX-License-Identifier: MIT */
/* The log: one message, one write. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdarg.h>

#include "rob.h"

void port_log(int fd, const char *format, ...)
{
	char text[2048];
	va_list args;
	int length, cancel, saved = errno;
	size_t done = 0, bytes;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE,
			       &cancel); /* write() would end the thread, with a lock held maybe */
	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* Covered by chance: a write that is cut or interrupted; printing does not fail */
	bytes = length < 0 ? 0 : (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1;
	while (done < bytes) {
		ssize_t now = write(fd, text + done, bytes - done);

		/* Covered by chance: a write that is cut or interrupted; printing does not fail */
		if (now < 0 && errno != EINTR)
			break; /* there is nowhere else to say it */
		done += now > 0 ? (size_t)now : 0;
	}
	pthread_setcancelstate(cancel, &cancel);
	errno = saved;
}
