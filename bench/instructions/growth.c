/* SPDX-License-Identifier: MIT */
/*
 * Waits of many calls at once, a thread for each, so that the core's instructions can be counted for several numbers of
 * them (growth.py). What a call waits for, the kind says. And many calls pending at once, which need no thread each.
 */
#define _GNU_SOURCE
#include <inorder/async.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long count;
static _Atomic unsigned long ran, refused, entered;
static async_cookie_t *cookies;
static _Atomic int scheduled;
static sem_t gate;
static ASYNC_DOMAIN(domain);

static void note(int result)
{
	ran++;
	refused += result != 0;
}

/* Each schedules the next into a domain of its own, and waits for the domain. */
static void call_nest(void *data, async_cookie_t cookie)
{
	ASYNC_DOMAIN_EXCLUSIVE(own);
	unsigned long i = (unsigned long)data;

	(void)cookie;
	if (i + 1 < count)
		async_schedule_domain(call_nest, (void *)(i + 1), &own);
	note(async_synchronize_full_domain(&own));
}

/* The same, in one domain, and waits for the next call alone. */
static void call_single(void *data, async_cookie_t cookie)
{
	unsigned long i = (unsigned long)data;

	(void)cookie;
	if (i + 1 < count)
		note(async_synchronize_call(async_schedule(call_single, (void *)(i + 1)), NULL));
	else
		note(0);
}

/* All scheduled first; each waits for the one after it, and in a ring the last for the first. */
static void call_up(void *data, async_cookie_t cookie)
{
	unsigned long i = (unsigned long)data;

	(void)cookie;
	while (!scheduled)
		sched_yield();
	note(cookies[i + 1] ? async_synchronize_call(cookies[i + 1], NULL) : 0);
}

/* The first goes on when all others are about to wait. */
static void behind_gate(const void *data)
{
	if (data)
		entered++;
	else
		sem_wait(&gate);
}

/* All wait for their turn behind the first. */
static void call_turn(void *data, async_cookie_t cookie)
{
	behind_gate(data);
	note(async_synchronize_cookie_domain(cookie, &domain));
}

/* The same in all domains. */
static void call_all(void *data, async_cookie_t cookie)
{
	behind_gate(data);
	note(async_synchronize_cookie_domain(cookie, NULL));
}

/* All wait for the first alone. */
static void call_same(void *data, async_cookie_t cookie)
{
	(void)cookie;
	while (!scheduled)
		sched_yield();
	behind_gate(data);
	note(data ? async_synchronize_call(cookies[0], &domain) : 0);
}

static const struct {
	const char *name;
	async_func_t func;
	int chained; /* a call schedules the next */
	int ring;
	int gated;
} kinds[] = {{"nest", call_nest, 1, 0, 0}, {"single", call_single, 1, 0, 0}, {"up", call_up, 0, 0, 0},
	     {"ring", call_up, 0, 1, 0},   {"turn", call_turn, 0, 0, 1},     {"all", call_all, 0, 0, 1},
	     {"same", call_same, 0, 0, 1}};

static int run(size_t kind)
{
	struct async_config config = ASYNC_CONFIG_INIT;

	config.threads = 65536;
	cookies = calloc(count + 1, sizeof(*cookies));
	if (!cookies || sem_init(&gate, 0, 0) || async_configure(&config))
		return 1;
	for (unsigned long i = 0; i < (kinds[kind].chained ? 1 : count); i++)
		cookies[i] = async_schedule_domain(kinds[kind].func, (void *)i, &domain);
	if (kinds[kind].ring)
		cookies[count] = cookies[0];
	scheduled = 1;
	while (kinds[kind].gated && entered + 1 < count)
		sched_yield();
	sem_post(&gate);
	async_synchronize_full();
	return ran != count || refused != (unsigned long)kinds[kind].ring;
}

/* ---- many calls pending behind one that holds the only worker ---- */

static void hold(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	sem_wait(&gate);
}

static void tally(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	ran++;
}

static void fill_queue(void)
{
	for (unsigned long i = 0; i < count; i++)
		cookies[i] = async_schedule_domain(tally, NULL, &domain);
}

static void fill_retire(void)
{
	for (unsigned long i = 0; i < count; i++)
		async_schedule_ordered(tally, tally, NULL, &domain);
	ran -= count; /* each has two halves */
}

/* The newest first: each stands in the middle of the queue. */
static void fill_cancel(void)
{
	fill_queue();
	for (unsigned long i = count; i--;)
		ran += !async_cancel_call(cookies[i], &domain, NULL);
}

/* A domain a call: the last half of them is waited for one by one, the others by the wait for all. */
static void fill_domains(void)
{
	struct async_domain *domains = calloc(count, sizeof(*domains));

	for (unsigned long i = 0; domains && i < count; i++)
		async_schedule_domain(tally, NULL, &domains[i]);
	sem_post(&gate);
	for (unsigned long i = count / 2; domains && i < count; i++)
		refused += async_synchronize_full_domain(&domains[i]) != 0;
}

static const struct {
	const char *name;
	void (*fill)(void);
} fills[] = {{"queue", fill_queue}, {"retire", fill_retire}, {"cancel", fill_cancel}, {"domains", fill_domains}};

static int run_fill(size_t kind)
{
	struct async_config config = ASYNC_CONFIG_INIT;

	config.threads = 1;
	config.pending = UINT32_MAX - 1;
	cookies = calloc(count + 1, sizeof(*cookies));
	if (!cookies || sem_init(&gate, 0, 0) || async_configure(&config))
		return 1;
	async_schedule(hold, NULL);
	fills[kind].fill();
	sem_post(&gate);
	async_synchronize_full();
	return ran != count || refused;
}

int main(int argc, char **argv)
{
	count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	for (size_t i = 0; count && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, argv[1]))
			return run(i);
	for (size_t i = 0; count && i < sizeof(fills) / sizeof(fills[0]); i++)
		if (!strcmp(fills[i].name, argv[1]))
			return run_fill(i);
	fprintf(stderr, "usage: bench-growth nest|single|up|ring|turn|all|same|queue|retire|cancel|domains CALLS\n");
	return 2;
}
