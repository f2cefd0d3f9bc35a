/* SPDX-License-Identifier: MIT */
/* Small files, links and paths, mostly of sysfs. */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int file_read(const char *path, char *text, size_t room)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t bytes = 0;
	ssize_t got = 1;

	if (fd < 0)
		return -errno;
	while (bytes < room - 1 && (got = read(fd, text + bytes, room - 1 - bytes)) > 0)
		bytes += (size_t)got;
	if (got < 0)
		got = -errno;
	close(fd);
	while (bytes && text[bytes - 1] == '\n')
		bytes--;
	text[bytes] = '\0';
	return got < 0 ? (int)got : (int)bytes;
}

int file_write(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		error = -errno;
	close(fd);
	return error;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool file_link_name(const char *path, const char *name, char *text, size_t room)
{
	char link[PATH_MAX], target[PATH_MAX];
	const char *last;
	ssize_t bytes;

	path_print(link, "%s/%s", path, name);
	bytes = readlink(link, target, sizeof(target) - 1);
	if (bytes < 0)
		return false;
	target[bytes] = '\0';
	last = strrchr(target, '/');
	path_print_room(text, room, "%s", last ? last + 1 : target);
	return true;
}

bool block_partition(const char *disk, unsigned int number, char *name, size_t room)
{
	DIR *items = opendir(disk);
	const struct dirent *item;
	bool found = false;

	while (items && !found && (item = readdir(items))) {
		char file[PATH_MAX], text[16];

		path_print(file, "%s/%s/partition", disk, item->d_name);
		found = item->d_name[0] != '.' && file_read(file, text, sizeof(text)) > 0 &&
			strtoul(text, NULL, 10) == number;
		if (found)
			path_print_room(name, room, "%s", item->d_name);
	}
	if (items)
		closedir(items);
	return found;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

void path_print_room(char *text, size_t room, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, room, format, args);
	va_end(args);
}
