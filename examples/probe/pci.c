/* SPDX-License-Identifier: MIT */
#include <inorder/initcall.h>

#include "device.h"

static void probe_function(struct device *device)
{
	const char *driver;

	device_say_attribute(device, "class", "class");
	device_say_attribute(device, "vendor", "vendor");
	device_say_attribute(device, "device", "device");
	driver = device_link(device, "driver");
	device_say(device, "%s%s", driver ? "driver " : "no driver", driver ? driver : "");
}

static int __init probe_pci(void)
{
	return device_schedule_all("/sys/bus/pci/devices", "pci", NULL, probe_function);
}
subsys_initcall(probe_pci);
