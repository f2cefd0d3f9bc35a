/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Asynchronous function calls with CONFIG_ASYNC_INORDER: all that
 * <linux/async.h>, which includes this file, has without it, and more.
 *
 * Slow work runs out of order, in parallel; its visible effects happen in
 * program order. Every call has a cookie, its place in that order. A function
 * of before differs in one thing: waits return 0, or -EDEADLK instead of never.
 */
#ifndef _LINUX_ASYNC_INORDER_H
#define _LINUX_ASYNC_INORDER_H

#include <linux/device.h>
#include <linux/list.h>
#include <linux/numa.h>
#include <linux/types.h>

/* A call's place in program order: strictly increasing, never reused, never 0. */
typedef u64 async_cookie_t;
typedef void (*async_func_t)(void *data, async_cookie_t cookie);

/* Infinity: greater than every cookie. */
#define ASYNC_COOKIE_MAX U64_MAX

struct async_block;
struct async_waiter;
struct module;

/* Calls that are waited for together. All fields are private. */
struct async_domain {
	struct async_block *first;
	struct async_block *last;
	struct async_waiter *waiters;
	struct async_waiter *waiters_last;
	async_cookie_t error_cookie;
	int error;
	unsigned int generation;
	unsigned int exclusive;
	unsigned int ordered;
	async_cookie_t lowest;
	unsigned int hints; /* none: nothing sets it in the kernel */
};

#define ASYNC_DOMAIN_INIT \
	{ \
		.exclusive = 0 \
	}
#define ASYNC_DOMAIN_NAMED_INIT(_name) ASYNC_DOMAIN_INIT /* no event of the kernel has it */
#define ASYNC_DOMAIN_EXCLUSIVE_INIT \
	{ \
		.exclusive = 1 \
	}

/* A registered domain: async_synchronize_full() covers it. */
#define ASYNC_DOMAIN(_name) struct async_domain _name = ASYNC_DOMAIN_INIT

/* An exclusive domain: it takes no part in async_synchronize_full(). Free to go once a full wait on it has returned. */
#define ASYNC_DOMAIN_EXCLUSIVE(_name) struct async_domain _name = ASYNC_DOMAIN_EXCLUSIVE_INIT

/* Storage for one call, the caller's. Private; needs no initialisation. */
struct async_entry {
	u64 storage[17];
	void *reserved[1];
};

/* Whom a call belongs to beside its domain: a module that is loaded. Private fields. */
struct async_owner {
	u64 in_progress;
	unsigned int generation;
	const char *name;
};

#define ASYNC_OWNER_INIT(_name) \
	{ \
		.name = _name \
	}
#define ASYNC_OWNER(_var) struct async_owner _var = ASYNC_OWNER_INIT(#_var)

void async_init(void);

async_cookie_t async_schedule_node(async_func_t func, void *data, int node);
async_cookie_t async_schedule_node_domain(async_func_t func, void *data, int node, struct async_domain *domain);
bool async_schedule_dev_nocall(async_func_t func, struct device *dev);
async_cookie_t async_schedule_ordered(async_func_t func, async_func_t retire, void *data, struct async_domain *domain);
async_cookie_t async_schedule_entry(struct async_entry *entry, async_func_t func, async_func_t retire, void *data,
				    struct async_domain *domain);
bool async_try_schedule(async_func_t func, void *data, struct async_domain *domain, async_cookie_t *cookie);

/**
 * async_schedule - schedule a call in the default domain
 * @func: called once as func(data, cookie), in a kernel thread or, without storage, in this task
 * @data: handed to @func
 *
 * Context: any, also with interrupts off and inside a call.
 * Return: the cookie of the call, never 0.
 */
static inline async_cookie_t async_schedule(async_func_t func, void *data)
{
	return async_schedule_node(func, data, NUMA_NO_NODE);
}

/**
 * async_schedule_domain - schedule a call in a domain
 * @func: as for async_schedule()
 * @data: handed to @func
 * @domain: the domain; must outlive the call
 *
 * Context: as async_schedule().
 * Return: the cookie of the call, never 0.
 */
static inline async_cookie_t async_schedule_domain(async_func_t func, void *data, struct async_domain *domain)
{
	return async_schedule_node_domain(func, data, NUMA_NO_NODE, domain);
}

/**
 * async_schedule_dev - schedule a call for a device, near it
 * @func: as for async_schedule()
 * @dev: handed to @func; its NUMA node is where the call runs
 *
 * Context: as async_schedule().
 * Return: the cookie of the call, never 0.
 */
static inline async_cookie_t async_schedule_dev(async_func_t func, struct device *dev)
{
	return async_schedule_node(func, dev, dev_to_node(dev));
}

/**
 * async_schedule_dev_domain - schedule a call for a device in a domain, near the device
 * @func: as for async_schedule()
 * @dev: as for async_schedule_dev()
 * @domain: the domain; must outlive the call
 *
 * Context: as async_schedule().
 * Return: the cookie of the call, never 0.
 */
static inline async_cookie_t async_schedule_dev_domain(async_func_t func, struct device *dev,
						       struct async_domain *domain)
{
	return async_schedule_node_domain(func, dev, dev_to_node(dev), domain);
}

int async_synchronize_full(void);
int async_synchronize_full_domain(struct async_domain *domain);
int async_synchronize_cookie(async_cookie_t cookie);
int async_synchronize_cookie_domain(async_cookie_t cookie, struct async_domain *domain);
int async_synchronize_cookie_timeout(async_cookie_t cookie, struct async_domain *domain, u64 timeout_ns);
int async_synchronize_call(async_cookie_t cookie, struct async_domain *domain);
int async_synchronize_owner(struct async_owner *owner);

bool current_is_async(void);
async_cookie_t async_current_cookie(void);
void async_set_name(const char *name);
void async_set_error(int error);
int async_domain_error(struct async_domain *domain, async_cookie_t *cookie);
void async_domain_clear_error(struct async_domain *domain);
unsigned int async_cancel_domain(struct async_domain *domain, void (*release)(void *data, async_cookie_t cookie));

#endif
