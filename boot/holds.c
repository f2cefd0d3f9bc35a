/* SPDX-License-Identifier: MIT */
/*
 * What keeps names in order holds devices back: buses that bind nothing by
 * themselves, overrides of single devices. All of it is given back here, when
 * everything was found, or when the one who should have found it is dead. So
 * it relies on sysfs alone, and may be done twice.
 */
#include "internal.h"

enum { PCI_STORAGE = 0x01, PCI_SERIAL = 0x0c, PCI_USB = 0x03 };

static void name_disks(unsigned int base, int subclass)
{
	for (struct pci_function *at = NULL; (at = pci_next(at, base, subclass));) {
		virtio_name_disks(at->path);
		scsi_name_disks(at->path);
	}
}

void holds_release(void)
{
	if (cmdline.unordered) /* then nothing is held */
		return;
	name_disks(PCI_STORAGE, -1);
	name_disks(PCI_SERIAL, PCI_USB);
	nvme_release();
	cards_release();
	virtio_release();
	scsi_release();
}
