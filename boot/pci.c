/* SPDX-License-Identifier: MIT */
/* The functions of PCI, in the order of their addresses: the place that gives a disk its name. */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <inorder/initcall.h>
#include <stdlib.h>
#include <string.h>

ASYNC_DOMAIN(find_domain);
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
	for (size_t i = from ? (size_t)(from - functions) + 1 : 0; i < function_count; i++) {
		const unsigned int code = functions[i].class_code;

		if (code >> 16 == base && (subclass < 0 || (code >> 8 & 0xff) == (unsigned int)subclass))
			return &functions[i];
	}
	return NULL;
}
