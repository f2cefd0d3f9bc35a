/* SPDX-License-Identifier: MIT */
/* The root's fstab. */
#ifndef BOOT_FSTAB_H
#define BOOT_FSTAB_H

#include <stdbool.h>

/**
 * Mount /usr and what is marked with x-initrd.mount. @waits: whether the real init waits for disks that were not seen
 * yet. Return: 0, or -errno said on the console.
 */
int fstab_mount(bool *waits);
#endif
