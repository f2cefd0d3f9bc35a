/* SPDX-License-Identifier: MIT */
/*
 * Which objects have initcalls.
 *
 * Each object's constructor links its struct initcall_object, which lies in the
 * object's own data, at the tail of the list; its destructor takes it out again.
 * No memory is allocated: a constructor has no thread to report a failure to. So the
 * list is sorted later, by whoever is about to run initcalls.
 *
 * The lock is a leaf. Over fork() it is held by the thread that forks, so that
 * the list is whole in the child.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "internal.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static struct initcall_object *objects; /* guarded by lock */
static bool unsorted;                   /* guarded by lock */
static bool running;                    /* guarded by lock: initcalls_run() is in progress */
static _Thread_local bool running_here; /* in this thread */
_Thread_local void *startup_loading;

void startup_lock(void)
{
	pthread_mutex_lock(&lock);
}

void startup_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void startup_wait(void)
{
	pthread_cond_wait(&change, &lock);
}

void startup_wake(void)
{
	pthread_cond_broadcast(&change);
}

/* The threads that waited are gone, and the lock is held. */
static void begin_child(void)
{
	static const pthread_cond_t fresh = PTHREAD_COND_INITIALIZER;

	change = fresh;
	running = running_here;
	startup_unlock();
}

/* pthread_atfork() can only fail for want of memory; fork() is then as unsafe here as it is without handlers. */
__attribute__((constructor(101))) static void hold_over_fork(void)
{
	if (pthread_atfork(startup_lock, startup_unlock, begin_child))
		startup_say("no memory for the fork handler of initcalls: do not use them in a forked child");
}

bool startup_running(void)
{
	return running;
}

void startup_set_running(bool now)
{
	running = running_here = now;
}

struct initcall_object *startup_objects(void)
{
	return objects;
}

struct mapping startup_mapping_of(const struct dl_phdr_info *info)
{
	struct mapping mapping = {UINTPTR_MAX, 0};

	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		const uintptr_t base = info->dlpi_addr + header->p_vaddr;

		if (header->p_type != PT_LOAD)
			continue;
		mapping.base = base < mapping.base ? base : mapping.base;
		mapping.end = base + header->p_memsz > mapping.end ? base + header->p_memsz : mapping.end;
	}
	return mapping;
}

struct search {
	uintptr_t address;
	struct mapping found;
};

static int find_mapping(struct dl_phdr_info *info, size_t bytes, void *data)
{
	struct search *search = data;
	const struct mapping mapping = startup_mapping_of(info);

	(void)bytes;
	if (!startup_maps(mapping, search->address))
		return 0;
	search->found = mapping;
	return 1;
}

struct mapping startup_mapping(const void *address)
{
	struct search search = {(uintptr_t)address, {0, 0}};

	dl_iterate_phdr(find_mapping, &search);
	return search.found;
}

void initcalls_note(struct initcall_object *object)
{
	struct initcall_object **link = &objects;
	/* Before the lock: dlopen() has the loader's while it runs constructors. */
	const struct mapping mapping = startup_mapping(object);

	startup_lock();
	if (!object->noted) {
		while (*link)
			link = &(*link)->next;
		object->next = NULL;
		object->base = mapping.base;
		object->end = mapping.end;
		object->plugin = startup_loading;
		object->noted = 1;
		unsorted = unsorted || link != &objects; /* one alone is in order */
		*link = object;
	}
	startup_unlock();
}

void initcalls_forget(struct initcall_object *object)
{
	struct initcall_object **link = &objects;

	startup_lock();
	while (*link && *link != object)
		link = &(*link)->next;
	if (*link)
		*link = object->next;
	object->noted = 0;
	startup_unlock();
}

bool startup_set_unsorted(bool now)
{
	bool was;

	startup_lock();
	was = unsorted;
	unsorted = now;
	startup_unlock();
	return was;
}

void startup_arrange(const uintptr_t *bases, size_t count)
{
	struct initcall_object *rest, **link, **tail = &objects;

	startup_lock();
	rest = objects;
	for (size_t i = 0; i < count; i++) {
		for (link = &rest; *link && (*link)->base != bases[i]; link = &(*link)->next)
			;
		if (!*link)
			continue;
		*tail = *link;
		*link = (*link)->next;
		tail = &(*tail)->next;
	}
	*tail = rest;
	startup_unlock();
}

void startup_say(const char *format, ...)
{
	char line[512];
	int saved = errno;
	va_list arguments;
	size_t used;
	int length;

	length = snprintf(line, sizeof(line), "inorder: ");
	va_start(arguments, format);
	length += vsnprintf(line + length, sizeof(line) - (size_t)length, format, arguments);
	va_end(arguments);
	used = length < (int)sizeof(line) - 1 ? (size_t)length : sizeof(line) - 2;
	line[used++] = '\n';
	/* There is nowhere left to report to when standard error itself fails. */
	if (write(STDERR_FILENO, line, used) < 0)
		errno = saved;
	errno = saved;
}
