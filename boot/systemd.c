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
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NSEC_PER_USEC = 1000, MOST_ARGUMENTS = 64 };

#define UNITS "/run/systemd/system"
#define UNIT "inorder-finisher.service"

static struct timespec start[2]; /* real time, time since the kernel's start */
static pid_t finisher;
static bool waits;

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

static void write_unit(const char *folder, const char *name, const char *text)
{
	char path[PATH_MAX];
	int fd;

	mkdir(folder, 0755);
	path_print(path, "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		say("systemd: cannot write %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void write_drop_in(const char *unit, const char *text)
{
	char folder[128];

	path_print(folder, UNITS "/%s.d", unit);
	write_unit(folder, "inorder.conf", text);
}

/*
 * Who waits for udev to settle means all devices that were plugged in at the start. Those that the finisher holds back
 * are not in udev's queue. ifupdown does so only if an interface is marked auto; else the login need not wait either.
 */
static void write_units(void)
{
	char wait[128], text[512];

	if (!finisher)
		return;
	mkdir("/run/systemd", 0755);
	if (!waits)
		write_unit("/run/inorder", "patience", "");
	path_print(wait, "rm -f " PATIENCE "; exec timeout 90 tail --sleep-interval=0.1 --pid=%d -f /dev/null",
		   (int)finisher);
	path_print(text,
		   "[Unit]\nDescription=Disks and network cards that inorder-init names\nDefaultDependencies=no\n"
		   "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=-/bin/sh -c '%s'\n",
		   wait);
	write_unit(UNITS, UNIT, text);
	write_drop_in("systemd-udev-settle.service", "[Unit]\nWants=" UNIT "\nAfter=" UNIT "\n");
	path_print(text,
		   "[Service]\nExecStartPre=-/bin/sh -c '[ \"$CONFIGURE_INTERFACES\" = no ] || "
		   "[ -z \"$(ifquery --read-environment --list --exclude=lo)\" ] || { %s; }'\n",
		   wait);
	write_drop_in("ifupdown-pre.service", text);
}

void systemd_note_finisher(pid_t pid)
{
	finisher = pid;
}

void systemd_note_waits(bool it_waits)
{
	waits = it_waits;
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
	write_units();
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
