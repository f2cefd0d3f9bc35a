/* SPDX-License-Identifier: MIT */
/*
 * Whether an ext2, ext3 or ext4 needs a check, from its superblock: e2fsck
 * would say "clean" of it and do nothing. Whatever is unusual is left to
 * e2fsck. Offsets are those of struct ext2_super_block.
 */
#include "ext_state.h"

#include <stddef.h>

enum {
	MOUNT_COUNT = 0x34,      /* 16 bits; the next one: how many may be */
	MOST_MOUNTS = 0x36,      /* signed; 0 and less: without limit */
	MAGIC = 0x38,            /* 16 bits */
	STATE = 0x3a,            /* 16 bits */
	LAST_CHECK = 0x40,       /* seconds since 1970; the high bits in LAST_CHECK_HIGH */
	CHECK_INTERVAL = 0x44,   /* seconds; 0: none */
	REVISION = 0x4c,         /* features count from 1 on */
	INCOMPATIBLE = 0x60,     /* features that who does not know them must not mount */
	READ_ONLY = 0x64,        /* features that who does not know them must not write */
	LAST_ORPHAN = 0xe8,      /* the first of the files that were deleted while open */
	CHECKSUM_TYPE = 0x175,   /* 8 bits; 1: CRC32C */
	ERROR_COUNT = 0x194,     /* since the last check */
	LAST_CHECK_HIGH = 0x277, /* 8 bits */
	CHECKSUM = 0x3fc
};

enum { EXT_MAGIC = 0xef53, STATE_VALID = 1, STATE_ERROR = 2, STATE_ORPHANS = 4, TYPE_CRC32C = 1 };

enum {
	NEEDS_RECOVERY = 0x4,
	JOURNAL_DEVICE = 0x8,
	/* file types, meta groups, extents, 64 bits, MMP, flexible groups, inodes for attributes and data,
	 * checksum seed, large folders, encryption, letter case */
	KNOWN = 0x2 | 0x10 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x10000 |
		0x20000,
	METADATA_CHECKSUMS = 0x400,
	ORPHANS_PRESENT = 0x10000
};

static uint32_t number(const unsigned char *block, size_t at, size_t bytes)
{
	uint32_t value = 0;

	for (size_t i = bytes; i > 0; i--)
		value = value << 8 | block[at + i - 1];
	return value;
}

static uint32_t crc32c(const unsigned char *bytes, size_t count)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < count; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
	}
	return crc;
}

/* Return: NULL if the block is one that we understand. */
static const char *why_strange(const unsigned char *block)
{
	const uint32_t features = number(block, INCOMPATIBLE, 4);

	if (number(block, MAGIC, 2) != EXT_MAGIC || number(block, REVISION, 4) < 1)
		return "its superblock is of another kind";
	if (features & NEEDS_RECOVERY)
		return "it was not unmounted";
	if (features & ~(uint32_t)KNOWN)
		return features & JOURNAL_DEVICE ? "it is a journal" : "it has features that are not known here";
	if (!(number(block, READ_ONLY, 4) & METADATA_CHECKSUMS))
		return NULL;
	if (block[CHECKSUM_TYPE] != TYPE_CRC32C || number(block, CHECKSUM, 4) != crc32c(block, CHECKSUM))
		return "its superblock has a wrong checksum";
	return NULL;
}

static const char *why_due(const unsigned char *block, int64_t now)
{
	const int64_t last = (int64_t)block[LAST_CHECK_HIGH] << 32 | number(block, LAST_CHECK, 4);
	const uint32_t interval = number(block, CHECK_INTERVAL, 4);
	const int16_t most = (int16_t)number(block, MOST_MOUNTS, 2);

	if (most > 0 && number(block, MOUNT_COUNT, 2) >= (uint32_t)most)
		return "it was mounted as often as it may be without a check";
	if (interval && (now < last || now - last >= (int64_t)interval))
		return "its last check was too long ago, or the clock is wrong";
	return NULL;
}

const char *ext_why_check(const unsigned char block[EXT_SUPER_BYTES], int64_t now)
{
	const char *why = why_strange(block);
	const uint32_t state = number(block, STATE, 2);

	if (why)
		return why;
	if (!(state & STATE_VALID))
		return "it was not unmounted";
	if (state & STATE_ERROR || number(block, ERROR_COUNT, 4))
		return "the kernel found errors in it";
	if (state & STATE_ORPHANS || number(block, LAST_ORPHAN, 4) || number(block, READ_ONLY, 4) & ORPHANS_PRESENT)
		return "it has files that were deleted while open";
	return why_due(block, now);
}
