/* SPDX-License-Identifier: MIT */
/* systemd's sd-event learns by a file descriptor when calls are complete: event_loop.h. */
#include <systemd/sd-event.h>

#include "event_loop.h"

static int readable(sd_event_source *source, int fd, uint32_t events, void *unused)
{
	(void)events, (void)unused;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	requests_finish(fd);
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

int main(void)
{
	sd_event *event;
	int fd;

	requests_start(&fd);
	if (fd < 0 || sd_event_new(&event) < 0)
		return 1;
	if (sd_event_add_io(event, NULL, fd, EPOLLIN, readable, NULL) < 0 || sd_event_loop(event) < 0)
		return 1;
	sd_event_unref(event);
	return 0;
}
