/* SPDX-License-Identifier: MIT */
/*
 * A deadline in the order: an item that is late takes its turn as "timed out", and those behind it go on. Its work is a
 * call of its own, so it may come to its end later: then its result is released.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <inorder/async.h>

#define LIMIT_NS 5000000000u

static ASYNC_DOMAIN_EXCLUSIVE(works);
static ASYNC_DOMAIN_EXCLUSIVE(order);

struct item {
	const char *name;
	sem_t *answer; /* what its work waits for, or NULL */
	async_cookie_t work;
	atomic_bool over; /* its work, or its turn: whichever comes second has to release it */
};

static void release(struct item *item)
{
	printf("%s: released\n", item->name);
}

static void work(void *data, async_cookie_t cookie)
{
	struct item *item = data;

	(void)cookie;
	while (item->answer && sem_wait(item->answer)) /* stands for a server that hangs */
		;
	if (atomic_exchange(&item->over, true))
		release(item); /* too late */
}

/* Costs a thread for as long as the item takes: a bound on the items in progress bounds these, too. */
static void wait_for_it(void *data, async_cookie_t cookie)
{
	struct item *item = data;

	(void)cookie;
	async_set_error(async_synchronize_call_timeout(item->work, &works, LIMIT_NS));
}

static void take_turn(void *data, async_cookie_t cookie)
{
	struct item *item = data;
	bool done = atomic_exchange(&item->over, true);

	(void)cookie;
	printf("%s: %s\n", item->name, done ? "done" : strerror(ETIMEDOUT));
	if (done)
		release(item);
}

static void start(struct item *item)
{
	item->work = async_schedule_domain(work, item, &works);
	if (!async_schedule_ordered(wait_for_it, take_turn, item, &order))
		fprintf(stderr, "%s: no memory\n", item->name);
}

int main(void)
{
	sem_t answer;
	struct item items[] = {{.name = "first"}, {.name = "second", .answer = &answer}, {.name = "third"}};
	async_cookie_t failed;

	sem_init(&answer, 0, 0);
	for (int i = 0; i < 3; i++)
		start(&items[i]);
	async_synchronize_full_domain(&order);
	if (async_domain_error(&order, &failed))
		printf("one was late\n");
	sem_post(&answer);
	async_synchronize_full_domain(&works);
	return 0;
}
