/* SPDX-License-Identifier: MIT */
/* What stands on other devices: arrays (raid.c), logical volumes (lvm.c), encrypted devices (luks.c). */
#ifndef BOOT_VOLUMES_H
#define BOOT_VOLUMES_H

#include "facts.h"

#include <stdbool.h>
#include <stddef.h>

enum volumes_when {
	VOLUMES_QUIET, /* what is complete and asks for nothing */
	VOLUMES_ASK,   /* also passphrases of what crypttab names */
	VOLUMES_ANY, /* every driver was tried: also keys whose device did not come, and what crypttab does not name */
	VOLUMES_LAST /* the wait is over: also what lacks devices */
};
/**
 * Make what can be made of the devices that were seen, until what is @wanted is there or nothing new appears. Does
 * nothing before the first VOLUMES_QUIET, which comes when the likely controllers are known. Return: true if something
 * appeared.
 */
bool volumes_build(const struct root_spec *wanted, enum volumes_when when);
/** Wait until no program makes volumes: it would be left alone by an execve() of this one. */
void volumes_wait_idle(void);
/** Wait for a device other than the root, and make what it stands on. Return: true if it came. */
bool volumes_wait(const struct root_spec *wanted, unsigned int limit_s, struct facts *found);
/** Leave for udev, in /run, that the mapped devices are complete: it did not see how they were made. */
void volumes_tell_udev(void);

/** lvm.c. Return: true if volumes may have appeared. */
bool lvm_activate(const struct root_spec *wanted, enum volumes_when when);
/** luks.c. Return: true if a device was opened. */
bool luks_open(const struct root_spec *wanted, enum volumes_when when);
/** crypttab.c: one line. Key, device of the key and header are empty if there is none. */
struct crypttab {
	char name[128], source[256], key[256], key_device[256], header[256], slot[16], refusal[128], ignored[64];
	unsigned long key_offset, key_bytes;
	unsigned int tries, timeout_s;
	bool discard, readonly;
};
/**
 * Parse a line, which is changed. Return: false if nothing is in it. What cannot be done is in @entry->refusal, the
 * first option that is not known in @entry->ignored.
 */
bool crypttab_parse(char *line, struct crypttab *entry);
/** keyboard.c: load the keymap and the font that the image has, once. */
void keyboard_prepare(void);
/** prompt.c: ask at the console, without echo. Return: bytes; -ETIME, or -errno. */
int prompt(const char *question, unsigned int timeout_s, char *answer, size_t room);
#endif
