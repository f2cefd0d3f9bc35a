/* SPDX-License-Identifier: MIT */
/* The root's fstab. */
#ifndef BOOT_FSTAB_H
#define BOOT_FSTAB_H

/** Mount /usr and what is marked with x-initrd.mount. Return: 0, or -errno said on the console. */
int fstab_mount(void);
#endif
