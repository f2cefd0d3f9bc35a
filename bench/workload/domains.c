/* SPDX-License-Identifier: MIT */
/* Domains for peers that have none: a count of the calls in progress, and a wait for zero. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bench.h"

struct counted {
	_Atomic size_t in_progress;
	bool waited;
	char rest[128 - sizeof(size_t) - sizeof(bool)];
};

static struct counted *counts;
static void (*inner)(void *data);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t zero = PTHREAD_COND_INITIALIZER;

static void call_counted(void *data)
{
	struct counted *count = data;

	inner(NULL);
	if (atomic_fetch_sub(&count->in_progress, 1) > 1)
		return;
	pthread_mutex_lock(&lock);
	if (count->waited)
		pthread_cond_broadcast(&zero);
	pthread_mutex_unlock(&lock);
}

void counted_domains(unsigned count)
{
	free(counts);
	counts = allocate(count * sizeof(*counts));
	inner = work_call;
	work_call = call_counted;
}

void counted_submit(unsigned domain, void *data)
{
	(void)data;
	atomic_fetch_add(&counts[domain].in_progress, 1);
	peer_submit(&counts[domain]);
}

void counted_wait(unsigned domain)
{
	struct counted *count = &counts[domain];

	pthread_mutex_lock(&lock);
	count->waited = true;
	while (count->in_progress)
		pthread_cond_wait(&zero, &lock);
	count->waited = false;
	pthread_mutex_unlock(&lock);
}
