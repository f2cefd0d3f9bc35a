/* SPDX-License-Identifier: MIT */
/* ext_state.c: the state of an ext2, ext3 or ext4, by its superblock. */
#ifndef BOOT_EXT_STATE_H
#define BOOT_EXT_STATE_H

#include <stdint.h>

enum { EXT_SUPER_OFFSET = 1024, EXT_SUPER_BYTES = 1024 };

/** Why the file system needs a check at the time @now. Return: NULL if it needs none: e2fsck would find it clean. */
const char *ext_why_check(const unsigned char block[EXT_SUPER_BYTES], int64_t now);
#endif
