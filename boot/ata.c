/* SPDX-License-Identifier: MIT */
/*
 * ATA controllers. Their links come up in the kernel's own async calls, and
 * nothing tells user space of a port where nothing is plugged in. One thing
 * does wait for these calls: the load of a module without async_probe. So
 * this driver is loaded without, by a call of ours that can wait.
 */
#include "internal.h"

#include <inorder/initcall.h>

enum { PCI_STORAGE = 0x01, PCI_IDE = 0x01, PCI_ATA = 0x05, PCI_SATA = 0x06 };

static void find_ata(void *data, async_cookie_t cookie)
{
	const struct pci_function *function = data;

	(void)cookie;
	async_set_name("ata_find");
	async_synchronize_call(function->load, &find_domain);
	device_find(function->path, function->probe);
}

static int probe_ata(void)
{
	const int classes[] = {PCI_IDE, PCI_ATA, PCI_SATA};

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		for (struct pci_function *at = NULL; (at = pci_next(at, PCI_STORAGE, classes[i]));) {
			at->finder = find_ata;
			at->probe = MODULE_PROBE_WAIT;
		}
	return 0;
}
subsys_initcall(probe_ata);
