/* SPDX-License-Identifier: MIT */
/* What ends the patience of the finisher: no file, a file that is removed, the end of the worker, a while. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "internal.h"

enum { LIMIT_S = 240, FOR_EVER = -1, A_WHILE_MS = 10 };

static char file[] = "/tmp/boot_patience.XXXXXX";

static void *wait_patiently(void *worker)
{
	patience_wait(file, *(pid_t *)worker, FOR_EVER);
	return NULL;
}

/* A process that lasts until it is killed. */
static pid_t start_worker(void)
{
	const pid_t worker = fork();

	if (worker == 0)
		for (;;)
			pause();
	return worker;
}

static void end(pid_t worker)
{
	kill(worker, SIGKILL);
	assert_int_equal(waitpid(worker, NULL, 0), worker);
}

UNIT(test_a_while)
{
	const pid_t worker = start_worker();

	(void)state;
	patience_wait(file, worker, A_WHILE_MS);
	end(worker);
}

UNIT(test_the_end_of_the_worker)
{
	pid_t worker = start_worker();
	pthread_t waiter;

	(void)state;
	assert_int_equal(pthread_create(&waiter, NULL, wait_patiently, &worker), 0);
	end(worker);
	assert_int_equal(pthread_join(waiter, NULL), 0);
}

/* Whether the file is removed before the wait or in it. */
UNIT(test_a_file_that_is_removed)
{
	pid_t worker = start_worker();
	pthread_t waiter;

	(void)state;
	assert_int_equal(pthread_create(&waiter, NULL, wait_patiently, &worker), 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(pthread_join(waiter, NULL), 0);
	end(worker);
}

UNIT(test_no_file)
{
	const pid_t worker = start_worker();

	(void)state;
	patience_wait(file, worker, FOR_EVER);
	end(worker);
}

int main(void)
{
	const int fd = mkstemp(file);

	if (fd < 0)
		return 1;
	close(fd);
	alarm(LIMIT_S);
	return UNIT_RUN(NULL, NULL);
}
