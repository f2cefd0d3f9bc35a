// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Turns of asynchronous probes: see include/linux/device_turn.h.
 *
 * The turns of a driver form a list in the order in which its devices were found. The first one has come. When it is
 * over the next one comes, and its waiter alone is woken. Where the drivers of many cards give out names of one kind
 * (eth0, mmc0), their turns are one list: what a card is, its bus says before a driver has seen it.
 *
 * A device whose turn has come and whose probe hangs holds up those behind it.
 * Who waits reports that, and after a limit takes the turn away from it: the
 * others go on in their order, a dead disk does not stop the boot.
 *
 * dd.c takes none where probes hold the lock of the parent (USB).
 */
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/device_turn.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <linux/virtio_ids.h>

#include "base.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "device_turn."

static unsigned int watchdog = 10;
module_param(watchdog, uint, 0644);
MODULE_PARM_DESC(watchdog, "report a device that holds up others for longer, in seconds; 0: do not");

static unsigned int limit = 60;
module_param(limit, uint, 0644);
MODULE_PARM_DESC(limit, "no longer wait for a device that holds up others for so long, in seconds; 0: wait for ever");

struct device_turn {
	struct kref users;
	struct completion come;
	struct list_head node; /* turn_lock: of its driver; empty when it is over */
	struct list_head *of;  /* that list */
	struct device *dev;    /* outlives it: a probe ends before its device */
	unsigned long since;   /* turn_lock: when it came */
	bool reported;         /* turn_lock */
};

static DEFINE_SPINLOCK(turn_lock);
static LIST_HEAD(network_turns); /* turn_lock */
static LIST_HEAD(card_turns);    /* turn_lock: hosts of MMC and SD cards */

static void turn_free(struct kref *users)
{
	kfree(container_of(users, struct device_turn, users));
}

/* The first one's turn has come. With turn_lock held. */
static void turn_come(struct list_head *turns)
{
	struct device_turn *first = list_first_entry_or_null(turns, struct device_turn, node);

	if (!first || completion_done(&first->come))
		return;
	first->since = jiffies;
	complete_all(&first->come);
}

/* With turn_lock held. */
static void turn_over(struct device_turn *turn)
{
	if (list_empty(&turn->node))
		return; /* it was taken away */
	list_del_init(&turn->node);
	complete_all(&turn->come);
	turn_come(turn->of);
}

/* The list in which a device of this driver has its turn. */
static struct list_head *turns_of(struct device *dev, const struct device_driver *drv)
{
	if (dev_is_pci(dev)) {
		unsigned int class = to_pci_dev(dev)->class;

		if (class >> 16 == PCI_BASE_CLASS_NETWORK)
			return &network_turns;
		if (class >> 8 == PCI_CLASS_SYSTEM_SDHCI)
			return &card_turns;
	}
	if (dev->bus && !strcmp(dev->bus->name, "virtio") && dev_to_virtio(dev)->id.device == VIRTIO_ID_NET)
		return &network_turns;
	return &drv->p->turns;
}

/**
 * device_turn_take - take a turn for a device whose asynchronous probe is about to be scheduled
 * @dev: the device, locked
 * @drv: the driver that is to probe it; NULL: none is known
 */
void device_turn_take(struct device *dev, const struct device_driver *drv)
{
	struct device_turn *turn;

	if (!drv || dev->p->turn)
		return;
	turn = kzalloc(sizeof(*turn), GFP_KERNEL);
	if (!turn)
		return;
	kref_init(&turn->users);
	init_completion(&turn->come);
	turn->dev = dev;
	turn->of = turns_of(dev, drv);
	spin_lock(&turn_lock);
	dev->p->turn = turn;
	list_add_tail(&turn->node, turn->of);
	turn_come(turn->of);
	spin_unlock(&turn_lock);
}

/* The device that holds this one up is reported in time, and loses its turn in the end. */
static void turn_hurry(struct device_turn *turn)
{
	struct device_turn *first;
	char name[64] = "";
	bool lost = false;
	unsigned int seconds = 0;

	spin_lock(&turn_lock);
	first = list_empty(&turn->node) ? NULL : list_first_entry(turn->of, struct device_turn, node);
	if (first && first != turn) {
		seconds = (jiffies - first->since) / HZ;
		lost = limit && seconds >= limit;
		if (lost || (watchdog && seconds >= watchdog && !first->reported))
			strscpy(name, dev_name(first->dev), sizeof(name));
		first->reported |= name[0];
		if (lost)
			turn_over(first);
	}
	spin_unlock(&turn_lock);
	if (lost)
		dev_warn(turn->dev, "has waited for %s to get its name for %u s; that one has lost its turn\n", name,
			 seconds);
	else if (name[0])
		dev_warn(turn->dev, "waits for its name until %s has one, for %u s so far\n", name, seconds);
}

/**
 * device_turn_wait - wait until all devices of this driver that were found earlier have their names
 * @dev: the device that is being probed
 *
 * Context: a probe; may sleep. Not with a lock that other probes of the driver take before they call this.
 */
void device_turn_wait(struct device *dev)
{
	struct device_turn *turn;

	might_sleep();
	spin_lock(&turn_lock);
	turn = dev->p ? dev->p->turn : NULL;
	if (turn)
		kref_get(&turn->users);
	spin_unlock(&turn_lock);
	if (!turn)
		return;
	while (!wait_for_completion_timeout(&turn->come, HZ))
		turn_hurry(turn);
	kref_put(&turn->users, turn_free);
}
EXPORT_SYMBOL_GPL(device_turn_wait);

/**
 * device_turn_done - the device has its name, or will get none: those that were found later may go on
 * @dev: the device
 *
 * Context: any task.
 */
void device_turn_done(struct device *dev)
{
	struct device_turn *turn;

	spin_lock(&turn_lock);
	turn = dev->p ? dev->p->turn : NULL;
	if (turn) {
		dev->p->turn = NULL;
		turn_over(turn);
	}
	spin_unlock(&turn_lock);
	if (turn)
		kref_put(&turn->users, turn_free);
}
EXPORT_SYMBOL_GPL(device_turn_done);
