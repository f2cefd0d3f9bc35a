/* SPDX-License-Identifier: MIT */
/* Workers take after the process, not after the thread that happened to schedule first; and after async_workers. */
#include "harness.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

struct look {
	cpu_set_t cpus;
	int policy, nice;
	unsigned int slack;
	char name[16];
};

static void note_look(void *data, async_cookie_t cookie)
{
	struct look *look = data;

	CHECK(!sched_getaffinity(0, sizeof(look->cpus), &look->cpus));
	look->policy = (int)syscall(SYS_sched_getscheduler, 0); /* musl's function says ENOSYS */
	look->nice = getpriority(PRIO_PROCESS, (id_t)tid_self());
	look->slack = (unsigned int)prctl(PR_GET_TIMERSLACK);
	CHECK(!prctl(PR_GET_NAME, look->name));
}

static void schedule_look(void *data)
{
	struct gate gate;

	async_schedule(note_look, data);
	gate_new(&gate, NULL);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

static void schedule_oddly(void *data)
{
	struct sched_param param = {.sched_priority = 1};
	cpu_set_t cpus, one;

	CHECK(!sched_getaffinity(0, sizeof(cpus), &cpus));
	CPU_ZERO(&one);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &cpus)) {
			CPU_SET(cpu, &one);
			break;
		}
	CHECK(!sched_setaffinity(0, sizeof(one), &one));
	CHECK(!prctl(PR_SET_TIMERSLACK, 1));
	CHECK(!setpriority(PRIO_PROCESS, (id_t)tid_self(), 5));
	sched_setscheduler(0, SCHED_FIFO, &param); /* where it is allowed */
	schedule_look(data);
}

TEST(workers_are_like_the_process, .pools = PMANY)
{
	struct look own, worker = {.policy = -1};
	struct actor actor;

	note_look(&own, 0);
	actor_start(&actor, schedule_oddly, &worker);
	actor_join(&actor);
	CHECK(CPU_EQUAL(&worker.cpus, &own.cpus));
	CHECK_EQ(worker.policy, SCHED_OTHER);
	CHECK_EQ(worker.slack, own.slack);
	CHECK(!strncmp(worker.name, "inorder/", 8));
	if (!geteuid()) /* a nice value that was raised comes down again for the privileged only */
		CHECK_EQ(worker.nice, own.nice);
}

static atomic_uint started, ended;

static void on_start(void *data)
{
	CHECK(data == &started);
	started++;
}

static void on_end(void *data)
{
	CHECK(data == &started);
	ended++;
}

static int configure(struct async_workers *workers)
{
	struct async_config config = ASYNC_CONFIG_INIT;

	config.workers = workers;
	return async_configure(&config);
}

TEST(workers_are_as_configured, .pools = PMANY)
{
	struct async_workers workers = ASYNC_WORKERS_INIT;
	struct look own, worker = {.policy = -1};
	char name[10] = "probe";
	cpu_set_t cpus;

	note_look(&own, 0);
	CPU_ZERO(&cpus);
	for (size_t cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&cpus); cpu++)
		if (CPU_ISSET(cpu, &own.cpus))
			CPU_SET(cpu, &cpus);
	workers.cpus = &cpus;
	workers.cpus_bytes = sizeof(cpus);
	workers.nice = 3;
	workers.name = name;
	workers.start = on_start;
	workers.end = on_end;
	workers.data = &started;
	CHECK_EQ(configure(&workers), 0);
	memset(name, 'x', sizeof(name)); /* copied */
	schedule_look(&worker);
	CHECK_EQ(CPU_COUNT(&worker.cpus), 1);
	CHECK_EQ(worker.nice, own.nice + 3);
	CHECK(!strncmp(worker.name, "probe/", 6));
	CHECK(started >= 1 && !ended);
	CHECK_EQ(configure(&workers), -EBUSY);
}

TEST(workers_that_make_no_sense_are_refused, .pools = P1)
{
	struct async_workers workers = ASYNC_WORKERS_INIT;

	workers.size--;
	CHECK_EQ(configure(&workers), -EINVAL);
	workers = (struct async_workers)ASYNC_WORKERS_INIT;
	workers.realtime = 100;
	CHECK_EQ(configure(&workers), -EINVAL);
	workers = (struct async_workers)ASYNC_WORKERS_INIT;
	workers.cpus_bytes = 8;
	CHECK_EQ(configure(&workers), -EINVAL);
	workers = (struct async_workers)ASYNC_WORKERS_INIT;
	workers.name = "ten letters";
	CHECK_EQ(configure(&workers), -EINVAL);
	workers.name = "";
	CHECK_EQ(configure(&workers), -EINVAL);
	CHECK_EQ(configure(NULL), 0);
}

/* A stack of the system's size would be in memory whole, 8 MB each. */
TEST(locked_memory_does_not_hold_whole_stacks, .pools = P256, .no_tsan = true, .no_asan = true)
{
	enum { CALLS = 30 };
	static struct gate gates[CALLS];
	size_t before;

	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		harness_skip("mlockall is not allowed");
	before = memory_bytes();
	gates_new(gates, CALLS, NULL);
	CHECK(memory_bytes() - before < (size_t)CALLS << 20);
	gates_end(gates, CALLS);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* Of what is locked from then on the library hears nothing: it looks again after a number of threads, 8 MB each. */
TEST(memory_locked_later_is_noticed, .pools = P256, .no_tsan = true, .no_asan = true)
{
	enum { CALLS = 64, UNNOTICED = 20 };
	static struct gate first, gates[CALLS];
	size_t before;

	gate_new(&first, NULL);
	if (mlockall(MCL_FUTURE))
		harness_skip("mlockall is not allowed");
	before = memory_bytes();
	gates_new(gates, CALLS, NULL);
	CHECK(memory_bytes() - before < ((size_t)UNNOTICED * 8 + CALLS) << 20);
	gates_end(gates, CALLS);
	gate_end(&first);
	CHECK_EQ(async_synchronize_full(), 0);
}
