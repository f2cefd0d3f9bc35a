/* SPDX-License-Identifier: MIT */
/* Block devices: what sysfs knows, and what libblkid finds on them where this user may read. */
#include <blkid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <inorder/initcall.h>

#include "device.h"

static void say_value(struct device *device, blkid_probe disk, const char *key, const char *name)
{
	const char *text;

	if (!blkid_probe_lookup_value(disk, name, &text, NULL))
		device_say(device, "%s %s, ", key, text);
}

static void say_contents(struct device *device)
{
	char path[300];
	blkid_probe disk;
	blkid_partlist partitions;

	snprintf(path, sizeof(path), "/dev/%s", device->name);
	for (char *mark = path; (mark = strchr(mark, '!'));)
		*mark = '/'; /* "cciss!c0d0" */
	errno = 0;
	disk = blkid_new_probe_from_filename(path);
	if (!disk) {
		device_say(device, "not read: %s", errno ? strerror(errno) : "libblkid cannot open it");
		return;
	}
	blkid_probe_enable_superblocks(disk, 1);
	blkid_probe_set_superblocks_flags(disk, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL);
	blkid_probe_enable_partitions(disk, 1);
	partitions = blkid_probe_get_partitions(disk);
	if (partitions)
		device_say(device, "partitions %d, ", blkid_partlist_numof_partitions(partitions));
	if (!blkid_do_safeprobe(disk)) {
		say_value(device, disk, "table", "PTTYPE");
		say_value(device, disk, "type", "TYPE");
		say_value(device, disk, "label", "LABEL");
	}
	blkid_free_probe(disk);
}

static void probe_disk(struct device *device)
{
	const char *sectors = device_attribute(device, "size");
	const unsigned long long bytes = sectors ? strtoull(sectors, NULL, 10) * 512 : 0;
	const char *spins;

	if (!bytes) {
		device_say(device, "no medium");
		return;
	}
	device_say(device, "%llu MiB, ", bytes >> 20);
	device_say_attribute(device, "", "device/model");
	spins = device_attribute(device, "queue/rotational");
	if (spins && *spins == '1')
		device_say(device, "spinning, ");
	say_contents(device);
}

/* Those that merely stand for files or memory are no devices of the machine. */
static bool is_real(const char *name)
{
	return strncmp(name, "loop", 4) && strncmp(name, "ram", 3) && strncmp(name, "zram", 4);
}

static int __init probe_block(void)
{
	return device_schedule_all("/sys/block", "block", is_real, probe_disk);
}
device_initcall(probe_block);
