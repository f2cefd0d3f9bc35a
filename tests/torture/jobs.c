/* SPDX-License-Identifier: MIT */
/* The oracle of the random programs: what each call may and must see, and what stands when a wait has returned. */
#include "jobs.h"

struct table tables[DOMAINS];
struct table owner_tables[OWNERS];
struct async_owner owners[OWNERS] = {ASYNC_OWNER_INIT("first"), ASYNC_OWNER_INIT("second")};
bool wild;

static struct job jobs[JOBS];
static atomic_uint used;
static ASYNC_DOMAIN(registered);
static ASYNC_DOMAIN_EXCLUSIVE(exclusive);

static unsigned int number(const struct job *job)
{
	return (unsigned int)(job - jobs);
}

struct job *job_new(struct random *random, struct job *parent)
{
	unsigned int n = atomic_fetch_add(&used, 1);
	struct job *job = &jobs[n < JOBS ? n : 0];

	if (n >= JOBS) {
		atomic_fetch_sub(&used, 1);
		return NULL;
	}
	job->random = random_stream(random_next(random), n);
	job->depth = parent ? parent->depth + 1 : 0;
	job->rank = !parent ? 0 : parent->rank ? parent->rank : parent->cookie;
	job->owner = parent ? parent->owner : 0;
	return job;
}

/* ---- what a call notes ---- */

/* The scheduler and the call may both be first to know. */
static void note_cookie(struct job *job, async_cookie_t cookie)
{
	async_cookie_t before = atomic_exchange_explicit(&job->cookie, cookie, memory_order_relaxed);

	if (!cookie || (before && before != cookie))
		TFAIL("job %u has cookie %" PRIu64 ", and then %" PRIu64, number(job), before, cookie);
}

static void note(struct job *job, atomic_uint *what, const char *name)
{
	if (atomic_fetch_add_explicit(what, 1, memory_order_relaxed))
		TFAIL("job %u, cookie %" PRIu64 ", %s twice", number(job), job->cookie, name);
	if (what != &job->released && job->released)
		TFAIL("job %u, cookie %" PRIu64 ", %s though it was cancelled", number(job), job->cookie, name);
}

static void check_inside(const struct job *job, async_cookie_t cookie)
{
	if (!current_is_async() || async_current_cookie() != cookie)
		TFAIL("job %u has cookie %" PRIu64 " and runs in cookie %" PRIu64, number(job), cookie,
		      async_current_cookie());
}

static void job_func(void *data, async_cookie_t cookie)
{
	struct job *job = data;

	note_cookie(job, cookie);
	note(job, &job->begun, "runs");
	check_inside(job, cookie);
	job_act(job);
	check_inside(job, cookie);
	if (job->error)
		async_set_error(job->error);
	job->written = number(job) + 1;
	note(job, &job->ended, "ends");
}

static void check_lower_complete(const struct job *job)
{
	const struct table *table = job->table;
	unsigned int n = atomic_load(&table->count);

	for (unsigned int i = 0; i < n; i++) {
		const struct job *other = atomic_load_explicit(&table->job[i], memory_order_acquire);

		if (other && other->cookie < job->cookie && !job_complete(other))
			TFAIL("cookie %" PRIu64 " retires before cookie %" PRIu64 " is complete", job->cookie,
			      other->cookie);
	}
}

static void job_retire(void *data, async_cookie_t cookie)
{
	struct job *job = data;

	note_cookie(job, cookie);
	check_inside(job, cookie);
	if (job->written != number(job) + 1 || !job->ended)
		TFAIL("job %u, cookie %" PRIu64 ", retires before its func is seen to have ended", number(job), cookie);
	if (job->table) {
		if (cookie <= job->table->last_retired)
			TFAIL("cookie %" PRIu64 " retires after %" PRIu64, cookie, job->table->last_retired);
		job->table->last_retired = cookie;
		if (random_percent(&job->random, 20))
			check_lower_complete(job);
	}
	job_act_retired(job);
	if (job->retire_error)
		async_set_error(job->retire_error);
	job->retire_written = number(job) + 1;
	note(job, &job->retired, "retires");
	figure_add(&round_.figures->retires, 1);
}

void job_release(void *data, async_cookie_t cookie)
{
	struct job *job = data;

	note_cookie(job, cookie);
	if (job->begun)
		TFAIL("job %u, cookie %" PRIu64 ", is released though it has begun", number(job), cookie);
	note(job, &job->released, "is released");
}

/* ---- scheduling ---- */

static void append(struct table *table, struct job *job)
{
	unsigned int n = atomic_fetch_add(&table->count, 1);

	TCHECK(n < JOBS);
	atomic_store_explicit(&table->job[n], job, memory_order_release);
}

static async_cookie_t schedule(struct job *job, enum job_kind kind)
{
	async_func_t retire = job->ordered ? job_retire : NULL;
	async_cookie_t cookie = 0;

	switch (kind) {
	case JOB_ORDERED:
		return async_schedule_ordered(job_func, retire, job, job->domain);
	case JOB_ENTRY:
	case JOB_ORDERED_ENTRY:
		return async_schedule_entry(&job->entry, job_func, retire, job, job->domain);
	case JOB_TRY:
		if (async_try_schedule(job_func, job, job->domain, &cookie))
			return cookie;
		TCHECK(!cookie);
		return 0;
	default:
		return async_schedule_node_domain(job_func, job, -1, job->domain);
	}
}

bool job_schedule(struct job *job, enum job_kind kind)
{
	async_cookie_t cookie;

	job->ordered = kind == JOB_ORDERED || kind == JOB_ORDERED_ENTRY;
	if (job->table)
		job->domain = job->table->domain;
	cookie = schedule(job, kind);
	if (!cookie) {
		if (kind != JOB_TRY && kind != JOB_ORDERED)
			TFAIL("job %u of kind %d was refused", number(job), kind);
		job->failed_try = true;
		figure_add(&round_.figures->refused, 1);
		return false;
	}
	note_cookie(job, cookie);
	if (job->table)
		append(job->table, job);
	if (job->owner)
		append(&owner_tables[job->owner - 1], job);
	figure_add(&round_.figures->calls, 1);
	return true;
}

/* ---- waits ---- */

bool job_complete(const struct job *job)
{
	if (atomic_load_explicit(&job->released, memory_order_relaxed))
		return true;
	return atomic_load_explicit(job->ordered ? &job->retired : &job->ended, memory_order_relaxed);
}

/* Also that what it wrote is there. */
void check_job_complete(const struct job *job, const char *waited)
{
	if (!job_complete(job))
		TFAIL("%s has returned, but job %u, cookie %" PRIu64 ", is in progress", waited, number(job),
		      job->cookie);
	if (job->released)
		return;
	if (job->written != number(job) + 1 || (job->ordered && job->retire_written != number(job) + 1))
		TFAIL("%s has returned, but what job %u, cookie %" PRIu64 ", wrote is not to be seen", waited,
		      number(job), job->cookie);
}

/* Calls that they scheduled in the same domain, or of the same owner, were in progress before they were complete. */
static void check_descendants(const struct job *job, const struct table *table, unsigned int owner, const char *waited)
{
	unsigned int n = atomic_load(&job->children);

	for (unsigned int i = 0; i < n && i < CHILDREN; i++) {
		const struct job *child = atomic_load(&job->child[i]);

		if (!child || child->failed_try || (table ? child->table != table : child->owner != owner))
			continue;
		check_job_complete(child, waited);
		check_descendants(child, table, owner, waited);
	}
}

void mark_take(struct mark *mark, unsigned int owner)
{
	for (unsigned int i = 0; i < DOMAINS; i++)
		mark->tables[i] = atomic_load(&tables[i].count);
	mark->owner = owner ? atomic_load(&owner_tables[owner - 1].count) : 0;
}

static void check_table(const struct table *table, unsigned int n, async_cookie_t bound, bool full)
{
	for (unsigned int i = 0; i < n; i++) {
		const struct job *job = atomic_load_explicit(&table->job[i], memory_order_acquire);

		if (!job || job->cookie >= bound)
			continue;
		check_job_complete(job, full ? "a full wait" : "a wait for a cookie");
		if (full)
			check_descendants(job, table, 0, "a full wait");
	}
}

void check_waited(const struct mark *mark, const struct table *table, async_cookie_t bound, bool full)
{
	for (unsigned int i = 0; i < DOMAINS; i++)
		if (table ? table == &tables[i] : !tables[i].exclusive)
			check_table(&tables[i], mark->tables[i], bound, full);
}

void check_owner_waited(const struct mark *mark, unsigned int owner)
{
	const struct table *table = &owner_tables[owner - 1];

	for (unsigned int i = 0; i < mark->owner; i++) {
		const struct job *job = atomic_load_explicit(&table->job[i], memory_order_acquire);

		if (!job)
			continue;
		check_job_complete(job, "a wait for an owner");
		check_descendants(job, NULL, owner, "a wait for an owner");
	}
}

/* ---- phases ---- */

void jobs_begin(void)
{
	struct async_domain *domains[DOMAINS] = {NULL, &registered, &exclusive};

	for (unsigned int i = 0; i < DOMAINS; i++) {
		tables[i].domain = domains[i];
		tables[i].exclusive = domains[i] == &exclusive;
		tables[i].count = 0;
		tables[i].last_retired = 0;
		async_domain_clear_error(domains[i]);
	}
	for (unsigned int i = 0; i < OWNERS; i++)
		owner_tables[i].count = 0;
}

static int error_of(const struct job *job)
{
	return job->released ? 0 : job->ordered && job->retire_error ? job->retire_error : job->error;
}

/* The lowest failed call of all decides. */
static void check_errors(const struct table *table)
{
	async_cookie_t said, cookie = ASYNC_COOKIE_MAX;
	int error = 0, is = async_domain_error(table->domain, &said);

	for (unsigned int i = 0; i < table->count; i++) {
		const struct job *job = table->job[i];

		if (job->cookie < cookie && error_of(job)) {
			error = error_of(job);
			cookie = job->cookie;
		}
	}
	if (is != error || said != (error ? cookie : 0))
		TFAIL("the error of a domain is %d of cookie %" PRIu64 ", not %d of %" PRIu64, is, said, error, cookie);
}

static void check_job(const struct job *job)
{
	unsigned int runs = !job->released && !job->failed_try;

	if (job->begun != runs || job->ended != runs || job->retired != (runs && job->ordered) || job->released > 1 ||
	    (job->failed_try && (job->released || job->cookie)))
		TFAIL("job %u, cookie %" PRIu64 ", began %u times, ended %u, retired %u, was released %u%s%s",
		      number(job), job->cookie, job->begun, job->ended, job->retired, job->released,
		      job->ordered ? ", ordered" : "", job->failed_try ? ", refused" : "");
}

unsigned int jobs_used(void)
{
	return used;
}

void jobs_end(void)
{
	unsigned int n = used;

	for (unsigned int i = 0; i < n; i++)
		check_job(&jobs[i]);
	for (unsigned int i = 0; i < DOMAINS; i++)
		check_errors(&tables[i]);
	memset(jobs, 0, n * sizeof(jobs[0]));
	for (unsigned int i = 0; i < DOMAINS; i++)
		memset((void *)tables[i].job, 0, tables[i].count * sizeof(tables[i].job[0]));
	for (unsigned int i = 0; i < OWNERS; i++)
		memset((void *)owner_tables[i].job, 0, owner_tables[i].count * sizeof(owner_tables[i].job[0]));
	used = 0;
}
