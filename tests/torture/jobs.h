/* SPDX-License-Identifier: MIT */
/* Jobs: calls of which everything is known that can be told from outside, and what must hold of them. */
#ifndef TESTS_TORTURE_JOBS_H
#define TESTS_TORTURE_JOBS_H

#include "torture.h"

enum { JOBS = 4096, DOMAINS = 3, OWNERS = 2, CHILDREN = 4, DEEPEST = 3 };

enum job_kind { JOB_PLAIN, JOB_ORDERED, JOB_ENTRY, JOB_ORDERED_ENTRY, JOB_TRY, JOB_KINDS };

struct job {
	_Atomic async_cookie_t cookie; /* known before it stands in a table */
	atomic_uint begun, ended, retired, released;
	bool ordered, failed_try;
	bool from_retire; /* its scheduler was a retire step: it waits for nothing */
	unsigned int depth;
	async_cookie_t rank; /* the cookie of the outermost call that it descends from; 0: itself */
	struct table *table; /* of its domain; NULL: a domain on a stack */
	struct async_domain *domain;
	unsigned int owner; /* 1 to OWNERS; 0: none */
	int error, retire_error;
	unsigned int written, retire_written; /* without atomics: whoever has waited may read it */
	struct random random;
	_Atomic(struct job *) child[CHILDREN];
	atomic_uint children;
	struct async_entry entry;
};

/* The jobs of a shared domain, or of an owner, in this phase. */
struct table {
	struct async_domain *domain;
	bool exclusive;
	atomic_uint count;
	_Atomic(struct job *) job[JOBS];
	async_cookie_t last_retired; /* without atomics: retire steps follow each other */
};

extern struct table tables[DOMAINS];
extern struct table owner_tables[OWNERS];
extern struct async_owner owners[OWNERS];
extern bool wild; /* calls wait for anything: cycles are allowed */

/* A new job, or NULL: there were enough in this phase. */
struct job *job_new(struct random *random, struct job *parent);
/* Schedules it in its domain; false if that was refused, as it may be. */
bool job_schedule(struct job *job, enum job_kind kind);
/* What the calls do besides (calls.c). */
void job_act(struct job *job);
void job_act_retired(struct job *job);
void job_release(void *data, async_cookie_t cookie);
bool job_complete(const struct job *job);

/* How far a table had come when a wait began. */
struct mark {
	unsigned int tables[DOMAINS];
	unsigned int owner;
};
void mark_take(struct mark *mark, unsigned int owner);
/* After a wait that returned 0: nothing that it covers is in progress. NULL: all registered domains. */
void check_waited(const struct mark *mark, const struct table *table, async_cookie_t bound, bool full);
void check_owner_waited(const struct mark *mark, unsigned int owner);
void check_job_complete(const struct job *job, const char *waited);

/* ---- waits.c: each checks its answer, and what must stand then ---- */

extern atomic_ulong deadlocks; /* waits that returned -EDEADLK in this phase */

void waited(void);                         /* counts one */
bool answer(int result, const char *wait); /* whether it covered all that it should */
void wait_for_lower(const struct table *table, async_cookie_t bound, bool timed, struct random *random);
void wait_until_empty(const struct table *table); /* NULL: all registered domains */
void wait_call(struct job *job);
void wait_owner(unsigned int owner);

/* ---- calls.c ---- */

extern atomic_uint registered_running; /* calls of registered domains inside their func or retire */
extern atomic_uint quiesced;

enum job_kind choose_kind(struct random *random);
struct table *choose_table(struct random *random);
void come_and_go(struct random *random, struct job *parent);
void free_left_overs(void);
void work(struct random *random);
void block(struct random *random);

/* ---- a phase (jobs.c) ---- */

void jobs_begin(void);
/* Every job has run, or was cancelled, once; errors and turns were right. */
void jobs_end(void);
unsigned int jobs_used(void);

#endif
