/* SPDX-License-Identifier: MIT */
/* The root's file system: its type, its options, its devices. */
#include "devices.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libmount/libmount.h>
#include <linux/btrfs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Parts options into what the kernel takes as bits and what the file system reads. Return: 0 or -errno. */
static int split_flags(const char *text, unsigned long *flags, char **options)
{
	char *generic = NULL;
	int error = mnt_split_optstr(text, NULL, &generic, options, 0, 0);

	if (!error && generic)
		error = mnt_optstr_get_flags(generic, flags, mnt_get_builtin_optmap(MNT_LINUX_MAP));
	free(generic);
	return error;
}

/* The driver knows the devices of a btrfs only when it was told each of them. */
static void register_btrfs(const struct facts *root)
{
	const int control = open("/dev/btrfs-control", O_RDWR | O_CLOEXEC);
	struct facts member;
	size_t at = 0;

	if (control < 0) {
		complain("root: cannot open /dev/btrfs-control: %s: only %s of this btrfs is known", strerror(errno),
			 root->device);
		return;
	}
	while (devices_next("btrfs", &at, &member)) {
		struct btrfs_ioctl_vol_args args = {0};

		if (strcmp(member.uuid, root->uuid))
			continue;
		memcpy(args.name, member.device, strlen(member.device));
		if (ioctl(control, BTRFS_IOC_SCAN_DEV, &args))
			complain("root: btrfs does not take %s: %s", member.device, strerror(errno));
	}
	close(control);
}

/* A device that cannot be written is no failure: the root is then read-only. Return: 0 or -errno. */
static int try_mount(const char *device, const char *path, const char *type, unsigned long flags, const char *options)
{
	if (!mount(device, path, type, flags, options))
		return 0;
	if ((errno != EROFS && errno != EACCES) || flags & MS_RDONLY)
		return -errno;
	if (mount(device, path, type, flags | MS_RDONLY, options))
		return -errno;
	complain("root: %s (%s) cannot be written: it is mounted read-only", device, type);
	return 0;
}

static void explain(const struct facts *root, const char *type, int error, const char *options)
{
	if (error == -ENODEV)
		complain("root: cannot mount %s: the kernel has no driver of %s: is it in the image?", root->device,
			 type);
	else
		complain("root: cannot mount %s (%s) at %s, options %s: %s", root->device, type, NEW_ROOT,
			 options ? options : "none", strerror(-error));
	if (error == -EROFS)
		complain("root: %s cannot be written, and its file system was not unmounted cleanly: rootflags=noload "
			 "(ext4) or norecovery (xfs) mounts it as it is",
			 root->device);
	if (root->members > 1)
		complain("root: the btrfs of %s consists of %u devices; rootflags=degraded mounts it without some",
			 root->device, root->members);
	if (*root->type && strcmp(root->type, type))
		complain("root: on %s is %s; rootfstype=%s says otherwise", root->device, root->type,
			 cmdline.rootfstype);
}

/* The types to be tried, comma-separated: what is there if rootfstype= allows it, else what that says. */
static void choose_types(const struct facts *root, char *types, size_t room)
{
	const char *asked = cmdline.rootfstype && strcmp(cmdline.rootfstype, "auto") ? cmdline.rootfstype : NULL;
	const size_t length = strlen(root->type);

	path_print_room(types, room, "%s", asked ? asked : root->type);
	for (const char *at = asked; at && length && (at = strstr(at, root->type)); at += length)
		if ((at == asked || at[-1] == ',') && (at[length] == ',' || !at[length]))
			path_print_room(types, room, "%s", root->type);
}

static int mount_as(const struct facts *root, const char *type, unsigned long flags, const char *options)
{
	int error;

	root_wait_filesystem(type);
	if (!strcmp(type, "btrfs") && root->members > 1)
		register_btrfs(root);
	error = try_mount(root->device, NEW_ROOT, type, flags, options);
	if (error)
		explain(root, type, error, options);
	return error;
}

int mount_root(const struct facts *root)
{
	unsigned long flags = cmdline.rw ? 0 : MS_RDONLY;
	char types[256], *rest = types, *type, *options = NULL;
	int error = cmdline.rootflags ? split_flags(cmdline.rootflags, &flags, &options) : 0;

	if (error) {
		complain("root: rootflags=%s is not understood: %s", cmdline.rootflags, strerror(-error));
		return error;
	}
	choose_types(root, types, sizeof(types));
	if (!*types) {
		complain("root: nobody knows what file system is on %s: rootfstype= can say", root->device);
		error = -EINVAL;
	} else if (mkdir(NEW_ROOT, 0755) && errno != EEXIST) {
		error = -errno;
		complain("root: cannot make %s: %s", NEW_ROOT, strerror(errno));
	} else {
		error = -EINVAL;
		while (error && (type = strsep(&rest, ",")))
			error = mount_as(root, type, flags, options);
	}
	free(options);
	return error;
}
