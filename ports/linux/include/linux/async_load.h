/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * For kernel/module: the load of a module waits for that module's asynchronous
 * calls, and a call that has a module loaded is known to do so. Without
 * CONFIG_ASYNC_INORDER a load waits for all calls there are.
 */
#ifndef _LINUX_ASYNC_LOAD_H
#define _LINUX_ASYNC_LOAD_H

#include <linux/async.h>

struct async_load;

#ifdef CONFIG_ASYNC_INORDER

struct async_load *async_load_begin(const char *name);
void async_load_init_done(struct async_load *load);
void async_load_wait(struct async_load *load);
void async_load_end(struct async_load *load);
void async_request_begin(const char *name);
void async_request_end(void);

#else

#include <linux/bug.h>

static inline struct async_load *async_load_begin(const char *name)
{
	return NULL;
}

static inline void async_load_init_done(struct async_load *load)
{
}

static inline void async_load_wait(struct async_load *load)
{
	async_synchronize_full();
}

static inline void async_load_end(struct async_load *load)
{
}

/* The load waits for this call, which waits for the load. */
static inline void async_request_begin(const char *name)
{
	WARN_ON_ONCE(current_is_async());
}

static inline void async_request_end(void)
{
}

#endif

#endif
