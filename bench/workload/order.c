/* SPDX-License-Identifier: MIT */
/* Order for peers that have none: turns (callers wait) and a reorder buffer (no thread waits). */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bench.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static size_t next; /* whose turn it is */

/* The buffer: calls set their flag; whoever holds the head moves it. */
static _Atomic unsigned char *done;
static size_t size;
static _Atomic size_t head;
static _Atomic bool held;
static _Atomic unsigned waiters; /* for the head */

void turn_reset(size_t count)
{
	free(done);
	done = allocate(count + 1);
	size = count;
	head = next = 0;
}

void turn_take(size_t index)
{
	pthread_mutex_lock(&lock);
	while (next != index)
		pthread_cond_wait(&moved, &lock);
	order_append(index);
	next = index + 1;
	pthread_cond_broadcast(&moved);
	pthread_mutex_unlock(&lock);
}

static void drain(void)
{
	size_t at = head;

	for (; at < size && done[at]; at++)
		order_append(at);
	head = at;
	if (!waiters)
		return;
	pthread_mutex_lock(&lock);
	pthread_cond_broadcast(&moved);
	pthread_mutex_unlock(&lock);
}

/* Whoever finds the head held leaves its flag behind, and the holder looks again after letting go. */
void reorder_done(size_t index)
{
	done[index] = 1;
	while (head < size && done[head] && !held) {
		if (atomic_exchange(&held, true))
			return;
		drain();
		held = false;
	}
}

void reorder_wait(size_t index)
{
	pthread_mutex_lock(&lock);
	waiters++;
	while (head < index)
		pthread_cond_wait(&moved, &lock);
	waiters--;
	pthread_mutex_unlock(&lock);
}

static void call_with_turn(void *data)
{
	size_t index = (size_t)data - 1;

	order_work(index);
	turn_take(index);
}

static void call_with_buffer(void *data)
{
	size_t index = (size_t)data - 1;

	order_work(index);
	reorder_done(index);
}

static void submit_all(unsigned submitter)
{
	(void)submitter;
	for (size_t i = 1; i <= size; i++)
		peer_submit((void *)i);
}

void ordered_by_turns(size_t count)
{
	turn_reset(count);
	work_call = call_with_turn;
	peer.enter(1, submit_all);
}

void ordered_by_buffer(size_t count)
{
	turn_reset(count);
	work_call = call_with_buffer;
	peer.enter(1, submit_all);
}
