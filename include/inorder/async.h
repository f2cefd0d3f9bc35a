/* SPDX-License-Identifier: MIT */
/*
 * inorder: asynchronous function calls.
 *
 * Slow work runs out of order, in parallel; its visible effects happen in
 * program order. Every call has a cookie, its place in that order.
 */
#ifndef INORDER_ASYNC_H
#define INORDER_ASYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define INORDER_API __attribute__((visibility("default")))
/* The same layout on every 32-bit ABI and with every compiler option. */
#define INORDER_ALIGNED __attribute__((aligned(8)))

/** A call's place in program order: strictly increasing, never reused, never 0. */
typedef uint64_t async_cookie_t;
typedef void (*async_func_t)(void *data, async_cookie_t cookie);
typedef void async_func_ptr(void *data, async_cookie_t cookie); /* the 2009 spelling */

/** Infinity: greater than every cookie. */
#define ASYNC_COOKIE_MAX UINT64_MAX

struct async_block;
struct async_waiter;

/*
 * A domain: calls that are waited for together. All fields are private; the
 * initialisers below make them. The size is part of the ABI.
 */
struct async_domain {
	struct async_block *first;
	struct async_block *last;
	struct async_waiter *waiters;
	struct async_waiter *waiters_last;
	INORDER_ALIGNED async_cookie_t error_cookie;
	int error;
	unsigned int generation;
	unsigned int exclusive;
	unsigned int ordered;
	INORDER_ALIGNED async_cookie_t lowest;
	const char *name;   /* what traces call it, or NULL */
	unsigned int hints; /* what its calls are like: async_domain_hint() */
	void *reserved[6];
};

/* @name, a string that lives as long as the domain, is its name in traces. */
#define ASYNC_DOMAIN_NAMED_INIT(name) \
	{ \
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, name, 0, \
		{ \
			0 \
		} \
	}
#define ASYNC_DOMAIN_EXCLUSIVE_NAMED_INIT(name) \
	{ \
		0, 0, 0, 0, 0, 0, 0, 1, 0, 0, name, 0, \
		{ \
			0 \
		} \
	}
#define ASYNC_DOMAIN_INIT ASYNC_DOMAIN_NAMED_INIT(0)
#define ASYNC_DOMAIN_EXCLUSIVE_INIT ASYNC_DOMAIN_EXCLUSIVE_NAMED_INIT(0)

/** A registered domain, called as the variable: waits on NULL cover it. */
#define ASYNC_DOMAIN(var) struct async_domain var = ASYNC_DOMAIN_NAMED_INIT(#var)
/** An exclusive domain, called as the variable: takes no part in waits on NULL. */
#define ASYNC_DOMAIN_EXCLUSIVE(var) struct async_domain var = ASYNC_DOMAIN_EXCLUSIVE_NAMED_INIT(#var)

/* Storage for one call, the caller's. Private; needs no initialisation. */
struct async_entry {
	INORDER_ALIGNED uint64_t storage[17];
	void *reserved[3];
};

/* Whom a call belongs to beside its domain: a plug-in, a subsystem. Private fields. */
struct async_owner {
	INORDER_ALIGNED uint64_t in_progress;
	unsigned int generation;
	const char *name;
	void *reserved[5];
};

#define ASYNC_OWNER_INIT(name) \
	{ \
		0, 0, name, \
		{ \
			0 \
		} \
	}
#define ASYNC_OWNER(var) struct async_owner var = ASYNC_OWNER_INIT(#var)

/*
 * What workers look like to the system. Without it they have the processors, the
 * nice value and the timer slack of the process (of its main thread), no real-time
 * policy, and names "inorder/N". What the system refuses is left as it is.
 */
struct async_workers {
	uint32_t size;             /* sizeof(struct async_workers) */
	uint32_t realtime;         /* priority under SCHED_FIFO, 1 to 99; 0: not real-time */
	int32_t nice;              /* added to the nice value of the process */
	uint32_t cpus_bytes;       /* of *cpus; 0: the processors of the process */
	const void *cpus;          /* a cpu_set_t; copied */
	const char *name;          /* 1 to 9 characters instead of "inorder"; copied; NULL: that */
	void (*start)(void *data); /* runs in each worker before its first call; NULL: none */
	void (*end)(void *data);   /* runs in each worker that ends, as the last thing; NULL: none */
	void *data;
	void *reserved[4];
};
#define ASYNC_WORKERS_INIT \
	{ \
		sizeof(struct async_workers), 0, 0, 0, 0, 0, 0, 0, 0, \
		{ \
			0 \
		} \
	}

/* What the environment does not override. A field that is ASYNC_DEFAULT keeps its default. */
#define ASYNC_DEFAULT UINT32_MAX
struct async_config {
	uint32_t size;                       /* sizeof(struct async_config) */
	uint32_t threads;                    /* most workers, 0 to 65536; 0: calls run inline */
	uint32_t pending;                    /* most pending calls before calls run inline */
	uint32_t stack_bytes;                /* stack of a worker; 0: the system's default */
	uint32_t watchdog_s;                 /* report calls that run longer, seconds; 0: off */
	uint32_t initcall_debug;             /* 1: the kernel's lines on standard error */
	const char *trace_path;              /* full trace, appended; NULL: off */
	const struct async_workers *workers; /* what workers look like to the system; copied; NULL: like the process */
	uint32_t exit_limit_s; /* a normal exit waits no longer for calls, seconds; 0: as long as it takes */
	void *reserved[2];
};
#define ASYNC_CONFIG_INIT \
	{ \
		sizeof(struct async_config), ASYNC_DEFAULT, ASYNC_DEFAULT, ASYNC_DEFAULT, ASYNC_DEFAULT, \
			ASYNC_DEFAULT, 0, 0, 0, \
		{ \
			0 \
		} \
	}

/**
 * async_schedule() - schedule a call in the default domain
 * @func: called once as func(data, cookie), in another thread or in this one, with cancellation disabled. It has to
 *        return: pthread_exit() or an exception that leaves it ends the program; longjmp() out of it is undefined
 * @data: handed to @func; the library does not touch it
 *
 * Return:   the cookie of the call; 0, after a report, if @func is NULL.
 * Context:  any thread, also inside a call; not a signal handler. May run @func before it returns, when there is
 *           no storage, too much is pending or there are no workers: hold no lock that @func takes.
 * Ordering: what happened before the call of this function happens before @func.
 * Source:   Linux 6.1 async_schedule().
 */
INORDER_API async_cookie_t async_schedule(async_func_t func, void *data);

/**
 * async_schedule_domain() - schedule a call in a domain
 * @func: as for async_schedule()
 * @data: handed to @func
 * @domain: the domain, or NULL for the default one; must outlive the call
 *
 * Return:   as async_schedule().
 * Context:  as async_schedule().
 * Ordering: as async_schedule().
 * Source:   Linux 6.1 async_schedule_domain().
 */
INORDER_API async_cookie_t async_schedule_domain(async_func_t func, void *data, struct async_domain *domain);

/**
 * async_schedule_node() - schedule a call, best near a NUMA node
 * @func: as for async_schedule()
 * @data: handed to @func
 * @node: the node, or -1 for any; a hint; the POSIX port ignores it
 *
 * Return:   as async_schedule().
 * Context:  as async_schedule().
 * Ordering: as async_schedule().
 * Source:   Linux 6.1 async_schedule_node().
 */
INORDER_API async_cookie_t async_schedule_node(async_func_t func, void *data, int node);

/**
 * async_schedule_node_domain() - schedule a call in a domain, best near a NUMA node
 * @func: as for async_schedule()
 * @data: handed to @func
 * @node: as for async_schedule_node()
 * @domain: the domain, or NULL for the default one; must outlive the call
 *
 * Return:   as async_schedule().
 * Context:  as async_schedule().
 * Ordering: as async_schedule().
 * Source:   Linux 6.1 async_schedule_node_domain().
 */
INORDER_API async_cookie_t async_schedule_node_domain(async_func_t func, void *data, int node,
						      struct async_domain *domain);

/**
 * async_schedule_ordered() - schedule a call whose second half runs in program order
 * @func: runs out of order, as for async_schedule()
 * @retire: called as retire(data, cookie) once @func has returned and every lower call of @domain is complete
 * @data: handed to both
 * @domain: the domain, or NULL for the default one; must outlive the call
 *
 * Return:   the cookie of the call; 0 if there is no storage for it, and then nothing is run.
 * Context:  as async_schedule(). Either function may run in any thread; none is held while the turn is awaited.
 * Ordering: @func and all lower calls of @domain happen before @retire.
 * Source:   ours.
 */
INORDER_API async_cookie_t async_schedule_ordered(async_func_t func, async_func_t retire, void *data,
						  struct async_domain *domain);

/**
 * async_schedule_entry() - schedule a call in storage of the caller, which cannot fail
 * @entry: storage, needs no initialisation; the library's until a wait has seen the call complete, so neither
 *         @func nor @retire may free or reuse it
 * @func: as for async_schedule()
 * @retire: as for async_schedule_ordered(), or NULL
 * @data: handed to both
 * @domain: the domain, or NULL for the default one; must outlive the call
 *
 * Return:   the cookie of the call; 0, after a report, if @func is NULL. If the entry's call is still in progress,
 *           that call's cookie after a report, and nothing is scheduled.
 * Context:  any thread, also inside a call; not a signal handler. Allocates nothing, and no limit of pending calls
 *           applies; runs @func before it returns only when there are no workers (INORDER_THREADS=0).
 * Ordering: as async_schedule() and async_schedule_ordered().
 * Source:   ours.
 */
INORDER_API async_cookie_t async_schedule_entry(struct async_entry *entry, async_func_t func, async_func_t retire,
						void *data, struct async_domain *domain);

/**
 * async_try_schedule() - schedule a call that must not run in this thread now
 * @func: as for async_schedule()
 * @data: handed to @func
 * @domain: the domain, or NULL for the default one; must outlive the call
 * @cookie: where the cookie is stored, when @func may have begun already; or NULL. Untouched on failure
 *
 * Return:   true; false if there is no storage, too much is pending or there are no workers. Then nothing is run
 *           and no cookie is used up.
 * Context:  any thread, also inside a call and under locks that @func takes; not a signal handler.
 * Ordering: as async_schedule().
 * Source:   ours, for what Linux 6.8 async_schedule_dev_nocall() is for.
 */
INORDER_API bool async_try_schedule(async_func_t func, void *data, struct async_domain *domain, async_cookie_t *cookie);

/**
 * async_synchronize_full() - wait until no call is in progress in any registered domain
 *
 * Return:   0; -EDEADLK if the caller would wait for itself, after the wait for all other calls.
 * Context:  may block, and may run awaited calls; not a signal handler. Inside a call only by mistake: see Return.
 * Ordering: everything that the awaited calls did happens before the return. Calls scheduled during the wait are
 *           awaited too; calls of exclusive domains are not.
 * Source:   Linux 6.1 async_synchronize_full(); the error return is ours.
 */
INORDER_API int async_synchronize_full(void);

/**
 * async_synchronize_full_domain() - wait until no call is in progress in a domain
 * @domain: the domain, which may be freed once 0 was returned; NULL for all registered ones
 *
 * Return:   0; -EDEADLK if the caller would wait for itself, after the wait for all other calls. Check it before
 *           memory is freed that a call uses.
 * Context:  may block, and may run awaited calls; not a signal handler.
 * Ordering: everything that the calls of the domain did happens before the return, calls scheduled during the wait
 *           included.
 * Source:   Linux 6.1 async_synchronize_full_domain(); the error return is ours.
 */
INORDER_API int async_synchronize_full_domain(struct async_domain *domain);

/**
 * async_synchronize_cookie() - wait for the calls of the default domain before a cookie
 * @cookie: exclusive bound; calls with a smaller cookie are waited for
 *
 * Return:   0; -EDEADLK if the caller would wait for itself, after the wait for all other calls.
 * Context:  may block, and may run awaited calls; not a signal handler. Inside a call, with that call's own cookie.
 * Ordering: everything that the awaited calls did happens before the return.
 * Source:   Linux 6.1 async_synchronize_cookie(); the error return is ours.
 */
INORDER_API int async_synchronize_cookie(async_cookie_t cookie);

/**
 * async_synchronize_cookie_domain() - wait for the calls of a domain before a cookie
 * @cookie: exclusive bound; calls with a smaller cookie that were scheduled before this wait are waited for
 * @domain: the domain, or NULL for all registered ones; must outlive the wait
 *
 * Return:   0; -EDEADLK if the caller would wait for itself, after the wait for all other calls.
 * Context:  may block, and may run awaited calls; not a signal handler. Inside a call, with that call's own cookie.
 * Ordering: everything that the awaited calls did happens before the return.
 * Source:   Linux 6.1 async_synchronize_cookie_domain(); the error return is ours.
 */
INORDER_API int async_synchronize_cookie_domain(async_cookie_t cookie, struct async_domain *domain);

/**
 * async_synchronize_cookie_timeout() - wait for the calls of a domain before a cookie, at most for a time
 * @cookie: exclusive bound; calls with a smaller cookie that were scheduled before this wait are waited for
 * @domain: the domain, or NULL for all registered ones; must outlive the wait
 * @timeout_ns: nanoseconds from now; 0 only looks
 *
 * Return:   0; -ETIMEDOUT if such a call is still in progress; -EDEADLK if the caller would wait for itself.
 * Context:  may block; not a signal handler. Runs no calls, and no deadlock is looked for beyond the caller's own
 *           stack, as time ends it.
 * Ordering: after 0, everything that the awaited calls did happens before the return.
 * Source:   ours.
 */
INORDER_API int async_synchronize_cookie_timeout(async_cookie_t cookie, struct async_domain *domain,
						 uint64_t timeout_ns);

/**
 * async_synchronize_call() - wait for one call, whatever else is in progress
 * @cookie: the cookie of that call
 * @domain: its domain, or NULL for any; a call of another domain counts as complete
 *
 * Return:   0, also when the call was complete long ago; -EINVAL if @cookie is 0 or was not handed out yet;
 *           -EDEADLK if the caller would wait for itself.
 * Context:  may block, and may run that call; not a signal handler.
 * Ordering: everything that the call did happens before the return.
 * Source:   ours.
 */
INORDER_API int async_synchronize_call(async_cookie_t cookie, struct async_domain *domain);

/**
 * async_synchronize_call_timeout() - wait for one call, at most for a time
 * @cookie: the cookie of that call
 * @domain: its domain, or NULL for any; a call of another domain counts as complete
 * @timeout_ns: nanoseconds from now; 0 only looks
 *
 * Return:   0; -ETIMEDOUT if the call is still in progress; -EINVAL if @cookie is 0 or was not handed out yet; -EDEADLK
 *           if the caller would wait for itself.
 * Context:  as async_synchronize_cookie_timeout().
 * Ordering: after 0, everything that the call did happens before the return.
 * Source:   ours.
 */
INORDER_API int async_synchronize_call_timeout(async_cookie_t cookie, struct async_domain *domain, uint64_t timeout_ns);

/**
 * async_synchronize_owner() - wait until no call of an owner is in progress
 * @owner: the owner, which may be freed once 0 was returned
 *
 * Return:   0; -EDEADLK if the caller would wait for itself, after the wait for all other calls.
 * Context:  may block, and may run awaited calls; not a signal handler.
 * Ordering: everything that the calls of the owner did, in whatever domain, happens before the return.
 * Source:   ours.
 */
INORDER_API int async_synchronize_owner(struct async_owner *owner);

/**
 * current_is_async() - whether this thread is inside a call
 *
 * Return:   true in a call's function, its retire step included; false elsewhere.
 * Context:  any thread.
 * Ordering: none.
 * Source:   Linux 6.1 current_is_async().
 */
INORDER_API bool current_is_async(void);

/**
 * async_current_cookie() - the cookie of the call that this thread is inside
 *
 * Return:   the cookie of the innermost call; 0 outside a call.
 * Context:  any thread.
 * Ordering: none.
 * Source:   ours.
 */
INORDER_API async_cookie_t async_current_cookie(void);

/**
 * async_set_name() - name the current call in traces and reports
 * @name: kept by pointer until the call is complete; NULL goes back to the name of its function.
 *        Reports print 63 characters of it at most.
 *
 * Context:  inside a call; elsewhere it does nothing.
 * Ordering: none.
 * Source:   ours.
 */
INORDER_API void async_set_name(const char *name);

/**
 * async_set_error() - say that the current call has failed
 * @error: what async_domain_error() is to return, a negative errno by convention; 0 takes it back
 *
 * Context:  inside a call; elsewhere it does nothing. Delivered when the call completes.
 * Ordering: as for all that the call does.
 * Source:   ours.
 */
INORDER_API void async_set_error(int error);

/**
 * async_domain_error() - the error of the lowest failed call of a domain
 * @domain: the domain, or NULL for the default one
 * @cookie: where the cookie of that call is stored, 0 if there is none; may be NULL
 *
 * Return:   what that call gave to async_set_error(); 0 if no completed call has failed.
 * Context:  any thread; not a signal handler. Final after a full wait on the domain; until then a lower call may
 *           still fail.
 * Ordering: none of its own; wait first.
 * Source:   ours.
 */
INORDER_API int async_domain_error(struct async_domain *domain, async_cookie_t *cookie);

/**
 * async_domain_clear_error() - forget the error of a domain
 * @domain: the domain, or NULL for the default one
 *
 * Context:  any thread; not a signal handler. Best after a full wait: calls in progress may fail again.
 * Ordering: none.
 * Source:   ours.
 */
INORDER_API void async_domain_clear_error(struct async_domain *domain);

/** For async_domain_hint(): each call of the domain sleeps for most of its time (a device, the network, a lock). */
#define ASYNC_BLOCKS 1u

/**
 * async_domain_hint() - say what the calls of a domain are like
 * @domain: the domain, or NULL for the default one
 * @hints: ASYNC_BLOCKS, or 0 for nothing. With ASYNC_BLOCKS no other call waits for a thread because of one of these:
 *         the next one gets a thread at once, up to the limit of threads, and not only when the library has seen that
 *         the one before sleeps. A wrong hint costs threads and never order
 *
 * Return:   0; -EINVAL if @hints has other bits.
 * Context:  any thread; not a signal handler. Holds for calls that begin from now on.
 * Ordering: none.
 * Source:   ours.
 */
INORDER_API int async_domain_hint(struct async_domain *domain, unsigned int hints);

/**
 * async_cancel_domain() - take back the calls of a domain that no thread has claimed
 * @domain: the domain, or NULL for the default one
 * @release: called in this thread for each such call, before it counts as complete; may be NULL
 *
 * Return:   how many calls were taken back. Neither their functions nor their retire steps run.
 * Context:  any thread, also inside a call; not a signal handler. Does not wait for calls that have begun.
 * Ordering: @release of a call happens before the return of every wait for that call.
 * Source:   ours.
 */
INORDER_API unsigned async_cancel_domain(struct async_domain *domain,
					 void (*release)(void *data, async_cookie_t cookie));

/**
 * async_cancel_call() - take one call back, if no thread has begun it
 * @cookie: the call, which may be that of an entry
 * @domain: its domain, or NULL for any
 * @release: called in this thread for the call, before it counts as complete; may be NULL
 *
 * Return:   0: it was taken back, and neither its function nor its retire step runs. -EBUSY: it has begun, and will
 *           complete. -ENOENT: no such call is in progress in @domain: it is complete. -EINVAL: no call has had
 *           this cookie yet.
 * Context:  any thread, also inside a call; not a signal handler. Does not wait.
 * Ordering: @release happens before the return of every wait for the call.
 * Source:   ours.
 */
INORDER_API int async_cancel_call(async_cookie_t cookie, struct async_domain *domain,
				  void (*release)(void *data, async_cookie_t cookie));

/**
 * async_owner_enter() - make an owner that of the calls which this thread schedules
 * @owner: the owner, or NULL for none; must outlive its calls
 *
 * Return:   the owner before, or NULL; enter that one again at the end.
 * Context:  any thread. A call begins with the owner of the call that scheduled it, so this is for other code.
 * Ordering: none.
 * Source:   ours.
 */
INORDER_API struct async_owner *async_owner_enter(struct async_owner *owner);

/**
 * async_report() - write who runs, since when, and who waits for whom
 * @fd: an open file descriptor; a line a call and a wait
 *
 * Context:  any thread, also while others hang; not a signal handler. Errors of writing are ignored.
 * Ordering: none: others go on meanwhile.
 * Source:   ours.
 */
INORDER_API void async_report(int fd);

/**
 * async_configure() - set limits, before the first call
 * @config: begins as ASYNC_CONFIG_INIT; copied. The environment overrides it
 *
 * Return:   0; -EINVAL if a field makes no sense; -ENAMETOOLONG if the path of the trace is too long; -EBUSY once the
 *           library is in use.
 * Context:  any thread, before the first call is scheduled or waited for; not a signal handler.
 * Ordering: happens before the start of every worker.
 * Source:   ours.
 */
INORDER_API int async_configure(const struct async_config *config);

/**
 * async_quiesce_begin() - hold the calls of all registered domains back
 *
 * When it has returned, none of them runs or starts until the matching
 * async_quiesce_end(). New ones queue, whatever the limit; one for which there is
 * no memory blocks its scheduler until the end, and is refused (cookie 0) when that
 * is the thread that holds them back. While begin drains, calls that a running call
 * waits for, and inline calls of running calls, still start. Exclusive domains go
 * on. Begins nest, and several threads may hold at the same time. A wait of the
 * holding thread for calls that are held back leaves them out, and returns -EDEADLK.
 *
 * Return:   0; -EDEADLK, after a report, inside an async call: nothing is held then.
 * Context:  may block; outside of async calls; not from a signal handler.
 * Ordering: everything that the drained calls did happens before the return.
 * Source:   ours; what interrupt autoprobing needed of the calls of 2009.
 */
INORDER_API int async_quiesce_begin(void);

/**
 * async_quiesce_end() - let calls go on
 *
 * With no workers (INORDER_THREADS=0) it runs what has queued.
 *
 * Return:   0; -EINVAL if this thread holds nothing back.
 * Context:  the thread that began it; not from a signal handler.
 * Ordering: what the holder did happens before calls that start afterwards.
 * Source:   ours.
 */
INORDER_API int async_quiesce_end(void);

/**
 * async_shutdown() - wait for all calls and end every thread of the library
 *
 * For what concerns a whole process and has to come while it has few threads, or none that it did not start: giving up
 * privileges, a seccomp filter, unshare(), setns(). The next call starts afresh, with what the process has then.
 *
 * Return:   0; -EDEADLK, after a report, inside an async call and between async_quiesce_begin() and its end;
 *           -EBUSY while another thread is in this call. Then nothing has ended.
 * Context:  may block; any thread, not a signal handler. Calls that other threads schedule meanwhile stay pending
 *           until it returns.
 * Ordering: all that calls and workers' end hooks did happens before the return; the kernel has none of them then.
 * Source:   ours.
 */
INORDER_API int async_shutdown(void);

/* The names of the 2009 series; the "list" is the domain. */

/**
 * async_schedule_special() - schedule a call in a domain, by its name of 2009
 * @func: as for async_schedule()
 * @data: handed to @func
 * @list: the domain, as for async_schedule_domain()
 *
 * Return:   as async_schedule().
 * Context:  as async_schedule().
 * Ordering: as async_schedule().
 * Source:   Linux 2.6.29-rc1 async_schedule_special().
 */
INORDER_API async_cookie_t async_schedule_special(async_func_t func, void *data, struct async_domain *list);

/**
 * async_synchronize_full_special() - wait until a domain is empty, by its name of 2009
 * @list: the domain, as for async_synchronize_full_domain()
 *
 * Return:   as async_synchronize_full_domain().
 * Context:  as async_synchronize_full_domain().
 * Ordering: as async_synchronize_full_domain().
 * Source:   Linux 2.6.29-rc1 async_synchronize_full_special(); the error return is ours.
 */
INORDER_API int async_synchronize_full_special(struct async_domain *list);

/**
 * async_synchronize_cookie_special() - wait for the calls of a domain before a cookie, by its name of 2009
 * @cookie: exclusive bound
 * @list: the domain, as for async_synchronize_cookie_domain()
 *
 * Return:   as async_synchronize_cookie_domain().
 * Context:  as async_synchronize_cookie_domain().
 * Ordering: as async_synchronize_cookie_domain().
 * Source:   Linux 2.6.29-rc1 async_synchronize_cookie_special(); the error return is ours.
 */
INORDER_API int async_synchronize_cookie_special(async_cookie_t cookie, struct async_domain *list);

#ifdef __cplusplus
}
#endif
#endif
