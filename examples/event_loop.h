/* SPDX-License-Identifier: MIT */
/*
 * What event_loop*.c share: requests, and a descriptor that becomes readable when they are complete. No thread waits
 * for them: a retire step runs once every lower call of its domain is complete, so an empty call with such a step marks
 * a place in the order. It is in the caller's storage, so it cannot fail.
 */
#ifndef EVENT_LOOP_H
#define EVENT_LOOP_H

#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <inorder/async.h>

static ASYNC_DOMAIN_EXCLUSIVE(requests);
static int values[] = {1, 2, 3, 4};
static struct async_entry mark;

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

/* Schedules them. *fd, which has to stay until they are complete, is what becomes readable; -1: there is none. */
static void requests_start(int *fd)
{
	*fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (*fd < 0)
		return;
	for (int i = 0; i < 4; i++)
		async_schedule_domain(request, &values[i], &requests);
	async_schedule_entry(&mark, nothing, tell, fd, &requests);
}

/* It is readable: the loop goes on with the results. */
static void requests_finish(int fd)
{
	printf("%d %d %d %d\n", values[0], values[1], values[2], values[3]);
	async_synchronize_full_domain(&requests); /* the mark itself, whose storage is ours again */
	close(fd);
}

#endif
