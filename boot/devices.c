/* SPDX-License-Identifier: MIT */
/*
 * Every block device is looked at once, in an async call, because reading from
 * a disk may take its time. The retire step judges it: so devices are judged in
 * the order of their names, whichever disk answers first.
 */
#include "devices.h"

#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK "/sys/class/block"

struct block_device {
	struct block_device *next;
	bool busy;  /* being looked at; else it was looked at, or could not be opened */
	bool again; /* asked for meanwhile */
	bool gone;  /* taken away meanwhile: what was read is of no use */
	bool seen;
	struct facts facts;
};

static ASYNC_DOMAIN(look_domain);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the list */
static struct block_device *devices, **last = &devices;  /* oldest first */
static void (*judge_device)(const struct facts *facts);

void devices_judge(void (*judge)(const struct facts *facts))
{
	judge_device = judge;
}

/*
 * A disk is in sysfs before it can be opened (ENXIO), and a drive may have no medium. Such a device counts as not seen,
 * and the uevent that follows has it looked at again. If that was read before we failed, no one else does it.
 */
static bool is_done(struct block_device *block, const struct facts *facts, int error)
{
	bool done;

	pthread_mutex_lock(&lock);
	done = !block->again || (!error && !block->gone);
	block->seen = !error && !block->gone;
	block->again = block->gone = false;
	block->busy = !done;
	if (!error)
		block->facts = *facts;
	pthread_mutex_unlock(&lock);
	return done;
}

static void look(void *data, async_cookie_t cookie)
{
	struct block_device *block = data;
	struct facts facts;
	char device[sizeof(facts.device)];
	int error;

	if (cookie)
		async_set_name("root_look");
	path_print(device, "%s", block->facts.device); /* no one else writes it while we are busy */
	do {
		error = facts_read(device, &facts);
		if (error)
			say("root: cannot read %s: %s", device, strerror(-error));
	} while (!is_done(block, &facts, error));
}

static void judge(void *data, async_cookie_t cookie)
{
	struct block_device *block = data;
	struct facts facts;
	bool seen;

	(void)cookie;
	pthread_mutex_lock(&lock);
	facts = block->facts;
	seen = block->seen;
	pthread_mutex_unlock(&lock);
	if (seen && judge_device)
		judge_device(&facts);
}

static int can_be_read(const struct dirent *item)
{
	char file[PATH_MAX], size[32];

	path_print(file, BLOCK "/%s/size", item->d_name);
	return item->d_name[0] != '.' && file_read(file, size, sizeof(size)) > 0 && strcmp(size, "0");
}

/* Needs the lock. */
static struct block_device *find_device(const char *device)
{
	struct block_device *block = devices;

	while (block && strcmp(block->facts.device, device))
		block = block->next;
	return block;
}

/* Needs the lock. Return: what is known of it; NULL without memory. */
static struct block_device *note_device(const char *device)
{
	struct block_device *block = find_device(device);

	if (block)
		return block;
	block = calloc(1, sizeof(*block));
	if (!block) {
		complain("root: out of memory: no one looks at %s", device);
		return NULL;
	}
	path_print(block->facts.device, "%s", device);
	*last = block;
	last = &block->next;
	return block;
}

/* Return: the device, which is the caller's to look at; NULL if another call does it, or has done it. */
static struct block_device *take(const char *name)
{
	struct block_device *block;
	char device[64];

	path_print(device, "/dev/%s", name);
	for (char *at = device; (at = strchr(at, '!'));)
		*at = '/';
	pthread_mutex_lock(&lock);
	block = note_device(device);
	if (block && block->busy)
		block->again = true;
	if (block && (block->busy || block->seen))
		block = NULL;
	if (block)
		block->busy = true;
	pthread_mutex_unlock(&lock);
	return block;
}

/* Return: the cookie of the look; 0 if there is none, or without memory, when it was done here. */
static async_cookie_t look_at(const char *name)
{
	struct block_device *block = take(name);
	async_cookie_t cookie;

	if (!block)
		return 0;
	cookie = async_schedule_ordered(look, judge, block, &look_domain);
	if (!cookie) {
		look(block, 0);
		judge(block, 0);
	}
	return cookie;
}

void devices_look(bool wait)
{
	struct dirent **items;
	int count = scandir(BLOCK, &items, can_be_read, versionsort);
	async_cookie_t newest = 0;

	for (int i = 0; i < count; i++) {
		const async_cookie_t cookie = look_at(items[i]->d_name);

		newest = cookie ? cookie : newest;
		free(items[i]);
	}
	if (count >= 0)
		free(items);
	if (wait && newest)
		async_synchronize_cookie_domain(newest + 1, &look_domain);
}

void devices_look_done(void)
{
	devices_look(false);
	async_synchronize_full_domain(&look_domain);
}

void devices_look_again(void)
{
	async_synchronize_full_domain(&look_domain);
	pthread_mutex_lock(&lock);
	for (struct block_device *block = devices; block; block = block->next)
		block->seen = false;
	pthread_mutex_unlock(&lock);
	devices_look(true);
}

void devices_gone(const char *name)
{
	struct block_device *block;
	char device[64];

	path_print(device, "/dev/%s", name);
	pthread_mutex_lock(&lock);
	block = find_device(device);
	if (block) {
		block->seen = false;
		block->gone = block->busy;
	}
	pthread_mutex_unlock(&lock);
}

bool devices_next(const char *type, size_t *at, struct facts *found)
{
	size_t number = 0;
	bool any = false;

	pthread_mutex_lock(&lock);
	for (const struct block_device *block = devices; block && !any; block = block->next) {
		if (!block->seen || (type && strcmp(block->facts.type, type)))
			continue;
		if (number++ < *at)
			continue;
		*found = block->facts;
		*at = number;
		any = true;
	}
	pthread_mutex_unlock(&lock);
	return any;
}

bool devices_find(const struct root_spec *spec, struct facts *found)
{
	size_t at = 0;

	while (devices_next(NULL, &at, found))
		if (facts_fit(found, spec))
			return true;
	return false;
}
