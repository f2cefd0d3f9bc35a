// SPDX-License-Identifier: MIT OR GPL-2.0
/* See party.h. */
#include "party.h"

static int party_wait(struct party *party)
{
	if (party->timed)
		return async_synchronize_cookie_timeout(ASYNC_COOKIE_MAX, party->waits_for, 1000000000);
	if (party->call)
		return async_synchronize_call(party->call->gate.cookie, NULL);
	if (party->null)
		return async_synchronize_full();
	return async_synchronize_full_domain(party->waits_for);
}

static void party_call(void *data, async_cookie_t cookie)
{
	struct party *party = data;

	gate_call(&party->gate, cookie);
	party->result = party_wait(party);
	up(&party->ended);
}

void party_init(struct party *party, const char *name, struct async_domain *waits_for)
{
	memset(party, 0, sizeof(*party));
	gate_init(&party->gate);
	sem_init(&party->ended, 0, 0);
	party->gate.name = name;
	party->waits_for = waits_for;
	party->result = 1;
}

static void party_actor(void *data)
{
	struct party *party = data;

	async_schedule_domain(party_call, party, party->gate.domain);
}

void party_start(struct party *party, struct async_domain *domain)
{
	party->gate.domain = domain;
	party->gate.has_actor = harness_threads() == 0;
	if (party->gate.has_actor)
		actor_start(&party->gate.actor, party_actor, party);
	else
		party_actor(party);
	down(&party->gate.begun);
}

void party_go(struct party *party)
{
	gate_open(&party->gate);
}

int party_end(struct party *party)
{
	down(&party->ended);
	if (party->gate.has_actor)
		actor_join(&party->gate.actor);
	/* Its domain may be on the test's stack. */
	CHECK_EQ(async_synchronize_call(party->gate.cookie, party->gate.domain), 0);
	return party->result;
}

void check_report(struct party *const *parties, unsigned int n)
{
	char *text = harness_stderr();

	for (unsigned int i = 0; i < n; i++) {
		if (!strstr(text, parties[i]->gate.name))
			FAIL("%s is not named", parties[i]->gate.name);
		if (!has_number(text, parties[i]->gate.cookie))
			FAIL("cookie %" PRIu64 " is not named", parties[i]->gate.cookie);
	}
	free(text);
	CHECK_EQ(harness_count("EDEADLK"), 1);
}

void check_no_report(void)
{
	char *text = harness_stderr();

	if (text[0])
		FAIL("there should be no report");
	free(text);
}
