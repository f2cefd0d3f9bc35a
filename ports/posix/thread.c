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

/* ---- calls have to return ---- */

__thread bool port_watched;
static pthread_once_t watch_once = PTHREAD_ONCE_INIT;
static pthread_key_t watch_key;
static bool watches;

/* In a thread that ends. In a forked child nothing is left on the stack of the one that forked. */
static void thread_ends(void *unused)
{
	struct rob_frame *top = port_thread.top;

	(void)unused;
	if (!top)
		return;
	port_log(
		2,
		"inorder: cookie %llu: its thread ends inside the call, by pthread_exit() or by a cancellation that the call "
		"has enabled; a call has to return, so the program ends here\n",
		(unsigned long long)top->cookie);
	abort();
}

static void make_watch_key(void)
{
	watches = !pthread_key_create(&watch_key, thread_ends);
}

/* Without a key, or memory for it, the end of a thread goes unnoticed. */
void port_watch_thread(void)
{
	pthread_once(&watch_once, make_watch_key);
	port_watched = !watches || !pthread_setspecific(watch_key, &port_thread);
}

/* ---- starting threads ---- */

static void *worker_thread(void *worker)
{
	port_hold();
	rob_worker_main(worker);
	return NULL;
}

static void *monitor_thread(void *unused)
{
	port_hold();
	rob_monitor_main();
	return unused;
}

/* Signals go to the program's own threads, as if the library had none. The new thread sees what its starter wrote (O7). */
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
		pthread_attr_setstacksize(&attr,
					  stack_bytes < PTHREAD_STACK_MIN ? (size_t)PTHREAD_STACK_MIN : stack_bytes);
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
	int length, cancel, saved = errno;
	size_t done = 0, bytes;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE,
			       &cancel); /* write() would end the thread, with a lock held maybe */
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
	pthread_setcancelstate(cancel, &cancel);
	errno = saved;
}
