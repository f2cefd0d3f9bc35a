/* SPDX-License-Identifier: MIT */
/* The block devices that were looked at, each once, and what they are. */
#ifndef BOOT_DEVICES_H
#define BOOT_DEVICES_H

#include "facts.h"

/** Who judges a device that was looked at. Devices are judged one at a time, in the order in which they were found. */
void devices_judge(void (*judge)(const struct facts *facts));
/** Look at every block device that is new, each in a call of its own; @wait: until these devices are judged. */
void devices_look(bool wait);
/** Look at what is new, and wait until all that is looked at is judged. Not in a look, nor in a judgement. */
void devices_look_done(void);
/** Look at every device again and wait for that, because more is to be known of each (facts_want()). */
void devices_look_again(void);
/** The device @name of the kernel was taken away: who comes with the same name is new. */
void devices_gone(const char *name);
/** The first device that fits @spec; the kernel's name comes before others. Return: false if there is none. */
bool devices_find(const struct root_spec *spec, struct facts *found);
/** The device number *@at of those with this type, or of all (NULL); *@at goes on. Return: false after the last. */
bool devices_next(const char *type, size_t *at, struct facts *found);
#endif
