// SPDX-License-Identifier: MIT OR GPL-2.0
/* A driver whose device answers slowly, and is probed asynchronously. */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>

static unsigned int delay_ms = 3000;
module_param(delay_ms, uint, 0444);
MODULE_PARM_DESC(delay_ms, "how long the probe takes");

static struct platform_device *device;

static int slow_probe(struct platform_device *found)
{
	msleep(delay_ms);
	dev_info(&found->dev, "probed\n");
	return 0;
}

static struct platform_driver driver = {
	.probe = slow_probe,
	.driver = {.name = "inorder_slow", .probe_type = PROBE_PREFER_ASYNCHRONOUS},
};

static int __init begin(void)
{
	int error = platform_driver_register(&driver);

	if (error)
		return error;
	device = platform_device_register_simple("inorder_slow", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(device)) {
		platform_driver_unregister(&driver);
		return PTR_ERR(device);
	}
	return 0;
}

static void __exit end(void)
{
	platform_device_unregister(device);
	platform_driver_unregister(&driver);
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("A slow asynchronous probe");
MODULE_LICENSE("Dual MIT/GPL");
