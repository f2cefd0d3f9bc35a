/* SPDX-License-Identifier: MIT */
/* A benchmark program: one workload with one peer. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "work.h"

struct options options = {.calls = 100000, .threads = 2, .submitters = 1, .domains = 64, .gap_us = 200, .spin = 800};
void (*work_call)(void *data);

static const struct {
	const char *name;
	void (*run)(void);
} works[] = {
	{"W1", work_empty},
	{"W2-wait", work_order_wait},
	{"W2-retire", work_order_retire},
	{"W3-wait", work_sleep_wait},
	{"W3-retire", work_sleep_retire},
	{"W4", work_latency},
	{"W5", work_memory},
	{"W6", work_first},
	{"W7", work_some_wait},
	{"W8", work_domains},
	{"W9", work_tree},
	{"W9-wait", work_tree_wait},
	{"raw", work_raw},
};

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void fail(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "bench-%s: ", peer.name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void *allocate(size_t bytes)
{
	void *memory = calloc(1, bytes ? bytes : 1);

	if (!memory)
		fail("no memory for %zu bytes; try fewer calls", bytes);
	return memory;
}

void put(const char *name, double value)
{
	printf("%s %.6g\n", name, value);
}

/* ---- submitters ---- */

static void (*submitter_body)(unsigned);
static pthread_barrier_t submitters_ready;

static void *submitter_thread(void *number)
{
	pthread_barrier_wait(&submitters_ready);
	submitter_body((unsigned)(uintptr_t)number);
	return NULL;
}

void run_submitters(unsigned submitters, void (*body)(unsigned submitter))
{
	pthread_t thread[64];

	if (submitters == 1) {
		body(0);
		return;
	}
	if (submitters > 64)
		fail("at most 64 submitters, not %u", submitters);
	submitter_body = body;
	pthread_barrier_init(&submitters_ready, NULL, submitters);
	for (unsigned i = 1; i < submitters; i++) {
		int error = pthread_create(&thread[i], NULL, submitter_thread, (void *)(uintptr_t)i);

		if (error)
			fail("cannot start submitter %u: %s", i, strerror(error));
	}
	submitter_thread(NULL);
	for (unsigned i = 1; i < submitters; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&submitters_ready);
}

/* ---- counting ---- */

struct tally {
	size_t calls;
	bool submitter;
	struct tally *next;
};

static struct tally *tallies;
static pthread_mutex_t tallies_lock = PTHREAD_MUTEX_INITIALIZER;
static __thread struct tally *own;

static struct tally *tally_new(void)
{
	if (posix_memalign((void **)&own, 128, 128))
		fail("no memory to count calls");
	memset(own, 0, sizeof(*own));
	pthread_mutex_lock(&tallies_lock);
	own->next = tallies;
	tallies = own;
	pthread_mutex_unlock(&tallies_lock);
	return own;
}

void tally_add(void)
{
	(own ? own : tally_new())->calls++;
}

void tally_is_submitter(void)
{
	(own ? own : tally_new())->submitter = true;
}

void tally_reset(void)
{
	for (struct tally *tally = tallies; tally; tally = tally->next)
		tally->calls = 0;
}

size_t tally_check(size_t calls)
{
	size_t sum = 0, by_submitters = 0;

	for (struct tally *tally = tallies; tally; tally = tally->next) {
		sum += tally->calls;
		by_submitters += tally->submitter ? tally->calls : 0;
	}
	if (sum != calls)
		fail("%zu calls were submitted and %zu ran", calls, sum);
	return by_submitters;
}

/* ---- the command line ---- */

static void set_option(const char *text)
{
	const char *equal = strchr(text, '=');
	size_t length = equal ? (size_t)(equal - text) : 0;
	char *end = NULL;
	unsigned long long value = equal ? strtoull(equal + 1, &end, 10) : 0;

	if (!equal || end == equal + 1 || *end)
		fail("\"%s\" is not NAME=NUMBER", text);
	if (!strncmp(text, "calls", length))
		options.calls = value;
	else if (!strncmp(text, "threads", length))
		options.threads = (unsigned)value;
	else if (!strncmp(text, "submitters", length))
		options.submitters = (unsigned)value;
	else if (!strncmp(text, "domains", length))
		options.domains = (unsigned)value;
	else if (!strncmp(text, "gap_us", length))
		options.gap_us = (unsigned)value;
	else if (!strncmp(text, "spin", length))
		options.spin = value;
	else if (!strncmp(text, "begun_ns", length))
		options.begun_ns = value;
	else
		fail("no option \"%.*s\"; there are calls, threads, submitters, domains, gap_us, spin, begun_ns",
		     (int)length, text);
}

int main(int argc, char **argv)
{
	options.main_ns = now_ns();
	for (int i = 2; i < argc; i++)
		set_option(argv[i]);
	for (size_t i = 0; argc > 1 && i < sizeof(works) / sizeof(works[0]); i++) {
		if (strcmp(works[i].name, argv[1]) != 0)
			continue;
		works[i].run();
		if (fflush(stdout))
			fail("cannot write the figures: %s", strerror(errno));
		return 0;
	}
	fprintf(stderr, "usage: bench-%s WORKLOAD [NAME=NUMBER]...; workloads:", peer.name);
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		fprintf(stderr, " %s", works[i].name);
	fputc('\n', stderr);
	return 1;
}
