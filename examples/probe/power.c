/* SPDX-License-Identifier: MIT */
/* Batteries and mains: their attributes are asked from slow embedded controllers. */
#include <inorder/initcall.h>

#include "device.h"

static void probe_supply(struct device *device)
{
	device_say_attribute(device, "", "type");
	device_say_attribute(device, "", "status");
	device_say_attribute(device, "percent", "capacity");
	device_say_attribute(device, "online", "online");
}

static int __init probe_power(void)
{
	return device_schedule_all("/sys/class/power_supply", "power", NULL, probe_supply);
}
late_initcall(probe_power);
