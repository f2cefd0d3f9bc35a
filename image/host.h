/* SPDX-License-Identifier: MIT */
/* What a machine needs to reach its root: found in its /sys, /proc and /etc. */
#ifndef IMAGE_HOST_H
#define IMAGE_HOST_H

#include "internal.h"

struct needs {
	const char *sysroot;    /* stands before every path that is read: "" on a machine itself */
	struct strings modules; /* names, each may be missing: it may be built in */
	struct strings aliases; /* modaliases of devices */
	struct strings others;  /* both, of all devices: only those of the list of kinds count */
	struct strings types;   /* of file systems */
	struct strings blocks;  /* names of block devices that were looked at */
	struct strings crypts;  /* names of encrypted volumes, as in crypttab */
	bool lvm, md;
};

/* Adds what the block device @name and all that it stands on need. */
int stack_add(struct needs *needs, const char *name);
/* Reads a file of one line; NULL if there is none. The caller frees it. */
char *sysfs_line(const char *path);
/* The name of the block device that @spec names (UUID=..., /dev/...), NULL if it is not here. The caller frees it. */
char *device_name(const struct needs *needs, const char *spec);
/* The name of the device @major:@minor, as above. */
char *device_name_of(const struct needs *needs, const char *number);

/* What the root needs, or the one that @cmdline names (root=, resume=), if that is not NULL. */
int needs_find(struct needs *needs, const char *sysroot, const char *cmdline);
/* Adds every device of the machine; the list of kinds says which of their drivers count. */
int needs_add_devices(struct needs *needs);
/* Puts what was found into a request. */
int needs_ask(const struct needs *needs, struct request *request, const struct stage *stage);
/* keyboard.c: the same with keymap and font, where a passphrase may be asked for. */
int keyboard_ask(const struct needs *needs, struct request *request, const struct stage *stage);
/* hints.c: the same with what an earlier boot has recorded for /init. */
int hints_ask(const struct needs *needs, struct request *request, const struct stage *stage);
void needs_free(struct needs *needs);

#endif
