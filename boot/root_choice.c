/* SPDX-License-Identifier: MIT */
/*
 * Which of the devices that fit root= is the root: the first by place, so that
 * two disks with one label boot the same system every time. Disks of one bus
 * come in the order of their places; those of several buses do not (virtio has
 * its disks at once, ATA waits for links). So a device that fits is the root
 * when every controller at a lower place has shown its disks. A name of the
 * kernel (/dev/sda) fits one device alone, and nothing is waited for.
 */
#include "root_choice.h"

#include "devices.h"
#include "internal.h"

#include <errno.h>
#include <inorder/initcall.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PCI_STORAGE = 0x01 };

static ASYNC_DOMAIN(choice_domain);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* all below */
static struct choice {
	struct facts facts;
	char address[32]; /* of its controller of storage on PCI; empty: it has none, and comes after all that have */
} best;
static bool any, controllers_known, is_chosen;
static int event = -1; /* wakes who waits for the root */

static int open_event(void)
{
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return event < 0 ? -errno : 0;
}
core_initcall(open_event);

int root_event(void)
{
	return event;
}

void root_wake(void)
{
	const uint64_t one = 1;

	if (write(event, &one, sizeof(one)) < 0)
		complain("root: cannot wake the main thread: %s", strerror(errno));
}

void root_woken(void)
{
	uint64_t count;

	if (read(event, &count, sizeof(count)) < 0 && errno != EAGAIN)
		complain("root: cannot read what wakes the main thread: %s", strerror(errno));
}

/* The last address of PCI in the device's path is that of its controller; those before are bridges. */
static void find_controller(const struct facts *facts, char *address, size_t room)
{
	char link[64], path[PATH_MAX], *rest = path, *word;

	*address = '\0';
	path_print(link, "/sys/dev/block/%u:%u", facts->major, facts->minor);
	if (!realpath(link, path))
		return;
	for (struct pci_function *at = NULL; (word = strsep(&rest, "/"));) {
		unsigned int place[4];

		if (!pci_parse(word, place))
			continue;
		for (at = pci_next(NULL, PCI_STORAGE, -1); at && strcmp(at->address, word);)
			at = pci_next(at, PCI_STORAGE, -1);
		path_print_room(address, room, "%s", at ? word : "");
	}
}

static bool is_before(const char *address, const char *other)
{
	return *address && (!*other || pci_compare(address, other) < 0);
}

/* The order of NVMe's calls is the other one, and its find begins when its name has been given. */
static void wait_for_lower(const char *address)
{
	for (struct pci_function *at = NULL; (at = pci_next(at, PCI_STORAGE, -1));) {
		if (!is_before(at->address, address))
			continue;
		async_synchronize_call(at->name, NULL);
		async_synchronize_call(at->find, NULL);
	}
}

static void choose(void *data, async_cookie_t cookie)
{
	char address[sizeof(best.address)];
	bool first;

	(void)data;
	if (cookie)
		async_set_name("root_choose");
	pthread_mutex_lock(&lock);
	path_print(address, "%s", best.address);
	pthread_mutex_unlock(&lock);
	wait_for_lower(address);
	if (cookie && !cmdline.serial)
		devices_look_done(); /* their disks have names, and may not have been looked at yet */
	pthread_mutex_lock(&lock);
	first = !is_chosen &&
		!strcmp(address, best.address); /* else another call waits for those before the better one */
	is_chosen |= first;
	pthread_mutex_unlock(&lock);
	if (first)
		root_wake();
}

static bool is_same_filesystem(const struct facts *one, const struct facts *other)
{
	return one->members > 1 && !strcmp(one->type, "btrfs") && !strcmp(one->uuid, other->uuid);
}

/* Needs the lock. Return: true if the device is better than what was there, if anything was. */
static bool is_better(const struct choice *choice)
{
	const bool better = !any || (!is_chosen && is_before(choice->address, best.address));

	if (any && !is_same_filesystem(&choice->facts, &best.facts))
		complain("root: %s and %s fit %s: taken is %s", best.facts.device, choice->facts.device, cmdline.root,
			 better ? choice->facts.device : best.facts.device);
	return better;
}

void choice_offer(const struct facts *facts, bool is_unique)
{
	struct choice choice = {.facts = *facts};
	bool better, wait, now;

	find_controller(facts, choice.address, sizeof(choice.address));
	pthread_mutex_lock(&lock);
	better = (!any || strcmp(facts->device, best.facts.device)) && is_better(&choice);
	if (better)
		best = choice;
	any = true;
	now = better && (is_unique || cmdline.unordered);
	wait = better && !now && controllers_known;
	is_chosen |= now;
	pthread_mutex_unlock(&lock);
	if (now)
		root_wake();
	if (wait)
		async_schedule_domain(choose, NULL, &choice_domain);
}

void choice_begin(void)
{
	bool wait;

	pthread_mutex_lock(&lock);
	controllers_known = true;
	wait = any && !is_chosen;
	pthread_mutex_unlock(&lock);
	if (wait)
		async_schedule_domain(choose, NULL, &choice_domain);
}

bool choice_end(void)
{
	bool answer;

	pthread_mutex_lock(&lock);
	is_chosen |= any;
	answer = is_chosen;
	pthread_mutex_unlock(&lock);
	return answer;
}

bool root_device(struct facts *root)
{
	bool answer;

	pthread_mutex_lock(&lock);
	answer = is_chosen;
	*root = best.facts;
	pthread_mutex_unlock(&lock);
	return answer;
}

bool root_is_found(void)
{
	bool answer;

	pthread_mutex_lock(&lock);
	answer = is_chosen;
	pthread_mutex_unlock(&lock);
	return answer;
}
