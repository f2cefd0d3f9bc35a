/* SPDX-License-Identifier: MIT */
/*
 * Runs calls so that their instructions can be counted from outside, and are the same each time: one processor, one
 * worker, held at a gate until all calls are there, and a clock that only ticks when it is read. "schedule-" ends
 * before any of the calls runs.
 */
#define _GNU_SOURCE
#include <inorder/async.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS 20
#define AHEAD_S 1000000000 /* what sleeps until a time by this clock sleeps for good */

static ASYNC_DOMAIN_EXCLUSIVE(domain);
static _Atomic int at_gate, gate_open;
static unsigned long ran;

/* Instead of the C library's, also in the library under test. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
	static _Atomic long ticks;
	long ns = TICK_NS * ticks++;

	(void)clock;
	now->tv_sec = AHEAD_S + ns / 1000000000;
	now->tv_nsec = ns % 1000000000;
	return 0;
}

static void call_gate(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	at_gate = 1;
	while (!gate_open)
		sched_yield();
}

static void call(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	ran++;
}

static void call_waits(void *data, async_cookie_t cookie)
{
	(void)data;
	async_synchronize_cookie_domain(cookie, &domain);
	ran++;
}

static void schedule_plain(void)
{
	async_schedule_domain(call, NULL, &domain);
}

static void schedule_ordered(void)
{
	if (!async_schedule_ordered(call, call, NULL, &domain))
		abort();
}

static void schedule_waits(void)
{
	async_schedule_domain(call_waits, NULL, &domain);
}

static const struct {
	const char *name;
	void (*schedule)(void);
	unsigned long runs; /* functions that one call runs */
} kinds[] = {{"plain", schedule_plain, 1}, {"ordered", schedule_ordered, 2}, {"waits", schedule_waits, 1}};

static int run(size_t kind, unsigned long calls, int schedule_only)
{
	struct async_config config = ASYNC_CONFIG_INIT;
	cpu_set_t one;
	int cpu = sched_getcpu();

	CPU_ZERO(&one);
	CPU_SET(cpu < 0 ? 0 : (size_t)cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return 1;
	config.threads = 1;
	config.pending = ASYNC_DEFAULT - 1;
	if (async_configure(&config))
		return 1;
	async_schedule(call_gate, NULL);
	while (!at_gate)
		sched_yield();
	for (unsigned long i = 0; i < calls; i++)
		kinds[kind].schedule();
	if (schedule_only)
		_exit(ran != 0);
	gate_open = 1;
	async_synchronize_full_domain(&domain);
	return ran != calls * kinds[kind].runs;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	int schedule_only = !strncmp(name, "schedule-", 9);

	if (schedule_only)
		name += 9;
	for (size_t i = 0; argc == 3 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return run(i, strtoul(argv[2], NULL, 10), schedule_only);
	fprintf(stderr, "usage: bench-calls [schedule-]plain|ordered|waits CALLS\n");
	return 2;
}
