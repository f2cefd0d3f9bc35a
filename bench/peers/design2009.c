/* SPDX-License-Identifier: MIT */
/*
 * The design of 2009, made anew from its description: one lock; a list of pending calls and one of running calls
 * (each domain has its own list of running ones); a manager thread that adds a worker while there are fewer workers
 * than calls, up to a limit; every completion wakes everybody who waits. A worker that finds nothing to do for a
 * second ends. With 32,768 calls in progress the caller runs the next one itself.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

#define CALLS_MOST 32768
#define IDLE_S 1

struct list {
	struct call *first, *last;
};

struct call {
	struct call *prev, *next;
	uint64_t cookie;
	void (*function)(void *data, uint64_t cookie);
	void *data;
	struct list *running;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work_there, manager_wanted = PTHREAD_COND_INITIALIZER;
static pthread_cond_t completed = PTHREAD_COND_INITIALIZER;
static struct list pending, running, ordered, *parts;
static uint64_t next_cookie = 1;
static size_t in_progress;
static unsigned workers, workers_most;

static void append(struct list *list, struct call *call)
{
	call->next = NULL;
	call->prev = list->last;
	*(call->prev ? &call->prev->next : &list->first) = call;
	list->last = call;
}

static void detach(struct list *list, struct call *call)
{
	*(call->prev ? &call->prev->next : &list->first) = call->next;
	*(call->next ? &call->next->prev : &list->last) = call->prev;
}

/* The lowest cookie of a domain in progress; what is pending of other domains does not count. */
static uint64_t lowest(struct list *domain)
{
	uint64_t low = UINT64_MAX;

	for (struct call *call = domain->first; call; call = call->next)
		low = call->cookie < low ? call->cookie : low;
	for (struct call *call = pending.first; call; call = call->next)
		if (call->running == domain) {
			low = call->cookie < low ? call->cookie : low;
			break;
		}
	return low;
}

static void run_first(void)
{
	struct call *call = pending.first;
	struct list *domain = call->running;

	detach(&pending, call);
	append(domain, call);
	pthread_mutex_unlock(&lock);
	call->function(call->data, call->cookie);
	pthread_mutex_lock(&lock);
	detach(domain, call);
	in_progress--;
	free(call);
	pthread_cond_broadcast(&completed);
}

static bool wait_for_work(void)
{
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_S;
	while (!pending.first && !error)
		error = pthread_cond_timedwait(&work_there, &lock, &until);
	return pending.first;
}

static void *worker(void *unused)
{
	pthread_mutex_lock(&lock);
	do
		while (pending.first)
			run_first();
	while (wait_for_work());
	workers--;
	pthread_mutex_unlock(&lock);
	return unused;
}

static void *manager(void *unused)
{
	pthread_t thread;

	pthread_mutex_lock(&lock);
	for (;;) {
		while (workers >= workers_most || workers >= in_progress)
			pthread_cond_wait(&manager_wanted, &lock);
		workers++;
		pthread_mutex_unlock(&lock);
		if (pthread_create(&thread, NULL, worker, unused))
			fail("cannot start worker %u", workers);
		pthread_detach(thread);
		pthread_mutex_lock(&lock);
	}
	return NULL;
}

static uint64_t run_inline(void (*function)(void *data, uint64_t cookie), void *data)
{
	uint64_t cookie;

	pthread_mutex_lock(&lock);
	cookie = next_cookie++;
	pthread_mutex_unlock(&lock);
	function(data, cookie);
	return cookie;
}

static uint64_t schedule(void (*function)(void *data, uint64_t cookie), void *data, struct list *domain)
{
	struct call *call = in_progress < CALLS_MOST ? malloc(sizeof(*call)) : NULL;
	uint64_t cookie;

	if (!call)
		return run_inline(function, data);
	call->function = function;
	call->data = data;
	call->running = domain;
	pthread_mutex_lock(&lock);
	cookie = call->cookie = next_cookie++;
	append(&pending, call);
	in_progress++;
	if (workers < workers_most && workers < in_progress)
		pthread_cond_signal(&manager_wanted);
	pthread_cond_broadcast(&work_there);
	pthread_mutex_unlock(&lock);
	return cookie;
}

static void synchronize(struct list *domain, uint64_t cookie)
{
	pthread_mutex_lock(&lock);
	while (lowest(domain) < cookie)
		pthread_cond_wait(&completed, &lock);
	pthread_mutex_unlock(&lock);
}

/* ---- the peer ---- */

static void call_work(void *data, uint64_t cookie)
{
	(void)cookie;
	work_call(data);
}

void peer_submit(void *data)
{
	schedule(call_work, data, &running);
}

static void start(unsigned threads)
{
	pthread_condattr_t monotonic;
	pthread_t thread;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&work_there, &monotonic);
	workers_most = threads;
	if (pthread_create(&thread, NULL, manager, NULL))
		fail("cannot start the manager");
}

static void enter(unsigned submitters, void (*body)(unsigned submitter))
{
	run_submitters(submitters, body);
	synchronize(&running, UINT64_MAX);
}

static void run_one(void *data)
{
	synchronize(&running, schedule(call_work, data, &running) + 1);
}

static void call_own_cookie(void *data, uint64_t cookie)
{
	order_work((size_t)data);
	synchronize(&ordered, cookie);
	order_append((size_t)data);
}

/* Inline calls are in no list: they would be appended too early, so the caller waits for room. */
static void ordered_wait(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i % (CALLS_MOST / 2) == CALLS_MOST / 2 - 1)
			synchronize(&ordered, UINT64_MAX);
		schedule(call_own_cookie, (void *)i, &ordered);
	}
	synchronize(&ordered, UINT64_MAX);
}

static void domains(unsigned count)
{
	parts = allocate(count * sizeof(*parts));
}

static void submit_in(unsigned domain, void *data)
{
	schedule(call_work, data, &parts[domain]);
}

static void wait_in(unsigned domain)
{
	synchronize(&parts[domain], UINT64_MAX);
}

const struct peer peer = {
	.name = "2009",
	.start = start,
	.enter = enter,
	.run_one = run_one,
	.ordered_wait = ordered_wait,
	.ordered_retire = ordered_by_buffer,
	.domains = domains,
	.submit_in = submit_in,
	.wait_in = wait_in,
	.nested = true,
};
