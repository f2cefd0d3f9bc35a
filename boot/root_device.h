/* SPDX-License-Identifier: MIT */
/* The root: which device it is. */
#ifndef BOOT_ROOT_DEVICE_H
#define BOOT_ROOT_DEVICE_H

#include "facts.h"

/** Parse root=. Return: NULL, or why it cannot be the root. */
const char *root_parse(void);
const struct root_spec *root_wanted(void);
/**
 * At the end of the wait: look at all again, for every type, and take a btrfs that lacks devices. Return: true if it is
 * found.
 */
bool root_look_closely(void);
/** Look at all devices again and wait for that, because facts_want() has asked for more, or the types were limited. */
void root_look_for_all(void);
/** The block devices that were looked at, for people. */
void root_seen(char *text, size_t room);
/** What to try when the root was not found. */
void root_advice(char *text, size_t room);
#endif
