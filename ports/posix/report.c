/* SPDX-License-Identifier: MIT */
/*
 * Reports in words: who runs and who waits, on request and from the watchdog; deadlocks; calls that are refused. The
 * core takes down what there is to say (rob_snapshot()). Every port can compile this file: it needs port_log(),
 * port_format() and port_symbol().
 */
#include "rob.h"

#define CALL_BYTES 240
#define MISUSE 2 /* where misuse is reported: standard error */

/* A call, as every report names it: its cookie, its function, the name that async_set_name() gave it. */
static const char *call_text(const struct rob_call *call, const char *name, char *text)
{
	char symbol[160] = "?";

	/* Not covered: who is reported is inside a call, so there is a function */
	if (call->func)
		port_symbol(call->func, symbol, sizeof(symbol));
	port_format(text, CALL_BYTES, "cookie %llu %s%s%.63s%s", (unsigned long long)call->cookie, symbol,
		    name && *name ? " (" : "", name ? name : "", name && *name ? ")" : "");
	return text;
}

static void print_running(int fd, const struct rob_row *row, uint64_t now_ns)
{
	char text[CALL_BYTES];
	uint64_t us = now_ns > row->since_ns ? (now_ns - row->since_ns) / 1000 : 0;

	port_log(fd, "  thread %d: %s %s for %llu.%06llu s\n", row->thread_id, call_text(&row->call, row->name, text),
		 row->retiring ? "retires" : "runs", (unsigned long long)(us / 1000000),
		 (unsigned long long)(us % 1000000));
}

static void print_waiting(int fd, const struct rob_row *row)
{
	char what[160], held[48] = "", who[48] = "";

	if (row->kind == ROB_WAIT_CALL)
		port_format(what, sizeof(what), "cookie %llu", (unsigned long long)row->bound);
	else if (row->kind == ROB_WAIT_OWNER)
		port_format(what, sizeof(what), "owner %s", row->name[0] ? row->name : "(unnamed)");
	else if (row->kind == ROB_WAIT_QUIESCE)
		port_format(what, sizeof(what), "%s",
			    row->quiesces ? "registered calls to stop running, to quiesce" : "the end of quiescing");
	else if (row->bound == ASYNC_COOKIE_MAX && row->domain)
		port_format(what, sizeof(what), "all calls of domain %p", row->domain);
	else if (row->bound == ASYNC_COOKIE_MAX)
		port_format(what, sizeof(what), "all calls");
	else if (row->domain)
		port_format(what, sizeof(what), "cookies below %llu of domain %p", (unsigned long long)row->bound,
			    row->domain);
	else
		port_format(what, sizeof(what), "cookies below %llu", (unsigned long long)row->bound);
	if (row->call.cookie)
		port_format(who, sizeof(who), ": cookie %llu", (unsigned long long)row->call.cookie);
	if (row->awaited)
		port_format(held, sizeof(held), ", held up by cookie %llu", (unsigned long long)row->awaited);
	port_log(fd, "  thread %d%s waits for %s%s\n", row->thread_id, who, what, held);
}

static void print(int fd, const struct rob_snapshot *snapshot)
{
	size_t shown = snapshot->count < snapshot->capacity ? snapshot->count : snapshot->capacity;

	port_log(fd, "inorder: %llu pending, last cookie %llu, %u workers, %u active, %u processors%s\n",
		 (unsigned long long)snapshot->pending, (unsigned long long)snapshot->last, snapshot->workers,
		 snapshot->active, snapshot->processors,
		 snapshot->used < snapshot->processors ? ", not all used since turns came late" : "");
	for (size_t i = 0; i < shown; i++) {
		if (snapshot->rows[i].waits)
			print_waiting(fd, &snapshot->rows[i]);
		else
			print_running(fd, &snapshot->rows[i], snapshot->now_ns);
	}
	if (shown < snapshot->count)
		port_log(fd, "  and %llu more\n", (unsigned long long)(snapshot->count - shown));
}

void async_report(int fd)
{
	struct rob_snapshot snapshot = {0};
	struct rob_row few[8];

	rob_snapshot(&snapshot);
	snapshot.capacity = snapshot.count + 16;
	snapshot.rows = port_alloc(snapshot.capacity * sizeof(struct rob_row));
	if (!snapshot.rows) {
		snapshot.rows = few;
		snapshot.capacity = sizeof(few) / sizeof(few[0]);
	}
	rob_snapshot(&snapshot);
	print(fd, &snapshot);
	if (snapshot.rows != few)
		port_free(snapshot.rows);
}

void port_overdue(uint32_t limit_s)
{
	port_log(MISUSE, "inorder: watchdog: a call runs for more than %u s\n", limit_s);
	async_report(MISUSE);
}

void port_full(uint32_t seconds, unsigned threads)
{
	port_log(
		MISUSE,
		"inorder: no call could begin for %u s: all %u threads are blocked in calls, maybe by what pending calls "
		"would do. INORDER_THREADS=N, or threads of async_configure(3), allows more; async_report(3) names them\n",
		seconds, threads);
}

/* ---- misuse ---- */

void port_refused(const void *caller, async_cookie_t busy)
{
	char where[160];

	port_symbol((async_func_t)(uintptr_t)caller, where, sizeof(where));
	if (busy)
		port_log(
			MISUSE,
			"inorder: an entry is scheduled again by %s while its call, cookie %llu, is in progress; that call stays, "
			"the new one is refused\n",
			where, (unsigned long long)busy);
	else
		port_log(MISUSE,
			 "inorder: %s schedules a call without a function (NULL); it is refused, the cookie is 0\n",
			 where);
}

void port_deadlock(const struct rob_call *calls, unsigned count, bool cycle, async_cookie_t waiter)
{
	char text[1536] = "", call[CALL_BYTES];
	size_t used = 0;

	for (unsigned i = 0; i < count + cycle; i++) {
		const struct rob_call *next = &calls[i % count];
		int length = port_format(text + used, sizeof(text) - used, "%s%s",
					 !i      ? ""
					 : cycle ? ", which waits for "
						 : " inside ",
					 call_text(next, next->name, call));

		/* Covered by chance: printing does not fail */
		used = length < 0 || (size_t)length >= sizeof(text) - used ? sizeof(text) - 1 : used + (size_t)length;
	}
	port_log(MISUSE, "inorder: deadlock: %s%s; the wait in cookie %llu leaves %s out and returns -EDEADLK\n", text,
		 cycle ? "" : " waits for itself", (unsigned long long)waiter, cycle ? "the others" : "that");
}
