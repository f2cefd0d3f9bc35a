/* SPDX-License-Identifier: MIT */
/* Whether a call or an access faults. */
#ifndef TESTS_FALLS_H
#define TESTS_FALLS_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>

static sigjmp_buf back;

static void fault(int signal_number)
{
	signal(SIGSEGV, SIG_DFL);
	siglongjmp(back, signal_number);
}

__attribute__((unused)) static bool faults_when_called(int (*volatile function)(void))
{
	signal(SIGSEGV, fault);
	if (sigsetjmp(back, 1))
		return true;
	function();
	signal(SIGSEGV, SIG_DFL);
	return false;
}

__attribute__((unused)) static bool faults_when_read(volatile const int *address)
{
	signal(SIGSEGV, fault);
	if (sigsetjmp(back, 1))
		return true;
	(void)*address;
	signal(SIGSEGV, SIG_DFL);
	return false;
}

#endif
