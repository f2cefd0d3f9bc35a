/* SPDX-License-Identifier: MIT */
/* GLib's main loop learns by a file descriptor when calls are complete: event_loop.h. */
#include <glib-unix.h>

#include "event_loop.h"

static gboolean readable(gint fd, GIOCondition condition, gpointer loop)
{
	(void)condition;
	requests_finish(fd);
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

int main(void)
{
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);
	int fd;

	requests_start(&fd);
	if (fd < 0)
		return 1;
	g_unix_fd_add(fd, G_IO_IN, readable, loop);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
	return 0;
}
