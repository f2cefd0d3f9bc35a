/* SPDX-License-Identifier: MIT */
/* File systems on devices: their types, their options, their devices. */
#include "mount.h"
#include "devices.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inorder/trace.h>
#include <libmount/libmount.h>
#include <linux/btrfs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define OVERLAY "/run/inorder-overlay" /* /run moves to the root, so the lower layer stays to be seen */
#define LOWER OVERLAY "/lower"

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
		complain("mount: cannot open /dev/btrfs-control: %s: only %s of this btrfs is known", strerror(errno),
			 root->device);
		return;
	}
	while (devices_next("btrfs", &at, &member)) {
		struct btrfs_ioctl_vol_args args = {0};

		if (strcmp(member.uuid, root->uuid))
			continue;
		memcpy(args.name, member.device, strlen(member.device));
		if (ioctl(control, BTRFS_IOC_SCAN_DEV, &args))
			complain("mount: btrfs does not take %s: %s", member.device, strerror(errno));
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
	complain("mount: %s (%s) cannot be written: it is mounted read-only", device, type);
	return 0;
}

static void explain(const struct facts *device, const char *path, const char *type, int error, const char *options)
{
	if (error == -ENODEV)
		complain("mount: cannot mount %s: the kernel has no driver of %s: is it in the image?", device->device,
			 type);
	else
		complain("mount: cannot mount %s (%s) at %s, options %s: %s", device->device, type, path,
			 options ? options : "none", strerror(-error));
	if (error == -EROFS)
		complain(
			"mount: %s cannot be written, and its file system was not unmounted cleanly: the option noload "
			"(ext4; rootflags=noload for the root) or norecovery (xfs) mounts it as it is",
			device->device);
	if (device->members > 1)
		complain(
			"mount: the btrfs of %s consists of %u devices; the option degraded (rootflags=degraded for the "
			"root) mounts it without some",
			device->device, device->members);
	if (*device->type && strcmp(device->type, type))
		complain("mount: on %s is %s, not %s", device->device, device->type, type);
}

/* The types to be tried, comma-separated: what is there if @asked allows it, else what that says. */
static void choose_types(const struct facts *device, const char *asked, char *types, size_t room)
{
	const size_t length = strlen(device->type);

	path_print_room(types, room, "%s", asked ? asked : device->type);
	for (const char *at = asked; at && length && (at = strstr(at, device->type)); at += length)
		if ((at == asked || at[-1] == ',') && (at[length] == ',' || !at[length]))
			path_print_room(types, room, "%s", device->type);
}

/* Tables of letters that vfat asks for when it is mounted; the kernel would ask modprobe, and the image has none. */
static void load_letters(const char *type)
{
	static const char *const names[] = {"nls_cp437", "nls_ascii", "nls_utf8", "nls_iso8859-1"};
	struct module_set set = {0};

	if (strcmp(type, "vfat"))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		modules_request(names[i], MODULE_FOR_ROOT, &set);
	modules_wait(&set);
}

static int mount_as(const struct facts *device, const char *path, const char *type, unsigned long flags,
		    const char *options)
{
	char step[64];
	uint64_t since_ns;
	int error;

	root_wait_filesystem(type);
	load_letters(type);
	if (!strcmp(type, "btrfs") && device->members > 1)
		register_btrfs(device);
	path_print(step, "mount %s", type);
	since_ns = async_trace_calling(NULL, step);
	error = try_mount(device->device, path, type, flags, options);
	async_trace_called(NULL, step, error, since_ns);
	if (error)
		explain(device, path, type, error, options);
	return error;
}

static int mount_with(const struct facts *device, const char *path, const char *asked, unsigned long flags,
		      const char *options)
{
	char types[256], *rest = types, *type;
	int error = -EINVAL;

	choose_types(device, asked, types, sizeof(types));
	if (!*types)
		complain("mount: no one knows what file system is on %s: rootfstype= can say it of the root",
			 device->device);
	while (*types && error && (type = strsep(&rest, ",")))
		error = mount_as(device, path, type, flags, options);
	return error;
}

int mount_at(const struct facts *device, const char *path, const char *types, const char *text)
{
	unsigned long flags = 0;
	char *options = NULL;
	int error = text ? split_flags(text, &flags, &options) : 0;

	if (error)
		complain("mount: the options %s of %s are not understood: %s", text, path, strerror(-error));
	else
		error = mount_with(device, path, types, cmdline.rw ? flags : flags | MS_RDONLY, options);
	free(options);
	return error;
}

int mount_virtual(const char *type, const char *path, const char *text)
{
	unsigned long flags = 0;
	char *options = NULL;
	int error = text ? split_flags(text, &flags, &options) : 0;

	if (!error && mount(type, path, type, flags, options))
		error = -errno;
	if (error)
		complain("mount: cannot mount %s at %s, options %s: %s", type, path, text ? text : "none",
			 strerror(-error));
	free(options);
	return error;
}

static int make_folder(const char *path)
{
	if (!mkdir(path, 0755) || errno == EEXIST)
		return 0;
	complain("mount: cannot make %s: %s", path, strerror(errno));
	return -errno;
}

/* The root stays as it is; what is written is in memory, and gone with the machine. */
static int mount_overlay(void)
{
	int error;

	root_wait_filesystem("overlay");
	error = make_folder(OVERLAY "/upper");
	if (!error)
		error = make_folder(OVERLAY "/work");
	if (!error)
		error = mount_virtual("overlay", NEW_ROOT,
				      "lowerdir=" LOWER ",upperdir=" OVERLAY "/upper,workdir=" OVERLAY "/work");
	return error;
}

/* Makes what the overlay consists of. */
static int prepare_overlay(void)
{
	int error = make_folder(OVERLAY);

	if (!error)
		error = mount_virtual("tmpfs", OVERLAY, "mode=0755");
	return error ? error : make_folder(LOWER);
}

int mount_root(const struct facts *root)
{
	const char *asked = cmdline.rootfstype && strcmp(cmdline.rootfstype, "auto") ? cmdline.rootfstype : NULL;
	unsigned long flags = cmdline.rw && !cmdline.overlay ? 0 : MS_RDONLY;
	char *options = NULL;
	int error = cmdline.rootflags ? split_flags(cmdline.rootflags, &flags, &options) : 0;

	if (error)
		complain("mount: rootflags=%s is not understood: %s", cmdline.rootflags, strerror(-error));
	if (!error)
		error = make_folder(NEW_ROOT);
	if (!error && cmdline.overlay)
		error = prepare_overlay();
	if (!error)
		error = mount_with(root, cmdline.overlay ? LOWER : NEW_ROOT, asked, flags, options);
	if (!error && cmdline.overlay)
		error = mount_overlay();
	free(options);
	return error;
}
