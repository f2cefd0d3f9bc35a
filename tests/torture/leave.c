/* SPDX-License-Identifier: MIT */
/*
 * Ends of processes: exits of every kind with calls running, pending and waiting for their turn, and children of
 * forks. What had to complete is counted in memory that the driver looks at afterwards.
 */
#include "torture.h"

#include <sched.h>
#include <sys/wait.h>

enum { DEEP = 3, MOST = 400 };

static ASYNC_DOMAIN(registered);
static ASYNC_DOMAIN_EXCLUSIVE(exclusive);
static struct async_domain *const domains[] = {NULL, &registered, &exclusive};
static ASYNC_DOMAIN_EXCLUSIVE(of_its_own); /* no turn comes after the call that leaves */
static struct random leaving;
static sem_t never;

/* ---- calls that count themselves ---- */

struct leaf {
	struct random random;
	unsigned int depth;
};

static struct leaf leaves[MOST * 4];
static atomic_uint leaves_used;

static void leaf_func(void *data, async_cookie_t cookie);
static void leaf_retire(void *data, async_cookie_t cookie);

static void schedule_leaf(struct random *random, unsigned int depth)
{
	unsigned int n = atomic_fetch_add(&leaves_used, 1);
	struct async_domain *domain = domains[random_below(random, 3)];
	struct leaf *leaf = &leaves[n];

	if (n >= MOST * 4)
		return;
	*leaf = (struct leaf){random_stream(random_next(random), n), depth};
	figure_add(&round_.figures->calls, 1);
	figure_add(&round_.figures->accepted, 1);
	if (random_percent(random, 30)) {
		figure_add(&round_.figures->accepted, 1);
		if (!async_schedule_ordered(leaf_func, leaf_retire, leaf, domain))
			TFAIL("there was no memory for a call");
	} else {
		async_schedule_domain(leaf_func, leaf, domain);
	}
}

static void leaf_act(struct leaf *leaf, async_cookie_t cookie)
{
	if (random_percent(&leaf->random, 20))
		sched_yield();
	if (random_percent(&leaf->random, 20) && leaf->depth < DEEP)
		schedule_leaf(&leaf->random, leaf->depth + 1);
	if (random_percent(&leaf->random, 10) && !leaf->depth) {
		figure_add(&round_.figures->waits, 1);
		TCHECK(!async_synchronize_cookie_domain(cookie, domains[random_below(&leaf->random, 3)]));
	}
}

static void leaf_func(void *data, async_cookie_t cookie)
{
	leaf_act(data, cookie);
	figure_add(&round_.figures->completed, 1);
}

static void leaf_retire(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	figure_add(&round_.figures->completed, 1);
}

static void schedule_leaves(void)
{
	unsigned int n = 1 + random_below(&leaving, MOST);

	for (unsigned int i = 0; i < n; i++)
		schedule_leaf(&leaving, 0);
}

/* ---- ways to go ---- */

static void leave_call(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	exit(0);
}

static void *leave_thread(void *data)
{
	exit(0);
	return data;
}

static void wait_for_ever(void)
{
	for (;;)
		sem_wait(&never);
}

static void leave_from_thread(void)
{
	pthread_t thread;

	TCHECK(!pthread_create(&thread, NULL, leave_thread, NULL));
	wait_for_ever();
}

static void use_late(void)
{
	for (unsigned int i = 0; i < 20; i++)
		schedule_leaf(&leaving, DEEP);
	figure_add(&round_.figures->waits, 1);
	TCHECK(!async_synchronize_full());
}

static void leave_by_exec(void)
{
	pid_t pid = fork();
	int status;

	TCHECK(pid >= 0);
	if (!pid) {
		schedule_leaves();
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	while (waitpid(pid, &status, 0) < 0)
		TCHECK(errno == EINTR);
	if (status)
		TFAIL("after exec with calls in progress the status is %#x", (unsigned int)status);
	round_.figures->completed = round_.figures->accepted = 0; /* the child's: some were lost with its memory */
}

void leave_phase(void)
{
	unsigned int how = random_below(&round_.choices, 7);

	leaving = random_stream(random_next(&round_.choices), 2);
	sem_init(&never, 0, 0);
	if (random_percent(&round_.choices, 30))
		TCHECK(!atexit(use_late));
	if (how == 6 && !HARNESS_TSAN && !HARNESS_ASAN)
		leave_by_exec();
	schedule_leaves();
	switch (how) {
	case 0:
	case 1:
	case 2:
		exit(0);
	case 3:
		round_.figures->drops = true;
		_exit(0);
	case 4:
		async_schedule_domain(leave_call, NULL, &of_its_own);
		wait_for_ever();
		break;
	case 5:
		leave_from_thread();
		break;
	default:
		figure_add(&round_.figures->waits, 1);
		TCHECK(!async_synchronize_full());
		exit(0);
	}
}

/* ---- the child of a fork: none of its parent's calls exist, and everything works ---- */

static void count_call(void *data, async_cookie_t cookie)
{
	(void)cookie;
	atomic_fetch_add((atomic_uint *)data, 1);
}

_Noreturn void forked_child(struct random *random)
{
	ASYNC_DOMAIN(own);
	static atomic_uint n; /* calls may outlive this function */
	unsigned int calls = 1 + random_below(random, 100);

	allow(STILL_S); /* the timer is not inherited */
	n = 0;
	if (random_percent(random, 50))
		TCHECK(!async_synchronize_full());
	for (unsigned int i = 0; i < calls; i++) {
		async_schedule_domain(count_call, &n, i & 1 ? &own : i & 2 ? &exclusive : NULL);
		TCHECK(async_schedule_ordered(count_call, count_call, &n, &own));
	}
	TCHECK(!async_synchronize_full_domain(&own));
	TCHECK(!async_synchronize_full());
	TCHECK(!async_synchronize_full_domain(&exclusive));
	if (n != 3 * calls)
		TFAIL("in a forked child %u of %u calls ran", n, 3 * calls);
	figure_add(&round_.figures->waits, 4);
	if (random_percent(random, 50))
		_exit(0);
	exit(0);
}
