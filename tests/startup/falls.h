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
	siglongjmp(back, signal_number);
}

__attribute__((unused)) static bool faults_when_called(int (*volatile function)(void))
{
	bool fell = true;

	signal(SIGSEGV, fault);
	if (!sigsetjmp(back, 1)) {
		function();
		fell = false;
	}
	signal(SIGSEGV, SIG_DFL);
	return fell;
}

__attribute__((unused)) static bool faults_when_read(volatile const int *address)
{
	bool fell = true;

	signal(SIGSEGV, fault);
	if (!sigsetjmp(back, 1)) {
		(void)*address;
		fell = false;
	}
	signal(SIGSEGV, SIG_DFL);
	return fell;
}

#endif
