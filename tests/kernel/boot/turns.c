// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Devices whose asynchronous probes take longer the earlier they were found, and then a number: in the order in which
 * they were found, once as devices of a driver that is there, once by a driver that comes to them. With hang=1 the
 * first one gets nowhere until all others have their numbers.
 */
#include <linux/async.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#if __has_include(<linux/device_turn.h>)
#include <linux/device_turn.h>
#else /* the stock kernel: shows what turns are for */
static inline void device_turn_wait(struct device *dev)
{
}

static inline void device_turn_done(struct device *dev)
{
}
#endif

#define DEVICES 16

static bool hang;
module_param(hang, bool, 0444);
MODULE_PARM_DESC(hang, "the first device's probe waits for all others'");

static struct platform_device *devices[DEVICES];
static atomic_t next_number;
static int number_of[DEVICES];
static DECLARE_COMPLETION(others_are_done);

static int turns_probe(struct platform_device *found)
{
	if (hang && !found->id)
		wait_for_completion(&others_are_done);
	else
		msleep((DEVICES - found->id) * 5);
	device_turn_wait(&found->dev);
	number_of[found->id] = atomic_inc_return(&next_number);
	device_turn_done(&found->dev);
	if (number_of[found->id] == DEVICES - 1)
		complete(&others_are_done);
	msleep(20);
	return 0;
}

static struct platform_driver driver = {
	.probe = turns_probe,
	.driver = {.name = "inorder_turns", .probe_type = PROBE_PREFER_ASYNCHRONOUS},
};

static unsigned int check(const char *how)
{
	unsigned int first = hang ? 1 : 0, wrong = 0;

	async_synchronize_full();
	for (unsigned int i = first; i < DEVICES; i++)
		wrong += number_of[i] != i + 1 - first;
	if (hang)
		wrong += number_of[0] != DEVICES;
	pr_notice("inorder-check: turns: %s: %u of %u out of order\n", how, wrong, DEVICES);
	atomic_set(&next_number, 0);
	reinit_completion(&others_are_done);
	return wrong;
}

static void remove_devices(void)
{
	for (unsigned int i = 0; i < DEVICES; i++)
		platform_device_unregister(devices[i]);
}

static int __init begin(void)
{
	int error = platform_driver_register(&driver);

	if (error)
		return error;
	for (unsigned int i = 0; i < DEVICES; i++) {
		devices[i] = platform_device_register_simple("inorder_turns", i, NULL, 0);
		if (IS_ERR(devices[i]))
			devices[i] = NULL; /* shows as a wrong number */
	}
	check("new devices");
	platform_driver_unregister(&driver);
	error = platform_driver_register(&driver);
	if (error) {
		remove_devices();
		return error;
	}
	check("a new driver");
	return 0;
}

static void __exit end(void)
{
	remove_devices();
	platform_driver_unregister(&driver);
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("Asynchronous probes that take numbers");
MODULE_LICENSE("Dual MIT/GPL");
