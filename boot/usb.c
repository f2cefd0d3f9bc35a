/* SPDX-License-Identifier: MIT */
/*
 * USB. The kernel looks at the ports in threads of its own, and says when it
 * found a device, not when it is done. But a hub answers which of its ports
 * have something connected; so every such port is waited for until its device
 * is there and configured.
 *
 * usb-storage scans a second after it found a stick, because some are not
 * ready at once. A scan asked for through sysfs goes ahead of that; a stick
 * that is not ready, or whose host was not there yet, is found by the second
 * scan, as without us, and is waited for.
 */
#include "internal.h"

#include <fcntl.h>
#include <inorder/initcall.h>
#include <linux/usbdevice_fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	PCI_SERIAL = 0x0c,
	PCI_USB = 0x03,
	PORT_STATUS = 0xa3, /* a request to a port, device to host */
	GET_STATUS = 0,
	CONNECTED = 1,
	CLASS_STORAGE = 8,
	CLASS_HUB = 9,
	LIMIT_S = 5 /* for a port: a device that cannot be configured never comes */
};

static ASYNC_DOMAIN_EXCLUSIVE(usb_names);
static bool (*is_missing)(void); /* something else than the root is looked for */

static long read_number(const char *path, const char *name)
{
	char file[PATH_MAX], text[32];

	path_print(file, "%s/%s", path, name);
	return file_read(file, text, sizeof(text)) > 0 ? strtol(text, NULL, 10) : 0;
}

/* A hub's own device, in sysfs at @path. Return: an open file, or -1. */
static int open_hub(const char *path)
{
	char device[64];

	path_print(device, "/dev/bus/usb/%03ld/%03ld", read_number(path, "busnum"), read_number(path, "devnum"));
	return open(device, O_RDWR | O_CLOEXEC);
}

static bool is_connected(int hub, long port)
{
	unsigned char status[4] = {0};
	struct usbdevfs_ctrltransfer request = {
		.bRequestType = PORT_STATUS,
		.bRequest = GET_STATUS,
		.wIndex = (uint16_t)port,
		.wLength = sizeof(status),
		.timeout = 1000,
		.data = status,
	};

	return ioctl(hub, USBDEVFS_CONTROL, &request) == sizeof(status) && (status[0] & CONNECTED);
}

/* The device at a port: BUS-PORT below a root hub (usbBUS), HUB.PORT below others. */
static bool is_configured(const char *hub, long port)
{
	const char *name = strrchr(hub, '/') + 1;
	char path[PATH_MAX];

	if (!strncmp(name, "usb", 3))
		path_print(path, "%s/%s-%ld", hub, name + 3, port);
	else
		path_print(path, "%s/%s.%ld", hub, name, port);
	return read_number(path, "bConfigurationValue") > 0;
}

/*
 * Whether the kernel's driver of hubs has it. Until then nothing is known of its ports: what is at them is to come.
 * The link is there before the driver's probe is over, so the number of ports is looked at too: no hub has none.
 */
static bool is_driven(const char *hub)
{
	const char *name = strrchr(hub, '/') + 1;
	char path[PATH_MAX];

	if (!strncmp(name, "usb", 3))
		path_print(path, "%s/%s-0:1.0/driver", hub, name + 3);
	else
		path_print(path, "%s/%s:1.0/driver", hub, name);
	return file_exists(path);
}

static void visit_hub(const char *path, void *data)
{
	const long ports = read_number(path, "maxchild");
	bool *settled = data;
	char class[8], file[PATH_MAX];
	int hub;

	path_print(file, "%s/bDeviceClass", path);
	if (file_read(file, class, sizeof(class)) > 0 && strtol(class, NULL, 16) == CLASS_HUB &&
	    (ports <= 0 || !is_driven(path)))
		*settled = false;
	if (ports <= 0 || !*settled)
		return;
	hub = open_hub(path);
	if (hub < 0)
		return;
	for (long port = 1; port <= ports && *settled; port++)
		if (!is_configured(path, port) && is_connected(hub, port))
			*settled = false;
	close(hub);
}

static bool is_settled(void *data)
{
	const struct pci_function *function = data;
	bool settled = true;

	device_walk(function->path, "maxchild", visit_hub, &settled);
	return settled;
}

static void count_device(const char *path, void *data)
{
	(void)path;
	++*(size_t *)data;
}

static size_t count_devices(const char *path)
{
	size_t count = 0;

	device_walk(path, "bConfigurationValue", count_device, &count);
	return count;
}

static void visit_scan(const char *path, void *data)
{
	char file[PATH_MAX];

	(void)data;
	path_print(file, "%s/scan", path);
	file_write(file, "- - -"); /* an error: the kernel's own scan is still to come */
}

static void visit_device(const char *path, void *data)
{
	(void)path;
	*(bool *)data = true;
}

/* A storage interface is looked into when a SCSI device stands below it: each has one, even a reader without a card. */
static void visit_interface(const char *path, void *data)
{
	char class[8], file[PATH_MAX];
	bool found = false;

	path_print(file, "%s/bInterfaceClass", path);
	if (file_read(file, class, sizeof(class)) <= 0 || strtol(class, NULL, 16) != CLASS_STORAGE)
		return;
	device_walk(path, "scsi_level", visit_device, &found);
	if (!found)
		*(bool *)data = false;
}

static bool is_scanned(void *data)
{
	const struct pci_function *function = data;
	bool scanned = true;

	device_walk(function->path, "bInterfaceClass", visit_interface, &scanned);
	return scanned;
}

void usb_want(bool (*missing)(void))
{
	is_missing = missing;
}

static void find_usb(void *data, async_cookie_t cookie)
{
	const struct pci_function *function = data;
	struct module_set disks = {0};
	int events;
	size_t known;

	(void)cookie;
	async_set_name("usb_find");
	if (!rest_wanted() && !(is_missing && is_missing()))
		return;
	events = uevent_open();
	modules_request("sd_mod", MODULE_PROBE_ASYNC, &disks);
	do {
		device_find(function->path, MODULE_NO_NETWORK);
		known = count_devices(function->path);
		if (events >= 0 &&
		    !uevent_wait(events, "USB devices", is_settled, data, now_ns() + LIMIT_S * NSEC_PER_SEC))
			say("usb: %s: a device is connected and was not configured within %d s", function->address,
			    LIMIT_S);
	} while (count_devices(function->path) > known);
	device_find(function->path, MODULE_NO_NETWORK);
	device_walk(function->path, "scan", visit_scan, NULL);
	if (events >= 0 && !uevent_wait(events, "USB disks", is_scanned, data, now_ns() + LIMIT_S * NSEC_PER_SEC))
		say("usb: %s: a storage device showed no disk within %d s", function->address, LIMIT_S);
	modules_wait(&disks);
	if (events >= 0)
		close(events);
}

static void name_usb(void *data, async_cookie_t cookie)
{
	const struct pci_function *function = data;

	(void)cookie;
	if (!naming_begin())
		return;
	scsi_name_disks(function->path);
	naming_end();
}

/* After all disks that are no USB disks: find_usb() begins when these have their names. */
static int probe_usb(void)
{
	for (struct pci_function *at = NULL; (at = pci_next(at, PCI_SERIAL, PCI_USB));)
		if (!async_schedule_ordered(find_usb, name_usb, at, &usb_names))
			complain("usb: out of memory: %s is not probed", at->address);
	return 0;
}
late_initcall(probe_usb);

void usb_wait(void)
{
	async_synchronize_full_domain(&usb_names);
}

bool rest_wanted_late(void)
{
	if (!rest_wanted())
		return false;
	if (cmdline.serial || is_finisher())
		return true;
	usb_wait();
	return rest_wanted();
}
