/* SPDX-License-Identifier: MIT */
/*
 * Tells a race checker what the library orders: a program built with
 * ThreadSanitizer, or run under helgrind, mostly has a library that is not
 * watched. Its atomic operations and futexes, by which calls happen before waits
 * return, would not be seen.
 */
#include "rob.h"

#ifndef PORT_SEES_ITSELF
#if __has_include(<valgrind/helgrind.h>)
#include <valgrind/helgrind.h>
#define UNDER_VALGRIND() RUNNING_ON_VALGRIND
#define SEND(p) ANNOTATE_HAPPENS_BEFORE(p)
#define RECEIVE(p) ANNOTATE_HAPPENS_AFTER(p)
#define IS_NO_RACE(p, bytes) VALGRIND_HG_DISABLE_CHECKING(p, bytes)
#else
#define UNDER_VALGRIND() 0
#define SEND(p) ((void)(p))
#define RECEIVE(p) ((void)(p))
#define IS_NO_RACE(p, bytes) ((void)(bytes))
#endif

extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

bool port_watched_by_checker;
static bool valgrind;

__attribute__((constructor(101))) static void look_for_checker(void)
{
	valgrind = UNDER_VALGRIND();
	port_watched_by_checker = valgrind || (__tsan_acquire && __tsan_release);
}

void port_saw_acquire(void *word, size_t bytes)
{
	if (!valgrind) {
		__tsan_acquire(word);
		return;
	}
	IS_NO_RACE(word, bytes);
	RECEIVE(word);
}

void port_saw_release(void *word, size_t bytes)
{
	if (!valgrind) {
		__tsan_release(word);
		return;
	}
	IS_NO_RACE(word, bytes);
	SEND(word);
}
#endif
