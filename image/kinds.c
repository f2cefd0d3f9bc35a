/* SPDX-License-Identifier: MIT */
/*
 * The drivers that any machine may need to reach its root and to ask for a passphrase, by kind: the list of
 * --universal. --host takes those of them that this machine asks for. Words as for --add-module; all may be missing,
 * because kernels differ in what they have and in what is built in.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *kind;
	const char *words[24];
} kinds[] = {
	{"disks",
	 {"drivers/ata/", "drivers/scsi/", "drivers/nvme/host/", "drivers/nvme/common/", "drivers/message/fusion/",
	  "drivers/ufs/", "drivers/block/", "drivers/cdrom/", "drivers/nvdimm/"}},
	{"cards",
	 {"drivers/mmc/", "drivers/memstick/", "drivers/misc/cardreader/", "drivers/staging/rts5208/", "tifm_core",
	  "tifm_7xx1"}},
	{"guests", {"drivers/virtio/", "drivers/hv/", "drivers/xen/", "drivers/misc/vmw_vmci/"}},
	{"buses",
	 {"drivers/usb/host/", "drivers/usb/storage/", "drivers/usb/common/", "drivers/usb/core/", "drivers/usb/roles/",
	  "drivers/usb/typec/", "drivers/thunderbolt/", "drivers/firewire/", "drivers/pci/controller/",
	  "drivers/pci/hotplug/", "drivers/bus/", "drivers/dca/"}},
	{"boards",
	 {"drivers/i2c/busses/", "drivers/i2c/algos/", "drivers/mfd/", "drivers/pinctrl/", "drivers/gpio/",
	  "drivers/spi/", "drivers/platform/surface/", "drivers/dma/", "drivers/acpi/", "drivers/firmware/",
	  "drivers/extcon/"}},
	{"keyboards", {"drivers/hid/", "drivers/input/keyboard/", "drivers/input/serio/", "evdev"}},
	{"mice", {"psmouse"}},
	{"file systems",
	 {"fs/ext4/", "fs/xfs/", "fs/btrfs/", "fs/f2fs/", "fs/jfs/", "fs/nilfs2/", "fs/reiserfs/", "fs/fat/", "fs/nls/",
	  "fs/isofs/", "fs/udf/", "fs/squashfs/", "fs/erofs/", "fs/overlayfs/", "fs/fuse/", "fs/exfat/",
	  "fs/efivarfs/"}},
	{"volumes", {"drivers/md/"}},
	{"ciphers",
	 {"crypto/", "arch/x86/crypto/", "lib/crypto/", "drivers/crypto/ccp/", "drivers/crypto/virtio/", "padlock_aes",
	  "padlock_sha"}},
};

/* They stand in those folders, but a root that they lead to is across a network: no root of ours. */
static const char *const networks[] = {
	"nbd",      "rbd",       "drbd",        "nvme_rdma",   "nvme_tcp",  "nvme_fc",      "nvme_fabrics",
	"nvmet",    "nvme_loop", "cxgb3i",      "cxgb4i",      "bnx2i",     "bnx2fc",       "qedi",
	"qedf",     "be2iscsi",  "qla4xxx",     "libcxgbi",    "iscsi_tcp", "libiscsi_tcp", "iscsi_boot_sysfs",
	"fcoe",     "libfcoe",   "rnbd_client", "rnbd_server", "aoe",       "ublk_drv",     "scsi_debug",
	"null_blk",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void kinds_want(struct strings *wanted)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		for (size_t j = 0; j < COUNT(kinds[i].words) && kinds[i].words[j]; j++) {
			char *word = text("%s?", kinds[i].words[j]);

			strings_add(wanted, word);
			free(word);
		}
}

const char *kinds_of(const char *path, const char *name)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		for (size_t j = 0; j < COUNT(kinds[i].words) && kinds[i].words[j]; j++) {
			const char *word = kinds[i].words[j];

			if (strchr(word, '/') ? !strncmp(path, word, strlen(word)) : !strcmp(name, word))
				return kinds[i].kind;
		}
	return NULL;
}

bool kinds_leave_out(const char *name)
{
	for (size_t i = 0; i < COUNT(networks); i++)
		if (!strcmp(networks[i], name))
			return true;
	return false;
}
