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
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PCI_STORAGE = 0x01, PCI_SCSI = 0x00, PCI_RAID = 0x04, PCI_SAS = 0x07 }; /* PCI_SCSI: virtio_blk too */

#define SCSI_BUS "/sys/bus/scsi"

static atomic_bool released;

/*
 * Called once scsi_mod is there and before it finds anything: disks are found, and named later. A disk that is plugged
 * in later may be the first that needs scsi_mod.
 */
static void hold_scsi(void)
{
	if (cmdline.unordered || released || !file_exists(SCSI_BUS))
		return;
	if (file_write(SCSI_BUS "/drivers_autoprobe", "0"))
		complain("scsi: cannot write %s/drivers_autoprobe: disks get their names as they come", SCSI_BUS);
}

/* Where the host of a device stands: its path as far as that. */
static void find_host(const struct dirent *item, char *path)
{
	char link[PATH_MAX], *host;

	path_print(link, SCSI_BUS "/devices/%s", item->d_name);
	if (!realpath(link, path))
		*path = '\0';
	host = strstr(path, "/host");
	if (host)
		*host = '\0';
}

/* Hosts have numbers in the order in which their drivers see them: on USB, whichever stick is quicker. Ports stay. */
static int compare_items(const struct dirent **one, const struct dirent **other)
{
	struct scsi_place places[2];
	char hosts[2][PATH_MAX];
	int order;

	find_host(*one, hosts[0]);
	find_host(*other, hosts[1]);
	order = strverscmp(hosts[0], hosts[1]);
	if (order || !scsi_parse((*one)->d_name, &places[0]) || !scsi_parse((*other)->d_name, &places[1]))
		return order;
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
			root_look(true);
		}
		free(items[i]);
	}
	if (count >= 0)
		free(items);
}

void scsi_name_disks(const char *above)
{
	if (!cmdline.unordered)
		bind_below(above);
}

static void find_scsi(void *data, async_cookie_t cookie)
{
	const struct pci_function *function = data;

	(void)cookie;
	async_set_name("scsi_find");
	async_synchronize_call(function->load, &find_domain);
	device_find(function->path, function->probe);
	root_look(true); /* what is no SCSI disk has its name already */
}

static int probe_scsi(void)
{
	const int classes[] = {PCI_SCSI, PCI_RAID, PCI_SAS};

	static struct module_hook hook = {
		.name = "scsi_mod", .options = "scan=sync", .unless = "scan=", .loaded = hold_scsi};

	modules_hook(&hook);
	hold_scsi(); /* in case that SCSI is built in */
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		for (struct pci_function *at = NULL; (at = pci_next(at, PCI_STORAGE, classes[i]));)
			at->finder = find_scsi;
	return 0;
}
subsys_initcall(probe_scsi);

void scsi_release(void)
{
	released = true;
	if (!file_exists(SCSI_BUS))
		return;
	bind_below("/sys/devices");
	if (file_write(SCSI_BUS "/drivers_autoprobe", "1"))
		complain("scsi: cannot write %s/drivers_autoprobe: disks that are plugged in later get no names",
			 SCSI_BUS);
}
