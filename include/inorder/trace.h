/* SPDX-License-Identifier: MIT */
/* inorder: the events of a call, and what a program adds to its own trace. */
#ifndef INORDER_TRACE_H
#define INORDER_TRACE_H

#include <inorder/async.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Every event of a call, in the order in which they can happen. The word is
 * what stands in a trace file. X(name, word)
 */
#define ASYNC_TRACE_EVENTS(X) \
	X(SCHEDULED, "scheduled") /* a cookie was given; arg: cookie of the scheduling call, or 0 */ \
	X(INLINE, "inline")       /* the scheduler runs it itself, from now; arg: as above */ \
	X(STARTED, "started")     /* func begins; arg: 1 if a waiter runs it for progress */ \
	X(RETURNED, "returned")   /* func of an ordered call returned; it waits for its turn */ \
	X(RETIRING, "retiring")   /* its turn has come: retire begins */ \
	X(COMPLETED, "completed") /* no longer in progress; error: as set, arg: 1 if cancelled */ \
	X(WAITING, "waiting")     /* a wait begins; arg: the cookie waited for (exclusive bound) */ \
	X(CONTINUED, "continued") /* that wait ends; error: what it returns */ \
	X(WORKER, "worker")       /* a worker thread was added; arg: workers now; error: 1 if for compensation */ \
	X(PHASE, "phase")         /* async_trace_phase(); name: the text */ \
	X(CALLING, "calling")     /* a synchronous step (initcall) begins; name: its name */ \
	X(CALLED, "called")       /* that step returned; error: what it returned */

enum async_trace_type {
#define ASYNC_TRACE_ENUM(name, word) ASYNC_TRACE_##name,
	ASYNC_TRACE_EVENTS(ASYNC_TRACE_ENUM)
#undef ASYNC_TRACE_ENUM
	ASYNC_TRACE_TYPES
};

/** Start writing the kernel's initcall_debug lines to @fd (-1: stop). Return: 0. */
INORDER_API int async_trace_initcall(int fd);
/** Start appending the full trace to @path (NULL: stop). Return: 0 or -errno. */
INORDER_API int async_trace_open(const char *path);
/** Mark the beginning of a phase of the program in the trace. @name is copied. */
INORDER_API void async_trace_phase(const char *name);
/** Bracket a synchronous step, as do_initcalls() does; @func names it unless @name does. Return: of calling, a time for called. */
INORDER_API uint64_t async_trace_calling(void (*func)(void), const char *name);
INORDER_API void async_trace_called(void (*func)(void), const char *name, int result, uint64_t since_ns);

#ifdef __cplusplus
}
#endif
#endif
