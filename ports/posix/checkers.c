/* SPDX-License-Identifier: MIT */
/*
 * Reports to a race checker what the library orders: a program built with
 * ThreadSanitizer, or run under helgrind, mostly has a library that is not
 * watched. Its atomic operations and futexes, by which calls happen before waits
 * return, would not be seen.
 */
#include "rob.h"

#ifndef PORT_SEES_ITSELF
#if __has_include(<valgrind/helgrind.h>)
#include <valgrind/helgrind.h>
/* Its other tools get no reports, since they would count them: this answers under helgrind alone. */
#define UNDER_HELGRIND() (VALGRIND_DO_CLIENT_REQUEST_EXPR(0, _VG_USERREQ__HG_GET_ABITS, &(char){0}, NULL, 1, 0, 0) != 0)
#define SEND(p) ANNOTATE_HAPPENS_BEFORE(p)
#define RECEIVE(p) ANNOTATE_HAPPENS_AFTER(p)
#define IS_NO_RACE(p, bytes) VALGRIND_HG_DISABLE_CHECKING(p, bytes)
#else
#define UNDER_HELGRIND() 0
#define SEND(p) ((void)(p))
#define RECEIVE(p) ((void)(p))
#define IS_NO_RACE(p, bytes) ((void)(bytes))
#endif

extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

bool port_watched_by_checker;
static bool helgrind;

__attribute__((constructor(101))) static void look_for_checker(void)
{
	helgrind = UNDER_HELGRIND();
	port_watched_by_checker = helgrind || (__tsan_acquire && __tsan_release);
}

void port_saw_acquire(void *word, size_t bytes)
{
	if (!helgrind) {
		__tsan_acquire(word);
		return;
	}
	IS_NO_RACE(word, bytes);
	RECEIVE(word);
}

void port_saw_release(void *word, size_t bytes)
{
	if (!helgrind) {
		__tsan_release(word);
		return;
	}
	IS_NO_RACE(word, bytes);
	SEND(word);
}
#endif
