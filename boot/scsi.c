/* SPDX-License-Identifier: MIT */
/*
 * SCSI: host adapters, and the names of all disks that are SCSI disks to the
 * kernel (ATA and USB storage too).
 *
 * The kernel gives sda, sdb, ... in the order in which it binds disks. With
 * drivers_autoprobe 0 it finds disks and binds none; a write to drivers_probe
 * binds one, names it, and reads its partitions. Finding goes on out of
 * order; the binding is the retire step of one ordered call a controller, so
 * names come in the order of places: controllers by PCI address, then host
 * (which is the port), channel, target and LUN.
 */
#include "internal.h"

#include <dirent.h>
#include <inorder/initcall.h>
#include <stdlib.h>
#include <string.h>

enum { PCI_STORAGE = 0x01, PCI_SCSI = 0x00, PCI_RAID = 0x04, PCI_SAS = 0x07 };

#define SCSI_BUS "/sys/bus/scsi"

ASYNC_DOMAIN(find_domain);
static ASYNC_DOMAIN(name_domain);

void scsi_hold(void)
{
	if (cmdline.unordered || !file_exists(SCSI_BUS))
		return;
	if (file_write(SCSI_BUS "/drivers_autoprobe", "0"))
		complain("scsi: cannot write %s/drivers_autoprobe: disks get their names as they come", SCSI_BUS);
}

static int compare_items(const struct dirent **one, const struct dirent **other)
{
	struct scsi_place places[2];

	if (!scsi_parse((*one)->d_name, &places[0]) || !scsi_parse((*other)->d_name, &places[1]))
		return strcmp((*one)->d_name, (*other)->d_name);
	return scsi_compare(&places[0], &places[1]);
}

static int is_scsi_device(const struct dirent *item)
{
	struct scsi_place place;

	return scsi_parse(item->d_name, &place);
}

/* Binds, in the order of places, the devices whose real path begins with @above. */
static void bind_below(const char *above)
{
	struct dirent **items;
	const int count = scandir(SCSI_BUS "/devices", &items, is_scsi_device, compare_items);
	const size_t length = strlen(above);

	for (int i = 0; i < count; i++) {
		char link[PATH_MAX], path[PATH_MAX];

		path_print(link, SCSI_BUS "/devices/%s", items[i]->d_name);
		if (realpath(link, path) && !strncmp(path, above, length) && path[length] == '/') {
			device_bind(path);
			root_look();
		}
		free(items[i]);
	}
	if (count >= 0)
		free(items);
}

static void name_disks(void *data, async_cookie_t cookie)
{
	const struct pci_function *function = data;

	(void)cookie;
	async_set_name("scsi_name");
	if (!cmdline.unordered)
		bind_below(function->path);
}

/* The first half of a name: everything behind the controller is known. */
static void wait_for_find(void *data, async_cookie_t cookie)
{
	const struct pci_function *function = data;
	struct module_set disks = { 0 };

	(void)cookie;
	async_set_name("scsi_wait");
	async_synchronize_call(function->find, &find_domain);
	modules_request("sd_mod", MODULE_PROBE_ASYNC, &disks);
	modules_wait(&disks);
}

void scsi_schedule_names(struct pci_function *function, async_func_t find, struct async_domain *domain)
{
	if (!async_schedule_ordered(find, name_disks, function, domain))
		complain("scsi: out of memory: the disks behind %s get no names", function->address);
}

static void find_scsi(void *data, async_cookie_t cookie)
{
	const struct pci_function *function = data;

	(void)cookie;
	async_set_name("scsi_find");
	device_find(function->path, MODULE_PROBE_ASYNC);
	root_look(); /* virtio_blk and others are no SCSI disks: they have their names already */
}

static int probe_scsi(void)
{
	const int classes[] = { PCI_SCSI, PCI_RAID, PCI_SAS };

	scsi_hold(); /* in case that SCSI is built in */
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		for (struct pci_function *at = NULL; (at = pci_next(at, PCI_STORAGE, classes[i]));)
			at->find = async_schedule_domain(find_scsi, at, &find_domain);
	return 0;
}
subsys_initcall(probe_scsi);

/* In the order of PCI addresses, ATA and SCSI alike. */
static int schedule_names(void)
{
	for (struct pci_function *at = NULL; (at = pci_next(at, PCI_STORAGE, -1));)
		if (at->find)
			scsi_schedule_names(at, wait_for_find, &name_domain);
	return 0;
}
fs_initcall(schedule_names);

void scsi_release(void)
{
	if (cmdline.unordered || !file_exists(SCSI_BUS))
		return;
	bind_below("/sys/devices");
	if (file_write(SCSI_BUS "/drivers_autoprobe", "1"))
		complain("scsi: cannot write %s/drivers_autoprobe: disks that are plugged in later get no names",
			 SCSI_BUS);
}
