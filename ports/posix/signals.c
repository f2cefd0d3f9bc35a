/* SPDX-License-Identifier: MIT */
/*
 * Signals of the library's threads.
 *
 * A call may start a program, and a child inherits the mask of the thread that
 * starts it; posix_spawn() runs no handler that could change that. So calls run
 * with the mask that the program had where it first used the library. The kernel
 * gives a signal that is sent to the process to its main thread, unless that
 * thread blocks it, so handlers run where they ran before. What a program takes
 * with sigwait() or signalfd() it blocks before it uses the library.
 *
 * A worker without a call has no child: it blocks all that can be sent.
 * What a thread causes itself stays unblocked always, or a crash handler would
 * not run; SIGPROF too, for profilers.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>

#include "guest.h"
#include "rob.h"

static const int own_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF};

static sigset_t program_mask;

static void leave_own(sigset_t *set)
{
	for (size_t i = 0; i < sizeof(own_signals) / sizeof(own_signals[0]); i++)
		sigdelset(set, own_signals[i]);
}

static void block_most(void)
{
	sigset_t set;

	sigfillset(&set);
	leave_own(&set);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

void guest_signals_note(void)
{
	pthread_sigmask(SIG_SETMASK, NULL, &program_mask);
	leave_own(&program_mask);
}

void guest_signals_begin(bool worker)
{
	if (worker)
		pthread_sigmask(SIG_SETMASK, &program_mask, NULL);
	else
		block_most();
}

bool port_rest_begin(void)
{
	if (port_unlikely(!port_watched)) /* a wait that is left by siglongjmp() is over when its thread ends */
		port_watch_thread();
	if (!port_thread.worker || port_thread.top)
		return false;
	block_most();
	return true;
}

void port_rest_end(void)
{
	pthread_sigmask(SIG_SETMASK, &program_mask, NULL);
}
