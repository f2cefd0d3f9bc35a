/* SPDX-License-Identifier: MIT */
/*
 * An event loop that learns by a file descriptor when calls are complete. No thread waits for them: a retire step runs
 * once every lower call of its domain is complete, so an empty call with such a step marks a place in the order.
 * The descriptor goes into poll(2) here, and in the same way into g_unix_fd_add(), uv_poll_init() or sd_event_add_io().
 */
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <inorder/async.h>

static ASYNC_DOMAIN_EXCLUSIVE(requests);

static void request(void *data, async_cookie_t cookie)
{
	(void)cookie;
	usleep(20000); /* stands for a query */
	*(int *)data *= 2;
}

static void nothing(void *data, async_cookie_t cookie)
{
	(void)data, (void)cookie;
}

static void tell(void *data, async_cookie_t cookie)
{
	(void)cookie;
	eventfd_write(*(int *)data, 1);
}

int main(void)
{
	int values[] = {1, 2, 3, 4}, fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct async_entry mark; /* storage of the caller, so that this cannot fail */
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	eventfd_t unused;

	if (fd < 0)
		return 1;
	for (int i = 0; i < 4; i++)
		async_schedule_domain(request, &values[i], &requests);
	async_schedule_entry(&mark, nothing, tell, &fd, &requests);

	while (!poll(&poll_fd, 1, 5)) /* whatever else the loop does */
		;
	eventfd_read(fd, &unused);
	printf("%d %d %d %d\n", values[0], values[1], values[2], values[3]);
	async_synchronize_full_domain(&requests); /* the mark itself, whose storage is ours again */
	close(fd);
	return 0;
}
