/* SPDX-License-Identifier: MIT */
/*
 * Which objects have initcalls.
 *
 * Each object's constructor links its struct initcall_object, which lies in the
 * object's own data, at the tail of the list; its destructor takes it out again.
 * The dynamic loader initialises an object after those that it needs, so the
 * list is in an order in which initcalls can run. No memory is allocated: a
 * constructor has nobody to report a failure to.
 *
 * The lock is a leaf. Over fork() it is held by the thread that forks, so that
 * the list is whole in the child.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "internal.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static struct initcall_object *objects; /* guarded by lock */
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
	startup_run_in_child();
	startup_unlock();
}

/* pthread_atfork() can only fail for want of memory; fork() is then as unsafe here as it is without handlers. */
__attribute__((constructor)) static void hold_over_fork(void)
{
	if (pthread_atfork(startup_lock, startup_unlock, begin_child))
		startup_say("no memory for the fork handler of initcalls: do not use them in a forked child");
}

struct initcall_object *startup_objects(void)
{
	return objects;
}

void *startup_base(const void *address)
{
	Dl_info where;

	return dladdr(address, &where) ? where.dli_fbase : NULL;
}

void initcalls_note(struct initcall_object *object)
{
	struct initcall_object **link = &objects;
	void *base = startup_base(object); /* before the lock: dlopen() has the loader's while it runs constructors */

	startup_lock();
	if (!object->noted) {
		while (*link)
			link = &(*link)->next;
		object->next = NULL;
		object->base = base;
		object->plugin = startup_loading;
		object->noted = 1;
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
	/* Nobody is left to tell when standard error itself fails. */
	if (write(STDERR_FILENO, line, used) < 0)
		errno = saved;
	errno = saved;
}
