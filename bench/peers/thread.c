/* SPDX-License-Identifier: MIT */
/* A thread for each call, at most 1,024 at a time. */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "bench.h"

#define MOST 1024
#define STACK_BYTES 65536

static sem_t room;
static pthread_attr_t attributes;

static void *call(void *data)
{
	work_call(data);
	sem_post(&room);
	return NULL;
}

static void take(unsigned count)
{
	while (count > 0)
		if (!sem_wait(&room))
			count--;
}

void peer_submit(void *data)
{
	pthread_t thread;
	int error;

	take(1);
	error = pthread_create(&thread, &attributes, call, data);
	if (error)
		fail("pthread_create: %s", strerror(error));
}

static void start(unsigned threads)
{
	(void)threads;
	sem_init(&room, 0, MOST);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
}

/* All have returned once no thread holds any room. */
static void wait_all(void)
{
	take(MOST);
	for (int i = 0; i < MOST; i++)
		sem_post(&room);
}

static void enter(unsigned submitters, void (*body)(unsigned submitter))
{
	run_submitters(submitters, body);
	wait_all();
}

static void run_one(void *data)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, call, data);

	if (error)
		fail("pthread_create: %s", strerror(error));
	pthread_join(thread, NULL);
	take(1);
}

const struct peer peer = {
	.name = "thread",
	.start = start,
	.enter = enter,
	.run_one = run_one,
	.ordered_wait = ordered_by_turns,
	.ordered_retire = ordered_by_buffer,
	.domains = counted_domains,
	.submit_in = counted_submit,
	.wait_in = counted_wait,
	.wait_lower = reorder_wait,
};
