/* SPDX-License-Identifier: MIT */
/*
 * RAID arrays (md), when the root is not on a disk alone. They are assembled
 * after a full wait, when every member that will come soon has come: first
 * only those that are complete, and at the very end also degraded ones.
 */
#include "internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MDADM "/sbin/mdadm"

enum { MOST_MEMBERS = 64, FIRST_NUMBER = 127 };

struct member {
	char device[64], array[64];
	bool assembled;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the members */
static struct member members[MOST_MEMBERS];
static size_t member_count;

void raid_member_seen(const char *device, const char *uuid)
{
	pthread_mutex_lock(&lock);
	if (member_count < MOST_MEMBERS) {
		path_print(members[member_count].device, "%s", device);
		path_print(members[member_count].array, "%s", uuid);
		member_count++;
	} else {
		complain("raid: more than %d members: %s is left out", MOST_MEMBERS, device);
	}
	pthread_mutex_unlock(&lock);
}

/* By array, then by device: the numbers of the arrays do not depend on who was seen first. */
static int compare(const void *one, const void *other)
{
	const struct member *members_of[2] = { one, other };
	const int order = strcmp(members_of[0]->array, members_of[1]->array);

	return order ? order : strverscmp(members_of[0]->device, members_of[1]->device);
}

/* The kernel would ask modprobe for the level's driver; the image has none, so it is loaded before. */
static void load_level(const char *device)
{
	const char *const argv[] = { MDADM, "--examine", "--export", device, NULL };
	char output[2048], alias[64];
	struct module_set set = { 0 };
	char *level;

	if (process_run(argv, output, sizeof(output)) || !(level = strstr(output, "MD_LEVEL=")))
		return;
	level += strlen("MD_LEVEL=");
	level[strcspn(level, "\n")] = '\0';
	path_print(alias, "md-%s", level);
	modules_request("md_mod", MODULE_FOR_ROOT, &set);
	modules_request(alias, MODULE_FOR_ROOT, &set);
	modules_wait(&set);
}

/* One array of @count members that begin at @first. Return: true if it runs. */
static bool assemble(struct member *first, size_t count, const char *array, bool degraded)
{
	const char *argv[MOST_MEMBERS + 6] = { MDADM, "--assemble", array, degraded ? "--run" : "--no-degraded" };
	char output[1024];
	int status;

	load_level(first->device);
	for (size_t i = 0; i < count; i++)
		argv[4 + i] = first[i].device;
	status = process_run(argv, output, sizeof(output));
	if (status) {
		complain("raid: %s: " MDADM " ended with %d for %s and %zu more: %s", array, status, first->device,
			 count - 1, status < 0 ? strerror(-status) : output);
		return false;
	}
	if (degraded)
		complain("raid: %s runs with %zu members; it may lack some", array, count);
	for (size_t i = 0; i < count; i++)
		first[i].assembled = true;
	return true;
}

bool raid_assemble(bool degraded)
{
	const bool named = cmdline.root && !strncmp(cmdline.root, "/dev/md", 7);
	int number = FIRST_NUMBER;
	bool any = false;

	pthread_mutex_lock(&lock);
	if (member_count)
		qsort(members, member_count, sizeof(*members), compare);
	for (size_t at = 0, next; at < member_count; at = next) {
		char array[64];

		for (next = at + 1; next < member_count && !strcmp(members[next].array, members[at].array);)
			next++;
		path_print(array, "/dev/md%d", number--);
		if (named && at == 0 && next == member_count) /* the only one */
			path_print(array, "%s", cmdline.root);
		if (!members[at].assembled)
			any |= assemble(&members[at], next - at, array, degraded);
	}
	pthread_mutex_unlock(&lock);
	return any;
}
