/* SPDX-License-Identifier: MIT */
/*
 * Which block device is the root: every one is looked at once, in an async
 * call, because reading from a disk may take its time. The first that fits is
 * the root; another one that fits too is named on the console.
 */
#include "internal.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <inorder/initcall.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BLOCK "/sys/class/block"

struct block_device {
	struct block_device *next;
	char device[64];
};

static ASYNC_DOMAIN(look_domain);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* all below */
static struct block_device *looked_at;
static char found[64], found_type[32];
static int event = -1;

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

bool root_device(char *device, size_t room, char *type, size_t type_room)
{
	bool is_found;

	pthread_mutex_lock(&lock);
	is_found = *found;
	if (device)
		path_print_room(device, room, "%s", found);
	if (type)
		path_print_room(type, type_room, "%s", found_type);
	pthread_mutex_unlock(&lock);
	return is_found;
}

void root_seen(char *text, size_t room)
{
	size_t used = 0;

	pthread_mutex_lock(&lock);
	path_print_room(text, room, "none");
	for (const struct block_device *block = looked_at; block && used < room; block = block->next) {
		path_print_room(text + used, room - used, "%s%s", used ? ", " : "", block->device);
		used += strlen(text + used);
		if (used == room - 1)
			break;
	}
	pthread_mutex_unlock(&lock);
}

static void note_root(const char *device, const char *type)
{
	bool first;

	pthread_mutex_lock(&lock);
	first = !*found;
	if (first) {
		path_print(found, "%s", device);
		path_print(found_type, "%s", type);
	} else {
		complain("root: %s fits %s too; taken was %s", device, cmdline.root, found);
	}
	pthread_mutex_unlock(&lock);
	if (first)
		root_wake();
}

static const char *lookup(blkid_probe probe, const char *name)
{
	const char *value = NULL;

	return blkid_probe_lookup_value(probe, name, &value, NULL) ? "" : value;
}

/* True if the device that @probe has read is what root= asks for. */
static bool fits(blkid_probe probe, const char *device)
{
	const struct {
		const char *prefix, *name;
		bool any_case;
	} tags[] = {
		{"LABEL=", "LABEL", false},
		{"UUID=", "UUID", true},
		{"PARTLABEL=", "PART_ENTRY_NAME", false},
		{"PARTUUID=", "PART_ENTRY_UUID", true},
		/* udev's links, which do not exist yet */
		{"/dev/disk/by-label/", "LABEL", false},
		{"/dev/disk/by-uuid/", "UUID", true},
		{"/dev/disk/by-partlabel/", "PART_ENTRY_NAME", false},
		{"/dev/disk/by-partuuid/", "PART_ENTRY_UUID", true},
	};

	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
		const size_t length = strlen(tags[i].prefix);
		const char *wanted = cmdline.root + length, *value;

		if (strncmp(cmdline.root, tags[i].prefix, length))
			continue;
		value = lookup(probe, tags[i].name);
		return *value && !(tags[i].any_case ? strcasecmp(value, wanted) : strcmp(value, wanted));
	}
	return !strcmp(cmdline.root, device);
}

/* What is worth reading: with rootfstype= nothing else is tried, which saves most of the time. An ext is an ext. */
static void choose(blkid_probe probe)
{
	char raid[] = "linux_raid_member", ext2[] = "ext2", ext3[] = "ext3", ext4[] = "ext4", type[32];
	char *one[] = {type, raid, NULL}, *ext[] = {ext2, ext3, ext4, raid, NULL};

	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID | BLKID_SUBLKS_TYPE);
	if (cmdline.rootfstype && !strchr(cmdline.rootfstype, ',')) {
		path_print(type, "%s", cmdline.rootfstype);
		blkid_probe_filter_superblocks_type(probe, BLKID_FLTR_ONLYIN, strncmp(type, "ext", 3) ? one : ext);
	}
	if (!strncmp(cmdline.root, "PART", 4) || !strncmp(cmdline.root, "/dev/disk/by-part", 17)) {
		blkid_probe_enable_partitions(probe, 1);
		blkid_probe_set_partitions_flags(probe, BLKID_PARTS_ENTRY_DETAILS);
	}
}

static void look(void *data, async_cookie_t cookie)
{
	const struct block_device *block = data;
	blkid_probe probe;

	if (cookie)
		async_set_name("root_look");
	probe = blkid_new_probe_from_filename(block->device);
	if (!probe) {
		say("root: cannot read %s: %s", block->device, strerror(errno));
		return;
	}
	choose(probe);
	if (blkid_do_safeprobe(probe) == 0 && !strcmp(lookup(probe, "TYPE"), "linux_raid_member"))
		raid_member_seen(block->device, lookup(probe, "UUID"));
	else if (fits(probe, block->device))
		note_root(block->device, lookup(probe, "TYPE"));
	blkid_free_probe(probe);
}

static bool is_new(const char *device)
{
	const struct block_device *block = looked_at;

	while (block && strcmp(block->device, device))
		block = block->next;
	return !block;
}

static int can_be_read(const struct dirent *item)
{
	char file[PATH_MAX], size[32];

	path_print(file, BLOCK "/%s/size", item->d_name);
	return item->d_name[0] != '.' && file_read(file, size, sizeof(size)) > 0 && strcmp(size, "0");
}

/* Return: the device, noted as looked at; NULL if somebody has looked at it already. */
static struct block_device *take(const char *name)
{
	struct block_device *block = calloc(1, sizeof(*block));

	if (!block) {
		complain("root: out of memory: nobody looks at %s", name);
		return NULL;
	}
	path_print(block->device, "/dev/%s", name);
	for (char *at = block->device; (at = strchr(at, '!'));)
		*at = '/';
	pthread_mutex_lock(&lock);
	if (is_new(block->device)) {
		block->next = looked_at;
		looked_at = block;
	} else {
		free(block);
		block = NULL;
	}
	pthread_mutex_unlock(&lock);
	return block;
}

void root_look(bool here)
{
	struct dirent **items;
	int count;

	if (is_finisher() || !cmdline.root)
		return;
	count = scandir(BLOCK, &items, can_be_read, versionsort);
	for (int i = 0; i < count; i++) {
		struct block_device *block = take(items[i]->d_name);

		if (block && here)
			look(block, 0);
		else if (block)
			async_schedule_domain(look, block, &look_domain);
		free(items[i]);
	}
	if (count >= 0)
		free(items);
}
