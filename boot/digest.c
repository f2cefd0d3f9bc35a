/* SPDX-License-Identifier: MIT */
/*
 * The kernel hashes each module that it loads, to check its signature. It asks for faster implementations of a digest
 * only where it has none at all, so Debian's stock kernel hashes in plain C unless someone loads them. The image says
 * which digest its modules are signed with; what answers to its alias is loaded before everything else.
 */
#include "internal.h"

#include <errno.h>
#include <inorder/initcall.h>
#include <string.h>

#define DIGEST "/etc/inorder/digest"
#define CHECKED "/sys/module/module/parameters/sig_enforce" /* there is one if the kernel looks at signatures */

static int load_digest(void)
{
	char name[32], alias[64];
	int bytes;

	if (is_finisher() || cmdline.no_signatures || !file_exists(CHECKED))
		return 0;
	bytes = file_read(DIGEST, name, sizeof(name));
	if (bytes == -ENOENT)
		return 0;
	if (bytes <= 0 || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_")]) {
		complain("modules: " DIGEST " is ignored: %s", bytes < 0 ? strerror(-bytes) : "it names no digest");
		return 0;
	}
	path_print(alias, "crypto-%s", name);
	modules_request(alias, MODULE_FIRST, NULL);
	return 0;
}
arch_initcall(load_digest);
