/* SPDX-License-Identifier: MIT */
/* W4, W5 and W6: the latency of one call, the memory of a pending one, the first of a program. */
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "work.h"

static uint64_t started_ns, ended_ns;

static void call_stamps(void *data)
{
	(void)data;
	started_ns = now_ns();
	tally_add();
	ended_ns = now_ns();
}

/* ---- W4 ---- */

static double *start_us, *back_us;

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static uint64_t cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

static void pause_between(void)
{
	struct timespec gap = {options.gap_us / 1000000, (long)(options.gap_us % 1000000) * 1000};

	nanosleep(&gap, NULL);
}

static void trials(unsigned submitter)
{
	(void)submitter;
	for (size_t i = 0; i < options.calls; i++) {
		uint64_t before_ns, after_ns;

		pause_between();
		before_ns = now_ns();
		peer.run_one((void *)1);
		after_ns = now_ns();
		start_us[i] = (double)(started_ns - before_ns) / 1e3;
		back_us[i] = (double)(after_ns - ended_ns) / 1e3;
	}
}

static void put_percentiles(const char *name, double *sorted)
{
	char text[32];

	qsort(sorted, options.calls, sizeof(*sorted), compare);
	snprintf(text, sizeof(text), "%s_p50_us", name);
	put(text, sorted[options.calls / 2]);
	snprintf(text, sizeof(text), "%s_p99_us", name);
	put(text, sorted[options.calls * 99 / 100]);
}

void work_latency(void)
{
	uint64_t before_ns;

	if (!options.calls)
		fail("calls=0 is too few");
	start_us = allocate(options.calls * sizeof(*start_us));
	back_us = allocate(options.calls * sizeof(*back_us));
	peer.start(options.threads);
	work_call = call_stamps;
	peer.enter(1, trials);
	tally_reset();
	before_ns = cpu_ns();
	peer.enter(1, trials);
	put("cpu_us", (double)(cpu_ns() - before_ns) / 1e3 / (double)options.calls);
	tally_check(options.calls);
	put_percentiles("start", start_us);
	put_percentiles("back", back_us);
}

/* ---- W5 ---- */

static sem_t gate, at_gate;

static void call_gate(void *data)
{
	(void)data;
	if (data == (void *)1) {
		sem_post(&at_gate);
		sem_wait(&gate);
	}
	tally_add();
}

/* Bytes of memory that this process has touched, files apart. */
static size_t resident(void)
{
	char text[128];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t bytes = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	size_t pages, shared;

	if (fd >= 0)
		close(fd);
	text[bytes > 0 ? bytes : 0] = 0;
	if (sscanf(text, "%*s %zu %zu", &pages, &shared) != 2)
		fail("cannot read /proc/self/statm, which says how much memory is used");
	return (pages - shared) * (size_t)sysconf(_SC_PAGESIZE);
}

static void fill_behind_gate(unsigned submitter)
{
	unsigned gates = options.threads - peer.main_helps;
	size_t before, tenth = options.calls / 10;
	uint64_t begun_ns, first_ns = 0, last_ns = 0;

	(void)submitter;
	tally_is_submitter();
	for (unsigned i = 0; i < gates; i++) {
		peer_submit((void *)1);
		while (sem_wait(&at_gate))
			;
	}
	before = resident();
	begun_ns = now_ns();
	for (size_t i = 0; i < options.calls; i++) {
		if (i == tenth)
			first_ns = now_ns() - begun_ns;
		if (i == options.calls - tenth)
			last_ns = now_ns();
		peer_submit((void *)2);
	}
	put("last_tenth_ns", (double)(now_ns() - last_ns) / (double)tenth);
	put("first_tenth_ns", (double)first_ns / (double)tenth);
	put("call_bytes", (double)(resident() - before) / (double)options.calls);
	for (unsigned i = 0; i < gates; i++)
		sem_post(&gate);
}

void work_memory(void)
{
	if (!peer.unbounded) {
		fprintf(stderr, "bench-%s: this peer runs calls inline when many are pending\n", peer.name);
		exit(2);
	}
	if (options.calls < 10)
		fail("at least 10 calls are needed");
	sem_init(&gate, 0, 0);
	sem_init(&at_gate, 0, 0);
	peer.start(options.threads);
	work_call = call_gate;
	peer.enter(1, fill_behind_gate);
	put("inline", (double)tally_check(options.calls + options.threads - peer.main_helps));
}

void work_raw(void)
{
	if (!peer.raw)
		exit(2);
	peer.raw();
}

/* ---- W6 ---- */

/* What this program counts with is allocated once the time is taken. */
static void call_first(void *data)
{
	(void)data;
	ended_ns = now_ns();
	tally_add();
}

static void submit_first(unsigned submitter)
{
	(void)submitter;
	peer.run_one((void *)1);
}

void work_first(void)
{
	peer.start(options.threads);
	work_call = call_first;
	peer.enter(1, submit_first);
	tally_check(1);
	put("first_us", (double)(ended_ns - options.main_ns) / 1e3);
	if (!options.begun_ns)
		return;
	put("main_us", (double)(options.main_ns - options.begun_ns) / 1e3);
	put("total_us", (double)(ended_ns - options.begun_ns) / 1e3);
}
