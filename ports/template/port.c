/* SPDX-License-Identifier: MIT */
/*
 * The template's bodies: a port for one thread. There are no workers, so calls run in the thread that schedules
 * them, or in the wait that covers them (INORDER_THREADS=0 of the other ports). It needs a C library with malloc,
 * and a clock. A real port replaces each body by what its system has; the contract's tests that need no second
 * thread pass as it is.
 */
#include "rob.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PENDING 32768
#define STACK_BYTES (4u << 20) /* of 8 MB: beyond, calls are queued instead of nested */

/* ---- atomics: one thread sees its own stores in order ---- */

uint32_t port_load_relaxed(port_u32 *p)
{
	return p->value;
}

uint32_t port_load_acquire(port_u32 *p)
{
	return p->value;
}

void port_store_relaxed(port_u32 *p, uint32_t value)
{
	p->value = value;
}

void port_store_release(port_u32 *p, uint32_t value)
{
	p->value = value;
}

bool port_cas_acq_rel(port_u32 *p, uint32_t *old, uint32_t value)
{
	if (p->value != *old) {
		*old = p->value;
		return false;
	}
	p->value = value;
	return true;
}

const char *port_name_load(port_name *p)
{
	return p->value;
}

void port_name_store(port_name *p, const char *name)
{
	p->value = name;
}

uint64_t port_load64_acquire(uint64_t *p)
{
	return *p;
}

void port_store64_release(uint64_t *p, uint64_t value)
{
	*p = value;
}

void port_relax(void)
{
}

uint64_t port_spin_ns(void)
{
	return 0;
}

/* ---- lock and parker: what would block for ever here is a mistake, and ends the program ---- */

static _Noreturn void stuck(const char *what)
{
	port_log(2, "inorder: %s, and there is no other thread\n", what);
	abort();
}

void port_lock(struct port_lock *lock)
{
	if (lock->word.value++)
		stuck("the lock is held already");
}

void port_unlock(struct port_lock *lock)
{
	lock->word.value = 0;
}

void port_unpark(struct port_parker *parker, uint32_t flags)
{
	parker->flags.value |= flags;
}

uint32_t port_park(struct port_parker *parker, uint64_t deadline_ns)
{
	uint32_t flags = parker->flags.value;

	if (!flags && !deadline_ns)
		stuck("a wait would never end");
	while (!flags && port_clock_ns() < deadline_ns)
		; /* sleep, if the system can */
	parker->flags.value = 0;
	return flags;
}

/* ---- memory, clock, thread, log ---- */

void *port_alloc(size_t bytes)
{
	return malloc(bytes);
}

void port_free(void *memory)
{
	free(memory);
}

uint64_t port_clock_ns(void)
{
	struct timespec now;

	timespec_get(&now, TIME_UTC); /* better one that never goes back */
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool port_may_help(bool nested)
{
	(void)nested;
	return true;
}

static uintptr_t stack_base;

bool port_stack_low(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	return (here < stack_base ? stack_base - here : here - stack_base) > STACK_BYTES;
}

struct rob_thread *port_self(void)
{
	static struct rob_thread self;

	return &self;
}

int port_thread_id(void)
{
	return 1;
}

int port_format(char *text, size_t bytes, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, bytes, format, args);
	va_end(args);
	return length;
}

void port_log(int fd, const char *format, ...)
{
	char text[2048];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length >= (int)sizeof(text))
		length = sizeof(text) - 1;
	if (length > 0 && write(fd, text, (size_t)length) < 0)
		return; /* whom to tell? */
}

/* ---- trace: none ---- */

bool port_traces(void)
{
	return false;
}

void port_trace(const struct port_event *event)
{
	(void)event;
}

void port_symbol(async_func_t func, char *text, size_t bytes)
{
	port_format(text, bytes, "0x%llx", (unsigned long long)(uintptr_t)func);
}

/* ---- threads: none ---- */

void port_start(struct port_config *config)
{
	*config = (struct port_config){.threads = 0, .pending = PENDING};
	stack_base = (uintptr_t)__builtin_frame_address(0);
}

static void end(void)
{
	port_exit(true);
}

void port_arm_exit(void)
{
	static bool armed;

	if (!armed)
		armed = !atexit(end);
}

unsigned port_cpus(void)
{
	return 1;
}

void port_thread_gone(int thread_id)
{
	(void)thread_id;
}

int port_thread_start(struct rob_worker *worker)
{
	(void)worker;
	return -EAGAIN;
}

_Noreturn void port_thread_exit(void)
{
	stuck("a call has returned in a forked child");
}

int port_hold(void)
{
	return 0;
}

void port_let_go(int before)
{
	(void)before;
}

bool port_thread_sleeps(int thread_id)
{
	(void)thread_id;
	return false;
}

uint64_t port_thread_used_ns(int thread_id)
{
	(void)thread_id;
	return 0;
}

bool port_slept_since(uint64_t *before, unsigned times)
{
	(void)before;
	(void)times;
	return false;
}

bool port_thread_runs(int thread_id)
{
	(void)thread_id;
	return true;
}
