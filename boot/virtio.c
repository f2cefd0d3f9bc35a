/* SPDX-License-Identifier: MIT */
/*
 * Virtio: disks (vda, vdb, ...) are named, and network cards numbered, in the
 * order in which the kernel binds them, and a driver binds all at once, in
 * parallel. The bus has the same two halves as SCSI's: with drivers_autoprobe 0
 * a device is found and not bound. What has no name that others see (a host
 * adapter, a console) is bound as soon as its driver is there, by device.c.
 */
#include "internal.h"

#include <inorder/initcall.h>
#include <stdatomic.h>
#include <string.h>

#define VIRTIO_BUS "/sys/bus/virtio"

static atomic_bool released;

/* Called once the bus is there and before anything is on it. What is plugged in later may bring the bus with it. */
static void hold_virtio(void)
{
	if (cmdline.unordered || released || !file_exists(VIRTIO_BUS))
		return;
	if (file_write(VIRTIO_BUS "/drivers_autoprobe", "0"))
		complain("virtio: cannot write %s/drivers_autoprobe: disks get their names as they come", VIRTIO_BUS);
}

static int probe_virtio(void)
{
	static struct module_hook hook = {.name = "virtio", .loaded = hold_virtio};

	modules_hook(&hook);
	hold_virtio(); /* in case that it is built in */
	return 0;
}
core_initcall(probe_virtio);

struct kind {
	const char *alias;
	bool look;
};

static void visit_bind(const char *path, void *data)
{
	const struct kind *kind = data;
	char file[PATH_MAX], alias[64];

	path_print(file, "%s/modalias", path);
	if (file_read(file, alias, sizeof(alias)) <= 0 || strncmp(alias, kind->alias, strlen(kind->alias)))
		return;
	device_bind(path);
	if (kind->look)
		root_look(true);
}

void virtio_name_disks(const char *above)
{
	struct kind disks = {.alias = DEVICE_VIRTIO_DISK, .look = true};

	device_walk(above, "modalias", visit_bind, &disks);
}

void virtio_name_cards(const char *above)
{
	struct kind cards = {.alias = DEVICE_VIRTIO_CARD};

	device_walk(above, "modalias", visit_bind, &cards);
}

void virtio_release(void)
{
	struct kind all = {.alias = "virtio:"};

	released = true;
	if (!file_exists(VIRTIO_BUS))
		return;
	virtio_name_disks("/sys/devices");
	if (file_write(VIRTIO_BUS "/drivers_autoprobe", "1"))
		complain("virtio: cannot write %s/drivers_autoprobe: devices that are plugged in later do not work",
			 VIRTIO_BUS);
	device_walk("/sys/devices", "modalias", visit_bind, &all);
}
