/* SPDX-License-Identifier: MIT */
/*
 * inorder-image unpack. Every path is resolved by the kernel with the target as its root (openat2, RESOLVE_IN_ROOT), so
 * a link in the image leads nowhere else, and nothing outside of the target is written.
 */
#define _GNU_SOURCE
#include "look.h"

#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct unpacking {
	const char *target;
	int root;
	bool privileged;
	size_t devices; /* that only root can make */
};

static int resolve(const struct unpacking *unpacking, const char *path, uint64_t flags)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};

	return (int)syscall(SYS_openat2, unpacking->root, path, &how, sizeof(how));
}

static int make_folder(const struct unpacking *unpacking, const char *path);

/* The folder that @path is in, made if it is not there; *@name is the last component. */
static int open_parent(const struct unpacking *unpacking, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char *parent;
	int fd;

	*name = slash ? slash + 1 : path;
	if (!slash)
		return resolve(unpacking, ".", O_PATH | O_DIRECTORY);
	parent = must(strndup(path, (size_t)(slash - path)));
	fd = resolve(unpacking, parent, O_PATH | O_DIRECTORY);
	if (fd < 0 && errno == ENOENT && make_folder(unpacking, parent) == 0)
		fd = resolve(unpacking, parent, O_PATH | O_DIRECTORY);
	free(parent);
	return fd;
}

static int make_folder(const struct unpacking *unpacking, const char *path)
{
	const char *name;
	int parent = open_parent(unpacking, path, &name), error;

	if (parent < 0)
		return -1;
	error = mkdirat(parent, name, 0700) && errno != EEXIST ? errno : 0;
	close(parent);
	errno = error;
	return error ? -1 : 0;
}

static int write_file(int parent, const char *name, const struct member *member)
{
	int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), error = 0;
	size_t done = 0;

	if (fd < 0)
		return -1;
	while (!error && done < member->size) {
		ssize_t got = write(fd, member->data + done, member->size - done);

		if (got < 0)
			error = errno;
		else
			done += (size_t)got;
	}
	if (close(fd) && !error)
		error = errno;
	errno = error;
	return error ? -1 : 0;
}

/* The other name is looked up below the root, too. */
static int make_link(const struct unpacking *unpacking, int parent, const char *name, const char *first)
{
	const char *base;
	int folder = open_parent(unpacking, first, &base), result;

	if (folder < 0)
		return -1;
	result = linkat(folder, base, parent, name, 0);
	close(folder);
	return result;
}

static int make_member(struct unpacking *unpacking, int parent, const char *name, const struct member *member)
{
	if (S_ISREG(member->mode))
		return write_file(parent, name, member);
	if (S_ISLNK(member->mode))
		return symlinkat(member->target, parent, name);
	if (S_ISDIR(member->mode))
		return mkdirat(parent, name, 0700) && errno != EEXIST ? -1 : 0;
	if (!unpacking->privileged && !S_ISFIFO(member->mode)) {
		unpacking->devices++;
		return 0;
	}
	return mknodat(parent, name, (member->mode & S_IFMT) | 0600, member->rdev);
}

/* Owners, permissions and times. */
static int finish(const struct unpacking *unpacking, int parent, const char *name, const struct member *member)
{
	struct timespec times[2] = {{.tv_sec = member->mtime}, {.tv_sec = member->mtime}};

	if (!unpacking->privileged && (S_ISCHR(member->mode) || S_ISBLK(member->mode)))
		return 0;
	if (unpacking->privileged && fchownat(parent, name, member->uid, member->gid, AT_SYMLINK_NOFOLLOW))
		return -1;
	if (!S_ISLNK(member->mode) && fchmodat(parent, name, member->mode & 07777, 0))
		return -1;
	return utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW);
}

enum pass {
	MAKE,
	LINK,  /* the other name of a hard link may come later in the image */
	FINISH /* a folder gets its permissions when all is in it */
};

static enum pass pass_of(const struct member *member)
{
	return member->first ? LINK : MAKE;
}

/* A folder of the image may be a link in the target, where another path has made one: its permissions are not ours. */
static bool is_folder(int parent, const char *name)
{
	struct stat status;

	return fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

static int do_member(struct unpacking *unpacking, const struct member *member, enum pass pass)
{
	const char *name;
	int parent = open_parent(unpacking, member->path, &name), result = 0, error;

	if (parent < 0)
		return -1;
	if (pass == FINISH)
		result = is_folder(parent, name) ? finish(unpacking, parent, name, member) : 0;
	else if (pass == LINK) /* permissions are those of the file; where it is a link, they would be another's */
		result = make_link(unpacking, parent, name, member->first);
	else if (make_member(unpacking, parent, name, member))
		result = -1;
	else if (!S_ISDIR(member->mode))
		result = finish(unpacking, parent, name, member);
	error = errno;
	close(parent);
	errno = error;
	return result;
}

static int unpack_pass(struct unpacking *unpacking, const struct loaded *loaded, enum pass pass)
{
	for (size_t i = 0; i < loaded->count; i++) {
		const struct member *member = &loaded->members[i];

		if (interrupted())
			return fail("interrupted");
		if (!strcmp(member->path, ".") || (pass == FINISH ? !S_ISDIR(member->mode) : pass != pass_of(member)))
			continue;
		if (do_member(unpacking, member, pass))
			return fail("cannot unpack '%s' below '%s': %s", member->path, unpacking->target,
				    strerror(errno));
	}
	return 0;
}

static int unpack_all(struct unpacking *unpacking, const struct loaded *loaded)
{
	if (unpack_pass(unpacking, loaded, MAKE) || unpack_pass(unpacking, loaded, LINK) ||
	    unpack_pass(unpacking, loaded, FINISH))
		return -1;
	if (unpacking->devices)
		warn("%zu devices were left out: only root can make them", unpacking->devices);
	return 0;
}

static int check_empty(const char *target)
{
	DIR *folder = opendir(target);
	struct dirent *entry;
	int result = folder ? 0 : fail("cannot read '%s': %s", target, strerror(errno));

	while (folder && !result && (entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			result = fail("'%s' is not empty: name a new folder", target);
	if (folder)
		closedir(folder);
	return result;
}

static int open_target(struct unpacking *unpacking)
{
	if (mkdir(unpacking->target, 0755) && errno != EEXIST)
		return fail("cannot make '%s': %s", unpacking->target, strerror(errno));
	if (check_empty(unpacking->target))
		return -1;
	unpacking->root = open(unpacking->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (unpacking->root < 0)
		return fail("cannot open '%s': %s", unpacking->target, strerror(errno));
	return 0;
}

/* A path may go through a link that came before it. */
static int by_order(const void *a, const void *b)
{
	const struct member *one = a, *other = b;

	return one->order < other->order ? -1 : one->order > other->order;
}

int command_unpack(int argc, char **argv)
{
	struct unpacking unpacking = {.root = -1, .privileged = geteuid() == 0};
	struct loaded loaded;
	int result;

	if (argc != 3 || (argv[1][0] == '-' && argv[1][1]))
		return usage_error("unpack needs an image and a new folder", NULL);
	unpacking.target = argv[2];
	result = load_file(&loaded, argv[1]);
	if (!result)
		result = open_target(&unpacking);
	if (!result) {
		load_settle(&loaded);
		qsort(loaded.members, loaded.count, sizeof(*loaded.members), by_order);
		result = unpack_all(&unpacking, &loaded);
	}
	if (unpacking.root >= 0)
		close(unpacking.root);
	load_free(&loaded);
	return result ? 1 : 0;
}
