/* SPDX-License-Identifier: MIT */
/*
 * The names that udev's rules (60-persistent-storage.rules, path_id, ata_id,
 * scsi_id) give a disk below /dev/disk/by-id and by-path: no udev runs in the
 * image, and root= may say one of them.
 */
#include "facts.h"

#include "internal.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/hdreg.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { PAGE_BYTES = 512, PAGE_HEAD = 4, MODEL_LETTERS = 40, SERIAL_LETTERS = 20, WWN_WORD = 108, NAME = 256 };

struct names {
	char *text;
	size_t room;
	char disk[PATH_MAX]; /* the whole disk in /sys/devices */
	char suffix[16];     /* -part1 */
	char pci[32];        /* the function that it is behind */
};

__attribute__((format(printf, 2, 3))) static void add(struct names *names, const char *format, ...)
{
	const size_t used = strlen(names->text);
	char line[NAME];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	path_print_room(names->text + used, names->room - used, "%s%s%s", used ? "\n" : "", line, names->suffix);
}

/* As udev does: blanks around go, blanks inside become one _, what may not be in a name becomes _. */
static void clean(const char *from, size_t length, char *to, size_t room)
{
	size_t used = 0;
	bool blank = false;

	for (size_t i = 0; i < length && from[i] && used < room - 2; i++) {
		const unsigned char letter = (unsigned char)from[i];

		if (isspace(letter)) {
			blank = used > 0;
			continue;
		}
		if (blank)
			to[used++] = '_';
		blank = false;
		to[used++] = (char)(isalnum(letter) || strchr("#+-.:=@_", letter) ? letter : '_');
	}
	to[used] = '\0';
}

/* A file of the disk, or of the nearest device above it that has one. */
static bool read_above(const struct names *names, const char *file, char *text, size_t room)
{
	char path[PATH_MAX + 64], raw[NAME], folder[PATH_MAX], *slash;

	path_print(folder, "%s", names->disk);
	while (strlen(folder) > strlen("/sys/devices")) {
		path_print(path, "%s/%s", folder, file);
		if (file_read(path, raw, sizeof(raw)) > 0) {
			clean(raw, strlen(raw), text, room);
			return *text;
		}
		slash = strrchr(folder, '/');
		*slash = '\0';
	}
	return false;
}

static void name_ata(struct names *names, const char *device)
{
	struct hd_driveid identity = {0};
	const int fd = open(device, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char model[NAME], serial[NAME];
	uint16_t words[256] = {0};

	if (fd < 0)
		return;
	if (!ioctl(fd, HDIO_GET_IDENTITY, &identity)) {
		memcpy(words, &identity, sizeof(identity) < sizeof(words) ? sizeof(identity) : sizeof(words));
		clean((const char *)identity.model, MODEL_LETTERS, model, sizeof(model));
		clean((const char *)identity.serial_no, SERIAL_LETTERS, serial, sizeof(serial));
		add(names, "ata-%s_%s", model, serial);
		if (words[WWN_WORD] >> 12 == 5)
			add(names, "wwn-0x%04x%04x%04x%04x", words[WWN_WORD], words[WWN_WORD + 1], words[WWN_WORD + 2],
			    words[WWN_WORD + 3]);
	}
	close(fd);
}

/* One designator of the page that identifies a device: its type, and what follows the head. */
static void name_designator(struct names *names, const unsigned char *head, const char *vendor, const char *model)
{
	const unsigned char *value = head + PAGE_HEAD;
	const int type = head[1] & 0xf, association = head[1] >> 4 & 3;
	char text[NAME] = "";

	if (association) /* of the port or the target, not of the disk */
		return;
	if ((head[0] & 0xf) == 1)
		for (size_t i = 0; i < head[3] && i < 32; i++)
			sprintf(text + 2 * i, "%02x", value[i]);
	else
		clean((const char *)value, head[3], text, sizeof(text));
	if (type == 3 || type == 2)
		add(names, "scsi-%d%s", type, text);
	if (type == 3)
		add(names, "wwn-0x%s", text);
	if (type == 1)
		add(names, "scsi-1%s", text);
	if (type == 0)
		add(names, "scsi-0%s_%s_%s", vendor, model, text);
}

static void name_scsi(struct names *names)
{
	unsigned char page[PAGE_BYTES];
	char path[PATH_MAX + 32], vendor[NAME] = "", model[NAME] = "";
	ssize_t bytes;
	int fd;

	path_print(path, "%s/device/vpd_pg83", names->disk);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	bytes = read(fd, page, sizeof(page));
	close(fd);
	read_above(names, "device/vendor", vendor, sizeof(vendor));
	read_above(names, "device/model", model, sizeof(model));
	for (ssize_t at = PAGE_HEAD; at + PAGE_HEAD <= bytes && at + PAGE_HEAD + page[at + 3] <= bytes;
	     at += PAGE_HEAD + page[at + 3])
		name_designator(names, page + at, vendor, model);
}

static void name_usb(struct names *names)
{
	char vendor[NAME], model[NAME], serial[NAME];

	if (read_above(names, "device/vendor", vendor, sizeof(vendor)) &&
	    read_above(names, "device/model", model, sizeof(model)) &&
	    read_above(names, "serial", serial, sizeof(serial)))
		add(names, "usb-%s_%s_%s-0:0", vendor, model, serial);
}

static void name_nvme(struct names *names)
{
	char model[NAME], serial[NAME], number[NAME], id[NAME];

	if (read_above(names, "device/model", model, sizeof(model)) &&
	    read_above(names, "device/serial", serial, sizeof(serial))) {
		add(names, "nvme-%s_%s", model, serial);
		if (read_above(names, "nsid", number, sizeof(number)))
			add(names, "nvme-%s_%s_%s", model, serial, number);
	}
	if (read_above(names, "wwid", id, sizeof(id)))
		add(names, "nvme-%s", id);
	if (*names->pci && read_above(names, "nsid", number, sizeof(number)))
		add(names, "pci-%s-nvme-%s", names->pci, number);
}

/* Where a SCSI disk is: behind an ATA port, a USB interface, or a host of its own. */
static void name_scsi_place(struct names *names, const char *address)
{
	const char *ata = strstr(names->disk, "/ata"), *usb = strstr(names->disk, "/usb");
	char port[NAME], interface[NAME] = "";
	struct scsi_place place;

	if (!scsi_parse(address, &place) || !*names->pci)
		return;
	if (ata && usb == NULL && isdigit((unsigned char)ata[4])) {
		path_print(port, "ata%d/ata_port/ata%d/port_no", atoi(ata + 4), atoi(ata + 4));
		if (read_above(names, port, interface, sizeof(interface))) {
			add(names, "pci-%s-ata-%s", names->pci, interface);
			add(names, "pci-%s-ata-%s.%u", names->pci, interface, place.target);
		}
		return;
	}
	for (const char *at = usb; at && (at = strchr(at + 1, '/'));) /* .../1-2/1-2:1.0/host4/... */
		if (strchr(at, ':') && sscanf(at, "/%*d-%240[^/]", port) == 1 && strchr(port, ':'))
			path_print(interface, "usb-0:%s-", port);
	add(names, "pci-%s-%sscsi-0:%u:%u:%llu", names->pci, interface, place.channel, place.target,
	    (unsigned long long)place.lun);
}

static void name_array(struct names *names, const char *device)
{
	char name[NAME] = "", uuid[NAME] = "";

	if (!raid_array_ids(device, name, uuid, NAME))
		return;
	if (*name)
		add(names, "md-name-%s", name);
	if (*uuid)
		add(names, "md-uuid-%s", uuid);
}

static void name_others(struct names *names, const char *kernel)
{
	char name[NAME], serial[NAME];

	if (!strncmp(kernel, "vd", 2)) {
		if (read_above(names, "serial", serial, sizeof(serial)))
			add(names, "virtio-%s", serial);
		if (*names->pci) {
			add(names, "pci-%s", names->pci);
			add(names, "virtio-pci-%s", names->pci);
		}
	} else if (!strncmp(kernel, "mmcblk", 6) && read_above(names, "device/name", name, sizeof(name)) &&
		   read_above(names, "device/serial", serial, sizeof(serial))) {
		add(names, "mmc-%s_%s", name, serial);
	} else if (!strncmp(kernel, "dm-", 3)) {
		if (read_above(names, "dm/name", name, sizeof(name)))
			add(names, "dm-name-%s", name);
		if (read_above(names, "dm/uuid", name, sizeof(name)))
			add(names, "dm-uuid-%s", name);
	}
}

/* The disk of a partition; the PCI function. Return: false if the device is not in sysfs. */
static bool find_place(struct names *names, const char *device)
{
	char path[PATH_MAX], number[16], part[32];
	unsigned int place[4];
	struct stat info;

	if (stat(device, &info))
		return false;
	path_print(path, "/sys/dev/block/%u:%u", major(info.st_rdev), minor(info.st_rdev));
	if (!realpath(path, names->disk))
		return false;
	path_print(path, "%s/partition", names->disk);
	if (file_read(path, number, sizeof(number)) > 0) {
		path_print(names->suffix, "-part%.8s", number);
		*strrchr(names->disk, '/') = '\0';
	}
	for (const char *at = names->disk; (at = strchr(at, '/')); at++) {
		path_print(part, "%.*s", (int)strcspn(at + 1, "/"), at + 1);
		if (pci_parse(part, place))
			path_print(names->pci, "%s", part);
	}
	return true;
}

void links_read(const char *device, char *links, size_t room)
{
	struct names names = {.text = links, .room = room};
	char whole[NAME], address[NAME], vendor[NAME];
	const char *kernel;

	*links = '\0';
	if (!find_place(&names, device))
		return;
	kernel = strrchr(names.disk, '/') + 1;
	path_print(whole, "/dev/%s", kernel);
	if (!strncmp(kernel, "nvme", 4)) {
		name_nvme(&names);
	} else if (file_link_name(names.disk, "device", address, sizeof(address)) && strchr(address, ':')) {
		if (strstr(names.disk, "/usb"))
			name_usb(&names);
		else if (read_above(&names, "device/vendor", vendor, sizeof(vendor)) && !strcmp(vendor, "ATA"))
			name_ata(&names, whole);
		name_scsi(&names);
		name_scsi_place(&names, address);
	} else if (!strncmp(kernel, "md", 2)) {
		name_array(&names, whole);
	} else {
		name_others(&names, kernel);
	}
}
