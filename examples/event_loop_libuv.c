/* SPDX-License-Identifier: MIT */
/* libuv's loop learns by a file descriptor when calls are complete: event_loop.h. */
#include <uv.h>

#include "event_loop.h"

static int fd;

static void closed(uv_handle_t *handle)
{
	(void)handle;
	requests_finish(fd); /* libuv looks at it no more */
}

static void readable(uv_poll_t *handle, int status, int events)
{
	(void)status, (void)events;
	uv_close((uv_handle_t *)handle, closed);
}

int main(void)
{
	uv_poll_t handle;

	requests_start(&fd);
	if (fd < 0 || uv_poll_init(uv_default_loop(), &handle, fd) || uv_poll_start(&handle, UV_READABLE, readable))
		return 1;
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	return uv_loop_close(uv_default_loop());
}
