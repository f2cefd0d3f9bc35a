/* SPDX-License-Identifier: MIT */
/* One module and the kernel: its load, its state, whether it has devices. */
#include "internal.h"
#include "module_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { AGAIN_NS = 10000000 };

/* libkmod uncompresses a file, or asks the kernel to. Its context is not for two threads. */
static int load_compressed(const char *path, const char *options)
{
	struct kmod_module *compressed = NULL;
	struct kmod_ctx *own = kmod_new(NULL, NULL);
	int error = own ? kmod_module_new_from_path(own, path, &compressed) : -ENOMEM;

	if (!error)
		error = kmod_module_insert_module(compressed, 0, options);
	kmod_module_unref(compressed);
	kmod_unref(own);
	return error;
}

bool kernel_module_is_plain(const char *path)
{
	const char *suffix = strrchr(path, '.');

	return suffix && !strcmp(suffix, ".ko");
}

/* Return: the file in memory; MAP_FAILED with errno set. */
static void *map_file(int fd, size_t *bytes)
{
	struct stat info;

	if (fstat(fd, &info))
		return MAP_FAILED;
	*bytes = (size_t)info.st_size;
	return mmap(NULL, *bytes, PROT_READ, MAP_PRIVATE, fd, 0);
}

/* The kernel hashes a signed module as a whole, which takes most of the time of its load. */
static int load_unsigned(int fd, const char *options)
{
	size_t bytes;
	void *file = map_file(fd, &bytes);
	int error;

	if (file == MAP_FAILED)
		return -errno;
	error = syscall(SYS_init_module, file, module_file_unsigned(file, bytes), options) ? -errno : 0;
	munmap(file, bytes);
	return error;
}

int kernel_module_load(const char *path, const char *options)
{
	int fd, error = -EKEYREJECTED;

	if (!kernel_module_is_plain(path))
		return load_compressed(path, options);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (cmdline.no_signatures)
		error = load_unsigned(fd, options);
	/* a kernel that insists on signatures, or is locked down, gets it as it is */
	if (error == -EKEYREJECTED || error == -EPERM)
		error = syscall(SYS_finit_module, fd, options, 0) ? -errno : 0;
	close(fd);
	return error;
}

/* Nothing is kept of the answer: it is asked of the few modules that others would like to have. */
bool kernel_module_fits(const char *path)
{
	char processor[PATH_MAX];
	const int fd = kernel_module_is_plain(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	size_t bytes;
	void *file = fd < 0 ? MAP_FAILED : map_file(fd, &bytes);
	bool fits = true;

	if (file != MAP_FAILED) {
		if (file_read("/sys/devices/system/cpu/modalias", processor, sizeof(processor)) > 0)
			fits = module_file_is_for(file, bytes, processor);
		munmap(file, bytes);
	}
	if (fd >= 0)
		close(fd);
	return fits;
}

bool kernel_module_is_live(const char *name)
{
	char path[PATH_MAX], state[16];

	path_print(path, "/sys/module/%s/initstate", name);
	return file_read(path, state, sizeof(state)) > 0 && !strcmp(state, "live");
}

static bool is_loading(const char *name)
{
	char path[PATH_MAX], bytes[32];

	path_print(path, "/sys/module/%s/initsize", name);
	return file_read(path, bytes, sizeof(bytes)) > 0 && strcmp(bytes, "0");
}

/*
 * The kernel frees a module's code of the start when its load is over, and only then, after the async calls that the
 * load waits for, which bring the links of ATA up. Someone else (udev in the real root) may be in that load. No event
 * tells of its end.
 */
void kernel_module_wait(const char *name)
{
	const struct timespec again = {.tv_nsec = AGAIN_NS};

	while (is_loading(name))
		nanosleep(&again, NULL);
}

/* A device stands below its driver as a link; beside these there is one to the module. */
static int device_link(const struct dirent *item)
{
	return item->d_type == DT_LNK && strcmp(item->d_name, "module");
}

static int driver_link(const struct dirent *item)
{
	return item->d_type == DT_LNK;
}

/* Number of devices that the drivers of a module have. -1: it has no drivers. */
static int count_bound(const char *name)
{
	char path[PATH_MAX];
	struct dirent **drivers, **devices;
	int bound = -1, count;

	path_print(path, "/sys/module/%s/drivers", name);
	count = scandir(path, &drivers, driver_link, NULL);
	for (int i = 0; i < count; i++) {
		int found;

		path_print(path, "/sys/module/%s/drivers/%s", name, drivers[i]->d_name);
		found = scandir(path, &devices, device_link, NULL);
		for (int j = 0; j < found; j++)
			free(devices[j]);
		if (found >= 0)
			free(devices);
		bound = (bound < 0 ? 0 : bound) + (found > 0 ? found : 0);
		free(drivers[i]);
	}
	if (count >= 0)
		free(drivers);
	return bound;
}

/*
 * A finisher that is killed in the load of a driver makes the probes fail that are under way: the kernel makes no
 * thread for one who is about to die. Then the driver is there and has no device. A device that is bound to it now
 * would show its disks at any time, because only a load waits for the links of ATA. So such a driver is loaded again.
 */
void kernel_module_unload_idle(const char *name)
{
	if (count_bound(name) == 0 && syscall(SYS_delete_module, name, O_NONBLOCK))
		say("module %s: has no device and cannot be loaded again: %s", name, strerror(errno));
}
