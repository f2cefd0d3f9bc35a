/* SPDX-License-Identifier: MIT */
/* A device of the machine: probed in any order, shown in program order. */
#ifndef PROBE_DEVICE_H
#define PROBE_DEVICE_H

#include <inorder/async.h>

struct device {
	struct async_entry entry;
	struct device *next;
	void (*probe)(struct device *device);
	const char *kind;
	char *name;
	char *folder;   /* in sysfs */
	char text[400]; /* what was found */
};

/* The calls of all devices. */
extern struct async_domain devices;

/*
 * Schedules @probe for each entry of a folder in sysfs that @wanted (or NULL) accepts, sorted by name. Its text is
 * printed when all earlier devices have been. Return: 0, also if there is no such folder, or -errno.
 */
int device_schedule_all(const char *folder, const char *kind, bool (*wanted)(const char *name),
			void (*probe)(struct device *device));

/* Adds to the text. */
__attribute__((format(printf, 2, 3))) void device_say(struct device *device, const char *format, ...);

/* The value of an attribute, without the newline; NULL if there is none. Valid until the next call in this thread. */
const char *device_attribute(const struct device *device, const char *attribute);
/* The name that a symbolic link in the device's folder ends with, or NULL. As above. */
const char *device_link(const struct device *device, const char *name);
/* "KEY VALUE, " for an attribute that there is. */
void device_say_attribute(struct device *device, const char *key, const char *attribute);

/* After a full wait: frees them. Return: how many there were. */
unsigned int device_free_all(void);

#endif
