/* SPDX-License-Identifier: MIT */
/* What the calls of random programs do: work, waits, calls and domains of their own (see program.c). */
#include "jobs.h"

#include <sched.h>
#include <time.h>

atomic_uint registered_running, quiesced;

static struct async_domain *left_over[JOBS];
static atomic_uint left_overs;

/* ---- making jobs ---- */

enum job_kind choose_kind(struct random *random)
{
	unsigned int at = random_below(random, 10);

	return at < 5 ? JOB_PLAIN : (enum job_kind)(at - 5);
}

static struct job *make(struct random *random, struct job *parent, struct table *table, struct async_domain *domain,
			enum job_kind kind)
{
	struct job *job = job_new(random, parent);

	if (!job)
		return NULL;
	job->table = table;
	job->domain = domain;
	job->from_retire = parent && (parent->from_retire || parent->ended);
	if (random_percent(random, 5))
		job->error = -1 - (int)random_below(random, 100);
	if (random_percent(random, 3))
		job->retire_error = -1 - (int)random_below(random, 100);
	return job_schedule(job, kind) ? job : NULL;
}

struct table *choose_table(struct random *random)
{
	return &tables[random_below(random, DOMAINS)];
}

static void add_child(struct job *parent, struct job *child)
{
	unsigned int n;

	if (!child)
		return;
	n = atomic_load(&parent->children);
	atomic_store(&parent->child[n], child);
	atomic_store(&parent->children, n + 1);
}

/* ---- domains that come and go ---- */

static void spoil(struct async_domain *domain)
{
	memset(domain, 0xdb, sizeof(*domain));
}

/* Its calls are awaited and checked. False: some are still in progress. */
static bool use_domain(struct async_domain *domain, struct random *random, struct job *parent)
{
	struct job *job[CHILDREN];
	unsigned int n = 1 + random_below(random, CHILDREN);
	int result;

	for (unsigned int i = 0; i < n; i++)
		job[i] = make(random, parent, NULL, domain, choose_kind(random));
	if (!parent && random_percent(random, 20))
		figure_add(&round_.figures->cancelled, async_cancel_domain(domain, job_release));
	if (n && job[n - 1] && random_percent(random, 30)) {
		waited();
		result = async_synchronize_cookie_domain(job[n - 1]->cookie, domain);
		if (answer(result, "a wait in a domain of its own"))
			for (unsigned int i = 0; i + 1 < n; i++)
				if (job[i])
					check_job_complete(job[i], "a wait in a domain of its own");
	}
	waited();
	if (!answer(async_synchronize_full_domain(domain), "a full wait on a domain of its own"))
		return false;
	for (unsigned int i = 0; i < n; i++)
		if (job[i])
			check_job_complete(job[i], "a full wait on a domain of its own");
	figure_add(&round_.figures->domains, 1);
	return true;
}

/* Memory goes only after a wait that returned 0: in a cycle, that is at the end of the phase. */
void come_and_go(struct random *random, struct job *parent)
{
	struct async_domain here = ASYNC_DOMAIN_INIT;
	struct async_domain *domain = &here;
	bool heap = wild || random_percent(random, 50);

	if (heap)
		domain = malloc(sizeof(*domain));
	TCHECK(domain);
	*domain = (struct async_domain)ASYNC_DOMAIN_INIT;
	domain->exclusive = random_percent(random, 50);
	if (!use_domain(domain, random, parent)) {
		left_over[atomic_fetch_add(&left_overs, 1)] = domain;
		return;
	}
	spoil(domain);
	if (heap)
		free(domain);
}

void free_left_overs(void)
{
	for (unsigned int i = 0; i < left_overs; i++) {
		waited();
		TCHECK(!async_synchronize_full_domain(left_over[i]));
		free(left_over[i]);
	}
	left_overs = 0;
}

/* ---- what they do ---- */

void work(struct random *random)
{
	volatile unsigned int spins = random_below(random, 1000);

	while (spins)
		spins--;
}

/* Blocks in the kernel, so that the pool has to grow. Nothing depends on how long. */
void block(struct random *random)
{
	struct timespec time = {0, (long)random_below(random, 100000)};

	if (random_percent(random, 50))
		sched_yield();
	else
		nanosleep(&time, NULL);
}

static void schedule_children(struct job *job, bool leaf)
{
	unsigned int n = 1 + random_below(&job->random, 2);

	for (unsigned int i = 0; i < n; i++) {
		struct job *child =
			make(&job->random, job, choose_table(&job->random), NULL, choose_kind(&job->random));

		add_child(job, child);
		if (child && !leaf && !child->ordered && random_percent(&job->random, 30))
			wait_call(child);
	}
}

static void act_wild(struct job *job)
{
	switch (random_below(&job->random, 6)) {
	case 0:
		wait_until_empty(choose_table(&job->random));
		break;
	case 1:
		wait_until_empty(NULL);
		break;
	case 2:
		wait_for_lower(choose_table(&job->random), ASYNC_COOKIE_MAX, false, &job->random);
		break;
	case 3:
		wait_owner(1 + random_below(&job->random, OWNERS));
		break;
	case 4:
		waited();
		answer(async_synchronize_call(job->cookie - random_below(&job->random, job->cookie > 5 ? 6 : 1), NULL),
		       "a wait for a call");
		break;
	default:
		wait_for_lower(choose_table(&job->random), job->cookie, false, &job->random);
		break;
	}
}

static void act_waiting(struct job *job)
{
	async_cookie_t bound = job->rank ? job->rank : job->cookie;
	struct random *random = &job->random;
	unsigned int at = random_below(random, 100);

	if (at < 12)
		wait_for_lower(job->table ? job->table : choose_table(random), bound, false, random);
	else if (at < 18)
		wait_for_lower(choose_table(random), bound, false, random);
	else if (at < 22)
		wait_for_lower(NULL, bound, false, random);
	else if (at < 27 && !wild) /* a timed wait may report a deadlock, and yet time out */
		wait_for_lower(choose_table(random), bound, true, random);
	else if (at < 37 && job->depth < DEEPEST)
		come_and_go(random, job);
	else if (at < 45 && job->depth < DEEPEST)
		schedule_children(job, false);
	else if (at < 60 && wild)
		act_wild(job);
}

static void enter_registered(const struct job *job, int step)
{
	if (!job->table || job->table->exclusive)
		return;
	if (atomic_load(&quiesced) && step > 0)
		TFAIL("job in cookie %" PRIu64 " runs while registered domains are quiet", job->cookie);
	atomic_fetch_add(&registered_running, (unsigned int)step);
}

void job_act(struct job *job)
{
	struct random *random = &job->random;

	enter_registered(job, 1);
	if (random_percent(random, 10))
		async_set_name("a name");
	if (random_percent(random, 40))
		work(random);
	if (random_percent(random, 4))
		block(random);
	if (!job->from_retire)
		act_waiting(job);
	enter_registered(job, -1);
}

void job_act_retired(struct job *job)
{
	enter_registered(job, 1);
	if (random_percent(&job->random, 40))
		work(&job->random);
	if (random_percent(&job->random, 10) && job->depth < DEEPEST && !atomic_load(&job->children))
		schedule_children(job, true);
	enter_registered(job, -1);
}
