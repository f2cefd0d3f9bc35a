/* SPDX-License-Identifier: MIT */
/*
 * What a worker looks like to the system. A new thread inherits from the one that
 * starts it, which is whichever thread scheduled a call: maybe a real-time thread
 * bound to one processor. Workers take after the process instead, that is after
 * its main thread, and follow struct async_workers. What cannot be had is left.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "guest.h"
#include "rob.h"

#define NAME_BYTES 16 /* of the kernel */
#define PREFIX_BYTES 10
#define REALTIME_MOST 99

static struct async_workers given;
static cpu_set_t given_cpus;
static char prefix[PREFIX_BYTES] = "inorder";
static unsigned long slack_ns; /* of the thread that loaded the library; 0: not known */
static port_u32 numbers;
static __thread bool started;

__attribute__((constructor)) static void note_slack(void)
{
	int slack = prctl(PR_GET_TIMERSLACK);

	slack_ns = slack > 0 ? (unsigned long)slack : 0;
}

int guest_workers_set(const struct async_workers *workers)
{
	if (!workers)
		return 0;
	if (workers->size != sizeof(*workers) || workers->realtime > REALTIME_MOST ||
	    workers->cpus_bytes > sizeof(given_cpus) || (workers->cpus_bytes && !workers->cpus))
		return -EINVAL;
	if (workers->name && (!*workers->name || strlen(workers->name) >= sizeof(prefix)))
		return -EINVAL;
	given = *workers;
	CPU_ZERO(&given_cpus);
	if (given.cpus_bytes)
		memcpy(&given_cpus, workers->cpus, workers->cpus_bytes);
	if (workers->name)
		memcpy(prefix, workers->name, strlen(workers->name) + 1);
	given.cpus = NULL;
	given.name = NULL;
	return 0;
}

/* As configured, or those of the main thread, whose id is the process's. */
static bool find_processors(pid_t process, cpu_set_t *set)
{
	if (!given.cpus_bytes)
		return !sched_getaffinity(process, sizeof(*set), set);
	*set = given_cpus;
	return true;
}

unsigned guest_cpus(void)
{
	cpu_set_t set;

	/* Covered by chance: more processors than the C library's mask has room for */
	return find_processors(getpid(), &set) ? (unsigned)CPU_COUNT(&set) : 0;
}

static void take_processors(pid_t process)
{
	cpu_set_t wanted, own;

	if (find_processors(process, &wanted) && !sched_getaffinity(0, sizeof(own), &own) && !CPU_EQUAL(&own, &wanted))
		sched_setaffinity(0, sizeof(wanted), &wanted);
}

static void take_policy(pid_t process)
{
	int wanted = given.realtime ? SCHED_FIFO : sched_getscheduler(process) & ~SCHED_RESET_ON_FORK;
	struct sched_param param = {.sched_priority = (int)given.realtime};

	if (!given.realtime && wanted != SCHED_BATCH && wanted != SCHED_IDLE)
		wanted = SCHED_OTHER;
	if (given.realtime || (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) != wanted)
		sched_setscheduler(0, wanted, &param);
}

static void take_nice(pid_t process)
{
	int wanted = getpriority(PRIO_PROCESS, (id_t)process) + given.nice;

	if (getpriority(PRIO_PROCESS, 0) != wanted) /* Linux: of this thread */
		setpriority(PRIO_PROCESS, 0, wanted);
}

static void take_name(void)
{
	char name[NAME_BYTES];
	/* No order: each number once, in any order */
	uint32_t number = atomic_fetch_add_explicit(&numbers, 1, memory_order_relaxed) + 1;

	snprintf(name, sizeof(name), "%.9s/%u", prefix, number % 100000);
	prctl(PR_SET_NAME, name);
}

void guest_dress(void)
{
	pid_t process = getpid();

	take_processors(process);
	take_policy(process);
	take_nice(process);
	if (slack_ns)
		prctl(PR_SET_TIMERSLACK, slack_ns);
	take_name();
	if (given.start)
		given.start(given.data);
	started = true;
}

void guest_undress(void)
{
	if (started && given.end)
		given.end(given.data);
	started = false;
}
