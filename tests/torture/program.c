/* SPDX-License-Identifier: MIT */
/*
 * Random programs: what threads do beside the calls (calls.c), and a phase of all that.
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
#include <sys/wait.h>

enum { ACTORS = 4, OPERATIONS = 60 };

static int null_fd = -1;
static bool quiesces; /* in this phase */

struct actor_thread {
	pthread_t thread;
	struct random random;
	struct job *last; /* the newest job of its own that was accepted */
};

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
	case 0:
		wait_until_empty(NULL);
		break;
	case 1:
		wait_until_empty(choose_table(random));
		break;
	case 2:
		wait_for_lower(NULL, bound, false, random);
		break;
	case 3:
		wait_owner(1 + random_below(random, OWNERS));
		break;
	case 4:
		wait_for_lower(choose_table(random), bound, true, random);
		break;
	case 5:
		if (actor->last)
			wait_call(actor->last);
		break;
	default:
		wait_for_lower(choose_table(random), bound, false, random);
		break;
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
		actors[i] = (struct actor_thread){.random = random_stream(random_next(&round_.choices), i)};
	for (unsigned int i = 1; i < n; i++)
		TCHECK(!pthread_create(&actors[i].thread, NULL, act, &actors[i]));
	act(&actors[0]);
	for (unsigned int i = 1; i < n; i++)
		TCHECK(!pthread_join(actors[i].thread, NULL));
	wait_for_everything();
	*enough = *enough && jobs_used() < round_.threads;
	jobs_end();
}

/* Where threads are enough and nothing is quiesced, no thread is woken but for its own condition. */
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
