/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "device.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ASYNC_DOMAIN(devices);

static struct device *list; /* the main thread's */
static _Thread_local char value[256];

static void probe(void *data, async_cookie_t cookie)
{
	struct device *device = data;

	(void)cookie;
	async_set_name(device->name);
	device->probe(device);
}

static void print(void *data, async_cookie_t cookie)
{
	const struct device *device = data;
	size_t length = strlen(device->text);

	(void)cookie;
	while (length && (device->text[length - 1] == ' ' || device->text[length - 1] == ','))
		length--;
	printf("%-8s %-14s %.*s\n", device->kind, device->name, (int)length, device->text);
}

static int schedule(const char *folder, const char *kind, const char *name, void (*function)(struct device *))
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return -ENOMEM;
	device->name = strdup(name);
	if (!device->name || asprintf(&device->folder, "%s/%s", folder, name) < 0) {
		free(device->name);
		free(device);
		return -ENOMEM;
	}
	device->kind = kind;
	device->probe = function;
	device->next = list;
	list = device;
	async_schedule_entry(&device->entry, probe, print, device, &devices);
	return 0;
}

int device_schedule_all(const char *folder, const char *kind, bool (*wanted)(const char *name),
			void (*function)(struct device *device))
{
	struct dirent **entries = NULL;
	const int count = scandir(folder, &entries, NULL, versionsort);
	int error = 0;

	if (count < 0)
		return errno == ENOENT ? 0 : -errno; /* this machine has no such devices */
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (!error && name[0] != '.' && (!wanted || wanted(name)))
			error = schedule(folder, kind, name, function);
		free(entries[i]);
	}
	free(entries);
	return error;
}

void device_say(struct device *device, const char *format, ...)
{
	const size_t used = strlen(device->text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(device->text + used, sizeof(device->text) - used, format, arguments);
	va_end(arguments);
}

const char *device_attribute(const struct device *device, const char *attribute)
{
	char path[512];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", device->folder, attribute);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	length = read(fd, value, sizeof(value) - 1); /* some fail: a link that is down has no speed */
	close(fd);
	while (length > 0 && (value[length - 1] == '\n' || value[length - 1] == ' '))
		length--;
	if (length <= 0)
		return NULL;
	value[length] = 0;
	return value;
}

const char *device_link(const struct device *device, const char *name)
{
	char path[512];
	char *slash;
	ssize_t length;

	snprintf(path, sizeof(path), "%s/%s", device->folder, name);
	length = readlink(path, value, sizeof(value) - 1);
	if (length <= 0)
		return NULL;
	value[length] = 0;
	slash = strrchr(value, '/');
	return slash ? slash + 1 : value;
}

void device_say_attribute(struct device *device, const char *key, const char *attribute)
{
	const char *text = device_attribute(device, attribute);

	if (text)
		device_say(device, "%s%s%s, ", key, *key ? " " : "", text);
}

unsigned int device_free_all(void)
{
	unsigned int count = 0;

	while (list) {
		struct device *device = list;

		list = device->next;
		free(device->folder);
		free(device->name);
		free(device);
		count++;
	}
	return count;
}
