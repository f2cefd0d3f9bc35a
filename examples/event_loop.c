/* SPDX-License-Identifier: MIT */
/* A loop around poll(2) that learns by a file descriptor when calls are complete: event_loop.h. */
#include <poll.h>

#include "event_loop.h"

int main(void)
{
	struct pollfd poll_fd = {.events = POLLIN};

	requests_start(&poll_fd.fd);
	if (poll_fd.fd < 0)
		return 1;
	while (!poll(&poll_fd, 1, 5)) /* whatever else the loop does */
		;
	requests_finish(poll_fd.fd);
	return 0;
}
