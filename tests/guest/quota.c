/* SPDX-License-Identifier: MIT */
/* A control group that may use one processor of many. Made where the test may make one, of either version. */
#include "harness.h"

#include <sys/stat.h>

static char group[64];

static bool write_to(const char *file, const char *text)
{
	char path[128];
	FILE *to;
	bool done;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	to = fopen(path, "r+e");
	if (!to)
		return false;
	done = fputs(text, to) >= 0;
	return !fclose(to) && done;
}

static bool make_group(const char *parent)
{
	snprintf(group, sizeof(group), "%s/inorder-%d", parent, (int)getpid());
	if (mkdir(group, 0755))
		return false;
	if (write_to("cpu.max", "100000 100000") ||
	    (write_to("cpu.cfs_period_us", "100000") && write_to("cpu.cfs_quota_us", "100000")))
		return true;
	rmdir(group);
	return false;
}

static void block(void *data, async_cookie_t cookie)
{
	down(data);
}

/* More calls than a first burst gets threads for: they are left pending, so the monitor runs, which finds the limit. */
HELPER(block_in_the_group)
{
	enum { CALLS = 300 };
	static sem_t opened;

	sem_init(&opened, 0, 0);
	snprintf(group, sizeof(group), "%s", getenv("GROUP"));
	CHECK(write_to("cgroup.procs", "0"));
	for (unsigned int i = 0; i < CALLS; i++)
		async_schedule(block, &opened);
	while (!strstr(report_text(), " 1 processors\n"))
		usleep(1000);
	for (unsigned int i = 0; i < CALLS; i++)
		up(&opened);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(processors_are_counted_by_the_quota_of_the_control_group, .pools = PDEFAULT)
{
	struct harness_result result;
	char env[96];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		harness_skip("there is one processor anyway");
	if (!make_group("/sys/fs/cgroup") && !make_group("/sys/fs/cgroup/unified") && !make_group("/sys/fs/cgroup/cpu"))
		harness_skip("no control group with a limit can be made here");
	snprintf(env, sizeof(env), "GROUP=%s", group);
	harness_run("block_in_the_group", env, &result);
	rmdir(group);
	if (result.status)
		FAIL("status %#x: %s", (unsigned int)result.status, result.err);
}
