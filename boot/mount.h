/* SPDX-License-Identifier: MIT */
/* Mounting what is on a device. */
#ifndef BOOT_MOUNT_H
#define BOOT_MOUNT_H

#include "facts.h"

/** Mount the root as the command line says, perhaps below an overlay. Return: 0 or -errno, said on the console. */
int mount_root(const struct facts *root);
/**
 * Mount a device at @path, read-only as long as the root is. @types: comma-separated, or NULL for what is there;
 * @options: as in fstab, or NULL. Return: 0 or -errno, said on the console.
 */
int mount_at(const struct facts *device, const char *path, const char *types, const char *options);
/** Mount a file system that needs no device. Return: 0 or -errno, said on the console. */
int mount_virtual(const char *type, const char *path, const char *options);
#endif
