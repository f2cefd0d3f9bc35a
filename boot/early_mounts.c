/* SPDX-License-Identifier: MIT */
/* The kernel's own file systems. */
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

static int mount_one(const char *source, const char *path, const char *type, unsigned long flags, const char *options)
{
	if (mkdir(path, 0755) && errno != EEXIST) {
		complain("mounts: cannot make %s: %s", path, strerror(errno));
		return -errno;
	}
	if (mount(source, path, type, flags, options) && errno != EBUSY) { /* EBUSY: the kernel has done it */
		complain("mounts: cannot mount %s at %s: %s", type, path, strerror(errno));
		return -errno;
	}
	return 0;
}

int mounts_early(void)
{
	const unsigned long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	const int errors[] = {
		mount_one("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755"),
		mount_one("proc", "/proc", "proc", safe, NULL),
		mount_one("sysfs", "/sys", "sysfs", safe, NULL),
		mount_one("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=20%"),
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i])
			return errors[i];
	return 0;
}
