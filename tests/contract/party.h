/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* Parties: calls that wait for others, or for themselves, when the test tells them to. */
#ifndef CONTRACT_PARTY_H
#define CONTRACT_PARTY_H

#include "harness.h"

/* A call that waits, once it is told to; and what came of it. */
struct party {
	struct gate gate;
	struct async_domain *waits_for;
	struct party *call; /* waits for this call alone, if set */
	bool null, timed;
	_Atomic int result;
	sem_t ended;
};

/* @waits_for: its calls, unless a field says otherwise, which the test sets before the start. */
void party_init(struct party *party, const char *name, struct async_domain *waits_for);
/* Schedules it; returns once it has begun. */
void party_start(struct party *party, struct async_domain *domain);
/* Lets it wait. */
void party_go(struct party *party);
/* Returns what its wait returned. */
int party_end(struct party *party);

/* One report, with each party's name and cookie. */
void check_report(struct party *const *parties, unsigned int n);
void check_no_report(void);
#endif
