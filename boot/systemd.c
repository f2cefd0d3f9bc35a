/* SPDX-License-Identifier: MIT */
/*
 * What a systemd in the real root is told. A systemd that leaves an initramfs
 * executes the next one with --switched-root, and with a file of its state
 * whose descriptor --deserialize names; it is the only way in which systemd
 * takes the times of an initramfs. All of it is done again by the next one
 * when --switched-root is there, as without these words. Lines that it does
 * not know are logged and ignored.
 */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { NSEC_PER_USEC = 1000, MOST_ARGUMENTS = 64 };

static struct timespec start[2]; /* real time, time since the kernel's start */

void systemd_note_start(void)
{
	clock_gettime(CLOCK_REALTIME, &start[0]);
	clock_gettime(CLOCK_MONOTONIC, &start[1]);
}

static unsigned long long usec(const struct timespec *time)
{
	return ((unsigned long long)time->tv_sec * NSEC_PER_SEC + (unsigned long long)time->tv_nsec) / NSEC_PER_USEC;
}

static bool is_systemd(const char *init)
{
	char path[PATH_MAX];
	const char *name;

	if (!realpath(init, path))
		return false;
	name = strrchr(path, '/');
	return name && !strcmp(name, "/systemd");
}

/* Return: a descriptor that outlives execve(), or -errno. */
static int write_state(void)
{
	const int fd = memfd_create("inorder-init", 0);

	if (fd < 0)
		return -errno;
	if (dprintf(fd, "initrd-timestamp=%llu %llu\n\n", usec(&start[0]), usec(&start[1])) > 0 &&
	    lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -EIO;
}

void systemd_execute(char **argv)
{
	char *more[MOST_ARGUMENTS + 5] = {argv[0], (char *)(uintptr_t) "--switched-root",
					  (char *)(uintptr_t) "--deserialize"};
	char number[16];
	size_t count = 0;
	int fd;

	if (!is_systemd(argv[0]))
		return;
	while (argv[1 + count] && count < MOST_ARGUMENTS)
		count++;
	fd = write_state();
	if (fd < 0 || argv[1 + count]) {
		say("systemd: it is not told when the initramfs began: %s", fd < 0 ? strerror(-fd) : "too many words");
		if (fd >= 0)
			close(fd);
		return;
	}
	path_print(number, "%d", fd);
	more[3] = number;
	memcpy(more + 4, argv + 1, count * sizeof(*argv));
	execv(more[0], more);
	close(fd);
}
