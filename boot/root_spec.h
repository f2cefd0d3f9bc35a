/* SPDX-License-Identifier: MIT */
/* What root=, resume= and the first field of fstab can say, and whether a device is that. No file is read here. */
#ifndef BOOT_ROOT_SPEC_H
#define BOOT_ROOT_SPEC_H

#include <stdbool.h>
#include <stddef.h>

enum root_kind {
	ROOT_NODE,      /* the kernel's name, /dev/sda1 */
	ROOT_NUMBER,    /* major:minor, or both as one hexadecimal number */
	ROOT_UUID,      /* of the file system */
	ROOT_LABEL,     /* of the file system */
	ROOT_PARTUUID,  /* of the partition */
	ROOT_PARTLABEL, /* of the partition */
	ROOT_LINK,      /* /dev/disk/by-id/ or by-path/, a link that udev would make */
	ROOT_MAPPER,    /* /dev/mapper/NAME: device mapper's name */
	ROOT_VOLUME,    /* /dev/VG/LV, or a kernel's name with a folder in it */
	ROOT_ARRAY,     /* /dev/md/NAME, /dev/mdN */
};

struct root_spec {
	enum root_kind kind;
	char raw[256];   /* as it was written, without the prefix and quotes */
	char value[256]; /* the same with \x20 and the like decoded */
	unsigned int major, minor;
	int offset;        /* PARTNROFF: the partition so many after the one that has the id */
	char refusal[256]; /* why this cannot be a root, and what to do; empty if it can */
};

/** What is known of one device. A text that is not known is empty, never NULL. */
struct root_facts {
	const char *device; /* /dev/sda1 */
	unsigned int major, minor;
	const char *uuid, *label, *partuuid, *partlabel;
	const char *mapper; /* device mapper's name */
	const char *array;  /* the array's name, without the host's */
	const char *links;  /* names of by-id and by-path, one a line */
};

/** Parse @text. Return: true; false if it is refused, and then @spec->refusal says why. */
bool root_spec_parse(const char *text, struct root_spec *spec);

/** True if the device is what the spec asks for; PARTNROFF aside. */
bool root_spec_fits(const struct root_spec *spec, const struct root_facts *facts);

/** The text of @facts that the spec is compared with, for messages; empty if the device has none. */
const char *root_spec_rival(const struct root_spec *spec, const struct root_facts *facts);

/** True if only device mapper can bring the device. */
bool root_spec_is_mapped(const struct root_spec *spec);

/** Device mapper's name of a logical volume: VG-LV, hyphens of either doubled. @path: VG/LV. */
void root_mapper_name(const char *path, char *name, size_t room);

/** The other way: VG/LV of device mapper's name. Return: false if it is not of that form. */
bool root_volume_name(const char *mapper, char *path, size_t room);

/** Decode \xNN. @to may be @from. */
void root_decode(const char *from, char *to, size_t room);

/** How many letters must be changed, added, taken away or swapped with the next to make one text the other. */
size_t spelling_distance(const char *one, const char *other);

/** True if one is likely to have been meant when the other was written. */
bool spelling_is_near(const char *one, const char *other);
#endif
