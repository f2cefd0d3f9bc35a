/* SPDX-License-Identifier: MIT */
/*
 * The core's internal interface: all that a port, and what implements the public calls, may use of it. The public calls
 * of userspace are in ports/posix and patterns, those of the kernel in ports/linux/async.c; they check arguments, put
 * reports into words and decide how a program ends. What runs when, and who waits for whom, is decided below.
 *
 * A NULL domain is the default one where something is scheduled, and all registered ones in a wait.
 */
#ifndef CORE_ROB_H
#define CORE_ROB_H

#include "owner.h"
#include "thread.h"

/* ---- scheduling (schedule.c). The short way of a plain call is inline: issue.h ---- */

struct rob_request {
	async_func_t func, retire; /* retire: NULL for a plain call */
	void *data;
	struct async_domain *domain;
	const void *caller;        /* where the call was scheduled */
	bool try_only;             /* rather not at all than in this thread */
	struct async_owner *owner; /* filled in */
};

/*
 * In the caller's storage: it cannot fail. After port_refused(): 0 without a function, and while the entry's call is in
 * progress that call's cookie.
 */
async_cookie_t rob_schedule_entry(struct async_entry *entry, struct rob_request *request);
/* Whether the entry's call is in progress. Until it was scheduled in this process an entry may hold anything. */
bool rob_entry_in_progress(const struct async_entry *entry);
/* Takes back what is not claimed: how many. @release, unless NULL, is called for each before it counts as complete. */
unsigned rob_cancel(struct async_domain *domain, void (*release)(void *data, async_cookie_t cookie));
/* The same for one call, of the domain or any (NULL): 0; -EBUSY: it has begun; -ENOENT: it is complete; -EINVAL. */
int rob_cancel_call(async_cookie_t cookie, struct async_domain *domain,
		    void (*release)(void *data, async_cookie_t cookie));

/* ---- waiting (wait.c): 0; -EDEADLK after port_deadlock(); -ETIMEDOUT. No deadline: 0 ---- */

struct async_domain *rob_default_domain(void);
int rob_wait_below(async_cookie_t cookie, struct async_domain *domain, uint64_t deadline_ns);
/* The same for all that is in progress, calls that are scheduled meanwhile included. */
int rob_wait_full(struct async_domain *domain);
/* -EINVAL for a cookie that was not given yet. */
int rob_wait_call(async_cookie_t cookie, struct async_domain *domain, uint64_t deadline_ns);
int rob_wait_owner(struct async_owner *owner);

/* ---- the thread's innermost call, and a domain's error ---- */

/* Of the calling thread: what its innermost call is; NULL outside of calls. */
static inline struct rob_frame *rob_current(void)
{
	return port_self()->top;
}

/* The error of the lowest failed call, and its cookie; or 0. */
int rob_error(struct async_domain *domain, async_cookie_t *cookie, bool clear);
/* What its calls are like: ROB_BLOCKS. */
void rob_hint(struct async_domain *domain, unsigned hints);

#define ROB_BLOCKS 1u /* public: ASYNC_BLOCKS */

/* ---- no call of a registered domain runs (quiesce.c). Not inside a call ---- */

int rob_quiesce_begin(void);
/* -EINVAL if this thread has not begun. */
int rob_quiesce_end(void);

/* ---- life ---- */

/* First use; rob_lock() and scheduling see to it. */
void rob_start(void);
/* Calls @set unless the library was used already: then -EBUSY. Nothing begins meanwhile. */
int rob_before_start(int (*set)(const void *what), const void *what);
/* A normal end begins: false if there was no use. Then waits with rob_wait_exit(); rob_exit_end() comes last. */
bool rob_exit_begin(void);
/* Every call of every domain but those on this stack. 0; -EDEADLK if these were left out; -ETIMEDOUT. */
int rob_wait_exit(uint64_t deadline_ns);
/* Later use starts afresh; after the last end later calls run in their callers. */
void rob_exit_end(bool last);
/* Every thread ends; the next use starts afresh. -EBUSY while another thread does it. Not inside a call. */
int rob_shutdown(void);
/* Frees storage that is kept for later calls. No call is in progress, and no thread is left. */
void rob_free_all(void);

/* Around fork(), in the thread that forks. */
void rob_fork_prepare(void);
void rob_fork_parent(void);
void rob_fork_child(void);

/* ---- for the port's threads: what port_thread_start() runs in them ---- */

void rob_worker_main(struct rob_worker *worker);
void rob_monitor_main(void);
/* There are fewer processors than port_cpus() said. */
void rob_processors(unsigned count);
/* The thread that port_thread_start() promised will not come. */
void rob_start_failed(struct rob_worker *worker);
/* This thread has left the wait that it was parked in, by a jump. */
void rob_wait_left(struct rob_thread *self);

/* ---- who runs, and who waits for whom (report.c) ---- */

/* A call as reports name it. */
struct rob_call {
	async_cookie_t cookie; /* 0: none */
	async_func_t func;
	const char *name; /* async_set_name(), or NULL */
};

/* One line of a report: a call that runs, or a wait. */
struct rob_row {
	int thread_id;
	bool waits, retiring, quiesces;
	struct rob_call call; /* that runs, or waits: then without func and name */
	/* Of the call, or of the owner that is waited for: copied, since either may be gone when it is printed. */
	char name[64];
	uint64_t since_ns;
	enum rob_wait_kind kind;
	const void *domain;
	async_cookie_t bound;
	async_cookie_t awaited; /* the lowest call that holds the waiter up; 0: none */
};

struct rob_snapshot {
	struct rob_row *rows;   /* the caller's */
	size_t count, capacity; /* how many there are, which may be more than fit */
	uint64_t pending, now_ns;
	unsigned workers, active, processors, used; /* processors: that there are; of which pending calls get some */
	async_cookie_t last;
};

void rob_snapshot(struct rob_snapshot *snapshot);

/* ---- what the public calls report when the core finds something. Without the core's lock ---- */

/* A call without a function (@busy is 0), or on an entry whose call, @busy, is in progress. It is refused. */
void port_refused(const void *caller, async_cookie_t busy);
/*
 * The wait in cookie @waiter (0: outside of calls) leaves calls out: a cycle, each of which waits for the next and the
 * last for the first; or calls on its own stack, innermost first.
 */
void port_deadlock(const struct rob_call *calls, unsigned count, bool cycle, async_cookie_t waiter);
/* A call runs for longer than the watchdog's limit. */
void port_overdue(uint32_t limit_s);
/* No call could begin for @seconds: all @threads workers are blocked in calls. */
void port_full(uint32_t seconds, unsigned threads);

/* ---- how userspace ends (ports/posix/end.c) ---- */

extern struct port_exit_limits {
	uint32_t report_s; /* an exit that waits for longer reports what it waits for; 0: never */
	uint32_t limit_s;  /* and gives up; 0: never */
} port_exit_limits;

/* A normal exit; @last: the destructors of the program have run. */
void port_exit(bool last);

#endif
