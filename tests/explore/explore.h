/* SPDX-License-Identifier: MIT */
/*
 * Cases of the explorer, and what they share: jobs, which are calls that note
 * what becomes of them, and waits that check that they were right to return.
 *
 * Notes are kept by functions that the compiler does not instrument (oracle.c);
 * a job's payload is written and read by instrumented code, so that a wait that
 * does not order them is a race.
 */
#ifndef EXPLORE_H
#define EXPLORE_H

#include "core.h"
#include "sim.h"

#define JOBS 12

/* A case's name, the clauses that it is for, its actors. The users close the brace, after what else it has. */
#ifndef CASE_BEGIN
#define CASE_BEGIN begin_domains
#define CASE_END check_all_complete
#endif
/* clang-format off */
#define CASE(title, about, ...) \
	{.name = title, .rules = about, .begin = CASE_BEGIN, .end = CASE_END, .actor = {__VA_ARGS__}
/* clang-format on */

/*
 * When something was done: by the clocks, so that nothing hangs on the order of steps that have nothing to do with each
 * other.
 */
struct moment {
	bool is;
	unsigned thread, number; /* of this thread's notes */
	struct sim_clock clock;
};

struct job {
	async_cookie_t cookie;
	struct async_domain *domain;
	bool ordered;
	unsigned payload;
	struct moment begun, ended, retired;
	bool released;
	async_func_t inside; /* what else it does */
	struct job *retires_before;
	struct async_entry *entry;
};

extern struct job jobs[JOBS];
extern struct async_domain *domain_a, *domain_b; /* registered ones, made by begin_domains() */
extern struct sim_gate gates[4];

/* oracle.c: notes */
void oracle_reset(void);
void oracle_forget(void); /* no earlier call exists */
void note_scheduled(struct job *job, async_cookie_t cookie);
void note_begun(struct job *job, async_cookie_t cookie);
void note_ended(struct job *job);
void note_retired(struct job *job);
void note_released(struct job *job);
bool is_begun(const struct job *job);
bool is_complete(const struct job *job);
/* Which jobs of the domain (NULL: of registered ones) below the bound exist now. */
uint32_t jobs_below(const struct async_domain *domain, async_cookie_t bound);
/* Fails if one of them is not complete. */
void check_complete(uint32_t mask);
void check_all_complete(void);
bool somebody_waits(void);
uint32_t begun_jobs(void); /* of registered domains */
uint32_t running_jobs(void);
bool is_released(const struct job *job);
/* Whether it happened before, not only earlier in this run. */
bool is_before(const struct moment *a, const struct moment *b);
bool is_here(const struct moment *moment); /* by the thread that asks */
unsigned long long most_pending(void);     /* at a time */

/* ---- jobs ---- */

static inline void run_job(void *data, async_cookie_t cookie)
{
	struct job *job = data;

	note_begun(job, cookie);
	job->payload++;
	if (job->inside)
		job->inside(job, cookie);
	else
		work();
	job->payload++;
	note_ended(job);
}

static inline void retire_job(void *data, async_cookie_t cookie)
{
	struct job *job = data;

	job->payload++;
	work();
	note_retired(job);
}

static inline void release_job(void *data, async_cookie_t cookie)
{
	struct job *job = data;

	job->payload++;
	note_released(job);
}

static inline struct job *prepare(unsigned n, struct async_domain *domain, async_func_t inside)
{
	jobs[n].domain = domain;
	jobs[n].inside = inside;
	jobs[n].payload = 1;
	return &jobs[n];
}

static inline async_cookie_t start(unsigned n, struct async_domain *domain, async_func_t inside)
{
	struct job *job = prepare(n, domain, inside);
	async_cookie_t cookie = async_schedule_domain(run_job, job, domain);

	note_scheduled(job, cookie);
	return cookie;
}

static inline async_cookie_t start_ordered(unsigned n, struct async_domain *domain, async_func_t inside)
{
	struct job *job = prepare(n, domain, inside);
	async_cookie_t cookie;

	job->ordered = true;
	cookie = async_schedule_ordered(run_job, retire_job, job, domain);
	if (cookie)
		note_scheduled(job, cookie);
	return cookie;
}

/* The same as calls of an owner. */
static inline void start_owned(unsigned n, struct async_owner *whose, struct async_domain *domain, async_func_t inside)
{
	struct async_owner *before = async_owner_enter(whose);

	start(n, domain, inside);
	sim_check(async_owner_enter(before) == whose);
}

static inline void start_ordered_owned(unsigned n, struct async_owner *whose, struct async_domain *domain,
				       async_func_t inside)
{
	struct async_owner *before = async_owner_enter(whose);

	start_ordered(n, domain, inside);
	sim_check(async_owner_enter(before) == whose);
}

/* After a wait: what the jobs wrote is there. */
static inline void check_visible(uint32_t mask)
{
	for (unsigned i = 0; i < JOBS; i++)
		if (mask >> i & 1)
			sim_check(jobs[i].payload > 1);
	check_complete(mask);
}

static inline int wait_cookie(async_cookie_t cookie, struct async_domain *domain)
{
	uint32_t awaited = jobs_below(domain, cookie);
	int result = async_synchronize_cookie_domain(cookie, domain);

	if (!result)
		check_visible(awaited);
	return result;
}

static inline int wait_full(struct async_domain *domain)
{
	uint32_t awaited = jobs_below(domain, ASYNC_COOKIE_MAX);
	int result = domain ? async_synchronize_full_domain(domain) : async_synchronize_full();

	if (!result)
		check_visible(awaited);
	return result;
}

static inline int wait_call(unsigned n, async_cookie_t cookie, struct async_domain *domain)
{
	int result = async_synchronize_call(cookie, domain);

	if (!result)
		check_visible(1u << n);
	return result;
}

/* ---- what a job may do inside ---- */

/* Blocks as a system call would, until another thread opens the gate of its number. */
static inline void in_gate(void *data, async_cookie_t cookie)
{
	gate_wait(&gates[(struct job *)data - jobs]);
}

static inline void nothing(void *data, async_cookie_t cookie)
{
}

static inline void opens_0(void *data, async_cookie_t cookie)
{
	gate_open(&gates[0]);
}

static inline void opens_1(void *data, async_cookie_t cookie)
{
	gate_open(&gates[1]);
}

static inline void opens_2(void *data, async_cookie_t cookie)
{
	gate_open(&gates[2]);
}

static inline void opens_3(void *data, async_cookie_t cookie)
{
	gate_open(&gates[3]);
}

static inline void sets_error(void *data, async_cookie_t cookie)
{
	async_set_error(-EIO);
}

static inline void awaits_lower(void *data, async_cookie_t cookie)
{
	sim_check(!wait_cookie(cookie, domain_a));
}

static inline void awaits_b(void *data, async_cookie_t cookie)
{
	sim_check(!wait_full(domain_b));
}

/* ---- before and after a case ---- */

static inline void begin_domains(void)
{
	oracle_reset();
	domain_a = sim_new(sizeof(*domain_a));
	domain_b = sim_new(sizeof(*domain_b));
}

static inline void begin_exclusive(void)
{
	begin_domains();
	domain_b->exclusive = 1;
}

/* Of a domain that no thread may touch any more. */
static inline void free_domain(struct async_domain *domain)
{
	sim_delete(domain);
}

/* ---- actors by script ---- */

/*
 * ACTOR(name, "words") is a function of a case. Words, of job 0, domain a (b; *: NULL) and gate 1:
 *
 *   0a                    start(0, domain_a, NULL); 0a! start_ordered(); 0a.WHAT: what it does inside: nothing, gate,
 *                         opens0 to opens3, error, lower (waits for what is below), domain_b (waits for all of it)
 *   full:a                waits for all of a; upto:0a for what is below job 0, through:0a for that and job 0, call:0a
 *                         for job 0 alone
 *   open:1 pass:1         opens a gate; waits until it is open
 *   free:a                no thread may touch the domain any more
 *   begun:0 complete:0    job 0 is
 *   work                  a step of its own
 */
void play(const char *script);
#define ACTOR(name, script) \
	__attribute__((unused)) static void name(void) \
	{ \
		play(script); \
	}

/* ---- actors of several groups ---- */

ACTOR(full_wait, "full:*")
ACTOR(one_wait, "0a through:0a")
ACTOR(two_and_free, "0a 1a full:a free:a")
ACTOR(two_ordered, "0a.nothing 1a!.nothing 2a!.nothing full:a")
ACTOR(third_in_b, "2b full:b")

/* ---- groups of cases; each ends with one without a name ---- */

#define EXPLORE_GROUPS(X) \
	X(waits) \
	X(domains) \
	X(progress) \
	X(deadlock) \
	X(steps) \
	X(faults) \
	X(quiesce) \
	X(life) \
	X(owners) \
	X(hazards) \
	X(seldom) \
	X(posix)

extern const struct sim_case cases_broken[]; /* bugs that must be found */
#define EXPLORE_DECLARE(group) extern const struct sim_case cases_##group[];
EXPLORE_GROUPS(EXPLORE_DECLARE)

#endif
