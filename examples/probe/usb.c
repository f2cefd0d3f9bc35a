/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <inorder/initcall.h>

#include "device.h"

/* "1-2:1.0" is an interface of the device "1-2". */
static bool is_device(const char *name)
{
	return !strchr(name, ':');
}

static void probe_device(struct device *device)
{
	device_say_attribute(device, "", "manufacturer");
	device_say_attribute(device, "", "product");
	device_say_attribute(device, "vendor", "idVendor");
	device_say_attribute(device, "product", "idProduct");
	device_say_attribute(device, "Mbit/s", "speed");
}

static int __init probe_usb(void)
{
	return device_schedule_all("/sys/bus/usb/devices", "usb", is_device, probe_device);
}
subsys_initcall(probe_usb);
