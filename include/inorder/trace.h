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
 * what a trace file has. X(name, word)
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
	X(CALLED, "called")       /* that step returned; error: what it returned */ \
	X(AWAITING, "awaiting")   /* async_trace_wait_begin(); name: what for */ \
	X(AWAITED, "awaited")     /* async_trace_wait_end() */

enum async_trace_type {
#define ASYNC_TRACE_ENUM(name, word) ASYNC_TRACE_##name,
	ASYNC_TRACE_EVENTS(ASYNC_TRACE_ENUM)
#undef ASYNC_TRACE_ENUM
		ASYNC_TRACE_TYPES
};

/**
 * async_trace_initcall() - write the kernel's initcall_debug lines
 * @fd: an open file descriptor, which stays the caller's; -1 stops
 *
 * Return:   0.
 * Context:  any thread; not a signal handler.
 * Ordering: calls scheduled after the return are in the trace.
 * Source:   ours; the lines are those of Linux 2.6.29.
 */
INORDER_API int async_trace_initcall(int fd);

/**
 * async_trace_open() - write the full trace to a file
 * @path: appended to, made if it is not there; NULL stops and closes the file
 *
 * Return:   0; -errno of opening the file, and then the trace is as before.
 * Context:  any thread; not a signal handler.
 * Ordering: calls scheduled after the return are in the trace.
 * Source:   ours.
 */
INORDER_API int async_trace_open(const char *path);

/**
 * async_trace_phase() - mark the beginning of a phase of the program
 * @name: what the phase is called; copied
 *
 * Context:  any thread; not a signal handler.
 * Ordering: none.
 * Source:   ours.
 */
INORDER_API void async_trace_phase(const char *name);

/**
 * async_trace_calling() - mark the beginning of a synchronous step
 * @func: the step's function; names it unless @name does
 * @name: the step's name, or NULL
 *
 * Return:   the time, for async_trace_called().
 * Context:  any thread; not a signal handler.
 * Ordering: none.
 * Source:   Linux 6.1 trace_initcall_start_cb().
 */
INORDER_API uint64_t async_trace_calling(void (*func)(void), const char *name);

/**
 * async_trace_called() - mark the end of a synchronous step
 * @func: as given to async_trace_calling()
 * @name: as given to async_trace_calling()
 * @result: what the step returned
 * @since_ns: what async_trace_calling() returned
 *
 * Context:  any thread; not a signal handler.
 * Ordering: none.
 * Source:   Linux 6.1 trace_initcall_finish_cb().
 */
INORDER_API void async_trace_called(void (*func)(void), const char *name, int result, uint64_t since_ns);

/**
 * async_trace_wait_begin() - mark the beginning of a wait that the library does not know of
 * @what: what is waited for; copied. "event ..." is something that the program itself does, in another thread: a chart
 *        then goes on with that; anything else (a device, a process) is a cause by itself
 *
 * Return:   the time, for async_trace_wait_end().
 * Context:  any thread; not a signal handler.
 * Ordering: none.
 * Source:   ours.
 */
INORDER_API uint64_t async_trace_wait_begin(const char *what);

/**
 * async_trace_wait_end() - mark the end of that wait
 * @what: as given to async_trace_wait_begin()
 * @since_ns: what async_trace_wait_begin() returned
 *
 * Context:  the thread that began the wait.
 * Ordering: none.
 * Source:   ours.
 */
INORDER_API void async_trace_wait_end(const char *what, uint64_t since_ns);

#ifdef __cplusplus
}
#endif
#endif
