/* SPDX-License-Identifier: MIT */
/* The kernel's command line, as inorder-init reads it. */
#include "unit.h"

#include "internal.h"

static char line[1024];

static struct cmdline parse(const char *text)
{
	struct cmdline result;

	strcpy(line, text);
	cmdline_parse(line, &result);
	return result;
}

UNIT(test_empty)
{
	const struct cmdline result = parse("");

	assert_null(result.root);
	assert_null(result.init);
	assert_null(result.trace);
	assert_false(result.rw || result.serial || result.unordered || result.initcall_debug);
	assert_int_equal(result.wait_s, 30);
	assert_int_equal(result.unknown_count, 0);
}

UNIT(test_every_word)
{
	const struct cmdline result =
		parse("BOOT_IMAGE=/vmlinuz root=UUID=12-34 rootfstype=ext4,xfs rootflags=noatime,data=journal "
		      "rw init=/bin/true initcall_debug inorder.serial inorder.trace=/run/t inorder.unordered "
		      "inorder.signatures=skip quiet\n");

	assert_string_equal(result.root, "UUID=12-34");
	assert_string_equal(result.rootfstype, "ext4,xfs");
	assert_string_equal(result.rootflags, "noatime,data=journal");
	assert_string_equal(result.init, "/bin/true");
	assert_string_equal(result.trace, "/run/t");
	assert_true(result.rw && result.serial && result.unordered && result.initcall_debug && result.no_signatures);
	assert_int_equal(result.unknown_count, 0);
}

UNIT(test_last_word_wins)
{
	struct cmdline result = parse("rw root=/dev/sda root=/dev/sdb ro");

	assert_string_equal(result.root, "/dev/sdb");
	assert_false(result.rw);
	result = parse("root=/dev/sda root=");
	assert_null(result.root);
	assert_false(parse("inorder.signatures=skip inorder.signatures=check").no_signatures);
}

UNIT(test_quotes)
{
	struct cmdline result = parse("root=\"LABEL=my root\" \"init=/a b\" rootflags=a\" \"b");

	assert_string_equal(result.root, "LABEL=my root");
	assert_string_equal(result.init, "/a b");
	assert_string_equal(result.rootflags, "a b");
	result = parse("init=/a root=\"never closed");
	assert_string_equal(result.root, "never closed");
}

UNIT(test_waiting)
{
	assert_int_equal(parse("rootwait").wait_s, UINT_MAX);
	assert_int_equal(parse("rootwait=7").wait_s, 7);
	assert_int_equal(parse("rootdelay=0").wait_s, 0);
	assert_int_equal(parse("rootwait=soon").wait_s, 30);
	assert_int_equal(parse("rootwait=7s").wait_s, 30);
	assert_int_equal(parse("rootwait=-18446744073709551615").wait_s, 30); /* which is 1 to strtoul() */
	assert_int_equal(parse("rootwait=99999999999999999999").wait_s, 30);
	assert_int_equal(parse("rootwait=").wait_s, 30);
}

UNIT(test_unknown_words)
{
	struct cmdline result = parse("inorder.serious inorder.trace ro.x inorderly=1 inorder.serial=1");

	assert_int_equal(result.unknown_count, 3);
	assert_string_equal(result.unknown[0], "inorder.serious");
	assert_string_equal(result.unknown[1], "inorder.trace");
	assert_string_equal(result.unknown[2], "inorder.serial=1");
	assert_false(result.serial);
	result = parse("ip=dhcp loop=disk.img blacklist=ahci loop.max_loop=8 netconsole.x=1 tip=1");
	assert_int_equal(result.unknown_count, 3);
	assert_string_equal(result.unknown[1], "loop=disk.img");
	result = parse("inorder.1 inorder.2 inorder.3 inorder.4 inorder.5 inorder.6 inorder.7 inorder.8 inorder.9");
	assert_int_equal(result.unknown_count, 8);
}

UNIT(test_words_of_init)
{
	const struct cmdline result = parse("root=/dev/sda -- inorder.serial root=/dev/sdb");

	assert_string_equal(result.root, "/dev/sda");
	assert_false(result.serial);
}

UNIT(test_words_of_initramfs_tools)
{
	struct cmdline result = parse("break panic=20 boot=local noresume resume=UUID=1 boot=nfs");

	assert_string_equal(result.break_at, "premount");
	assert_string_equal(parse("break=bottom").break_at, "bottom");
	assert_true(result.no_shell);
	assert_int_equal(result.panic_s, 20);
	assert_int_equal(result.unknown_count, 0);
	assert_string_equal(result.resume, "UUID=1");
	assert_true(result.noresume);
	assert_true(parse("resume=/dev/sda1 resume_offset=34816").resume_offset == 34816);
	result = parse("boot=nfs resume_offset=x resume_offset=-1");
	assert_true(!result.resume_offset);
	assert_int_equal(result.unknown_count, 2); /* what is not done is named */
	assert_string_equal(result.boot, "nfs");
	result = parse("panic=7 panic=-1");
	assert_true(result.no_shell);
	assert_int_equal(result.panic_s, 0);
	assert_false(parse("panic=7 panic=").no_shell);
}

UNIT(test_check)
{
	struct cmdline result = parse("fsck.mode=force fsck.repair=yes");

	assert_true(result.fsck_force && result.fsck_yes);
	assert_false(result.fsck_skip || result.fsck_no);
	assert_true(parse("fastboot").fsck_skip && parse("fsck.mode=skip").fsck_skip);
	assert_true(parse("forcefsck").fsck_force && parse("fsckfix").fsck_yes && parse("fsck.repair=no").fsck_no);
	result = parse("fsck.mode=skip forcefsck fsck.mode=auto fsck.repair=no fsckfix fsck.repair=preen");
	assert_false(result.fsck_force || result.fsck_skip || result.fsck_yes || result.fsck_no);
	assert_int_equal(result.unknown_count, 0);
}

UNIT(test_words_of_others)
{
	const struct cmdline result =
		parse("rd.luks.uuid=1 cryptdevice=/dev/sda nfsroot=/a fsck.mode=no quiet ip=dhcp");

	assert_int_equal(result.unknown_count, 5);
	assert_string_equal(result.unknown[0], "rd.luks.uuid=1");
	assert_string_equal(result.unknown[3], "fsck.mode=no");
}

UNIT_MAIN(NULL, NULL)
