/* SPDX-License-Identifier: MIT */
/*
 * Cards whose names are numbers that the kernel gives as it binds them, and
 * which the root seldom needs: network interfaces (ethN), hosts of SD cards
 * (mmcblkN has the number of its host). Each is held back with driver_override
 * while the drivers are loaded, and bound when its call retires: by PCI address.
 */
#include "internal.h"

#include <inorder/initcall.h>

static ASYNC_DOMAIN_EXCLUSIVE(network_domain);
static ASYNC_DOMAIN_EXCLUSIVE(mmc_domain);

static const struct kind {
	unsigned int base;
	int subclass;
	struct async_domain *domain;
} kinds[] = {
	{0x02, -1, &network_domain},
	{0x08, 0x05, &mmc_domain},
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
	(void)cookie;
	if (rest_wanted() && !modules_are_stopped())
		bind(data);
}

static int probe_cards(void)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		for (struct pci_function *at = NULL; (at = pci_next(at, kinds[i].base, kinds[i].subclass));)
			if (!async_schedule_ordered(load_card, bind_card, at, kinds[i].domain))
				complain("cards: out of memory: %s is not probed", at->address);
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
