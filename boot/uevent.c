/* SPDX-License-Identifier: MIT */
/*
 * The kernel's uevents. Whoever waits has a socket of its own, opened before
 * it looks at the state, so nothing is missed and no one hands events on.
 */
#include "internal.h"

#include <errno.h>
#include <inorder/trace.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KERNEL_GROUP = 1, SOCKET_BYTES = 8 << 20, MESSAGE_BYTES = 8192 };

bool uevent_parse(const char *message, size_t bytes, struct uevent *event)
{
	const struct {
		const char *prefix;
		const char **value;
	} keys[] = {
		{"ACTION=", &event->action},   {"DEVPATH=", &event->devpath},   {"SUBSYSTEM=", &event->subsystem},
		{"DEVNAME=", &event->devname}, {"MODALIAS=", &event->modalias},
	};
	const char *at = message, *end = message + bytes;

	memset(event, 0, sizeof(*event));
	if (!bytes || message[bytes - 1])
		return false;
	for (; at < end; at += strlen(at) + 1)
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
			const size_t length = strlen(keys[i].prefix);

			if (!strncmp(at, keys[i].prefix, length))
				*keys[i].value = at + length;
		}
	return event->action && event->devpath && event->subsystem;
}

int uevent_open(void)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
	const int bytes = SOCKET_BYTES;
	const int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	/* A smaller buffer only means that more is looked at again: see lost in uevent_read(). */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		say("uevents: cannot enlarge the socket's buffer: %s", strerror(errno));
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address))) {
		const int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

bool uevent_read(int fd, char *buffer, size_t room, struct uevent *event, bool *lost)
{
	*lost = false;
	for (;;) {
		struct sockaddr_nl from = {0};
		socklen_t from_bytes = sizeof(from);
		const ssize_t bytes = recvfrom(fd, buffer, room - 1, 0, (struct sockaddr *)&from, &from_bytes);

		if (bytes < 0 && errno == ENOBUFS) {
			*lost = true;
			memset(event, 0, sizeof(*event));
			return true;
		}
		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes < 0)
			return false;
		buffer[bytes] = '\0';
		if (from.nl_pid == 0 && uevent_parse(buffer, (size_t)bytes, event)) /* 0: the kernel */
			return true;
	}
}

static bool wait_until(int fd, bool (*ready)(void *data), void *data, uint64_t deadline_ns)
{
	char buffer[MESSAGE_BYTES];

	for (;;) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		const uint64_t now = now_ns();
		struct uevent event;
		bool lost;

		if (ready(data))
			return true;
		if (now >= deadline_ns)
			return false;
		if (poll(&poll_fd, 1, (int)((deadline_ns - now + 999999) / 1000000)) < 0 && errno != EINTR)
			return ready(data);
		while (uevent_read(fd, buffer, sizeof(buffer), &event, &lost))
			;
	}
}

bool uevent_wait(int fd, const char *what, bool (*ready)(void *data), void *data, uint64_t deadline_ns)
{
	const uint64_t since_ns = async_trace_wait_begin(what);
	const bool is_ready = wait_until(fd, ready, data, deadline_ns);

	async_trace_wait_end(what, since_ns);
	return is_ready;
}
