/* SPDX-License-Identifier: MIT */
/* Threads that end where they should not: inside a call, which has to return; or after a wait that was left. */
#include "rob.h"

/* As _Unwind_Personality_Fn of the C++ ABI. */
#define SEARCH_PHASE 1
#define FATAL_PHASE1_ERROR 3
#define CONTINUE_UNWIND 8
int port_personality(int version, int actions, uint64_t class, void *exception, void *context)
	__attribute__((used, visibility("hidden")));

/* No handler is found: std::terminate(). The end of a thread goes through, to thread_ends(). */
int port_personality(int version, int actions, uint64_t class, void *exception, void *context)
{
	(void)version;
	(void)class;
	(void)exception;
	(void)context;
	return actions & SEARCH_PHASE ? FATAL_PHASE1_ERROR : CONTINUE_UNWIND;
}

__thread bool port_watched;
static pthread_once_t watch_once = PTHREAD_ONCE_INIT;
static pthread_key_t watch_key;
static bool watches;

/* In a thread that ends. In a forked child nothing is left on the stack of the one that forked. */
/* Covered by chance: abort() loses the counters; contract-lifecycle and contract-exceptions see it */
static void thread_ends(void *unused)
{
	struct rob_frame *top = port_thread.top;

	(void)unused;
	if (port_thread.parked)
		rob_wait_left(&port_thread);
	if (!top)
		return;
	port_log(
		2,
		"inorder: cookie %llu: its thread ends inside the call, by pthread_exit() or by a cancellation that the call "
		"has enabled; a call has to return, so the program ends here. An interpreter that has ended does so to threads "
		"that come back to it: wait for all calls before, in Python by atexit.register(library.async_synchronize_full)\n",
		(unsigned long long)top->cookie);
	abort();
}

static void make_watch_key(void)
{
	watches = !pthread_key_create(&watch_key, thread_ends);
	port_saw(release, &watch_once); /* helgrind does not know pthread_once() */
}

/* Without a key, or memory for it, the end of a thread goes unnoticed. */
void port_watch_thread(void)
{
	pthread_once(&watch_once, make_watch_key);
	port_saw(acquire, &watch_once);
	/* Covered by chance: no key of thread-specific data was left */
	port_watched = !watches || !pthread_setspecific(watch_key, &port_thread);
}
