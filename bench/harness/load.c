/* SPDX-License-Identifier: MIT */
/* Busy loops beside a sample: processes that end with it, and with the harness however that ends. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../workload/spin.h"
#include "harness.h"

static pid_t loops[LOOPS_MOST];
static unsigned loop_count;

static _Noreturn void loop(pid_t harness)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == harness)
		spin(1000000);
	_exit(0);
}

bool load_begin(unsigned count)
{
	pid_t harness = getpid();

	for (loop_count = 0; loop_count < count; loop_count++) {
		loops[loop_count] = fork();
		if (!loops[loop_count])
			loop(harness);
		if (loops[loop_count] < 0)
			return false;
	}
	return true;
}

uint64_t load_end(void)
{
	uint64_t used_ns = 0;

	while (loop_count) {
		pid_t pid = loops[--loop_count];
		struct rusage used;
		int status;

		kill(pid, SIGKILL);
		while (wait4(pid, &status, 0, &used) < 0 && errno == EINTR)
			;
		used_ns += usage_ns(&used);
	}
	return used_ns;
}
