/* SPDX-License-Identifier: MIT */
/*
 * RAID arrays (md), when the root is not on a disk alone. They are assembled
 * after a full wait, when every member that will come soon has come: first
 * only those that are complete, and at the very end also degraded ones.
 */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MDADM "/sbin/mdadm"

enum { MOST_MEMBERS = 64, FIRST_NUMBER = 127 };

struct member {
	char device[64], array[64];
	/* once it was assembled: the array's device, and what mdadm calls it, with its host and its id */
	char made[64], name[64], uuid[64];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the members */
static struct member members[MOST_MEMBERS];
static size_t member_count;

static struct member *find_member(const char *device)
{
	for (size_t i = 0; i < member_count; i++)
		if (!strcmp(members[i].device, device))
			return &members[i];
	return NULL;
}

void raid_member_seen(const char *device, const char *uuid)
{
	struct member *known;

	pthread_mutex_lock(&lock);
	known = find_member(device);
	if (known && !*known->made)
		path_print(known->array, "%s", uuid); /* another disk may have come with the same name */
	else if (known)
		say("raid: %s was seen again", device);
	else if (member_count < MOST_MEMBERS) {
		path_print(members[member_count].device, "%s", device);
		path_print(members[member_count].array, "%s", uuid);
		member_count++;
	} else {
		complain("raid: more than %d members: %s is left out", MOST_MEMBERS, device);
	}
	pthread_mutex_unlock(&lock);
}

void raid_member_gone(const char *name)
{
	struct member *known;
	char device[sizeof(known->device)];

	path_print(device, "/dev/%s", name);
	pthread_mutex_lock(&lock);
	known = find_member(device);
	if (known && !*known->made) {
		*known = members[--member_count];
		say("raid: %s is gone", device);
	}
	pthread_mutex_unlock(&lock);
}

bool raid_array_ids(const char *device, char *name, char *uuid, size_t room)
{
	bool found = false;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < member_count && !found; i++) {
		found = !strcmp(members[i].made, device);
		if (found) {
			path_print_room(name, room, "%s", members[i].name);
			path_print_room(uuid, room, "%s", members[i].uuid);
		}
	}
	pthread_mutex_unlock(&lock);
	return found;
}

/* What follows the host in HOST:NAME. */
static const char *without_host(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

void raid_array_name(const char *device, char *name, size_t room)
{
	char whole[64], uuid[64];

	if (raid_array_ids(device, whole, uuid, sizeof(whole)))
		path_print_room(name, room, "%s", without_host(whole));
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

/* What a member says of its array. */
struct array {
	size_t disks; /* how many it has; 0 if no one knows */
	char uuid[64], name[64];
};

/*
 * Asks a member. The kernel would ask modprobe for the driver of the level, and the image has none, so it is loaded
 * here.
 */
static void examine(const char *device, struct array *array)
{
	const char *const argv[] = {MDADM, "--examine", "--export", device, NULL};
	char output[2048], level[32], alias[64], disks[32];
	struct module_set set = {0};

	*array = (struct array){0};
	if (process_run(argv, output, sizeof(output)))
		return;
	copy_value(output, "MD_LEVEL=", level, sizeof(level));
	copy_value(output, "MD_DEVICES=", disks, sizeof(disks));
	copy_value(output, "MD_UUID=", array->uuid, sizeof(array->uuid));
	copy_value(output, "MD_NAME=", array->name, sizeof(array->name));
	array->disks = strtoul(disks, NULL, 10);
	path_print(alias, "md-%s", level);
	modules_request("md_mod", MODULE_FOR_ROOT, &set);
	modules_request(alias, MODULE_FOR_ROOT, &set);
	modules_wait(&set);
}

/* mdadm.conf, a line for each of its words: what follows a blank goes on. Return: bytes; 0 without the file. */
static int read_conf(char *text, size_t room)
{
	static const char *const files[] = {"/etc/mdadm/mdadm.conf", "/etc/mdadm.conf"};
	int got = -ENOENT;

	for (size_t i = 0; i < 2 && got < 0; i++)
		got = file_read(files[i], text, room);
	if (got < 0)
		return 0;
	if ((size_t)got == room - 1)
		complain("raid: mdadm.conf is longer than %zu bytes: ARRAY lines after that are left out", room - 1);
	for (char *at = text; (at = strchr(at, '\n')); at++)
		if (at[1] == ' ' || at[1] == '\t')
			*at = ' ';
	return got;
}

/* The number in /dev/md5 or /dev/md/5; NULL if there is none. */
static const char *find_number(const char *device)
{
	const char *number = strncmp(device, "/dev/md", 7) ? "" : device + 7 + (device[7] == '/');

	return *number && strspn(number, "0123456789") == strlen(number) ? number : NULL;
}

/* The number that an ARRAY line of mdadm.conf gives the array, if the image has that file. Return: false if none. */
static bool find_configured(const struct array *array, char *path, size_t room)
{
	char text[16384], *line, *rest = text, *device;
	const int got = read_conf(text, sizeof(text));

	while (got && (line = strsep(&rest, "\n"))) {
		if (strncasecmp(line, "ARRAY", 5) || !isblank((unsigned char)line[5]) || !*array->uuid ||
		    !strcasestr(line, array->uuid))
			continue;
		device = line + 5 + strspn(line + 5, " \t");
		device[strcspn(device, " \t")] = '\0';
		if (find_number(device)) {
			path_print_room(path, room, "/dev/md%s", find_number(device));
			return true;
		}
	}
	return false;
}

/* Its device: as mdadm.conf says, else its name if that is a number, else counted down from 127 as mdadm does. */
static void choose_device(const struct array *array, bool is_only, char *path, size_t room)
{
	static int number = FIRST_NUMBER;
	const char *name = without_host(array->name);
	char configured[64];

	if (find_configured(array, configured, sizeof(configured)))
		path_print_room(path, room, "%s", configured);
	else if (is_only && cmdline.root && !strncmp(cmdline.root, "/dev/md", 7) &&
		 isdigit((unsigned char)cmdline.root[7]))
		path_print_room(path, room, "%s", cmdline.root);
	else if (*name && strspn(name, "0123456789") == strlen(name))
		path_print_room(path, room, "/dev/md%s", name);
	else
		path_print_room(path, room, "/dev/md%d", number--);
}

/* Return: true if mdadm has started the array of @count members that begin at @first. */
static bool run_mdadm(const struct member *first, size_t count, const char *path, bool degraded)
{
	const char *argv[MOST_MEMBERS + 5] = {MDADM, "--assemble", path};
	char output[1024];
	int status, at = 3;

	if (degraded)
		argv[at++] = "--run";
	for (size_t i = 0; i < count; i++)
		argv[at++] = first[i].device;
	status = process_run(argv, output, sizeof(output));
	if (status)
		complain("raid: %s: " MDADM " ended with %d for %s and %zu more: %s", path, status, first->device,
			 count - 1, status < 0 ? strerror(-status) : output);
	return !status;
}

/* One array of @count members that begin at @first. Return: true if it runs. */
static bool assemble(struct member *first, size_t count, bool degraded)
{
	struct array array;
	char path[64];

	examine(first->device, &array);
	if (count < array.disks && !degraded)
		return false;
	choose_device(&array, count == member_count, path, sizeof(path));
	if (!run_mdadm(first, count, path, count < array.disks))
		return false;
	if (count < array.disks)
		complain("raid: %s is degraded: it runs with %zu of its %zu disks", path, count, array.disks);
	for (size_t i = 0; i < count; i++) {
		path_print(first[i].made, "%s", path);
		path_print(first[i].name, "%s", array.name);
		path_print(first[i].uuid, "%s", array.uuid);
	}
	return true;
}

/* True if one of @count members that begin at @first is in an array that runs. */
static bool is_running(const struct member *first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (*first[i].made)
			return true;
	return false;
}

bool raid_assemble(bool degraded)
{
	bool any = false;

	pthread_mutex_lock(&lock);
	if (member_count)
		qsort(members, member_count, sizeof(*members), compare);
	for (size_t at = 0, next; at < member_count; at = next) {
		for (next = at + 1; next < member_count && !strcmp(members[next].array, members[at].array);)
			next++;
		if (!is_running(&members[at], next - at))
			any |= assemble(&members[at], next - at, degraded);
	}
	pthread_mutex_unlock(&lock);
	return any;
}
