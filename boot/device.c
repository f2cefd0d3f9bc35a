/* SPDX-License-Identifier: MIT */
/*
 * A device and what is below it: load the drivers that its modalias asks for,
 * bind it, and go on with the devices that then appear.
 *
 * A driver that was loaded with async_probe may be probing the device at this
 * moment, in a thread of the kernel, which then holds the device's lock. Every
 * device has an attribute that takes the lock before it looks at what is
 * written: power/control. A word that it does not know changes nothing, and
 * the write returns when the probe is over.
 */
#include "internal.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 32 };

static int real_folder(const struct dirent *item)
{
	return item->d_type == DT_DIR && item->d_name[0] != '.' && strcmp(item->d_name, "power") &&
	       strcmp(item->d_name, "msi_irqs");
}

void device_walk(const char *path, const char *name, void (*visit)(const char *path, void *data), void *data)
{
	static _Thread_local int depth;
	struct dirent **items;
	char file[PATH_MAX];
	int count;

	path_print(file, "%s/%s", path, name);
	if (file_exists(file))
		visit(path, data);
	if (depth == DEEPEST)
		return;
	count = scandir(path, &items, real_folder, versionsort);
	depth++;
	for (int i = 0; i < count; i++) {
		char below[PATH_MAX];

		path_print(below, "%s/%s", path, items[i]->d_name);
		device_walk(below, name, visit, data);
		free(items[i]);
	}
	depth--;
	if (count >= 0)
		free(items);
}

struct binding {
	const char *path;
	char bus[64];
};

static int bind_step(void *data)
{
	const struct binding *binding = data;
	char file[PATH_MAX];

	path_print(file, "/sys/bus/%s/drivers_probe", binding->bus);
	file_write(file, strrchr(binding->path, '/') + 1); /* an error means that no driver wants it */
	path_print(file, "%s/power/control", binding->path);
	file_write(file, "wait"); /* always an error */
	return 0;
}

void device_bind(const char *path)
{
	struct binding binding = {.path = path};
	atomic_int pid;
	uint64_t used_ns;

	if (file_link_name(path, "subsystem", binding.bus, sizeof(binding.bus)))
		apart_run(bind_step, &binding, false, &pid, &used_ns);
}

struct round {
	enum module_probe probe;
	size_t devices;
	struct module_set set; /* what all of them need */
};

/* What asks for a driver. Cards have no file that says it; only their uevents do. */
static bool read_alias(const char *path, char *alias, size_t room)
{
	char file[PATH_MAX], text[1024], *at;

	path_print(file, "%s/modalias", path);
	if (file_read(file, alias, room) > 0)
		return true;
	if (!strstr(path, "/mmc_host/") && !strstr(path, "/memstick_host/"))
		return false;
	path_print(file, "%s/uevent", path);
	if (file_read(file, text, sizeof(text)) <= 0 || !(at = strstr(text, "MODALIAS=")))
		return false;
	at += strlen("MODALIAS=");
	path_print_room(alias, room, "%.*s", (int)strcspn(at, "\n"), at);
	return true;
}

static void visit_load(const char *path, void *data)
{
	struct round *round = data;
	char alias[1024];

	round->devices++;
	if (read_alias(path, alias, sizeof(alias)))
		modules_request(alias, round->probe, &round->set);
}

/* What has a name that others see is bound in its order, by scsi.c and virtio.c. */
static bool waits_for_turn(const char *bus, const char *alias)
{
	if (!strcmp(bus, "scsi"))
		return true;
	return !cmdline.unordered && (!strncmp(alias, DEVICE_VIRTIO_DISK, strlen(DEVICE_VIRTIO_DISK)) ||
				      !strncmp(alias, DEVICE_VIRTIO_CARD, strlen(DEVICE_VIRTIO_CARD)));
}

/* Binds devices that a module was found for. */
static void visit_bind(const char *path, void *data)
{
	const struct round *round = data;
	struct module_set set = {0};
	char alias[1024], bus[64];

	if (!file_link_name(path, "subsystem", bus, sizeof(bus)) || !read_alias(path, alias, sizeof(alias)) ||
	    waits_for_turn(bus, alias))
		return;
	modules_request(alias, round->probe, &set);
	if (set.count)
		device_bind(path);
	modules_wait(&set);
}

void device_find(const char *path, enum module_probe probe)
{
	size_t known;
	struct round round = {.probe = probe};

	device_walk(path, "uevent", visit_load, &round);
	do {
		known = round.devices;
		modules_wait(&round.set);
		device_walk(path, "uevent", visit_bind, &round);
		round.devices = 0;
		device_walk(path, "uevent", visit_load, &round);
	} while (round.devices > known);
	modules_wait(&round.set);
}
