/* SPDX-License-Identifier: MIT */
/* Threads: starting them, what they are doing, and the log. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>

#include "core.h"

__thread struct rob_thread port_thread;
__thread int port_tid;

/* More than any machine that this was tried on; larger masks fall back to sysconf(). */
static unsigned count_cpus(void)
{
	cpu_set_t set;
	long online;
	int count = 0;

	if (!sched_getaffinity(0, sizeof(set), &set))
		count = CPU_COUNT(&set);
	if (count > 0)
		return (unsigned)count;
	online = sysconf(_SC_NPROCESSORS_ONLN);
	return online > 0 ? (unsigned)online : 1;
}

unsigned port_cpus(void)
{
	unsigned count = count_cpus();

	port_store_relaxed(&port_processors, count);
	return count;
}

static void *worker_thread(void *worker)
{
	rob_worker_main(worker);
	return NULL;
}

static void *monitor_thread(void *unused)
{
	rob_monitor_main();
	return unused;
}

/* Signals go to the program's own threads, as if the library had none. */
int port_thread_start(struct rob_worker *worker, uint32_t stack_bytes)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int saved = errno;
	int error = pthread_attr_init(&attr);

	if (error)
		return -error;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (!worker)
		stack_bytes = 64 * 1024;
	if (stack_bytes)
		pthread_attr_setstacksize(&attr, stack_bytes < PTHREAD_STACK_MIN ? (size_t)PTHREAD_STACK_MIN : stack_bytes);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attr, worker ? worker_thread : monitor_thread, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	errno = saved;
	return -error;
}

_Noreturn void port_thread_exit(void)
{
	pthread_exit(NULL);
}

/* The letter behind the name in /proc/self/task/TID/stat; the name may hold anything, even brackets. */
bool port_thread_sleeps(int thread_id)
{
	char path[64], text[256];
	const char *end;
	ssize_t bytes;
	int fd, saved = errno;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread_id);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		errno = saved;
		return false;
	}
	bytes = read(fd, text, sizeof(text) - 1);
	close(fd);
	errno = saved;
	if (bytes <= 0)
		return false;
	text[bytes] = '\0';
	end = strrchr(text, ')');
	return end && end[1] == ' ' && (end[2] == 'S' || end[2] == 'D');
}

void port_log(int fd, const char *format, ...)
{
	char text[2048];
	va_list args;
	int length, saved = errno;
	size_t done = 0, bytes;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	bytes = length < 0 ? 0 : (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1;
	while (done < bytes) {
		ssize_t now = write(fd, text + done, bytes - done);

		if (now < 0 && errno != EINTR)
			break; /* there is nowhere else to say it */
		done += now > 0 ? (size_t)now : 0;
	}
	errno = saved;
}
