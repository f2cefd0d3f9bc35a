/* SPDX-License-Identifier: MIT */
/*
 * The check of the root, in a call of its own: it needs the disk, and not the
 * driver of the file system, which may still be loading meanwhile.
 */
#include "ext_state.h"
#include "facts.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Exit statuses of every fsck, bits of a sum. */
enum { CORRECTED = 1, REBOOT = 2, UNCORRECTED = 4, NOT_CHECKED = 8 };

static ASYNC_DOMAIN(fsck_domain);
static char checked[64], checker[64], output[2048];
static int status;
static bool is_ext, by_superblock, closely;

/* What fsck.repair= asks for, as every fsck of a kind that repairs spells it. */
static const char *repair_flag(void)
{
	return cmdline.fsck_no ? "-n" : cmdline.fsck_yes ? "-y" : "-p";
}

/* The kernel's word on whether anything can be written: a check that cannot write fails on what it would repair. */
static bool is_read_only(const struct facts *device)
{
	char file[PATH_MAX], text[8];

	path_print(file, "/sys/dev/block/%u:%u/ro", device->major, device->minor);
	return file_read(file, text, sizeof(text)) > 0 && !strcmp(text, "1");
}

/* True if the superblock says what e2fsck would say after reading more of it; then the program is not run. */
static bool is_clean(void)
{
	unsigned char block[EXT_SUPER_BYTES];
	const int fd = open(checked, O_RDONLY | O_CLOEXEC);
	const ssize_t got = fd < 0 ? -1 : pread(fd, block, sizeof(block), EXT_SUPER_OFFSET);
	const char *why = got == sizeof(block) ? ext_why_check(block, time(NULL)) : "its superblock cannot be read";

	if (fd >= 0)
		close(fd);
	if (why)
		say("fsck: %s is checked: %s", checked, why);
	else
		path_print(output, "%s: clean, by its superblock", checked);
	return !why;
}

static void check(void *data, async_cookie_t cookie)
{
	const char *argv[5] = {checker, repair_flag()};
	int at = 2;

	if (cmdline.fsck_force || closely)
		argv[at++] = "-f";
	argv[at] = checked;
	(void)data;
	(void)cookie;
	async_set_name("fsck");
	by_superblock = is_ext && !cmdline.fsck_force && !closely && is_clean();
	if (by_superblock)
		return;
	status = process_run(argv, output, sizeof(output));
	if (status < 0 || status > CORRECTED)
		async_set_error(status < 0 ? status : -EUCLEAN);
}

static bool choose_checker(const char *type)
{
	path_print(checker, "/sbin/fsck.%s", type);
	if (file_exists(checker))
		return true;
	path_print(checker, "/sbin/e2fsck");
	return !strncmp(type, "ext", 3) && file_exists(checker);
}

void fsck_start(const struct facts *root)
{
	const char *device = checked, *type = root->type;

	status = 0;
	is_ext = !strncmp(type, "ext", 3);
	path_print(checked, "%s", root->device);
	*checker = '\0';
	if (cmdline.fsck_skip || is_read_only(root)) {
		say("fsck: %s is mounted unchecked: %s", device,
		    cmdline.fsck_skip ? "the command line says so" : "the device is read-only");
		return;
	}
	if (!choose_checker(type)) {
		say("fsck: the image has no /sbin/fsck.%s: %s is mounted unchecked", type, device);
		*checker = '\0';
		return;
	}
	async_schedule_domain(check, NULL, &fsck_domain);
}

static int report_errors(void)
{
	complain("fsck: %s %s %s ended with %d: %s", checker, repair_flag(), checked, status, output);
	if (status & UNCORRECTED)
		complain("fsck: %s has errors that need a decision: run \"%s %s\", or boot with fsck.repair=yes",
			 checked, checker, checked);
	return -EUCLEAN;
}

/* Debian's systemd does not check again what has such a stamp, which is that of initramfs-tools. */
static void leave_stamp(const char *name)
{
	char path[64];
	int fd;

	mkdir("/run/initramfs", 0700);
	path_print(path, "/run/initramfs/fsck-%s", name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
	fd = open("/run/initramfs/fsck.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	dprintf(fd, "%s %s %s: %d\n%s\n", checker, repair_flag(), checked, status, output);
	close(fd);
}

int fsck_wait(const char *name)
{
	async_synchronize_full_domain(&fsck_domain);
	if (!*checker)
		return 0;
	if (status < 0) {
		complain("fsck: cannot run %s on %s: %s", checker, checked, strerror(-status));
		return status;
	}
	if (status & ~(CORRECTED | REBOOT | NOT_CHECKED))
		return report_errors();
	if (status & NOT_CHECKED) {
		complain("fsck: %s could not check %s (%d), which says nothing about errors: %s", checker, checked,
			 status, output);
	} else {
		say("fsck: %s", output);
		leave_stamp(name);
	}
	if (status & REBOOT) {
		complain("fsck: %s was repaired and asks for a new start: rebooting", checked);
		sync();
		reboot(RB_AUTOBOOT);
	} else if (status & CORRECTED) {
		complain("fsck: %s was repaired: %s", checked, output);
	}
	return 0;
}

int fsck_closely(const struct facts *device, const char *name)
{
	int error;

	if (!by_superblock)
		return -ENOENT;
	complain("fsck: %s is clean, says its superblock, but could not be mounted: checking all of it",
		 device->device);
	by_superblock = false;
	closely = true;
	fsck_start(device);
	error = fsck_wait(name);
	closely = false;
	return error;
}
