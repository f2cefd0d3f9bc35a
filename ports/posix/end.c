/* SPDX-License-Identifier: MIT */
/*
 * How the library's work ends: the normal exit, which waits, reports what holds it up and may give up; the shutdown of
 * all threads; and quiescing, which holds other threads' calls back. None of it may be asked for inside a call but the
 * exit.
 */
#include "rob.h"

struct port_exit_limits port_exit_limits;

static uint64_t since_ns; /* 0: the program does not end yet */
static bool reported, gave_up;

static uint64_t deadline_after(uint32_t seconds)
{
	if (!seconds)
		return 0;
	if (!since_ns)
		since_ns = port_clock_ns();
	return since_ns + (uint64_t)seconds * 1000000000u;
}

static void report(const char *text, uint32_t seconds)
{
	port_log(2, text, seconds);
	if (!reported)
		async_report(2);
	reported = true;
}

/* Reports what holds the exit up, and gives up if there is a limit. */
static void wait_for_end(void)
{
	const struct port_exit_limits *limits = &port_exit_limits;
	uint64_t limit_ns = deadline_after(limits->limit_s);
	uint64_t report_ns = reported ? 0 : deadline_after(limits->report_s);

	if (report_ns && (!limit_ns || report_ns < limit_ns)) {
		if (rob_wait_exit(report_ns) != -ETIMEDOUT) /* calls on this stack are left out: no matter here */
			return;
		report("inorder: the exit has waited %u s for calls that do not end. INORDER_EXIT_LIMIT=SECONDS, or "
		       "exit_limit_s of async_configure(3), limits that\n",
		       limits->report_s);
	}
	if (rob_wait_exit(limit_ns) != -ETIMEDOUT || gave_up)
		return;
	gave_up = true;
	report("inorder: the exit goes on after its limit of %u s, though calls have not ended\n", limits->limit_s);
}

/* Normal exit: every call completes, those on this stack and what waits for them apart. */
void port_exit(bool last)
{
	if (!rob_exit_begin())
		return;
	wait_for_end();
	rob_exit_end(last);
}

/* Whether this thread asks for what would wait for itself; then a message says so. */
static bool is_deadlock(const char *what, bool holds)
{
	struct rob_frame *call = rob_current();

	if (call)
		port_log(2, "inorder: deadlock: %s() in cookie %llu waits for that call; it returns -EDEADLK\n", what,
			 (unsigned long long)call->cookie);
	else if (holds)
		port_log(2, "inorder: deadlock: %s() waits for calls that its thread holds back; it returns -EDEADLK\n",
			 what);
	return call || holds;
}

int async_shutdown(void)
{
	return is_deadlock("async_shutdown", port_self()->quiesce) ? -EDEADLK : rob_shutdown();
}

int async_quiesce_begin(void)
{
	return is_deadlock("async_quiesce_begin", false) ? -EDEADLK : rob_quiesce_begin();
}

int async_quiesce_end(void)
{
	return rob_quiesce_end();
}
