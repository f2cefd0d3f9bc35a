/* SPDX-License-Identifier: MIT */
/* The functions of PCI, in the order of their addresses: the place that gives a disk its name. */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <inorder/initcall.h>
#include <stdlib.h>
#include <string.h>

enum { VIRTIO_VENDOR = 0x1af4, VIRTIO_OLD = 0x1000, VIRTIO_NEW = 0x1040, VIRTIO_LAST = 0x107f };

#define HELD "inorder-held" /* no driver has this name */

ASYNC_DOMAIN(find_domain);
static bool listed;
static struct pci_function *functions;
static size_t function_count;

static int compare_functions(const void *one, const void *other)
{
	return pci_compare(((const struct pci_function *)one)->address, ((const struct pci_function *)other)->address);
}

static unsigned int read_hex(const char *path, const char *name)
{
	char file[PATH_MAX], text[32];

	path_print(file, "%s/%s", path, name);
	return file_read(file, text, sizeof(text)) > 0 ? (unsigned int)strtoul(text, NULL, 16) : 0;
}

/* Fills in one function. Return: false if it went away or says nothing that is understood. */
static bool read_function(const char *address, struct pci_function *function)
{
	char file[PATH_MAX];
	unsigned int place[4];

	*function = (struct pci_function){0};
	path_print(function->address, "%s", address);
	path_print(file, "/sys/bus/pci/devices/%s", address);
	if (!pci_parse(address, place) || !realpath(file, function->path))
		return false;
	function->class_code = read_hex(function->path, "class");
	function->vendor = read_hex(function->path, "vendor");
	function->device = read_hex(function->path, "device");
	function->subdevice = read_hex(function->path, "subsystem_device");
	return function->class_code != 0;
}

static int list_functions(void)
{
	DIR *folder = opendir("/sys/bus/pci/devices");
	const struct dirent *item;

	listed = true;
	while (folder && (item = readdir(folder))) {
		struct pci_function *more = realloc(functions, (function_count + 1) * sizeof(*more));

		if (!more) {
			closedir(folder);
			return -ENOMEM;
		}
		functions = more;
		if (item->d_name[0] != '.' && read_function(item->d_name, &functions[function_count]))
			function_count++;
	}
	if (folder)
		closedir(folder);
	if (function_count)
		qsort(functions, function_count, sizeof(*functions), compare_functions);
	return 0;
}
core_initcall(list_functions);

struct pci_function *pci_next(struct pci_function *from, unsigned int base, int subclass)
{
	if (!listed) /* whoever gives holds back may not have run the initcalls */
		list_functions();
	for (size_t i = from ? (size_t)(from - functions) + 1 : 0; i < function_count; i++) {
		const unsigned int code = functions[i].class_code;

		if (code >> 16 == base && (subclass < 0 || (code >> 8 & 0xff) == (unsigned int)subclass))
			return &functions[i];
	}
	return NULL;
}

bool pci_is_virtio(const struct pci_function *function)
{
	return function->vendor == VIRTIO_VENDOR && function->device >= VIRTIO_OLD && function->device <= VIRTIO_LAST;
}

/* The numbers of the function say which virtio device is behind it: its driver need not wait for the function. */
static void request_virtio(const struct pci_function *function, struct module_set *set)
{
	const unsigned int number = function->device < VIRTIO_NEW ? function->subdevice : function->device - VIRTIO_NEW;
	char alias[64];

	path_print(alias, "virtio:d%08Xv%08X", number, VIRTIO_VENDOR);
	modules_request(alias, MODULE_PROBE_ASYNC, set);
}

void pci_request(const struct pci_function *function, enum module_probe probe, struct module_set *set)
{
	char file[PATH_MAX], alias[256];

	path_print(file, "%s/modalias", function->path);
	if (file_read(file, alias, sizeof(alias)) > 0)
		modules_request(alias, probe, set);
	if (pci_is_virtio(function))
		request_virtio(function, set);
}

static void set_override(const struct pci_function *function, const char *driver)
{
	char file[PATH_MAX];
	int error;

	path_print(file, "%s/driver_override", function->path);
	error = file_write(file, driver);
	if (error)
		complain("pci: cannot write %s: %s", file, strerror(-error));
}

void pci_hold(const struct pci_function *function)
{
	char driver[64];

	if (!cmdline.unordered && !file_link_name(function->path, "driver", driver, sizeof(driver)))
		set_override(function, HELD);
}

/* An override that someone else has written stays. */
void pci_let_go(const struct pci_function *function)
{
	char file[PATH_MAX], driver[64];

	path_print(file, "%s/driver_override", function->path);
	if (file_read(file, driver, sizeof(driver)) > 0 && !strcmp(driver, HELD))
		set_override(function, "\n");
}
