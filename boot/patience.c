/* SPDX-License-Identifier: MIT */
/* The real init goes first as long as a file says that it waits for no disk. */
#include "internal.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

void patience_wait(const char *file, pid_t worker, int most_ms)
{
	const int ended = (int)syscall(SYS_pidfd_open, worker, 0), changes = inotify_init1(IN_CLOEXEC);
	struct pollfd fds[] = {{.fd = changes, .events = POLLIN}, {.fd = ended, .events = POLLIN}};

	if (ended >= 0 && changes >= 0 && inotify_add_watch(changes, file, IN_DELETE_SELF) >= 0)
		poll(fds, 2, most_ms);
	if (ended >= 0)
		close(ended);
	if (changes >= 0)
		close(changes);
}
