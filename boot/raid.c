/* SPDX-License-Identifier: MIT */
/*
 * RAID arrays (md), when the root is not on a disk alone. They are assembled
 * after a full wait, when every member that will come soon has come: first
 * only those that are complete, and at the very end also degraded ones.
 */
#include "internal.h"

#include <pthread.h>
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
	const struct member *members_of[2] = {one, other};
	const int order = strcmp(members_of[0]->array, members_of[1]->array);

	return order ? order : strverscmp(members_of[0]->device, members_of[1]->device);
}

/* The value of NAME= in what mdadm exports; an empty text if there is none. */
static void copy_value(const char *output, const char *name, char *value, size_t room)
{
	const char *at = strstr(output, name);

	path_print_room(value, room, "%.*s", at ? (int)strcspn(at + strlen(name), "\n") : 0,
			at ? at + strlen(name) : "");
}

/*
 * What a member says of its array. The kernel would ask modprobe for the driver of the level, and the image has none,
 * so it is loaded here. Return: how many disks the array has; 0 if nobody knows.
 */
static size_t examine(const char *device)
{
	const char *const argv[] = {MDADM, "--examine", "--export", device, NULL};
	char output[2048], level[32], alias[64], disks[32];
	struct module_set set = {0};

	if (process_run(argv, output, sizeof(output)))
		return 0;
	copy_value(output, "MD_LEVEL=", level, sizeof(level));
	copy_value(output, "MD_DEVICES=", disks, sizeof(disks));
	path_print(alias, "md-%s", level);
	modules_request("md_mod", MODULE_FOR_ROOT, &set);
	modules_request(alias, MODULE_FOR_ROOT, &set);
	modules_wait(&set);
	return strtoul(disks, NULL, 10);
}

/* One array of @count members that begin at @first. Return: true if it runs. */
static bool assemble(struct member *first, size_t count, const char *array, bool degraded)
{
	const char *argv[MOST_MEMBERS + 5] = {MDADM, "--assemble", array};
	const size_t disks = examine(first->device);
	char output[1024];
	int status, at = 3;

	if (count < disks && !degraded)
		return false;
	if (count < disks)
		argv[at++] = "--run";
	for (size_t i = 0; i < count; i++)
		argv[at++] = first[i].device;
	status = process_run(argv, output, sizeof(output));
	if (status) {
		complain("raid: %s: " MDADM " ended with %d for %s and %zu more: %s", array, status, first->device,
			 count - 1, status < 0 ? strerror(-status) : output);
		return false;
	}
	if (count < disks)
		complain("raid: %s is degraded: it runs with %zu of its %zu disks", array, count, disks);
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
