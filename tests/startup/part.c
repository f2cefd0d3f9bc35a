/* SPDX-License-Identifier: MIT */
/* A plug-in for the tests, compiled under several names. */
#include "part.h"

static void call(void *data, async_cookie_t cookie)
{
	struct part_job *job = data;

	job->run(job, cookie);
}

static void __init init_call(void *data, async_cookie_t cookie)
{
	call(data, cookie);
}

static int __initdata init_data = 1;

static int __init init_code(void)
{
	return init_data;
}

static struct async_owner *owner(void)
{
	return THIS_PLUGIN;
}

#if defined(__GNUC__) && !defined(__clang__)
__attribute__((optimize("O2"))) /* makes a jump of it */
#endif
static async_cookie_t
jump(async_func_t func, void *data)
{
	return async_schedule(func, data);
}

static const struct part part = {PART, call, owner, init_call, init_code, &init_data, schedule_order, jump};

__attribute__((constructor)) static void begin(void)
{
	host_step(&part, "ctor");
}

__attribute__((destructor)) static void end(void)
{
	host_step(&part, "dtor");
}

static void exit1(void)
{
	host_step(&part, "exit1");
}

static void exit2(void)
{
	host_step(&part, "exit2");
}

static int late_step(void)
{
	return host_step(&part, "init2");
}
late_initcall(late_step);

static int __init core_step(void)
{
	return host_step(&part, "init1");
}
core_initcall(core_step);

exitcall(core_step, exit1);
exitcall(late_step, exit2);

/* For plugin_symbol(), and so that the linker sees a need. */
INORDER_API const char *PART_SYMBOL(void);
#ifdef PART_NEEDS
const char *PART_NEEDS(void);
#else
#define PART_NEEDS() PART
#endif
#ifdef PART_NEEDS_TOO
const char *PART_NEEDS_TOO(void);
#else
#define PART_NEEDS_TOO() PART
#endif
const char *PART_SYMBOL(void)
{
	return PART_NEEDS() && PART_NEEDS_TOO() ? PART : "";
}
