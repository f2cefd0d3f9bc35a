/* SPDX-License-Identifier: MIT */
/* Every other device that has a driver in the image: network, input, watchdogs, ... */
#include "internal.h"

#include <inorder/initcall.h>
#include <string.h>

/*
 * True if the real init is a systemd with udev, which tries all devices anyway. What is left has no names to be kept in
 * order, and to load it twice would take processors from the real root's start.
 */
static bool udev_does_it(void)
{
	char init[64];

	return file_link_name("/proc/1", "exe", init, sizeof(init)) && !strcmp(init, "systemd") &&
	       (file_exists("/proc/1/root/usr/bin/udevadm") || file_exists("/proc/1/root/bin/udevadm"));
}

static void find_rest(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	async_set_name("rest_find");
	if (!rest_wanted_late())
		return;
	cards_wait(); /* interfaces on USB come after those on PCI */
	if (is_finisher() && udev_does_it())
		return;
	device_find("/sys/devices", MODULE_PROBE_ASYNC);
	root_look(true);
}

static int probe_rest(void)
{
	async_schedule_domain(find_rest, NULL, &rest_domain);
	return 0;
}
late_initcall(probe_rest);

void rest_wait(void)
{
	usb_wait();
	cards_wait();
	async_synchronize_full_domain(&rest_domain);
}
