/* SPDX-License-Identifier: MIT */
/* From the initramfs into the real root. Everything is checked before anything is moved or deleted. */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In the kernel's order. */
static const char *const inits[] = {"/sbin/init", "/etc/init", "/bin/init", "/bin/sh"};

enum { INIT_COUNT = sizeof(inits) / sizeof(*inits) };

/* True if @path is there inside the new root, whose links are its own. */
static bool is_there(const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	const int root = open(NEW_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const int fd = root < 0 ? -1 : (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	const bool there = fd >= 0 || (root >= 0 && errno == ENOSYS);

	if (fd >= 0)
		close(fd);
	if (root >= 0)
		close(root);
	return there;
}

/* Return: true if the new root is a mounted file system with an init. */
static bool check_root(void)
{
	struct stat here, root;
	size_t i = 0;

	if (stat("/", &here) || stat(NEW_ROOT, &root) || here.st_dev == root.st_dev) {
		complain("switch_root: %s is not mounted", NEW_ROOT);
		return false;
	}
	if (cmdline.init) {
		if (is_there(cmdline.init))
			return true;
		complain("switch_root: the root has no %s, which init= asks for", cmdline.init);
		return false;
	}
	while (i < INIT_COUNT && !is_there(inits[i]))
		i++;
	if (i == INIT_COUNT)
		complain(
			"switch_root: the root has no /sbin/init, /etc/init, /bin/init, /bin/sh: is it the right one?");
	return i < INIT_COUNT;
}

/* A root that lacks the folder does not get the mount. */
static void move(const char *path)
{
	char target[PATH_MAX];

	path_print(target, NEW_ROOT "%s", path);
	if (!mount(path, target, NULL, MS_MOVE, NULL))
		return;
	complain("switch_root: cannot move %s to the new root: %s", path, strerror(errno));
	umount2(path, MNT_DETACH);
}

static void free_folder(int folder, dev_t device)
{
	DIR *items = fdopendir(folder);
	const struct dirent *item;

	if (!items) {
		close(folder);
		return;
	}
	while ((item = readdir(items))) {
		struct stat info;

		if (!strcmp(item->d_name, ".") || !strcmp(item->d_name, "..") ||
		    fstatat(dirfd(items), item->d_name, &info, AT_SYMLINK_NOFOLLOW) || info.st_dev != device)
			continue;
		if (!S_ISDIR(info.st_mode))
			unlinkat(dirfd(items), item->d_name, 0);
		else
			free_folder(openat(dirfd(items), item->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
				    device);
	}
	closedir(items);
}

/* Folders stay: they take next to nothing, and one of them may be where something is mounted. */
void free_initramfs(int folder)
{
	struct statfs kind;
	struct stat info, init;

	if (fstatfs(folder, &kind) || fstat(folder, &info) || fstatat(folder, "init", &init, AT_SYMLINK_NOFOLLOW) ||
	    (kind.f_type != RAMFS_MAGIC && kind.f_type != TMPFS_MAGIC)) {
		say("switch_root: the initramfs is not freed: this does not look like one");
		close(folder);
		return;
	}
	free_folder(folder, info.st_dev);
}

static void execute(char **argv)
{
	if (cmdline.init) {
		argv[0] = (char *)(uintptr_t)cmdline.init;
		systemd_execute(argv);
		execv(argv[0], argv);
		complain("switch_root: cannot execute %s, which init= asks for: %s", argv[0], strerror(errno));
		return;
	}
	for (size_t i = 0; i < INIT_COUNT; i++) {
		argv[0] = (char *)(uintptr_t)inits[i];
		systemd_execute(argv);
		execv(argv[0], argv);
		if (errno != ENOENT)
			complain("switch_root: cannot execute %s: %s", argv[0], strerror(errno));
	}
	complain("switch_root: nothing in the root could be executed as init");
}

void switch_root(char **argv, bool free_it)
{
	static const char *const mounts[] = {"/dev", "/proc", "/sys", "/run"};
	int initramfs;

	if (!check_root())
		return;
	initramfs = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++)
		move(mounts[i]);
	if (chdir(NEW_ROOT) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/")) {
		complain("switch_root: cannot make %s the root: %s", NEW_ROOT, strerror(errno));
		return;
	}
	if (free_it && initramfs >= 0)
		free_initramfs(initramfs);
	execute(argv);
}
