/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <inorder/initcall.h>

#include "device.h"

static bool is_zone(const char *name)
{
	return !strncmp(name, "thermal_zone", 12);
}

static void probe_zone(struct device *device)
{
	const char *temperature;

	device_say_attribute(device, "", "type");
	temperature = device_attribute(device, "temp");
	if (temperature)
		device_say(device, "%.1f degrees", strtod(temperature, NULL) / 1000);
}

static int __init probe_thermal(void)
{
	return device_schedule_all("/sys/class/thermal", "thermal", is_zone, probe_zone);
}
late_initcall(probe_thermal);
