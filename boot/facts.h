/* SPDX-License-Identifier: MIT */
/* What can be known of a block device: from libblkid, from sysfs, from its superblock. */
#ifndef BOOT_FACTS_H
#define BOOT_FACTS_H

#include "root_spec.h"

#include <stdbool.h>
#include <stddef.h>

/* A text that is not known is empty. */
struct facts {
	char device[64]; /* /dev/sda1 */
	unsigned int major, minor;
	unsigned int partition; /* its number; 0: a whole disk */
	unsigned int members;   /* a btrfs: of how many devices it consists */
	char type[32], uuid[64], member_uuid[64], label[256];
	char partuuid[64], partlabel[128];
	char mapper[128], array[64];
	char links[768];
};

/* What is worth the time. By default only what every look needs. */
enum {
	FACTS_PARTITION = 1, /* id and name of the partition */
	FACTS_LINKS = 2,     /* udev's by-id and by-path */
	FACTS_ANY_TYPE = 4,  /* every type, not only that of rootfstype= */
};
/** Read more from now on. */
void facts_want(unsigned int what);
/** The same, for what this spec is compared with. */
void facts_want_for(const struct root_spec *spec);
/** Read all about @device. Return: 0; -errno if it cannot be opened. */
int facts_read(const char *device, struct facts *facts);
/** True if the device is what @spec asks for; PARTNROFF aside. */
bool facts_fit(const struct facts *facts, const struct root_spec *spec);
/** The text of the device that the spec is compared with, for messages. */
const char *facts_rival(const struct facts *facts, const struct root_spec *spec);
/** What a device of this type is a part of, in words; NULL if a file system may be on it. */
const char *facts_container(const char *type);

/** links.c: the names that udev's rules would give below /dev/disk/by-id and by-path, one a line. */
void links_read(const char *device, char *links, size_t room);
#endif
