/* SPDX-License-Identifier: MIT */
/* What a superblock says about the need of a check, and what e2fsck says of the same file system. */
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#include "ext_state.h"

static char path[] = "/tmp/ext_state.XXXXXX";

static int run(const char *format)
{
	char command[512];

	snprintf(command, sizeof(command), format, path);
	return system(command);
}

static void read_block(unsigned char *block)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, block, EXT_SUPER_BYTES, EXT_SUPER_OFFSET), EXT_SUPER_BYTES);
	close(fd);
}

/* @change makes @why of a new file system; NULL: it stays clean, and e2fsck agrees that nothing is to be done. */
static void check(const char *make, const char *change, const char *why)
{
	unsigned char block[EXT_SUPER_BYTES];
	const char *found;

	assert_int_equal(run(make), 0);
	if (change)
		assert_int_equal(run(change), 0);
	read_block(block);
	found = ext_why_check(block, time(NULL));
	if (!why) {
		assert_null(found);
		assert_int_equal(run("e2fsck -p %s | grep -q clean,"), 0);
		return;
	}
	assert_non_null(found);
	assert_non_null(strstr(found, why));
}

#define EXT4 "mke2fs -q -F -t ext4 %s 8M"
#define OLD "mke2fs -q -F -t ext3 -O ^metadata_csum %s 8M"
#define SET(field) "debugfs -w -R 'ssv " field "' %s 2>/dev/null"

UNIT(test_clean)
{
	check(EXT4, NULL, NULL);
	check(OLD, NULL, NULL);
	check("mke2fs -q -F -t ext2 %s 8M", NULL, NULL);
	check("mke2fs -q -F -t ext4 -O casefold,inline_data,ea_inode,large_dir %s 8M", NULL, NULL);
	check(EXT4, "tune2fs -c 5 -C 4 %s >/dev/null", NULL);
	check(EXT4, "tune2fs -c -1 -C 400 %s >/dev/null", NULL);
	check(EXT4, "tune2fs -i 10d %s >/dev/null", NULL);
}

UNIT(test_due)
{
	check(EXT4, "tune2fs -c 5 -C 5 %s >/dev/null", "as often");
	check(EXT4, "tune2fs -i 10d -T 20200101 %s >/dev/null", "too long ago");
	check(EXT4, "tune2fs -i 10d -T 20990101 %s >/dev/null", "clock");
}

UNIT(test_dirty)
{
	check(EXT4, SET("state 0"), "not unmounted");
	check(EXT4, SET("state 3"), "errors");
	check(EXT4, SET("error_count 1"), "errors");
	check(EXT4, SET("last_orphan 12"), "deleted");
	check(EXT4, SET("feature_ro_compat 0x1046b"), "deleted");
	check(EXT4, SET("feature_incompat 0x2c6"), "not unmounted");
}

/* What debugfs does not write: a byte of a superblock without a checksum. */
static void check_byte(size_t at, unsigned char value, const char *why)
{
	unsigned char block[EXT_SUPER_BYTES];
	const char *found;

	read_block(block);
	block[at] = value;
	found = ext_why_check(block, time(NULL));
	assert_non_null(found);
	assert_non_null(strstr(found, why));
}

UNIT(test_strange)
{
	check("mke2fs -q -F -O journal_dev %s 8M", NULL, "journal");
	check(OLD, NULL, NULL);
	check_byte(0x62, 0x80, "not known");
	check_byte(0x38, 1, "another kind");
	check_byte(0x4c, 0, "another kind");
}

UNIT(test_checksum)
{
	unsigned char block[EXT_SUPER_BYTES];

	check(EXT4, NULL, NULL);
	read_block(block);
	block[0] ^= 1;
	assert_non_null(strstr(ext_why_check(block, time(NULL)), "checksum"));
}

static int make_file(void **state)
{
	const int fd = mkstemp(path);

	setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	return unlink(path);
}

int main(void)
{
	if (system("PATH=/usr/sbin:/sbin:/usr/bin:/bin; command -v mke2fs debugfs tune2fs e2fsck >/dev/null"))
		return 77;
	return UNIT_RUN(make_file, remove_file);
}
