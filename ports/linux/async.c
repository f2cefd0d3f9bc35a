// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The public calls that schedule and wait, on the core's internal ones (core/rob.h), for a task that is entered in the
 * table of tasks while it waits or runs calls itself; the others are in current.c. And the parameters, and the lines in
 * the log that `dyndbg="file async.c +p"` turns on.
 */
#define pr_fmt(fmt) fmt

#include <linux/export.h>
#include <linux/moduleparam.h>
#include <linux/numa.h>
#include <linux/printk.h>

#include "internal.h"
#include "issue.h"

#define MAX_PENDING 32768
#define CALLER() ((const void *)_RET_IP_)

static bool serial;
module_param(serial, bool, 0444);
MODULE_PARM_DESC(serial, "run each call at once in its caller; read at the first call");

#ifdef CONFIG_ASYNC_DEBUG
static bool unordered;
module_param(unordered, bool, 0644);
MODULE_PARM_DESC(unordered, "waits inside of calls return at once: what order costs, and what it is for");

static bool fail_threads;
module_param(fail_threads, bool, 0644);
MODULE_PARM_DESC(fail_threads, "no thread can be made, as without memory");

bool port_fails_threads(void)
{
	return READ_ONCE(fail_threads);
}
#else
static const bool unordered;
#endif

static unsigned int pending = MAX_PENDING;
module_param(pending, uint, 0444);
MODULE_PARM_DESC(pending, "most pending calls; beyond, calls run in their callers");

static unsigned int watchdog;
module_param(watchdog, uint, 0444);
MODULE_PARM_DESC(watchdog, "report calls that run for longer, in seconds; 0: do not");

/* With the core's lock held, before anything else. */
void port_start(struct port_config *config)
{
	config->threads = serial ? 0 : PORT_THREADS;
	config->pending = pending;
	config->watchdog_s = watchdog;
	config->cold = 0; /* PORT_AT_ONCE is as many at once, always */
}

/* ---- scheduling ---- */

/* Too much is pending, or no memory: an atomic caller gets a slot set aside, others run the call themselves. */
static noinline async_cookie_t schedule_slow(async_func_t func, void *data, struct async_domain *domain)
{
	struct async_entry *entry = port_in_atomic() && !rob_inline_only() ? port_entry_get() : NULL;
	struct rob_request request = {.func = func, .data = data, .domain = domain, .caller = CALLER()};
	struct port_task task;
	async_cookie_t cookie;

	if (entry) {
		cookie = rob_schedule_entry(entry, &request);
		port_entry_issued(entry);
		return cookie;
	}
	port_enter(&task);
	cookie = rob_schedule_plain(func, data, domain, false, CALLER());
	port_leave(&task);
	return cookie;
}

static async_cookie_t schedule_anywhere(async_func_t func, void *data, struct async_domain *domain)
{
	async_cookie_t cookie = rob_schedule_plain(func, data, domain, true, CALLER());

	return likely(cookie) ? cookie : schedule_slow(func, data, domain);
}

/**
 * async_schedule_node_domain - schedule a call in a domain, best near a NUMA node
 * @func: called once as func(data, cookie), in a kernel thread; in this task when there is neither storage nor a limit
 *        left, and the caller is not atomic as far as the kernel can tell
 * @data: handed to @func
 * @node: the node, or NUMA_NO_NODE; a node without processors is any node
 * @domain: the domain; must outlive the call
 *
 * Context: any, also with interrupts off and inside a call.
 * Return: the cookie of the call, never 0.
 */
async_cookie_t async_schedule_node_domain(async_func_t func, void *data, int node, struct async_domain *domain)
{
	struct port_near *near = port_near_new(func, data, node);

	if (near)
		return schedule_anywhere(port_near_run, near, domain);
	return schedule_anywhere(func, data, domain);
}
EXPORT_SYMBOL_GPL(async_schedule_node_domain);

/**
 * async_schedule_node - schedule a call, best near a NUMA node
 * @func: as for async_schedule_node_domain()
 * @data: handed to @func
 * @node: as for async_schedule_node_domain()
 *
 * Context: as async_schedule_node_domain().
 * Return: the cookie of the call, never 0.
 */
async_cookie_t async_schedule_node(async_func_t func, void *data, int node)
{
	return async_schedule_node_domain(func, data, node, NULL);
}
EXPORT_SYMBOL_GPL(async_schedule_node);

/**
 * async_try_schedule - schedule a call that must not run in this task
 * @func: as for async_schedule()
 * @data: handed to @func
 * @domain: the domain, or NULL for the default one; must outlive the call
 * @cookie: where the cookie is stored, when @func may have begun already; or NULL. Untouched on failure
 *
 * Context: any, also under locks that @func takes.
 * Return: true; false if there is no storage, too much is pending or async.serial is set. Then nothing is run and no
 *         cookie is used up.
 */
bool async_try_schedule(async_func_t func, void *data, struct async_domain *domain, async_cookie_t *cookie)
{
	async_cookie_t given = rob_schedule_plain(func, data, domain, true, CALLER());

	if (given && cookie)
		*cookie = given;
	return given;
}
EXPORT_SYMBOL_GPL(async_try_schedule);

/**
 * async_schedule_dev_nocall - schedule a call for a device that must not run in this task
 * @func: as for async_schedule_dev()
 * @dev: handed to @func; its NUMA node is where the call runs
 *
 * Context: as async_try_schedule().
 * Return: as async_try_schedule().
 */
bool async_schedule_dev_nocall(async_func_t func, struct device *dev)
{
	struct port_near *near = port_near_new(func, dev, dev_to_node(dev));

	if (!near)
		return rob_schedule_plain(func, dev, NULL, true, CALLER());
	if (rob_schedule_plain(port_near_run, near, NULL, true, CALLER()))
		return true;
	port_near_free(near);
	return false;
}
EXPORT_SYMBOL_GPL(async_schedule_dev_nocall);

/**
 * async_schedule_ordered - schedule a call whose second half runs in program order
 * @func: runs out of order, as for async_schedule()
 * @retire: called as retire(data, cookie) once @func has returned and every lower call of @domain is complete
 * @data: handed to both
 * @domain: the domain, or NULL for the default one; must outlive the call
 *
 * Context: as async_schedule(), but not atomic: with too much pending @func runs in this task.
 * Return: the cookie of the call; 0 if there is no storage for it, and then nothing is run.
 */
async_cookie_t async_schedule_ordered(async_func_t func, async_func_t retire, void *data, struct async_domain *domain)
{
	struct port_task task;
	async_cookie_t cookie;

	port_enter(&task);
	cookie = rob_schedule_ordered(func, retire, data, domain, CALLER());
	port_leave(&task);
	return cookie;
}
EXPORT_SYMBOL_GPL(async_schedule_ordered);

/**
 * async_schedule_entry - schedule a call in storage of the caller, which cannot fail
 * @entry: storage, needs no initialisation; in use until a wait has seen the call complete
 * @func: as for async_schedule()
 * @retire: as for async_schedule_ordered(), or NULL
 * @data: handed to both
 * @domain: the domain, or NULL for the default one; must outlive the call
 *
 * Context: any, also with interrupts off and inside a call. No limit applies; @func runs in this task with
 *          async.serial only.
 * Return: the cookie of the call, never 0.
 */
async_cookie_t async_schedule_entry(struct async_entry *entry, async_func_t func, async_func_t retire, void *data,
				    struct async_domain *domain)
{
	struct rob_request request = {
		.func = func, .retire = retire, .data = data, .domain = domain, .caller = CALLER()};
	struct port_task task;
	async_cookie_t cookie;

	port_enter(&task);
	cookie = rob_schedule_entry(entry, &request);
	port_leave(&task);
	return cookie;
}
EXPORT_SYMBOL_GPL(async_schedule_entry);

/* ---- waiting ---- */

/* What a wait inside of a call is, with async.unordered: nothing. */
static bool is_skipped(void)
{
	return IS_ENABLED(CONFIG_ASYNC_DEBUG) && READ_ONCE(unordered) && rob_current() != NULL;
}

/*
 * Nothing is in progress in that domain (NULL: in any registered one), so no wait there has anything to wait for, and
 * this task need not be entered. With the lock: who completed the last call is done with the domain.
 */
static bool is_over(struct async_domain *domain)
{
	bool over;

	might_sleep();
	if (port_traces())
		return false;
	port_lock(&rob.lock);
	over = domain ? !domain->first : !rob.blocks[0];
	port_unlock(&rob.lock);
	return over;
}

#define IN_TASK(wait) \
	({ \
		struct port_task task_; \
		int result_; \
\
		might_sleep(); \
		port_enter(&task_); \
		result_ = (wait); \
		port_leave(&task_); \
		result_; \
	})

/**
 * async_synchronize_full - wait until no call is in progress in any registered domain
 *
 * Calls that are scheduled meanwhile are waited for, too.
 *
 * Context: may sleep, and may run calls that it waits for.
 * Return: 0; -EDEADLK, after a report, if it would wait for itself: all other calls were waited for.
 */
int async_synchronize_full(void)
{
	return is_over(NULL) ? 0 : IN_TASK(rob_wait_full(NULL));
}
EXPORT_SYMBOL_GPL(async_synchronize_full);

/**
 * async_synchronize_full_domain - wait until no call of a domain is in progress
 * @domain: the domain, or NULL for all registered ones; free to go once 0 was returned
 *
 * Context: as async_synchronize_full().
 * Return: as async_synchronize_full().
 */
int async_synchronize_full_domain(struct async_domain *domain)
{
	return is_over(domain) ? 0 : IN_TASK(rob_wait_full(domain));
}
EXPORT_SYMBOL_GPL(async_synchronize_full_domain);

/**
 * async_synchronize_cookie_domain - wait for the calls of a domain before a cookie
 * @cookie: calls with a smaller one are waited for
 * @domain: the domain, or NULL for all registered ones; must outlive the wait
 *
 * Context: as async_synchronize_full(). Inside a call with that call's cookie: until its turn has come.
 * Return: as async_synchronize_full().
 */
int async_synchronize_cookie_domain(async_cookie_t cookie, struct async_domain *domain)
{
	if (is_skipped())
		return 0;
	/* to infinity is a full wait in the kernel */
	if (cookie == ASYNC_COOKIE_MAX)
		return async_synchronize_full_domain(domain);
	return IN_TASK(rob_wait_below(cookie, domain, 0));
}
EXPORT_SYMBOL_GPL(async_synchronize_cookie_domain);

/**
 * async_synchronize_cookie - wait for the calls of the default domain before a cookie
 * @cookie: calls with a smaller one are waited for
 *
 * Context: as async_synchronize_cookie_domain().
 * Return: as async_synchronize_full().
 */
int async_synchronize_cookie(async_cookie_t cookie)
{
	if (is_skipped())
		return 0;
	return IN_TASK(rob_wait_below(cookie, rob_default_domain(), 0));
}
EXPORT_SYMBOL_GPL(async_synchronize_cookie);

/**
 * async_synchronize_cookie_timeout - wait for the calls of a domain before a cookie, at most for a time
 * @cookie: calls with a smaller one are waited for
 * @domain: the domain, or NULL for all registered ones; must outlive the wait
 * @timeout_ns: nanoseconds from now; 0 only looks
 *
 * Context: may sleep; runs no calls.
 * Return: 0; -ETIMEDOUT; -EDEADLK if a call that this task is in is among them.
 */
int async_synchronize_cookie_timeout(async_cookie_t cookie, struct async_domain *domain, u64 timeout_ns)
{
	u64 now_ns = port_clock_ns();
	u64 deadline_ns = timeout_ns < U64_MAX - now_ns ? now_ns + timeout_ns : U64_MAX;

	return IN_TASK(rob_wait_below(cookie, domain, deadline_ns));
}
EXPORT_SYMBOL_GPL(async_synchronize_cookie_timeout);

/**
 * async_synchronize_call - wait for one call, whatever else is in progress
 * @cookie: the cookie of that call
 * @domain: its domain, or NULL for any
 *
 * Context: as async_synchronize_full().
 * Return: 0, also when the call was complete long ago; -EINVAL for a cookie that was not given yet; -EDEADLK.
 */
int async_synchronize_call(async_cookie_t cookie, struct async_domain *domain)
{
	return IN_TASK(rob_wait_call(cookie, domain, 0));
}
EXPORT_SYMBOL_GPL(async_synchronize_call);

/**
 * async_synchronize_owner - wait until no call of an owner is in progress
 * @owner: the owner
 *
 * Context: as async_synchronize_full().
 * Return: as async_synchronize_full(); -EINVAL for NULL.
 */
int async_synchronize_owner(struct async_owner *owner)
{
	return owner ? IN_TASK(rob_wait_owner(owner)) : -EINVAL;
}
EXPORT_SYMBOL_GPL(async_synchronize_owner);

/* ---- lines in the log, as the kernel's async.c has written them since 2009 ---- */

/* On together with the lines below: they are of one file. */
bool port_debug_lines(void)
{
#ifdef CONFIG_DYNAMIC_DEBUG
	DEFINE_DYNAMIC_DEBUG_METADATA(gate, "lines of calls and waits\n");

	return DYNAMIC_DEBUG_BRANCH(gate);
#else
	return false;
#endif
}

static long long microseconds_since(u64 since_ns)
{
	return (long long)(port_clock_ns() - since_ns) >> 10;
}

void port_trace_lines(const struct port_event *event)
{
	int pid = task_pid_nr(current);

	switch (event->type) {
	case ASYNC_TRACE_STARTED:
		pr_debug("calling  %lli_%pS @ %i\n", (long long)event->cookie, event->func, pid);
		break;
	case ASYNC_TRACE_RETURNED:
	case ASYNC_TRACE_COMPLETED:
		pr_debug("initcall %lli_%pS returned after %lld usecs\n", (long long)event->cookie, event->func,
			 microseconds_since(event->since_ns));
		break;
	case ASYNC_TRACE_WAITING:
		pr_debug("async_waiting @ %i\n", pid);
		break;
	case ASYNC_TRACE_CONTINUED:
		pr_debug("async_continuing @ %i after %lli usec\n", pid, microseconds_since(event->since_ns));
		break;
	default:
		break;
	}
}
