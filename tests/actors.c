// SPDX-License-Identifier: MIT OR GPL-2.0
/* See actors.h. */
#include "harness.h"

void gate_init(struct gate *gate)
{
	memset(gate, 0, sizeof(*gate));
	sem_init(&gate->begun, 0, 0);
	sem_init(&gate->open, 0, 0);
}

void gate_call(void *data, async_cookie_t cookie)
{
	struct gate *gate = data;

	gate->cookie = cookie;
	gate->tid = tid_self();
	if (gate->name)
		async_set_name(gate->name);
	if (gate->error)
		async_set_error(gate->error);
	up(&gate->begun);
	down(&gate->open);
	gate->done = true;
}

static void gate_actor(void *data)
{
	struct gate *gate = data;

	CHECK(async_schedule_domain(gate_call, gate, gate->domain) != 0);
}

async_cookie_t gate_start(struct gate *gate, struct async_domain *domain)
{
	gate->domain = domain;
	gate->has_actor = harness_threads() == 0;
	if (gate->has_actor)
		actor_start(&gate->actor, gate_actor, gate);
	else
		gate_actor(gate);
	down(&gate->begun);
	return gate->cookie;
}

async_cookie_t gate_new(struct gate *gate, struct async_domain *domain)
{
	gate_init(gate);
	return gate_start(gate, domain);
}

void gates_new(struct gate *gates, unsigned int n, struct async_domain *domain)
{
	for (unsigned int i = 0; i < n; i++)
		gate_new(&gates[i], domain);
}

void gate_open(struct gate *gate)
{
	up(&gate->open);
}

void gate_end(struct gate *gate)
{
	gate_open(gate);
	if (gate->has_actor)
		actor_join(&gate->actor);
}

void gates_end(struct gate *gates, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		gate_end(&gates[i]);
}

int wait_full(async_cookie_t unused, struct async_domain *domain)
{
	return async_synchronize_full_domain(domain);
}

int wait_all(async_cookie_t unused, struct async_domain *unused_domain)
{
	return async_synchronize_full();
}

static void waiter_run(void *data)
{
	struct waiter *waiter = data;

	waiter->result = waiter->wait(waiter->cookie, waiter->domain);
}

void waiter_start(struct waiter *waiter, int (*wait)(async_cookie_t, struct async_domain *), async_cookie_t cookie,
		  struct async_domain *domain)
{
	waiter->wait = wait;
	waiter->cookie = cookie;
	waiter->domain = domain;
	waiter->result = -1;
	actor_start(&waiter->actor, waiter_run, waiter);
}

bool waiter_done(struct waiter *waiter)
{
	return waiter->actor.done;
}

int waiter_join(struct waiter *waiter)
{
	actor_join(&waiter->actor);
	return waiter->result;
}

void actors_run(unsigned int n, void (*run)(void *), void *data)
{
	struct actor *actors = calloc(n, sizeof(*actors));

	CHECK(actors);
	for (unsigned int i = 0; i < n; i++)
		actor_start(&actors[i], run, data);
	for (unsigned int i = 0; i < n; i++)
		actor_join(&actors[i]);
	free(actors);
}

void nothing(void *data, async_cookie_t cookie)
{
}

void count(void *data, async_cookie_t cookie)
{
	atomic_fetch_add((atomic_uint *)data, 1);
}

void record(void *data, async_cookie_t cookie)
{
	struct record *to = data;
	unsigned int i = atomic_fetch_add(&to->begun, 1);

	CHECK(i < 4096);
	to->cookies[i] = cookie;
	to->tids[i] = tid_self();
	atomic_fetch_add(&to->n, 1);
}

bool record_increasing(const struct record *record)
{
	for (unsigned int i = 1; i < record->n; i++)
		if (record->cookies[i] <= record->cookies[i - 1])
			return false;
	return true;
}

size_t count_of(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = strstr(text, part); at; at = strstr(at + strlen(part), part))
		n++;
	return n;
}

size_t harness_count(const char *text)
{
	char *all = harness_stderr();
	size_t n = count_of(all, text);

	free(all);
	return n;
}

bool harness_said(const char *text)
{
	return harness_count(text) > 0;
}

bool has_number(const char *text, uint64_t number)
{
	char digits[24];
	size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number);

	for (const char *at = strstr(text, digits); at; at = strstr(at + 1, digits)) {
		bool begins = at == text || at[-1] < '0' || at[-1] > '9';
		bool ends = at[length] < '0' || at[length] > '9';

		if (begins && ends)
			return true;
	}
	return false;
}
