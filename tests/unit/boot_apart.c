/* SPDX-License-Identifier: MIT */
/*
 * Steps that are taken by a process of their own: what they return, and that an execve() beside one neither waits for
 * it nor ends it. A step here waits for a byte of ours.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#include "internal.h"

enum { LIMIT_S = 240, WORK_NS = 3000000 };

static bool allocates;
static int to_step[2], from_step[2];
static atomic_int pid;
static uint64_t used_ns;

static int give_back(void *data)
{
	return data ? -*(int *)data : 0;
}

static int use_processor(void *data)
{
	struct timespec used;

	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	while (used.tv_sec == 0 && used.tv_nsec < WORK_NS);
	return *(pid_t *)data == getpid() ? -EDEADLK : 0;
}

static int answer(void *data)
{
	char byte = 0;

	(void)data;
	return write(from_step[1], "b", 1) == 1 && read(to_step[0], &byte, 1) == 1 && write(from_step[1], &byte, 1) == 1
		       ? 0
		       : -EIO;
}

static void *take_step(void *unused)
{
	apart_run(answer, NULL, allocates, &pid, &used_ns);
	return unused;
}

/* Begins a step in a thread, and executes another program beside it. */
_Noreturn static void execute_beside(void)
{
	pthread_t thread;
	char byte;

	if (!pthread_create(&thread, NULL, take_step, NULL) && read(from_step[0], &byte, 1) == 1)
		execl("/bin/true", "true", NULL);
	_exit(1);
}

static void check_execve(void)
{
	pid_t child;
	int status;
	char byte;

	assert_int_equal(pipe(to_step), 0);
	assert_int_equal(pipe(from_step), 0);
	child = fork();
	if (child == 0)
		execute_beside();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(from_step[1]);
	assert_int_equal(write(to_step[1], "e", 1), 1);
	assert_int_equal(read(from_step[0], &byte, 1), 1);
	assert_int_equal(byte, 'e');
	close(from_step[0]);
	close(to_step[0]);
	close(to_step[1]);
}

UNIT(test_execve_does_not_wait)
{
	(void)state;
	check_execve();
}

UNIT(test_execve_does_not_wait_for_a_step_that_allocates)
{
	(void)state;
	allocates = true;
	check_execve();
}

UNIT(test_what_the_step_returned)
{
	int errors[] = {ENOENT, EEXIST, EKEYREJECTED};

	(void)state;
	for (int allocating = 0; allocating < 2; allocating++) {
		assert_int_equal(apart_run(give_back, NULL, allocating, &pid, &used_ns), 0);
		for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
			assert_int_equal(apart_run(give_back, &errors[i], allocating, &pid, &used_ns), -errors[i]);
		assert_int_equal(pid, 0);
	}
}

UNIT(test_processor_time)
{
	pid_t own = getpid();

	(void)state;
	assert_int_equal(apart_run(use_processor, &own, false, &pid, &used_ns), 0);
	assert_true(used_ns >= WORK_NS / 2);
}

int main(void)
{
	alarm(LIMIT_S);
	return UNIT_RUN(NULL, NULL);
}
