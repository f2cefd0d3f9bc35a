/* SPDX-License-Identifier: MIT */
/*
 * The loads of modules, in a tree of modules that depmod is given; the kernel is ours. A driver of ATA that another
 * process (udev in the real root) is loading can be used before its links are up: then its load is waited for.
 * In a long chain each module is counted once.
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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <inorder/initcall.h>
#include <libkmod.h>

#include "internal.h"

#define VERSION "6.1.0-test"

enum { CHAIN = 40, LOAD_NS = 20000 };

static char folder[] = "/tmp/boot_modules.XXXXXX", tree[64], config[64];
static atomic_int loads, waits;
static atomic_bool is_live;
static bool is_misfit;

/* The kernel. */
bool kernel_module_is_live(const char *name)
{
	(void)name;
	return is_live;
}

static long processor_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (long)used.tv_sec * 1000000000 + used.tv_nsec;
}

int kernel_module_load(const char *path, const char *options)
{
	const long since_ns = processor_ns();

	(void)path;
	(void)options;
	while (processor_ns() - since_ns < LOAD_NS)
		;
	loads++;
	return is_live ? -EEXIST : 0;
}

bool kernel_module_is_plain(const char *path)
{
	(void)path;
	return true;
}

void kernel_module_wait(const char *name)
{
	(void)name;
	waits++;
}

bool kernel_module_fits(const char *path)
{
	(void)path;
	return !is_misfit;
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
	const char *const ours[] = {config, NULL};

	(void)place;
	(void)configs;
	return __real_kmod_new(tree, ours);
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

/* Each module of the chain would like to have all before it, as a module's list of needs has the indirect ones too. */
static void test_a_chain_counts_each_module_once(void **state)
{
	struct module_time *times, *last = NULL;
	uint64_t sum_us = 0;
	size_t count;

	(void)state;
	is_live = false;
	request("chain39", MODULE_PROBE_ASYNC);
	assert_int_equal(loads, CHAIN);
	count = modules_loaded(&times);
	for (size_t i = 0; i < count; i++) {
		if (strncmp(times[i].name, "chain", 5))
			continue;
		sum_us += times[i].own_us;
		if (!strcmp(times[i].name, "chain39"))
			last = &times[i];
	}
	assert_non_null(last);
	assert_true(last->chain_us >= sum_us && last->chain_us <= sum_us + CHAIN);
	free(times);
}

static bool write_chain(void)
{
	FILE *file = fopen(config, "w");

	if (!file)
		return false;
	for (int i = 1; i < CHAIN; i++) {
		fprintf(file, "softdep chain%d pre:", i);
		for (int before = 0; before < i; before++)
			fprintf(file, " chain%d", before);
		fputc('\n', file);
	}
	return fclose(file) == 0;
}

/* What only makes loads faster is no error if it is for other processors, and then not even tried. */
static void test_what_is_first_has_to_fit(void **state)
{
	struct module_set set = {0};

	(void)state;
	is_live = false;
	loads = 0;
	is_misfit = true;
	modules_request("first", MODULE_FIRST, &set);
	assert_int_equal(set.count, 0);
	assert_int_equal(modules_wait(&set), 0);
	assert_int_equal(loads, 0);
	is_misfit = false;
	request("first", MODULE_FIRST);
	assert_int_equal(loads, 1);
}

/* Any ELF file is a module for depmod. */
static bool make_tree(void)
{
	char command[512];

	snprintf(config, sizeof(config), "%s/chain.conf", folder);
	snprintf(tree, sizeof(tree), "%s/lib/modules/" VERSION, folder);
	snprintf(command, sizeof(command),
		 "mkdir -p %s && cd %s && cp /proc/%d/exe links.ko && ln links.ko other.ko && ln links.ko first.ko && "
		 "for i in $(seq 0 %d); do ln links.ko chain$i.ko || exit; done; "
		 "PATH=$PATH:/usr/sbin:/sbin depmod -b %s " VERSION,
		 tree, tree, getpid(), CHAIN - 1, folder);
	return write_chain() && system(command) == 0 && initcalls_run(0) == 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_load_by_another_is_waited_for),
		cmocka_unit_test(test_other_drivers_are_not_waited_for),
		cmocka_unit_test(test_a_chain_counts_each_module_once),
		cmocka_unit_test(test_what_is_first_has_to_fit),
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
