/* SPDX-License-Identifier: MIT */
/*
 * How many processors a control group lets this process use at a time: a container
 * that may use two of 64 is to have two workers. Version 2 says it in cpu.max,
 * version 1 in two files of the cpu controller; the groups above count as well.
 * Asked by the monitor, which may open files: see files.c.
 */
#define _GNU_SOURCE
#include <limits.h>

#include "guest.h"
#include "rob.h"

#define ROOT "/sys/fs/cgroup"
#define GROUP_BYTES 1024 /* longer paths count from where they are cut */
#define TEXT_BYTES 2048

/* Microseconds that the group may use in each period; false: it has no limit. */
static bool read_limit(const char *group, bool second, long long *quota_us, long long *period_us)
{
	char path[GROUP_BYTES + 32], text[64];

	snprintf(path, sizeof(path), second ? "%s/cpu.max" : "%s/cpu.cfs_quota_us", group);
	if (!guest_read(path, text, sizeof(text)))
		return false;
	if (second)
		return sscanf(text, "%lld %lld", quota_us, period_us) == 2; /* "max 100000": none */
	*quota_us = atoll(text);
	snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", group);
	if (!guest_read(path, text, sizeof(text)))
		return false;
	*period_us = atoll(text);
	return true;
}

/* The least of the group and those above it, up to where the hierarchy is mounted. A path beyond that is not there. */
static unsigned least_of(const char *mount, const char *path, bool second, unsigned least)
{
	char group[GROUP_BYTES];
	size_t begin = strlen(mount);
	long long quota_us, period_us;
	char *slash;

	snprintf(group, sizeof(group), "%s%s", mount, path);
	for (;;) {
		if (read_limit(group, second, &quota_us, &period_us) && quota_us > 0 && period_us > 0 &&
		    (quota_us + period_us - 1) / period_us < least)
			least = (unsigned)((quota_us + period_us - 1) / period_us);
		slash = strrchr(group + begin, '/');
		if (!slash)
			return least;
		*slash = '\0';
	}
}

/* Whether a line of /proc/self/cgroup, "4:cpu,cpuacct:/path", is of the controller. */
static bool has_cpu(const char *controllers)
{
	size_t length = strcspn(controllers, ":");

	for (const char *word = controllers; word < controllers + length; word += strcspn(word, ",:") + 1)
		if (!strncmp(word, "cpu", 3) && strchr(",:", word[3]))
			return true;
	return false;
}

unsigned guest_quota(void)
{
	char text[TEXT_BYTES], *line = text, *rest = NULL;
	unsigned least = UINT_MAX;

	if (!guest_read("/proc/self/cgroup", text, sizeof(text)))
		return least;
	while ((line = strtok_r(rest ? NULL : text, "\n", &rest))) {
		char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!path)
			continue;
		if (path == controllers + 1) {
			least = least_of(ROOT, path + 1, true, least);
			least = least_of(ROOT "/unified", path + 1, true, least);
		} else if (has_cpu(controllers + 1)) {
			least = least_of(ROOT "/cpu", path + 1, false, least);
		}
	}
	return least;
}
