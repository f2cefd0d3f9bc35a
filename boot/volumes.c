/* SPDX-License-Identifier: MIT */
/*
 * Layers above the disks: each round makes what can be made of what is there,
 * and looks at what has appeared, so any order of layers works: LVM over LUKS
 * over RAID as well as LUKS over LVM.
 */
#include "volumes.h"

#include "devices.h"
#include "internal.h"
#include "root_device.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* one at a time: they ask at the console */
static bool opened;

static bool is_there(const struct root_spec *wanted)
{
	struct facts found;

	return wanted == root_wanted() ? root_is_found() : devices_find(wanted, &found);
}

/* One round, from the bottom up. */
static bool build_layer(const struct root_spec *wanted, enum volumes_when when)
{
	return raid_assemble(when == VOLUMES_LAST) || lvm_activate(wanted, when) || luks_open(wanted, when);
}

bool volumes_build(const struct root_spec *wanted, enum volumes_when when)
{
	bool any = false;

	pthread_mutex_lock(&lock);
	opened |= when == VOLUMES_QUIET;
	while (opened && !is_there(wanted) && build_layer(wanted, when)) {
		root_look(true);
		any = true;
	}
	pthread_mutex_unlock(&lock);
	return any;
}

void volumes_wait_idle(void)
{
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
}

struct wait {
	const struct root_spec *wanted;
	struct facts *found;
};

static bool has_come(void *data)
{
	const struct wait *wait = data;

	root_look(true);
	if (devices_find(wait->wanted, wait->found))
		return true;
	return volumes_build(wait->wanted, VOLUMES_ANY) && devices_find(wait->wanted, wait->found);
}

bool volumes_wait(const struct root_spec *wanted, unsigned int limit_s, struct facts *found)
{
	struct wait wait = {.wanted = wanted, .found = found};
	const int events = uevent_open();
	bool came;

	pthread_mutex_lock(&lock);
	opened = true;
	pthread_mutex_unlock(&lock);
	if (events < 0)
		complain("volumes: cannot wait for devices: %s", strerror(-events));
	came = events < 0 ? has_come(&wait)
			  : uevent_wait(events, "a volume", has_come, &wait, now_ns() + limit_s * NSEC_PER_SEC);
	if (events >= 0)
		close(events);
	return came;
}

/* As udev's database has it: its rules then take the device for an active one. */
static void tell_of(const struct facts *facts)
{
	static const char text[] = "E:DM_UDEV_PRIMARY_SOURCE_FLAG=1\nE:DM_UDEV_RULES=1\nE:DM_UDEV_RULES_VSN=2\nV:1\n";
	char path[64];
	int fd;

	path_print(path, "/run/udev/data/b%u:%u", facts->major, facts->minor);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		say("volumes: cannot write %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

void volumes_tell_udev(void)
{
	struct facts facts;
	size_t at = 0;

	while (devices_next(NULL, &at, &facts)) {
		if (!*facts.mapper)
			continue;
		mkdir("/run/udev", 0755);
		mkdir("/run/udev/data", 0755);
		tell_of(&facts);
	}
}
