/* SPDX-License-Identifier: MIT */
/*
 * The check of the root, in a call of its own: it needs the disk, and not the
 * driver of the file system, which may still be loading meanwhile.
 */
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

/* Exit statuses of every fsck, bits of a sum. */
enum { CORRECTED = 1, REBOOT = 2, UNCORRECTED = 4, NEVER_RUN = 128 };

static ASYNC_DOMAIN(fsck_domain);
static char checked[64], checker[64], output[2048];
static int status;

static void check(void *data, async_cookie_t cookie)
{
	const char *const argv[] = {checker, "-p", checked, NULL};

	(void)data;
	(void)cookie;
	async_set_name("fsck");
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

void fsck_start(const char *device, const char *type)
{
	path_print(checked, "%s", device);
	if (!choose_checker(type)) {
		say("fsck: the image has no /sbin/fsck.%s: %s is mounted unchecked", type, device);
		*checker = '\0';
		return;
	}
	async_schedule_domain(check, NULL, &fsck_domain);
}

int fsck_wait(void)
{
	async_synchronize_full_domain(&fsck_domain);
	if (!*checker)
		return 0;
	if (status < 0) {
		complain("fsck: cannot run %s on %s: %s", checker, checked, strerror(-status));
		return status;
	}
	if (status & ~(CORRECTED | REBOOT)) {
		complain("fsck: %s -p %s ended with %d: %s", checker, checked, status, output);
		if (status & UNCORRECTED)
			complain("fsck: %s has errors that need a decision: run \"%s %s\"", checked, checker, checked);
		return -EUCLEAN;
	}
	say("fsck: %s", output);
	if (status & REBOOT) {
		complain("fsck: %s was repaired and asks for a new start: rebooting", checked);
		sync();
		reboot(RB_AUTOBOOT);
	} else if (status & CORRECTED) {
		complain("fsck: %s was repaired: %s", checked, output);
	}
	return 0;
}
