/* SPDX-License-Identifier: MIT */
/*
 * Cards whose names are numbers that the kernel gives as it binds them, and
 * which the root seldom needs: network interfaces (ethN), hosts of SD cards
 * (mmcblkN has the number of its host). Each is held back with driver_override
 * while the drivers are loaded, and bound when its call retires: by PCI address.
 *
 * The kernel looks into a host of SD cards later, and nothing tells of a slot
 * that is empty. So who promises that all disks are there waits some seconds for
 * a card. While the root is waited for, the uevent of its disk is enough.
 */
#include "internal.h"

#include <inorder/initcall.h>
#include <unistd.h>

enum { LIMIT_S = 5 };

static ASYNC_DOMAIN_EXCLUSIVE(network_domain);
static ASYNC_DOMAIN_EXCLUSIVE(mmc_domain);

static void visit_card(const char *path, void *data)
{
	(void)path;
	*(bool *)data = true;
}

static bool has_card(void *data)
{
	const struct pci_function *function = data;
	bool found = false;

	device_walk(function->path, "cid", visit_card, &found);
	return found;
}

static void wait_for_card(struct pci_function *function)
{
	const int events = uevent_open();

	if (events >= 0 && !uevent_wait(events, "an SD card", has_card, function, now_ns() + LIMIT_S * NSEC_PER_SEC))
		say("cards: %s has no SD card", function->address);
	if (events >= 0)
		close(events);
}

/* The disk has its name from its host, whenever the card is found; its driver is there before. */
static void find_card(void *data, async_cookie_t cookie)
{
	struct pci_function *function = data;
	struct module_set set = {0};

	(void)cookie;
	async_set_name("card_find");
	modules_request("mmc_block", MODULE_PROBE_ASYNC, &set);
	modules_wait(&set);
	if (is_finisher() || cmdline.serial)
		wait_for_card(function);
	device_find(function->path, MODULE_PROBE_ASYNC);
	root_look(true);
}

static const struct kind {
	unsigned int base;
	int subclass;
	struct async_domain *domain;
	async_func_t finder; /* what is behind it */
} kinds[] = {
	{0x02, -1, &network_domain, NULL},
	{0x08, 0x05, &mmc_domain, find_card},
};

enum { KIND_COUNT = sizeof(kinds) / sizeof(*kinds) };

static int hold_cards(void)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		for (struct pci_function *at = NULL; (at = pci_next(at, kinds[i].base, kinds[i].subclass));)
			pci_hold(at);
	return 0;
}
subsys_initcall(hold_cards);

static void load_card(void *data, async_cookie_t cookie)
{
	struct module_set set = {0};

	(void)cookie;
	async_set_name("card_load");
	if (!rest_wanted_late())
		return;
	pci_request(data, MODULE_PROBE_ASYNC, &set);
	modules_wait(&set);
}

/* A card of virtio is a function of PCI with a device of virtio behind it: both are bound. */
static void bind(const struct pci_function *function)
{
	pci_let_go(function);
	device_bind(function->path);
	virtio_name_cards(function->path);
}

static void bind_card(void *data, async_cookie_t cookie)
{
	struct pci_function *function = data;

	(void)cookie;
	if (!rest_wanted() || !naming_begin())
		return;
	bind(function);
	naming_end();
	if (function->finder)
		function->find = async_schedule_domain(function->finder, function, &rest_domain);
}

static int probe_cards(void)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		for (struct pci_function *at = NULL; (at = pci_next(at, kinds[i].base, kinds[i].subclass));) {
			at->finder = kinds[i].finder;
			if (!async_schedule_ordered(load_card, bind_card, at, kinds[i].domain))
				complain("cards: out of memory: %s is not probed", at->address);
		}
	return 0;
}
late_initcall(probe_cards);

void cards_wait(void)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		async_synchronize_full_domain(kinds[i].domain);
}

void cards_release(void)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		for (struct pci_function *at = NULL; (at = pci_next(at, kinds[i].base, kinds[i].subclass));)
			bind(at);
}
