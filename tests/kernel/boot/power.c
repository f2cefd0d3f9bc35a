// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Devices that take their time to shut down, to suspend and to resume: "insmod inorder_power.ko n=64 ms=1000", at most
 * wide=N of them below one parent. How long it took from the first to the last is one line of the log, and whether one
 * was before another that it has to follow: shutdown and suspend before the children's end, resume before the parent's.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/sched/signal.h>

static unsigned int n = 64;
module_param(n, uint, 0444);
static unsigned int ms = 1000;
module_param(ms, uint, 0444);
static unsigned int wide = 8;
module_param(wide, uint, 0444);

#define MOST 2000

static struct platform_device *devices[MOST + 1]; /* the root first */
static unsigned int parent_of[MOST + 1];
static bool done[MOST + 1];
static atomic_t begun, wrong, inside, most_inside;
static ktime_t since;

/* Device i has been through, which must not be before those that it waits for. */
static void check_children(unsigned int i)
{
	for (unsigned int k = i + 1; k <= n; k++)
		if (parent_of[k] == i && !READ_ONCE(done[k]))
			atomic_inc(&wrong);
}

static void take_time(unsigned int i)
{
	int now = atomic_inc_return(&inside), most = atomic_read(&most_inside);

	while (now > most && !atomic_try_cmpxchg(&most_inside, &most, now))
		;
	msleep(ms);
	atomic_dec(&inside);
	WRITE_ONCE(done[i], true);
}

static void begin_once(void)
{
	if (!atomic_xchg(&begun, 1))
		since = ktime_get();
}

static void say(const char *what)
{
	unsigned int tasks = 0;
	struct task_struct *task;

	rcu_read_lock();
	for_each_process(task) tasks++;
	rcu_read_unlock();
	pr_emerg("inorder-check: power: %s: %u devices of %u ms in %lld ms, %d at once, %d out of order, %u tasks\n",
		 what, n, ms, ktime_ms_delta(ktime_get(), since), atomic_read(&most_inside), atomic_read(&wrong),
		 tasks);
	memset(done, 0, sizeof(done));
	atomic_set(&begun, 0);
	atomic_set(&wrong, 0);
	atomic_set(&most_inside, 0);
}

static void down(unsigned int i, const char *what)
{
	begin_once();
	check_children(i);
	if (i)
		take_time(i);
	else
		say(what);
}

static void power_shutdown(struct platform_device *device)
{
	down(device->id, "shutdown");
}

static int power_suspend(struct device *dev)
{
	down(to_platform_device(dev)->id, "suspend");
	return 0;
}

/* The last one to end, whichever it is, reports. */
static int power_resume(struct device *dev)
{
	static atomic_t left;
	unsigned int i = to_platform_device(dev)->id;

	if (!i) {
		begin_once();
		atomic_set(&left, n);
		WRITE_ONCE(done[0], true);
		return 0;
	}
	if (!READ_ONCE(done[parent_of[i]]))
		atomic_inc(&wrong);
	take_time(i);
	if (atomic_dec_and_test(&left))
		say("resume");
	return 0;
}

static int power_probe(struct platform_device *device)
{
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(power_ops, power_suspend, power_resume);

static struct platform_driver driver = {
	.probe = power_probe,
	.shutdown = power_shutdown,
	.driver = {.name = "inorder_power", .pm = pm_sleep_ptr(&power_ops)},
};

static void remove_devices(void)
{
	for (unsigned int i = n + 1; i--;)
		if (!IS_ERR_OR_NULL(devices[i]))
			platform_device_unregister(devices[i]);
	platform_driver_unregister(&driver);
}

static int add(unsigned int i)
{
	struct platform_device *device = platform_device_alloc("inorder_power", i);
	int error;

	if (!device)
		return -ENOMEM;
	parent_of[i] = i ? (i - 1) / wide : 0;
	if (i)
		device->dev.parent = &devices[parent_of[i]]->dev;
	dev_set_uevent_suppress(&device->dev, true); /* the path of a device so deep is too long for one */
	error = platform_device_add(device);
	if (error) {
		platform_device_put(device);
		return error;
	}
	device_enable_async_suspend(&device->dev);
	devices[i] = device;
	return 0;
}

static int __init begin(void)
{
	int error = n && n <= MOST && wide ? platform_driver_register(&driver) : -EINVAL;

	if (error)
		return error;
	for (unsigned int i = 0; i <= n && !error; i++)
		error = add(i);
	if (error)
		remove_devices();
	return error;
}

static void __exit end(void)
{
	remove_devices();
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("Devices that take long to shut down, suspend and resume");
MODULE_LICENSE("Dual MIT/GPL");
