/* SPDX-License-Identifier: MIT */
/*
 * The loads of modules, in a tree of two modules that depmod is given; the kernel is ours. A driver of ATA that another
 * process (udev in the real root) is loading can be used before its links are up: then its load is waited for.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <inorder/initcall.h>
#include <libkmod.h>

#include "internal.h"

#define VERSION "6.1.0-test"

static char folder[] = "/tmp/boot_modules.XXXXXX", tree[64];
static atomic_int loads, waits;
static atomic_bool is_live;

/* The kernel. */
bool kernel_module_is_live(const char *name)
{
	(void)name;
	return is_live;
}

int kernel_module_load(const char *path, const char *options)
{
	(void)path;
	(void)options;
	loads++;
	return is_live ? -EEXIST : 0;
}

void kernel_module_wait(const char *name)
{
	(void)name;
	waits++;
}

bool kernel_module_fits(const char *path)
{
	(void)path;
	return true;
}

void kernel_module_unload_idle(const char *name)
{
	(void)name;
}

/* The linker gives libkmod's place to this one. */
struct kmod_ctx *__real_kmod_new(const char *place, const char *const *configs);
struct kmod_ctx *__wrap_kmod_new(const char *place, const char *const *configs);
struct kmod_ctx *__wrap_kmod_new(const char *place, const char *const *configs)
{
	(void)place;
	return __real_kmod_new(tree, configs);
}

static void request(const char *name, enum module_probe probe)
{
	struct module_set set = {0};

	loads = waits = 0;
	modules_request(name, probe, &set);
	assert_int_equal(set.count, 1);
	assert_int_equal(modules_wait(&set), 0);
}

static void test_a_load_by_another_is_waited_for(void **state)
{
	(void)state;
	is_live = true;
	request("links", MODULE_PROBE_WAIT);
	assert_int_equal(loads, 0);
	assert_int_equal(waits, 1);
}

static void test_other_drivers_are_not_waited_for(void **state)
{
	(void)state;
	is_live = false;
	request("other", MODULE_PROBE_ASYNC);
	assert_int_equal(loads, 1);
	assert_int_equal(waits, 0);
}

/* Any ELF file is a module for depmod. */
static bool make_tree(void)
{
	char command[512];

	snprintf(tree, sizeof(tree), "%s/lib/modules/" VERSION, folder);
	snprintf(command, sizeof(command),
		 "mkdir -p %s && cp /proc/%d/exe %s/links.ko && cp /proc/%d/exe %s/other.ko && "
		 "PATH=$PATH:/usr/sbin:/sbin depmod -b %s " VERSION,
		 tree, getpid(), tree, getpid(), tree, folder);
	return system(command) == 0 && initcalls_run(0) == 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_load_by_another_is_waited_for),
		cmocka_unit_test(test_other_drivers_are_not_waited_for),
	};
	char command[64];
	int failed;

	if (access("/usr/sbin/depmod", X_OK) && access("/sbin/depmod", X_OK))
		return 77;
	if (!mkdtemp(folder))
		return 1;
	failed = make_tree() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) ? 1 : failed;
}
