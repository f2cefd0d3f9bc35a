/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Turns: drivers that probe asynchronously give out names and numbers in the order in which their devices were found.
 *
 * The driver core takes a turn for a device when it schedules its asynchronous probe. The driver asks for it just
 * before it takes a number, and gives it up as soon as it has one:
 *
 *	device_turn_wait(dev);
 *	index = ida_alloc(&my_ida, GFP_KERNEL);
 *	device_turn_done(dev);
 *
 * What the probe does before and after that runs side by side with other probes. The end of the probe gives the turn up
 * in any case. Without a turn (the probe is synchronous, or there is no memory) both do nothing.
 */
#ifndef _LINUX_DEVICE_TURN_H
#define _LINUX_DEVICE_TURN_H

struct device;

#ifdef CONFIG_DEVICE_TURNS

void device_turn_wait(struct device *dev);
void device_turn_done(struct device *dev);

#else

static inline void device_turn_wait(struct device *dev)
{
}

static inline void device_turn_done(struct device *dev)
{
}

#endif

#endif
