/* SPDX-License-Identifier: MIT */
/* Whose calls they are when no thread knows, and the end: the wait of a normal exit. */
#include "core.h"

struct async_owner *async_owner_enter(struct async_owner *owner)
{
	struct rob_thread *self = port_self();
	struct async_owner *before = self->owner;

	self->owner = owner;
	return before;
}

void rob_set_owner_finder(rob_owner_finder find)
{
	rob_lock();
	rob.find_owner = find;
	rob_unlock();
}

static uint64_t exit_since_ns; /* 0: the program does not end yet */
static bool exit_reported, exit_gave_up;

static uint64_t exit_deadline(uint32_t after_s)
{
	if (!after_s)
		return 0;
	if (!exit_since_ns)
		exit_since_ns = port_clock_ns();
	return exit_since_ns + (uint64_t)after_s * 1000000000u;
}

static void exit_report(const char *text, uint32_t seconds)
{
	port_log(2, text, seconds);
	if (!exit_reported)
		async_report(2);
	exit_reported = true;
}

/* Says what holds the exit up, and gives up if there is a limit. With the lock held; returns without it. */
static void wait_for_end(void)
{
	uint64_t limit_ns, report_ns;

	limit_ns = exit_deadline(rob.config.exit_limit_s);
	report_ns = exit_reported ? 0 : exit_deadline(rob.config.exit_report_s);
	if (report_ns && (!limit_ns || report_ns < limit_ns)) {
		if (rob_wait_exit(report_ns) != -ETIMEDOUT) /* calls on this stack are left out: no matter here */
			return;
		exit_report(
			"inorder: the exit has waited %u s for calls that do not end. INORDER_EXIT_LIMIT=SECONDS, or "
			"exit_limit_s of async_configure(3), limits that\n",
			rob.config.exit_report_s);
		port_lock(&rob.lock);
	}
	if (rob_wait_exit(limit_ns) != -ETIMEDOUT || exit_gave_up)
		return;
	exit_gave_up = true;
	exit_report("inorder: the exit goes on after its limit of %u s, though calls have not ended\n",
		    rob.config.exit_limit_s);
}

/*
 * Normal exit: every call completes, those on this stack and what waits for them apart. It comes once before
 * the destructors of what existed at first use; calls that destructors schedule are started afresh (rob_start()
 * asks for another such wait). After the last time, later calls run in their callers.
 */
void rob_exit(bool last)
{
	port_lock(&rob.lock);
	if (!rob.generation) {
		rob_unlock();
		return;
	}
	if (rob.quiesce) {
		rob.quiesce = 0;
		rob_waiters_odd();
		rob_pool_kick();
		rob_unlock();
		port_lock(&rob.lock);
	}
	wait_for_end();
	port_lock(&rob.lock);
	rob.ended |= last;
	port_store_relaxed(&rob.started, 0);
	rob_unlock();
}
