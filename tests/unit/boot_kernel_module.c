/* SPDX-License-Identifier: MIT */
/*
 * The wait for a load that another process has begun: it lasts as long as the kernel says that the module still has the
 * code of its start. The kernel's word is a pipe here, so each look waits for our answer.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#include "internal.h"

enum { LIMIT_S = 240 };

static char folder[] = "/tmp/kernel_module.XXXXXX";
static char path[64], name[64]; /* of the file; of the module: from /sys/module it leads to the folder */
static atomic_bool is_over;

static void *wait_for_load(void *unused)
{
	kernel_module_wait(name);
	is_over = true;
	return NULL;
}

/* Waits until the file is looked at. The next look finds another pipe. */
static void answer(const char *bytes)
{
	char next[64];
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	snprintf(next, sizeof(next), "%s/next", folder);
	assert_int_equal(mkfifo(next, 0600), 0);
	assert_int_equal(rename(next, path), 0);
	assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
	close(fd);
}

UNIT(test_lasts_as_long_as_the_load)
{
	pthread_t waiter;

	assert_int_equal(pthread_create(&waiter, NULL, wait_for_load, NULL), 0);
	for (int i = 0; i < 3; i++) {
		answer("20480\n");
		assert_false(is_over);
	}
	answer("0\n");
	assert_int_equal(pthread_join(waiter, NULL), 0);
	assert_true(is_over);
}

UNIT(test_a_module_that_is_built_in)
{
	kernel_module_wait("no-such-module");
}

int main(void)
{
	int failed;

	if (access("/sys/module", F_OK))
		return 77; /* this chroot has no sysfs */
	alarm(LIMIT_S);    /* a wait that does not look again would leave us in an answer */
	if (!mkdtemp(folder))
		return 1;
	snprintf(name, sizeof(name), "../..%s", folder);
	snprintf(path, sizeof(path), "%s/initsize", folder);
	failed = mkfifo(path, 0600) ? 1 : UNIT_RUN(NULL, NULL);
	unlink(path);
	rmdir(folder);
	return failed;
}
