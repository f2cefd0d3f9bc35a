/* SPDX-License-Identifier: MIT */
/*
 * Controllers of storage, in the order of their PCI addresses. The subsystems
 * have said which are theirs; here they are scheduled: load, find, name.
 *
 * Names are given in the order of places, so places are also looked at in that
 * order. Loads need a processor. As many controllers load at a time as there
 * are processors, less one for the driver of the root's file system; what
 * comes later would only take time from what comes first, and need not be
 * done at all if the root is found first. A controller that has loaded makes
 * room, because what follows is waiting: for links, for disks that spin up.
 * Virtio does not wait, so it makes room when its disks have their names.
 */
#include "internal.h"

#include <inorder/initcall.h>
#include <sched.h>

enum { PCI_STORAGE = 0x01 };

static ASYNC_DOMAIN(name_domain);

static void load_controller(void *data, async_cookie_t cookie)
{
	const struct pci_function *function = data, *before = function->before;
	struct module_set set = {0};

	(void)cookie;
	async_set_name("storage_load");
	if (before)
		async_synchronize_call(before->load, &find_domain);
	if (before && pci_is_virtio(before))
		async_synchronize_call(before->name, &name_domain);
	pci_request(function, function->probe, &set);
	if (function->finder)
		modules_request("sd_mod", MODULE_PROBE_ASYNC, NULL);
	if (function->probe == MODULE_PROBE_WAIT)
		modules_wait_needs(&set);
	else
		modules_wait(&set);
}

static void name_disks(void *data, async_cookie_t cookie)
{
	const struct pci_function *function = data;

	(void)cookie;
	if (!naming_begin())
		return;
	virtio_name_disks(function->path);
	scsi_name_disks(function->path);
	naming_end();
}

/* The first half of a name: everything behind the controller is known, and so is the driver of disks. */
static void wait_for_find(void *data, async_cookie_t cookie)
{
	const struct pci_function *function = data;
	struct module_set disks = {0};

	(void)cookie;
	async_set_name("storage_name");
	async_synchronize_call(function->find, &find_domain);
	modules_request("sd_mod", MODULE_PROBE_ASYNC, &disks);
	modules_wait(&disks);
}

/* How many controllers load at a time. The finisher has to do them all, so there none has to wait. */
static size_t count_turns(void)
{
	cpu_set_t processors;
	int count = 1;

	if (is_finisher() || cmdline.unordered)
		return SIZE_MAX;
	if (!sched_getaffinity(0, sizeof(processors), &processors))
		count = CPU_COUNT(&processors);
	return count > 2 ? (size_t)count - 1 : 1;
}

static int schedule_controllers(void)
{
	const size_t turns = count_turns();
	struct pci_function *oldest = pci_next(NULL, PCI_STORAGE, -1); /* that loads when the next one might */
	size_t count = 0;

	for (struct pci_function *at = NULL; (at = pci_next(at, PCI_STORAGE, -1)); count++) {
		if (count >= turns) {
			at->before = oldest;
			oldest = pci_next(oldest, PCI_STORAGE, -1);
		}
		at->load = async_schedule_domain(load_controller, at, &find_domain);
		if (!at->finder)
			continue;
		at->find = async_schedule_domain(at->finder, at, &find_domain);
		at->name = async_schedule_ordered(wait_for_find, name_disks, at, &name_domain);
		if (!at->name)
			complain("storage: out of memory: the disks behind %s get no names", at->address);
	}
	return 0;
}
fs_initcall(schedule_controllers);
