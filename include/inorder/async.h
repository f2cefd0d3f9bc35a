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
	async_cookie_t error_cookie;
	int error;
	unsigned int generation;
	unsigned int exclusive;
	unsigned int ordered;
	void *reserved[9];
};

#define ASYNC_DOMAIN_INIT { 0, 0, 0, 0, 0, 0, 0, 0, 0, { 0 } }
#define ASYNC_DOMAIN_EXCLUSIVE_INIT { 0, 0, 0, 0, 0, 0, 0, 1, 0, { 0 } }

/** A registered domain: waits on NULL cover it. */
#define ASYNC_DOMAIN(name) struct async_domain name = ASYNC_DOMAIN_INIT
/** An exclusive domain: takes no part in waits on NULL. */
#define ASYNC_DOMAIN_EXCLUSIVE(name) struct async_domain name = ASYNC_DOMAIN_EXCLUSIVE_INIT

/* Storage for one call, the caller's. Private; needs no initialisation. */
struct async_entry {
	uint64_t storage[17];
	void *reserved[3];
};

/* Whom a call belongs to beside its domain: a plug-in, a subsystem. Private fields. */
struct async_owner {
	uint64_t in_progress;
	unsigned int generation;
	unsigned int waiting;
	const char *name;
	void *reserved[5];
};

#define ASYNC_OWNER_INIT(name) { 0, 0, 0, name, { 0 } }
#define ASYNC_OWNER(var) struct async_owner var = ASYNC_OWNER_INIT(#var)

/* What the environment does not override. A field that is ASYNC_DEFAULT keeps its default. */
#define ASYNC_DEFAULT UINT32_MAX
struct async_config {
	uint32_t size;         /* sizeof(struct async_config) */
	uint32_t threads;      /* most workers, 0 to 65536; 0: calls run inline */
	uint32_t pending;      /* most pending calls before calls run inline */
	uint32_t stack_bytes;  /* stack of a worker; 0: the system's default */
	uint32_t watchdog_s;   /* report calls that run longer, seconds; 0: off */
	uint32_t initcall_debug; /* 1: the kernel's lines on standard error */
	const char *trace_path;  /* full trace, appended; NULL: off */
	void *reserved[4];
};
#define ASYNC_CONFIG_INIT { sizeof(struct async_config), ASYNC_DEFAULT, ASYNC_DEFAULT, ASYNC_DEFAULT, \
	ASYNC_DEFAULT, ASYNC_DEFAULT, 0, { 0 } }

INORDER_API async_cookie_t async_schedule(async_func_t func, void *data);
INORDER_API async_cookie_t async_schedule_domain(async_func_t func, void *data, struct async_domain *domain);
INORDER_API async_cookie_t async_schedule_node(async_func_t func, void *data, int node);
INORDER_API async_cookie_t async_schedule_node_domain(async_func_t func, void *data, int node,
						      struct async_domain *domain);
INORDER_API async_cookie_t async_schedule_ordered(async_func_t func, async_func_t retire, void *data,
						  struct async_domain *domain);
INORDER_API async_cookie_t async_schedule_entry(struct async_entry *entry, async_func_t func, async_func_t retire,
						void *data, struct async_domain *domain);
INORDER_API bool async_try_schedule(async_func_t func, void *data, struct async_domain *domain,
				    async_cookie_t *cookie);

INORDER_API int async_synchronize_full(void);
INORDER_API int async_synchronize_full_domain(struct async_domain *domain);
INORDER_API int async_synchronize_cookie(async_cookie_t cookie);
INORDER_API int async_synchronize_cookie_domain(async_cookie_t cookie, struct async_domain *domain);
INORDER_API int async_synchronize_cookie_timeout(async_cookie_t cookie, struct async_domain *domain,
						 uint64_t timeout_ns);
INORDER_API int async_synchronize_call(async_cookie_t cookie, struct async_domain *domain);
INORDER_API int async_synchronize_owner(struct async_owner *owner);

INORDER_API bool current_is_async(void);
INORDER_API async_cookie_t async_current_cookie(void);
INORDER_API void async_set_name(const char *name);
INORDER_API void async_set_error(int error);
INORDER_API int async_domain_error(struct async_domain *domain, async_cookie_t *cookie);
INORDER_API void async_domain_clear_error(struct async_domain *domain);
INORDER_API unsigned async_cancel_domain(struct async_domain *domain,
					 void (*release)(void *data, async_cookie_t cookie));
INORDER_API struct async_owner *async_owner_enter(struct async_owner *owner);
INORDER_API void async_report(int fd);
INORDER_API int async_configure(const struct async_config *config);

/* The names of the 2009 series; the "list" is the domain. */
INORDER_API async_cookie_t async_schedule_special(async_func_t func, void *data, struct async_domain *list);
INORDER_API int async_synchronize_full_special(struct async_domain *list);
INORDER_API int async_synchronize_cookie_special(async_cookie_t cookie, struct async_domain *list);

#ifdef __cplusplus
}
#endif
#endif
