/* SPDX-License-Identifier: MIT */
/* Everything that root= and the like can ask for, read from one block device. */
#include "facts.h"

#include "internal.h"

#include <blkid/blkid.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Where a btrfs says of how many devices it consists. */
enum { BTRFS_SUPER = 0x10000, BTRFS_NUM_DEVICES = BTRFS_SUPER + 0x88, MOST_TYPES = 12 };

static atomic_uint wanted;

static const struct {
	const char *type, *what;
} containers[] = {
	{"linux_raid_member", "a member of a RAID array"},
	{"LVM2_member", "a physical volume of LVM"},
	{"LVM1_member", "a physical volume of LVM 1"},
	{"crypto_LUKS", "encrypted (LUKS)"},
	{"swap", "swap space"},
	{"swsuspend", "swap space that holds a hibernated system"},
	{"isw_raid_member", "a member of a firmware RAID"},
	{"ddf_raid_member", "a member of a firmware RAID"},
	{"zfs_member", "a member of a ZFS pool"},
	{"bcache", "a part of a bcache"},
	{"BitLocker", "encrypted (BitLocker)"},
};

void facts_want(unsigned int what)
{
	atomic_fetch_or(&wanted, what);
}

void facts_want_for(const struct root_spec *spec)
{
	if (spec->kind == ROOT_PARTUUID || spec->kind == ROOT_PARTLABEL)
		facts_want(FACTS_PARTITION);
	if (spec->kind == ROOT_LINK)
		facts_want(FACTS_LINKS);
}

const char *facts_container(const char *type)
{
	for (size_t i = 0; i < sizeof(containers) / sizeof(*containers); i++)
		if (!strcmp(type, containers[i].type))
			return containers[i].what;
	return NULL;
}

/* With one rootfstype= nothing else is tried, which saves most of the time; but what a root may be inside always is. */
static void filter_types(blkid_probe probe)
{
	char *types[MOST_TYPES], type[32], ext[][5] = {"ext2", "ext3", "ext4"};
	char inside[][20] = {"linux_raid_member", "LVM2_member", "crypto_LUKS", "swsuspend", "swap"};
	size_t count = 0;

	if (!cmdline.rootfstype || strchr(cmdline.rootfstype, ',') || !strcmp(cmdline.rootfstype, "auto") ||
	    wanted & FACTS_ANY_TYPE)
		return;
	path_print(type, "%s", cmdline.rootfstype);
	if (strncmp(type, "ext", 3))
		types[count++] = type;
	else
		for (size_t i = 0; i < 3; i++)
			types[count++] = ext[i];
	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++)
		types[count++] = inside[i];
	types[count] = NULL;
	blkid_probe_filter_superblocks_type(probe, BLKID_FLTR_ONLYIN, types);
}

static void copy(blkid_probe probe, const char *name, char *text, size_t room)
{
	const char *value = NULL;

	if (!blkid_probe_lookup_value(probe, name, &value, NULL))
		path_print_room(text, room, "%s", value);
}

static void read_superblock(blkid_probe probe, struct facts *facts)
{
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID | BLKID_SUBLKS_TYPE);
	filter_types(probe);
	if (wanted & FACTS_PARTITION) {
		blkid_probe_enable_partitions(probe, 1);
		blkid_probe_set_partitions_flags(probe, BLKID_PARTS_ENTRY_DETAILS);
	}
	if (blkid_do_safeprobe(probe) < 0) { /* -2: signatures of several types are on it */
		say("root: %s: libblkid cannot tell what it is", facts->device);
		return;
	}
	copy(probe, "TYPE", facts->type, sizeof(facts->type));
	copy(probe, "UUID", facts->uuid, sizeof(facts->uuid));
	copy(probe, "UUID_SUB", facts->member_uuid, sizeof(facts->member_uuid));
	copy(probe, "LABEL", facts->label, sizeof(facts->label));
	copy(probe, "PART_ENTRY_UUID", facts->partuuid, sizeof(facts->partuuid));
	copy(probe, "PART_ENTRY_NAME", facts->partlabel, sizeof(facts->partlabel));
}

static void read_members(int fd, struct facts *facts)
{
	uint64_t members;

	if (!strcmp(facts->type, "btrfs") &&
	    pread(fd, &members, sizeof(members), BTRFS_NUM_DEVICES) == (ssize_t)sizeof(members))
		facts->members = (unsigned int)le64toh(members);
}

static void read_sysfs(struct facts *facts)
{
	char file[PATH_MAX], text[32];
	struct stat info;

	if (!stat(facts->device, &info)) {
		facts->major = major(info.st_rdev);
		facts->minor = minor(info.st_rdev);
	}
	path_print(file, "/sys/dev/block/%u:%u/partition", facts->major, facts->minor);
	if (file_read(file, text, sizeof(text)) > 0)
		facts->partition = (unsigned int)strtoul(text, NULL, 10);
	path_print(file, "/sys/dev/block/%u:%u/dm/name", facts->major, facts->minor);
	if (file_read(file, facts->mapper, sizeof(facts->mapper)) < 0)
		*facts->mapper = '\0';
	raid_array_name(facts->device, facts->array, sizeof(facts->array));
}

/* A search that found nothing does not say whether that is because nothing could be read. */
static bool is_readable(int fd)
{
	char sector[512];

	return pread(fd, sector, sizeof(sector), 0) == (ssize_t)sizeof(sector);
}

int facts_read(const char *device, struct facts *facts)
{
	const int fd = open(device, O_RDONLY | O_CLOEXEC);
	blkid_probe probe = fd < 0 ? NULL : blkid_new_probe();

	*facts = (struct facts){0};
	path_print(facts->device, "%s", device);
	if (fd < 0)
		return -errno;
	if (!probe || blkid_probe_set_device(probe, fd, 0, 0)) {
		const int error = probe ? -errno : -ENOMEM;

		blkid_free_probe(probe);
		close(fd);
		return error;
	}
	read_superblock(probe, facts);
	read_members(fd, facts);
	blkid_free_probe(probe);
	if (!*facts->type && !is_readable(fd)) {
		close(fd);
		return -EIO;
	}
	close(fd);
	read_sysfs(facts);
	if (wanted & FACTS_LINKS)
		links_read(device, facts->links, sizeof(facts->links));
	return 0;
}

static struct root_facts views(const struct facts *facts)
{
	return (struct root_facts){
		.device = facts->device,
		.major = facts->major,
		.minor = facts->minor,
		.uuid = facts->uuid,
		.label = facts->label,
		.partuuid = facts->partuuid,
		.partlabel = facts->partlabel,
		.mapper = facts->mapper,
		.array = facts->array,
		.links = facts->links,
	};
}

bool facts_fit(const struct facts *facts, const struct root_spec *spec)
{
	const struct root_facts all = views(facts);

	return root_spec_fits(spec, &all);
}

const char *facts_rival(const struct facts *facts, const struct root_spec *spec)
{
	const struct root_facts all = views(facts);

	return root_spec_rival(spec, &all);
}
