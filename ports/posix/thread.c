/* SPDX-License-Identifier: MIT */
/* Threads: starting them, and what they are doing. */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include "guest.h"
#include "rob.h"

/* More than any machine that this was tried on; larger masks fall back to sysconf(). */
/* Not covered: more processors than the C library's mask has room for */
static unsigned count_cpus(void)
{
	unsigned count = guest_cpus();
	long online;

	if (count)
		return count;
	online = sysconf(_SC_NPROCESSORS_ONLN);
	return online > 0 ? (unsigned)online : 1;
}

unsigned port_cpus(void)
{
	unsigned count = count_cpus();

	port_store_relaxed(&port_processors, count); /* no order: a number that stands for itself */
	return count;
}

/* ---- starting threads ---- */

uint32_t port_stack_bytes;

#define MONITOR_BYTES (32 * 1024) /* its own use of the stack */
#define WORKER_BYTES (16 * 1024)  /* what a call has at the least, however small a stack is configured */
#define ALTERNATE_BYTES (32 * 1024)
#define ALTERNATE_LEAST (128 * 1024) /* with smaller stacks there is no room for it */
#define LOCKED_BYTES (256 * 1024)    /* a worker's stack where all of it is in memory at once */

/* Whether a handler asks for an alternate stack and this thread has none: a sanitizer may have given it one. */
static bool wants_alternate(void)
{
	struct sigaction action;
	stack_t own;

	return !sigaction(SIGSEGV, NULL, &action) && (action.sa_flags & SA_ONSTACK) && !sigaltstack(NULL, &own) &&
	       (own.ss_flags & SS_DISABLE);
}

/* A handler with SA_ONSTACK needs somewhere to run when the stack is at its end. */
static __attribute__((noinline)) void worker_main_alternate(struct rob_worker *worker)
{
	_Alignas(16) unsigned char alternate[ALTERNATE_BYTES];
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)}, none = {.ss_flags = SS_DISABLE};

	sigaltstack(&stack, NULL);
	rob_worker_main(worker);
	sigaltstack(&none, NULL);
}

static void *worker_thread(void *worker)
{
	bool small = port_stack_bytes && port_stack_bytes < ALTERNATE_LEAST;

	port_hold();
	guest_signals_begin(true);
	guest_dress();
	if (!small && wants_alternate())
		worker_main_alternate(worker);
	else
		rob_worker_main(worker);
	guest_undress();
	/* Covered by chance: a worker ends when it was idle for seconds, which few tests wait for */
	return NULL;
}

#define GONE_NS 20000     /* between two looks */
#define GONE_LOOKS 100000 /* by then the number belongs to another thread */

void port_thread_gone(int thread_id)
{
	struct timespec pause = {0, GONE_NS};
	int saved = errno;

	for (unsigned i = 0; i < GONE_LOOKS && !syscall(SYS_tgkill, getpid(), thread_id, 0); i++)
		nanosleep(&pause, NULL);
	errno = saved;
}

/* Not at first use: files are opened, which the monitor alone does. */
static void honour_quota(void)
{
	unsigned quota = guest_quota();

	if (quota >= port_load_relaxed(&port_processors)) /* no order: a number that stands for itself */
		return;
	port_store_relaxed(&port_processors, quota); /* no order: a number that stands for itself */
	rob_processors(quota);
}

static void *monitor_thread(void *unused)
{
	struct port_helper helper;
	int thread_id;

	prctl(PR_SET_NAME, "inorder/monitor");
	guest_signals_begin(false);
	port_hold();
	guest_files_begin(&helper);
	honour_quota();
	rob_monitor_main();
	thread_id = guest_files_end();
	if (thread_id)
		port_thread_gone(thread_id);
	return unused;
}

/*
 * 0: the system's default, unless it would be locked in memory; and never too small for the program's thread-local
 * data.
 */
static size_t stack_of(struct rob_worker *worker, uint32_t wanted)
{
	size_t least;

	if (worker && !wanted && !guest_locks_memory())
		return 0;
	least = guest_stack_least(worker ? WORKER_BYTES : MONITOR_BYTES);
	if (worker && !wanted)
		wanted = LOCKED_BYTES;
	return wanted && wanted + least - WORKER_BYTES > least ? wanted + least - WORKER_BYTES : least;
}

/* No signal reaches the new thread before it has its own mask. It sees what its starter wrote (O7). */
static int start_thread(void *worker)
{
	pthread_attr_t attr;
	pthread_t thread;
	size_t bytes;
	sigset_t all, before;
	int saved = errno;
	int error = pthread_attr_init(&attr);

	/* Not covered: pthread_attr_init() of C libraries does not fail */
	if (error)
		return -error;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	bytes = stack_of(worker, port_stack_bytes);
	if (bytes)
		pthread_attr_setstacksize(&attr, bytes);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attr, worker ? worker_thread : monitor_thread, worker); /* O7 */
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	errno = saved;
	return -error;
}

int port_thread_start(struct rob_worker *worker)
{
	return port_in_program(start_thread, worker);
}

static int run_starter(void *run)
{
	(*(void (**)(void))run)();
	return 0;
}

void port_run_starter(void (*run)(void))
{
	port_in_program(run_starter, &run);
}

_Noreturn void port_thread_exit(void)
{
	guest_undress();
	pthread_exit(NULL);
}
