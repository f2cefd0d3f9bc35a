/* SPDX-License-Identifier: MIT */
/* File systems: the kernel's own, and the root. */
#include "internal.h"

#include <errno.h>
#include <libmount/libmount.h>
#include <stdlib.h>
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

/* Parts rootflags= into what the kernel takes as bits and what the file system reads. Return: 0 or -errno. */
static int split_flags(const char *text, unsigned long *flags, char **options)
{
	char *generic = NULL;
	int error = mnt_split_optstr(text, NULL, &generic, options, 0, 0);

	if (!error && generic)
		error = mnt_optstr_get_flags(generic, flags, mnt_get_builtin_optmap(MNT_LINUX_MAP));
	free(generic);
	return error;
}

int mount_root(const char *device, const char *type)
{
	unsigned long flags = cmdline.rw ? 0 : MS_RDONLY;
	char *options = NULL;
	int error = cmdline.rootflags ? split_flags(cmdline.rootflags, &flags, &options) : 0;

	if (error) {
		complain("root: rootflags=%s is not understood: %s", cmdline.rootflags, strerror(-error));
		return error;
	}
	if (mkdir(NEW_ROOT, 0755) && errno != EEXIST)
		error = -errno;
	else if (mount(device, NEW_ROOT, type, flags, options))
		error = -errno;
	if (error == -ENODEV)
		complain("root: cannot mount %s: the kernel has no driver of %s: is it in the image?", device, type);
	else if (error)
		complain("root: cannot mount %s (%s) at %s, options %s: %s", device, type, NEW_ROOT,
			 options ? options : "none", strerror(-error));
	free(options);
	return error;
}
