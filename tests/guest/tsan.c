/* SPDX-License-Identifier: MIT */
/* A correct program under ThreadSanitizer: what calls wrote is read after each kind of wait. A report ends it. */
#include <inorder/async.h>
#include <pthread.h>
#include <stdio.h>

#ifndef ROUNDS
#define ROUNDS 20
#endif

enum { CALLS = 64 };

static long sum[CALLS], order[CALLS], retired;
static ASYNC_DOMAIN(domain);

static void add(void *data, async_cookie_t cookie)
{
	long i = (long)data;

	for (long k = 0; k < 1000; k++)
		sum[i] += k;
	(void)cookie;
}

static void add_in_turn(void *data, async_cookie_t cookie)
{
	add(data, cookie);
	if (async_synchronize_cookie_domain(cookie, &domain))
		order[0] = -CALLS * ROUNDS;
	order[0]++;
}

static void retire(void *data, async_cookie_t cookie)
{
	(void)cookie;
	retired += sum[(long)data] > 0;
}

static long total(void)
{
	long all = 0;

	for (int i = 0; i < CALLS; i++)
		all += sum[i];
	return all;
}

static int round_of(void)
{
	async_cookie_t last = 0;
	int bad;

	for (long i = 0; i < CALLS; i++)
		async_schedule(add, (void *)i);
	bad = async_synchronize_full() || total() <= 0;
	for (long i = 0; i < CALLS; i++)
		async_schedule_domain(add_in_turn, (void *)i, &domain);
	bad |= async_synchronize_full_domain(&domain) || total() <= 0;
	for (long i = 0; i < CALLS; i++)
		last = async_schedule_ordered(add, retire, (void *)i, &domain);
	bad |= async_synchronize_call(last, &domain) || total() <= 0;
	return bad;
}

static void *somewhere_else(void *result)
{
	for (int i = 0; i < ROUNDS; i++)
		*(int *)result |= round_of();
	return NULL;
}

int main(void)
{
	pthread_t thread;
	int bad = round_of();

	if (pthread_create(&thread, NULL, somewhere_else, &bad) || pthread_join(thread, NULL))
		return 2;
	bad |= order[0] != CALLS * (ROUNDS + 1) || retired != CALLS * (ROUNDS + 1);
	printf("%ld in turn, %ld retired\n", order[0], retired);
	return bad;
}
