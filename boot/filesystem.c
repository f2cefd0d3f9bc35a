/* SPDX-License-Identifier: MIT */
/* Drivers of file systems. */
#include "internal.h"

#include <inorder/initcall.h>
#include <string.h>

static struct module_set filesystem;

/* The driver of the file system is big, and needs no device: it is the first to be loaded, beside the finds. */
static int load_filesystem(void)
{
	char types[256], alias[64];

	if (is_finisher() || !cmdline.rootfstype || !strcmp(cmdline.rootfstype, "auto"))
		return 0;
	path_print(types, "%s", cmdline.rootfstype);
	for (char *rest = types, *type; (type = strsep(&rest, ","));) {
		path_print(alias, "fs-%s", type);
		modules_request(alias, MODULE_FOR_ROOT, &filesystem);
	}
	return 0;
}
fs_initcall(load_filesystem);

void root_wait_filesystem(const char *type)
{
	char alias[64], why[256];

	path_print(alias, "fs-%s", type);
	modules_request(alias, MODULE_FOR_ROOT, &filesystem);
	if (modules_wait_why(&filesystem, why, sizeof(why)))
		complain("root: the driver of %s could not be loaded, the mount may fail: module %s", type, why);
}
