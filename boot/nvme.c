/* SPDX-License-Identifier: MIT */
/*
 * NVMe. The kernel numbers controllers in the order in which it binds them,
 * and binds them in parallel. So they are held back with driver_override
 * while the driver is loaded, and bound one after the other when their calls
 * retire: nvme0 is the one with the lowest PCI address. A bound controller
 * goes on by itself; how many disks it has is asked of the controller, and
 * each is waited for.
 */
#include "internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <inorder/initcall.h>
#include <linux/nvme_ioctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PCI_STORAGE = 0x01, PCI_NVME = 0x08, MOST_DISKS = 1024, IDENTIFY = 0x06, ACTIVE_DISKS = 0x02, LIMIT_S = 60 };

static ASYNC_DOMAIN(nvme_domain); /* orders the binding */

/* One controller whose disks are waited for. */
struct controller {
	const struct pci_function *function;
	char name[32]; /* nvme0 */
	char path[PATH_MAX];
	uint32_t disks[MOST_DISKS]; /* their numbers, 0 ends */
	bool known;
};

static int is_controller(const struct dirent *item)
{
	return !strncmp(item->d_name, "nvme", 4);
}

static bool find_controller(struct controller *controller)
{
	struct dirent **items;
	char folder[PATH_MAX];
	int count;

	path_print(folder, "%s/nvme", controller->function->path);
	count = scandir(folder, &items, is_controller, alphasort);
	for (int i = 0; i < count; i++) {
		if (i == 0) {
			path_print(controller->name, "%s", items[i]->d_name);
			path_print(controller->path, "%s/%s", folder, items[i]->d_name);
		}
		free(items[i]);
	}
	if (count >= 0)
		free(items);
	return count > 0;
}

/* Asks a controller that works for its disks. */
static void ask_disks(struct controller *controller)
{
	struct nvme_passthru_cmd command = {
		.opcode = IDENTIFY,
		.addr = (uint64_t)(uintptr_t)controller->disks,
		.data_len = sizeof(controller->disks),
		.cdw10 = ACTIVE_DISKS,
	};
	char device[64];
	int fd;

	path_print(device, "/dev/%s", controller->name);
	fd = open(device, O_RDWR | O_CLOEXEC);
	controller->known = true;
	if (fd < 0 || ioctl(fd, NVME_IOCTL_ADMIN_CMD, &command)) {
		say("nvme: %s does not list its disks: they are looked at when they come", controller->name);
		controller->disks[0] = 0;
	}
	if (fd >= 0)
		close(fd);
}

struct seek {
	const char *number;
	bool found;
};

static void visit_disk(const char *path, void *data)
{
	struct seek *seek = data;
	char file[PATH_MAX], number[32];

	path_print(file, "%s/nsid", path);
	if (file_read(file, number, sizeof(number)) > 0 && !strcmp(number, seek->number))
		seek->found = true;
}

/* True when every disk is there, or nothing more will come. */
static bool all_disks(void *data)
{
	struct controller *controller = data;
	char file[PATH_MAX], state[32];

	path_print(file, "%s/state", controller->path);
	if (file_read(file, state, sizeof(state)) <= 0 || !strncmp(state, "dele", 4) || !strcmp(state, "dead"))
		return true;
	if (strcmp(state, "live"))
		return false;
	if (!controller->known)
		ask_disks(controller);
	for (size_t i = 0; i < MOST_DISKS && controller->disks[i]; i++) {
		char number[32];
		struct seek seek = {.number = number};

		path_print(number, "%u", le32toh(controller->disks[i]));
		device_walk(controller->path, "nsid", visit_disk, &seek);
		if (!seek.found)
			return false;
	}
	return true;
}

static void wait_for_disks(void *data, async_cookie_t cookie)
{
	struct controller *controller = calloc(1, sizeof(*controller));
	const int events = uevent_open();

	(void)cookie;
	async_set_name("nvme_find");
	if (controller && events >= 0) {
		controller->function = data;
		if (find_controller(controller) && !uevent_wait(events, "disks of an NVMe controller", all_disks,
								controller, now_ns() + LIMIT_S * NSEC_PER_SEC))
			say("nvme: %s: some disks did not come within %d s", controller->name, LIMIT_S);
		root_look(true);
	}
	if (events >= 0)
		close(events);
	free(controller);
}

static void wait_for_load(void *data, async_cookie_t cookie)
{
	const struct pci_function *function = data;

	(void)cookie;
	async_set_name("nvme_bind");
	async_synchronize_call(function->load, &find_domain);
}

static void bind_nvme(void *data, async_cookie_t cookie)
{
	struct pci_function *function = data;

	(void)cookie;
	if (!naming_begin())
		return;
	pci_let_go(function);
	device_bind(function->path);
	naming_end();
	function->find = async_schedule_domain(wait_for_disks, function, &find_domain);
}

static int hold_nvme(void)
{
	for (struct pci_function *at = NULL; (at = pci_next(at, PCI_STORAGE, PCI_NVME));)
		pci_hold(at);
	return 0;
}
subsys_initcall(hold_nvme);

static int probe_nvme(void)
{
	for (struct pci_function *at = NULL; (at = pci_next(at, PCI_STORAGE, PCI_NVME));) {
		at->name = async_schedule_ordered(wait_for_load, bind_nvme, at, &nvme_domain);
		if (!at->name)
			complain("nvme: out of memory: %s is not probed", at->address);
	}
	return 0;
}
device_initcall(probe_nvme);

void nvme_release(void)
{
	for (struct pci_function *at = NULL; (at = pci_next(at, PCI_STORAGE, PCI_NVME));) {
		pci_let_go(at);
		device_bind(at->path);
	}
}
