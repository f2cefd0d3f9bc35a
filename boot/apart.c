/* SPDX-License-Identifier: MIT */
/*
 * Steps that no signal interrupts: the kernel loads a module, or waits until a device was probed. execve() of process 1
 * waits for all threads of it, so such a step is done by a process of its own. That shares our memory, as after
 * vfork(), and so costs next to nothing: the thread that waits for it does nothing else, and is killed at once. The
 * memory stays until the process has ended too; the real init is its parent then.
 */
#include "internal.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK_BYTES = 32768 };

struct work {
	int (*step)(void *data);
	void *data;
	atomic_int *pid;
};

static int do_work(void *data)
{
	struct work *work = data;

	*work->pid = getpid();
	return -work->step(work->data);
}

static uint64_t nanoseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * NSEC_PER_SEC + (uint64_t)time->tv_usec * 1000;
}

/* Waits for the process. Return: what the step returned. */
static int wait_for(pid_t process, uint64_t *used_ns)
{
	struct rusage used;
	int status;

	while (wait4(process, &status, 0, &used) < 0)
		if (errno != EINTR)
			return -errno;
	*used_ns = nanoseconds(&used.ru_utime) + nanoseconds(&used.ru_stime);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

int apart_run(int (*step)(void *data), void *data, bool allocates, atomic_int *pid, uint64_t *used_ns)
{
	_Alignas(16) char stack[STACK_BYTES];
	struct work work = {step, data, pid};
	pid_t process;
	int result;

	*used_ns = 0;
	if (is_finisher() || cmdline.serial)
		return step(data);
	/* who dies in malloc() holds a lock for ever, and would do so for a process with the same memory */
	process = allocates ? fork() : clone(do_work, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &work);
	if (process == 0)
		_exit(do_work(&work));
	if (process < 0)
		return step(data);
	*pid = process;
	result = wait_for(process, used_ns);
	*pid = 0;
	return result;
}
