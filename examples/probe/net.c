/* SPDX-License-Identifier: MIT */
#include <inorder/initcall.h>

#include "device.h"

static void probe_interface(struct device *device)
{
	const char *driver = device_link(device, "device/driver");
	const char *speed;

	if (driver)
		device_say(device, "driver %s, ", driver);
	device_say_attribute(device, "", "address");
	device_say_attribute(device, "state", "operstate");
	speed = device_attribute(device, "speed");
	if (speed && speed[0] != '-') /* -1: not known */
		device_say(device, "%s Mbit/s, ", speed);
	device_say_attribute(device, "mtu", "mtu");
}

static int __init probe_net(void)
{
	return device_schedule_all("/sys/class/net", "net", NULL, probe_interface);
}
device_initcall(probe_net);
