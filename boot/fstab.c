/* SPDX-License-Identifier: MIT */
/* What the root's fstab wants before the real init runs: /usr, and what is marked with x-initrd.mount. */
#include "fstab.h"

#include "devices.h"
#include "internal.h"
#include "mount.h"
#include "root_device.h"
#include "volumes.h"

#include <errno.h>
#include <libmount/libmount.h>
#include <string.h>

#define FSTAB NEW_ROOT "/etc/fstab"

enum { WAIT_S = 30 };

/* Whether the real init waits for a device that was not seen yet, so that the finisher has to find it. */
static bool is_waited_for(struct libmnt_fs *entry)
{
	const char *source = mnt_fs_get_source(entry), *target = mnt_fs_get_target(entry);
	struct root_spec spec;
	struct facts device;

	if (!source || (*source == '/' && strncmp(source, "/dev/", 5) != 0)) /* a file of the root, to swap to */
		return false;
	if ((target && !strcmp(target, "/")) || mnt_fs_is_pseudofs(entry) || mnt_fs_is_netfs(entry) ||
	    mnt_fs_get_option(entry, "noauto", NULL, NULL) == 0 || mnt_fs_get_option(entry, "nofail", NULL, NULL) == 0)
		return false;
	return !root_spec_parse(source, &spec) || !devices_find(&spec, &device);
}

static bool is_wanted(struct libmnt_fs *entry)
{
	const char *target = mnt_fs_get_target(entry);

	if (!target || !strcmp(target, "/") || mnt_fs_is_swaparea(entry))
		return false;
	if (mnt_fs_get_option(entry, "x-initrd.mount", NULL, NULL) == 0)
		return true;
	return !strcmp(target, "/usr") && mnt_fs_get_option(entry, "noauto", NULL, NULL) != 0;
}

/* Return: 0, or -errno said on the console. */
static int mount_device(struct libmnt_fs *entry, const char *path, const char *types, const char *options)
{
	const char *source = mnt_fs_get_source(entry);
	struct root_spec spec;
	struct facts device;

	if (!root_spec_parse(source, &spec)) {
		complain("fstab: %s: %s", source, spec.refusal);
		return -EINVAL;
	}
	facts_want_for(&spec);
	if (spec.kind == ROOT_PARTUUID || spec.kind == ROOT_PARTLABEL || spec.kind == ROOT_LINK || cmdline.rootfstype)
		root_look_for_all();
	if (!volumes_wait(&spec, WAIT_S, &device)) {
		complain("fstab: %s, which is mounted at %s, is not there after %d s", source, mnt_fs_get_target(entry),
			 WAIT_S);
		return -ENODEV;
	}
	if (mnt_fs_get_passno(entry)) {
		fsck_start(&device);
		if (fsck_wait(mnt_fs_get_target(entry) + 1))
			return -EUCLEAN;
	}
	return mount_at(&device, path, types, options);
}

static int mount_entry(struct libmnt_fs *entry)
{
	const char *types = mnt_fs_get_fstype(entry), *options = mnt_fs_get_options(entry);
	char path[PATH_MAX];

	path_print(path, NEW_ROOT "%s", mnt_fs_get_target(entry));
	if (types && (!strcmp(types, "tmpfs") || !strcmp(types, "ramfs")))
		return mount_virtual(types, path, options);
	if (mnt_fs_is_netfs(entry) || mnt_fs_is_pseudofs(entry) || mnt_fs_get_option(entry, "bind", NULL, NULL) == 0) {
		complain("fstab: %s: this /init mounts only local disks and tmpfs before the real init",
			 mnt_fs_get_target(entry));
		return -ENOTSUP;
	}
	return mount_device(entry, path, types && strcmp(types, "auto") ? types : NULL, options);
}

/* Return: 0, or -errno if the real init cannot do without it. */
static int mount_wanted(struct libmnt_fs *entry)
{
	const int error = mount_entry(entry);
	const bool may_fail = mnt_fs_get_option(entry, "nofail", NULL, NULL) == 0;

	if (error)
		complain("fstab: %s could not be mounted, %s", mnt_fs_get_target(entry),
			 may_fail ? "but may fail (nofail): going on without" : "and the real init needs it");
	return may_fail ? 0 : error;
}

/* The rest of the file counts. Return: positive, so libmount goes on. */
static int report_line(struct libmnt_table *table, const char *file, int line)
{
	(void)table;
	complain("fstab: line %d of %s is malformed and ignored", line, file);
	return 1;
}

/* The real init reads the same file, and knows what to do without it. */
static bool can_read(struct libmnt_table *table)
{
	int error;

	mnt_table_set_parser_errcb(table, report_line);
	error = mnt_table_parse_file(table, FSTAB);
	if (error)
		complain("fstab: cannot read %s, so only the root is mounted: %s", FSTAB,
			 error < 0 ? strerror(-error) : "it is malformed");
	return !error;
}

/* A line that is not a comment. */
static bool has_crypttab(void)
{
	char text[4096], *rest = text, *line;

	if (file_read(NEW_ROOT "/etc/crypttab", text, sizeof(text)) <= 0)
		return false;
	while ((line = strsep(&rest, "\n")))
		if (!strchr("#", line[strspn(line, " \t")]))
			return true;
	return false;
}

int fstab_mount(bool *waits)
{
	struct libmnt_table *table = file_exists(FSTAB) ? mnt_new_table() : NULL;
	struct libmnt_iter *at = table ? mnt_new_iter(MNT_ITER_FORWARD) : NULL;
	struct libmnt_fs *entry;
	int error = 0;

	*waits = has_crypttab();
	if (at && can_read(table))
		while (!error && mnt_table_next_fs(table, at, &entry) == 0) {
			*waits |= is_waited_for(entry);
			if (is_wanted(entry))
				error = mount_wanted(entry);
		}
	mnt_free_iter(at);
	mnt_unref_table(table);
	return error;
}
