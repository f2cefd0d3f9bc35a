/* SPDX-License-Identifier: MIT */
/*
 * Hints: what the root needed in an earlier boot. The image carries them, and the loads that they name are scheduled
 * before a device asks for them: of the file system, which else is known only when the root was seen, and of what
 * volumes need. They have the lowest priority, and what has not begun when the root is found is given up like any other
 * load. So hints that are wrong cost time, and nothing else.
 *
 * No name may depend on a hint. So only that is loaded early which brings no device by itself: libraries of drivers,
 * file systems, ciphers, volumes, and drivers of a bus that binds nothing yet (scsi.c, virtio.c) or has no device
 * before a controller's turn has come (USB). A controller's driver is left to that turn; only what it needs goes ahead.
 */
#include "facts.h"
#include "hint_file.h"
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inorder/initcall.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HINTS "/etc/inorder/hints"
#define RECORD_FOLDER "/run/inorder"
#define RECORD RECORD_FOLDER "/hints"

enum { MOST_BYTES = 16384, DEEPEST = 16 };

/* Below kernel/: folders, and modules without what follows their name. */
static const char *const early[] = {
	"fs/",
	"lib/",
	"crypto/",
	"arch/x86/crypto/",
	"arch/arm64/crypto/",
	"drivers/md/",
	"drivers/ata/libata.",
	"drivers/ata/libahci.",
	"drivers/scsi/scsi_common.",
	"drivers/scsi/scsi_mod.",
	"drivers/scsi/scsi_transport_",
	"drivers/scsi/sd_mod.",
	"drivers/scsi/virtio_scsi.",
	"drivers/block/virtio_blk.",
	"drivers/virtio/virtio.",
	"drivers/virtio/virtio_ring.",
	"drivers/virtio/virtio_pci_",
	"drivers/nvme/host/nvme-core.",
	"drivers/nvme/common/",
	"drivers/usb/common/",
	"drivers/usb/core/",
	"drivers/usb/host/xhci-hcd.",
	"drivers/usb/host/ehci-hcd.",
	"drivers/usb/storage/",
	"drivers/mmc/core/",
	"drivers/mmc/host/sdhci.",
};

static bool may_be_early(const char *path)
{
	const char *kernel = strstr(path, "/kernel/");

	for (size_t i = 0; kernel && i < sizeof(early) / sizeof(*early); i++)
		if (!strncmp(kernel + strlen("/kernel/"), early[i], strlen(early[i])))
			return true;
	return false;
}

static void follow(const struct hints *hints)
{
	char alias[64];

	for (size_t i = 0; i < hints->count; i++)
		modules_hint(hints->modules[i], may_be_early);
	if (!hints->filesystem || (cmdline.rootfstype && strcmp(cmdline.rootfstype, "auto")))
		return;
	path_print(alias, "fs-%s", hints->filesystem);
	modules_hint(alias, may_be_early);
}

static int read_hints(void)
{
	char text[MOST_BYTES];
	struct hints hints;
	int bytes;

	if (is_finisher() || cmdline.serial)
		return 0;
	bytes = file_read(HINTS, text, sizeof(text));
	if (bytes == -ENOENT)
		return 0;
	if (bytes < 0 || bytes == MOST_BYTES - 1) {
		complain("hints: " HINTS " is ignored: %s",
			 bytes < 0 ? strerror(-bytes) : "it is longer than hints ever are");
		return 0;
	}
	hints_parse(text, (size_t)bytes, &hints);
	if (hints.malformed)
		complain("hints: " HINTS ": line %zu is malformed and ignored: '%s'; malformed lines in all: %zu",
			 hints.line, hints.sample, hints.malformed);
	follow(&hints);
	return 0;
}
fs_initcall(read_hints);

static void mark(struct module_time *times, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(times[i].name, name))
			times[i].of_root = true;
}

/* The drivers of a device of sysfs, of those that it is behind, and of those that it stands on. */
static void mark_chain(struct module_time *times, size_t count, const char *link, unsigned int depth)
{
	char path[PATH_MAX], folder[PATH_MAX], name[64];

	if (depth == DEEPEST || !realpath(link, path))
		return;
	for (char *slash; !strncmp(path, "/sys/devices/", 13) && (slash = strrchr(path, '/')); *slash = '\0') {
		const struct dirent *item;
		DIR *slaves;

		if (file_link_name(path, "driver/module", name, sizeof(name)))
			mark(times, count, name);
		path_print(folder, "%s/slaves", path);
		slaves = opendir(folder);
		while (slaves && (item = readdir(slaves))) {
			char slave[PATH_MAX];

			path_print(slave, "%s/%s", folder, item->d_name);
			if (item->d_name[0] != '.')
				mark_chain(times, count, slave, depth + 1);
		}
		if (slaves)
			closedir(slaves);
	}
}

static int longest_first(const void *one, const void *other)
{
	const struct module_time *a = one, *b = other;

	if (a->chain_us != b->chain_us)
		return a->chain_us < b->chain_us ? 1 : -1;
	return strcmp(a->name, b->name);
}

static void write_hints(FILE *file, const struct facts *root, const struct module_time *times, size_t count)
{
	size_t words = 0;

	fprintf(file, "# inorder-init: what the root needed; modules by the length of their chains\n");
	if (*root->type)
		fprintf(file, "filesystem %s\n", root->type);
	for (size_t i = 0; i < count; i++)
		if (times[i].of_root && words < HINTS_MOST)
			fprintf(file, "%s%s", words++ ? " " : "root ", times[i].name);
	fprintf(file, "%s", words ? "\n" : "");
	for (size_t i = 0; i < count; i++)
		fprintf(file, "module %s %llu\n", times[i].name, (unsigned long long)(times[i].own_us + 500) / 1000);
}

void hints_record(const struct facts *root)
{
	struct module_time *times;
	const size_t count = modules_loaded(&times);
	char link[64];
	FILE *file = NULL;

	path_print(link, "/sys/dev/block/%u:%u", root->major, root->minor);
	mark_chain(times, count, link, 0);
	if (count)
		qsort(times, count, sizeof(*times), longest_first);
	if (!mkdir(RECORD_FOLDER, 0755) || errno == EEXIST)
		file = fopen(RECORD, "we");
	if (file)
		write_hints(file, root, times, count);
	if (!file || fclose(file))
		say("hints: cannot write " RECORD ": %s", strerror(errno));
	free(times);
}
