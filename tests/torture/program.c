/* SPDX-License-Identifier: MIT */
/*
 * Random programs: what calls do (job_act), what threads do beside them, and a phase of all that.
 *
 * In a safe program nothing may be in a cycle, so every wait must return 0. It
 * keeps this rule: a call waits for lower cookies than that of the outermost call
 * it descends from, and for its own descendants. (Of descendants that retire it
 * waits only for those in a domain of its own; retire steps and their children
 * wait for nothing, as they may run on another call's stack.) In a wild program
 * calls wait for anything, and each -EDEADLK must come with one report.
 */
#include "jobs.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>

enum { ACTORS = 4, DEEPEST = 3, OPERATIONS = 60 };

static atomic_uint registered_running; /* calls of registered domains inside their func or retire */
static atomic_uint quiesced;
static atomic_ulong deadlocks;
static struct async_domain *left_over[JOBS];
static atomic_uint left_overs;
static int null_fd = -1;
static bool quiesces; /* in this phase */

struct actor_thread {
	pthread_t thread;
	struct random random;
	struct job *last; /* the newest job of its own that was accepted */
};

/* ---- waits and their answers ---- */

static void waited(void)
{
	figure_add(&round_.figures->waits, 1);
}

/* Whether the wait covered all that it should. */
static bool answer(int result, const char *wait)
{
	if (result == -ETIMEDOUT) {
		figure_add(&round_.figures->timed_out, 1);
		return false;
	}
	if (result == -EDEADLK && wild && current_is_async()) {
		atomic_fetch_add(&deadlocks, 1);
		figure_add(&round_.figures->deadlocks, 1);
		return false;
	}
	if (result)
		TFAIL("%s returned %d in cookie %" PRIu64, wait, result, async_current_cookie());
	return true;
}

/* As a parameter of a wait, NULL is all registered domains; the default one has a wait of its own. */
static void wait_for_lower(const struct table *table, async_cookie_t bound, bool timed, struct random *random)
{
	struct mark mark;
	int result;

	if (timed && table == &tables[0])
		table = NULL;
	mark_take(&mark, 0);
	waited();
	if (timed)
		result = async_synchronize_cookie_timeout(bound, table ? table->domain : NULL, random_below(random, 200000));
	else if (table == &tables[0])
		result = async_synchronize_cookie(bound);
	else
		result = async_synchronize_cookie_domain(bound, table ? table->domain : NULL);
	if (answer(result, "a wait for a cookie"))
		check_waited(&mark, table, bound, false);
}

static void wait_until_empty(const struct table *table)
{
	struct mark mark;
	int result;

	mark_take(&mark, 0);
	waited();
	result = table && table->domain ? async_synchronize_full_domain(table->domain) : async_synchronize_full();
	if (answer(result, "a full wait"))
		check_waited(&mark, table && table->domain ? table : NULL, ASYNC_COOKIE_MAX, true);
}

static void wait_call(struct job *job)
{
	waited();
	if (answer(async_synchronize_call(job->cookie, job->domain), "a wait for a call"))
		check_job_complete(job, "a wait for a call");
}

static void wait_owner(unsigned int owner)
{
	struct mark mark;

	mark_take(&mark, owner);
	waited();
	if (answer(async_synchronize_owner(&owners[owner - 1]), "a wait for an owner"))
		check_owner_waited(&mark, owner);
}

/* ---- making jobs ---- */

static enum job_kind choose_kind(struct random *random)
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

static struct table *choose_table(struct random *random)
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
static void come_and_go(struct random *random, struct job *parent)
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

static void free_left_overs(void)
{
	for (unsigned int i = 0; i < left_overs; i++) {
		waited();
		TCHECK(!async_synchronize_full_domain(left_over[i]));
		free(left_over[i]);
	}
	left_overs = 0;
}

/* ---- what calls do ---- */

static void work(struct random *random)
{
	volatile unsigned int spins = random_below(random, 1000);

	while (spins)
		spins--;
}

/* Blocks in the kernel, so that the pool has to grow. Nothing depends on how long. */
static void block(struct random *random)
{
	struct timespec time = { 0, (long)random_below(random, 100000) };

	if (random_percent(random, 50))
		sched_yield();
	else
		nanosleep(&time, NULL);
}

static void schedule_children(struct job *job, bool leaf)
{
	unsigned int n = 1 + random_below(&job->random, 2);

	for (unsigned int i = 0; i < n; i++) {
		struct job *child = make(&job->random, job, choose_table(&job->random), NULL, choose_kind(&job->random));

		add_child(job, child);
		if (child && !leaf && !child->ordered && random_percent(&job->random, 30))
			wait_call(child);
	}
}

static void act_wild(struct job *job)
{
	switch (random_below(&job->random, 6)) {
	case 0: wait_until_empty(choose_table(&job->random)); break;
	case 1: wait_until_empty(NULL); break;
	case 2: wait_for_lower(choose_table(&job->random), ASYNC_COOKIE_MAX, false, &job->random); break;
	case 3: wait_owner(1 + random_below(&job->random, OWNERS)); break;
	case 4:
		waited();
		answer(async_synchronize_call(job->cookie - random_below(&job->random, job->cookie > 5 ? 6 : 1), NULL),
		       "a wait for a call");
		break;
	default: wait_for_lower(choose_table(&job->random), job->cookie, false, &job->random); break;
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

/* ---- what threads do ---- */

/* While this thread holds others back, calls of exclusive domains might run inline and wait for those that are. */
static void burst(struct actor_thread *actor, unsigned int domains)
{
	struct random *random = &actor->random;
	unsigned int n = 1 + random_below(random, random_percent(random, 20) ? 40 : 8);
	unsigned int owner = random_percent(random, 30) ? 1 + random_below(random, OWNERS) : 0;
	struct async_owner *before = owner ? async_owner_enter(&owners[owner - 1]) : NULL;

	for (unsigned int i = 0; i < n; i++) {
		struct job *job = job_new(random, NULL);

		if (!job)
			break;
		job->owner = owner;
		job->table = &tables[random_below(random, domains)];
		if (random_percent(random, 5))
			job->error = -1 - (int)random_below(random, 100);
		if (random_percent(random, 3))
			job->retire_error = -1 - (int)random_below(random, 100);
		if (job_schedule(job, choose_kind(random)))
			actor->last = job;
	}
	if (owner)
		async_owner_enter(before);
}

static void any_wait(struct actor_thread *actor)
{
	struct random *random = &actor->random;
	async_cookie_t bound = actor->last ? actor->last->cookie + random_below(random, 3) : ASYNC_COOKIE_MAX;

	switch (random_below(random, 8)) {
	case 0: wait_until_empty(NULL); break;
	case 1: wait_until_empty(choose_table(random)); break;
	case 2: wait_for_lower(NULL, bound, false, random); break;
	case 3: wait_owner(1 + random_below(random, OWNERS)); break;
	case 4: wait_for_lower(choose_table(random), bound, true, random); break;
	case 5:
		if (actor->last)
			wait_call(actor->last);
		break;
	default: wait_for_lower(choose_table(random), bound, false, random); break;
	}
}

/* No call of a registered domain runs between begin and end, and those that were made meanwhile run after it. */
static void quiesce(struct actor_thread *actor)
{
	waited();
	TCHECK(!async_quiesce_begin());
	atomic_fetch_add(&quiesced, 1);
	if (atomic_load(&registered_running))
		TFAIL("%u calls of registered domains run though they are quiet", registered_running);
	burst(actor, DOMAINS - 1);
	work(&actor->random);
	if (atomic_load(&registered_running))
		TFAIL("%u calls of registered domains have begun though they are held back", registered_running);
	atomic_fetch_sub(&quiesced, 1);
	TCHECK(!async_quiesce_end());
	figure_add(&round_.figures->quiesces, 1);
}

static void fork_here(struct random *random)
{
	int status;
	pid_t pid;

	if (HARNESS_TSAN || HARNESS_ASAN)
		return; /* their run-times do not allow threads in the child */
	pid = fork();
	TCHECK(pid >= 0);
	if (!pid)
		forked_child(random);
	while (waitpid(pid, &status, 0) < 0)
		TCHECK(errno == EINTR);
	if (status)
		TFAIL("a forked child ended with status %#x", (unsigned int)status);
	figure_add(&round_.figures->forks, 1);
}

static void operate(struct actor_thread *actor)
{
	struct random *random = &actor->random;
	unsigned int at = random_below(random, 100);
	struct table *table;

	if (at < 45) {
		burst(actor, DOMAINS);
	} else if (at < 70) {
		any_wait(actor);
	} else if (at < 85) {
		come_and_go(random, NULL);
	} else if (at < 91) {
		table = choose_table(random);
		figure_add(&round_.figures->cancelled, async_cancel_domain(table->domain, job_release));
	} else if (at < 93) {
		async_report(null_fd);
	} else if (at < 96 && quiesces) {
		quiesce(actor);
	} else if (at < 97) {
		if (random_percent(random, 20))
			fork_here(random);
	} else {
		block(random);
	}
}

static void *act(void *data)
{
	struct actor_thread *actor = data;
	unsigned int n = 1 + random_below(&actor->random, OPERATIONS);

	for (unsigned int i = 0; i < n && jobs_used() < JOBS; i++)
		operate(actor);
	return NULL;
}

/* ---- a phase ---- */

/* Registered calls may have scheduled exclusive ones, and these registered ones, as deep as calls go. */
static void wait_for_everything(void)
{
	for (unsigned int i = 0; i < DEEPEST + 2; i++) {
		wait_until_empty(NULL);
		wait_until_empty(&tables[2]);
	}
	for (unsigned int i = 1; i <= OWNERS; i++)
		wait_owner(i);
	free_left_overs();
}

static void run_program(bool *enough)
{
	static struct actor_thread actors[ACTORS];
	unsigned int n = 1 + random_below(&round_.choices, ACTORS);

	if (null_fd < 0)
		null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	jobs_begin();
	quiesces = random_percent(&round_.choices, 40);
	for (unsigned int i = 0; i < n; i++)
		actors[i] = (struct actor_thread){ .random = random_stream(random_next(&round_.choices), i) };
	for (unsigned int i = 1; i < n; i++)
		TCHECK(!pthread_create(&actors[i].thread, NULL, act, &actors[i]));
	act(&actors[0]);
	for (unsigned int i = 1; i < n; i++)
		TCHECK(!pthread_join(actors[i].thread, NULL));
	wait_for_everything();
	*enough = *enough && jobs_used() < round_.threads;
	jobs_end();
}

/* Where threads are enough and nothing is quiesced, nobody is woken but for its own condition. */
void safe_phase(void)
{
	bool enough = round_.threads >= 1024;

	wild = false;
	run_program(&enough);
	wakes_collect(enough && !quiesces);
}

/* As many reports as answers, and no more of them. */
static void check_reports(void)
{
	static const char begin[] = "inorder: deadlock: ";
	off_t size = lseek(2, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);
	unsigned long reports = 0;

	TCHECK(text && pread(2, text, (size_t)size, 0) == size);
	for (const char *at = strstr(text, begin); at; at = strstr(at + 1, begin))
		reports++;
	free(text);
	if (reports != deadlocks)
		TFAIL("%lu reports of deadlocks, but %lu waits returned -EDEADLK", reports, deadlocks);
	TCHECK(!ftruncate(2, 0));
	deadlocks = 0;
}

void wild_phase(void)
{
	bool enough = false;

	wild = true;
	run_program(&enough);
	wakes_collect(false);
	check_reports();
}
