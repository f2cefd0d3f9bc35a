/* SPDX-License-Identifier: MIT */
/*
 * Where a trace goes. Two sinks, each on or off: the kernel's lines (to a descriptor) and the full trace
 * (appended to a file). An event becomes one line, and a line one write() with O_APPEND, so threads and
 * processes share a file without mixing lines, and what was written is safe from a crash of the program.
 *
 * A line is made without the lock and written with it, so when async_trace_open() returns no thread writes to
 * the old file any more. (Not a lock for many readers: glibc's and musl's starve their writers, and a file
 * takes one append at a time anyway.) The program's own mistakes and a full disk must not hurt: an error is
 * reported once on standard error, lines that could not be written are counted, signals are kept away, and a
 * descriptor that the program closed, or that by now is another file, is let go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "rob.h"
#include "trace_text.h"

/* Guarded by the lock. */
struct sink {
	int fd; /* -1: off; read without the lock too, to see whether a line is worth making */
	dev_t device;
	ino_t inode;
	const char *what;
	char name[256]; /* the file's path */
	bool reported;  /* an error was */
	bool torn;      /* a line was cut short; the next one begins with a line end */
	uint64_t lost;  /* lines that could not be written since the last that could */
};

_Bool port_tracing;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sink full = {.fd = -1, .what = "the trace"};
static struct sink kernel = {.fd = -1, .what = "the initcall lines"};
static pid_t own_pid;
static _Thread_local pid_t own_tid;

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now = {0, 0};

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct trace_place here(void)
{
	if (own_tid == 0)
		own_tid = (pid_t)syscall(SYS_gettid);
	return (struct trace_place){clock_ns(CLOCK_MONOTONIC), own_pid, own_tid};
}

/*
 * Like write(), but what would be a signal is only an error: SIGPIPE when the reader has gone, SIGXFSZ at
 * the limit of a file's size. One that was pending before stays pending.
 */
static ssize_t write_quietly(int fd, const char *text, size_t bytes)
{
	static const struct timespec at_once = {0, 0};
	sigset_t ours, before, pending;
	ssize_t done;
	int error;

	sigemptyset(&ours);
	sigaddset(&ours, SIGPIPE);
	sigaddset(&ours, SIGXFSZ);
	pthread_sigmask(SIG_BLOCK, &ours, &before);
	sigemptyset(&pending);
	/* Covered by chance: another signal interrupts it */
	if (sigismember(&before, SIGPIPE) == 1 || sigismember(&before, SIGXFSZ) == 1)
		sigpending(&pending);
	do
		done = write(fd, text, bytes);
	/* Covered by chance: another signal interrupts it */
	while (done < 0 && errno == EINTR);
	error = errno;
	if (done < 0 && error == EPIPE && sigismember(&pending, SIGPIPE) == 1)
		sigdelset(&ours, SIGPIPE);
	/* Covered by chance: another signal interrupts it */
	if (done < 0 && error == EFBIG && sigismember(&pending, SIGXFSZ) == 1)
		sigdelset(&ours, SIGXFSZ);
	if (done < 0 && (error == EPIPE || error == EFBIG))
		/* Covered by chance: another signal interrupts it */
		while (sigtimedwait(&ours, NULL, &at_once) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return done;
}

/* Covered by chance: printing does not fail; a child's counters may go with it */
static void tell(const char *what, const char *name, const char *why, const char *then)
{
	char text[512];
	int length = snprintf(text, sizeof(text), "inorder: cannot write %s%s%s: %s; %s\n", what, name[0] ? " " : "",
			      name, why, then);

	size_t bytes = length > 0 ? strnlen(text, sizeof(text)) : 0;

	if (write_quietly(STDERR_FILENO, text, bytes) < 0)
		return; /* there is nowhere left to report to */
}

static void tell_once(struct sink *sink, const char *why, const char *then)
{
	if (!sink->reported)
		tell(sink->what, sink->name, why, then);
	sink->reported = true;
}

/* The program may have closed the descriptor, and opened something of its own that got the same number. */
static bool still_ours(struct sink *sink)
{
	struct stat status;

	/* Covered by chance: another file of the same number on another device */
	if (fstat(sink->fd, &status) == 0 && status.st_dev == sink->device && status.st_ino == sink->inode)
		return true;
	tell_once(sink, "the program closed its descriptor", "the trace ends here");
	return false;
}

/* Returns whether the whole line was written. */
static bool put(struct sink *sink, const struct trace_line *line)
{
	ssize_t done = -1;

	if (!sink->torn || write_quietly(sink->fd, "\n", 1) == 1) {
		sink->torn = false;
		done = write_quietly(sink->fd, line->text, line->used);
	}
	if (done == (ssize_t)line->used)
		return true;
	if (done > 0)
		sink->torn = true;
	if (done == (ssize_t)line->used - 1)
		return true; /* but for its end, which comes before the next */
	tell_once(sink, done < 0 ? strerror(errno) : "it took a part of a line only",
		  "lines are lost until it can be written again");
	sink->lost++;
	return false;
}

static void put_full(const struct trace_line *line, const struct trace_place *place)
{
	struct trace_line note;

	if (!still_ours(&full))
		return;
	if (full.lost) {
		trace_lost(&note, place, full.lost);
		if (!put(&full, &note))
			return; /* which counted itself, and so stands for this event */
		full.lost = 0;
	}
	put(&full, line);
}

static bool is_on(const struct sink *sink)
{
	return __atomic_load_n(&sink->fd, __ATOMIC_RELAXED) >= 0; /* no order: looked at again under the lock */
}

void port_trace(const struct port_event *event)
{
	int saved = errno;
	struct trace_place place = here();
	struct trace_line kernel_line;
	struct trace_line full_line;
	int cancel;

	kernel_line.used = full_line.used = 0;
	if (is_on(&kernel))
		trace_kernel_event(&kernel_line, &place, event);
	if (is_on(&full))
		trace_event(&full_line, &place, event);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel); /* or a cancelled thread would keep the lock */
	pthread_mutex_lock(&lock);
	/* Covered by chance: the trace was stopped before the lock was taken */
	if (kernel_line.used && kernel.fd >= 0)
		put(&kernel, &kernel_line);
	/* Covered by chance: the trace was stopped before the lock was taken */
	if (full_line.used && full.fd >= 0)
		put_full(&full_line, &place);
	pthread_mutex_unlock(&lock);
	pthread_setcancelstate(cancel, &cancel);
	errno = saved;
}

static void write_header(bool append)
{
	struct trace_place place = here();
	struct trace_line line;

	if (append) /* the last line of a crashed writer may lack its end */
		full.torn = true;
	trace_header(&line, &place, clock_ns(CLOCK_REALTIME));
	put(&full, &line);
}

static void fork_prepare(void)
{
	pthread_mutex_lock(&lock);
}

static void fork_parent(void)
{
	pthread_mutex_unlock(&lock);
}

/* Covered by chance: gcov forgets what handlers of a fork ran, unless they are in a library */
static void fork_child(void)
{
	int saved = errno;

	own_pid = getpid();
	own_tid = own_pid;
	pthread_mutex_unlock(&lock); /* fork_prepare() took it in this thread */
	full.lost = 0;
	if (full.fd >= 0 && still_ours(&full))
		write_header(false);
	errno = saved;
}

/*
 * When the library is loaded, and before the core's handlers: at a fork the core's lock is taken first, as at first
 * use.
 */
__attribute__((constructor(101))) static void fork_register(void)
{
	own_pid = getpid();
	/* Not covered: no memory for a fork handler: the C library's own allocation, which the tests do not reach */
	if (pthread_atfork(fork_prepare, fork_parent, fork_child) != 0)
		tell("a trace", "", "no memory for its fork handlers",
		     "lines of forked children carry the parent's pid");
}

static void set_tracing(void)
{
	__atomic_store_n(&port_tracing, full.fd >= 0 || kernel.fd >= 0, __ATOMIC_RELAXED); /* no order: for is_on() */
}

int async_trace_initcall(int fd)
{
	pthread_mutex_lock(&lock);
	__atomic_store_n(&kernel.fd, fd < 0 ? -1 : fd, __ATOMIC_RELAXED); /* no order: under the lock, for is_on() */
	kernel.reported = false;
	kernel.torn = false;
	set_tracing();
	pthread_mutex_unlock(&lock);
	return 0;
}

/* Not blocking, or a pipe would wait here for its reader and a serial line for its carrier. */
static int open_file(const char *path, struct stat *status)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
	int flags;

	if (fd < 0)
		return -errno;
	flags = fcntl(fd, F_GETFL);
	/* Not covered: fcntl() and fstat() of a descriptor that was just opened */
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 || fstat(fd, status) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

static void use_file(int fd, const char *path, const struct stat *status)
{
	if (full.fd >= 0 && still_ours(&full))
		close(full.fd);
	__atomic_store_n(&full.fd, fd, __ATOMIC_RELAXED); /* no order: under the lock, for is_on() */
	full.reported = false;
	full.torn = false;
	full.lost = 0;
	if (fd < 0)
		return;
	snprintf(full.name, sizeof(full.name), "%s", path);
	full.device = status->st_dev;
	full.inode = status->st_ino;
	write_header(S_ISREG(status->st_mode) && status->st_size > 0);
}

int async_trace_open(const char *path)
{
	struct stat status;
	int cancel, saved = errno;
	int fd;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	fd = path ? open_file(path, &status) : -1;
	if (!path || fd >= 0) {
		pthread_mutex_lock(&lock);
		use_file(fd, path, &status);
		set_tracing();
		pthread_mutex_unlock(&lock);
	}
	pthread_setcancelstate(cancel, &cancel);
	errno = saved;
	return path && fd < 0 ? fd : 0;
}

void port_trace_start(int initcall_fd, const char *path)
{
	int error;

	if (initcall_fd >= 0)
		async_trace_initcall(initcall_fd);
	error = path ? async_trace_open(path) : 0;
	if (error)
		tell("the trace", path, strerror(-error),
		     "going on without it (INORDER_DEBUG or the configuration asked)");
}

/* A program's marks may come before its first call, which is what reads INORDER_DEBUG. */
static bool tracing(void)
{
	static bool asked;

	/* No order: to start the library twice is harmless: rob_start() locks */
	if (!__atomic_load_n(&asked, __ATOMIC_RELAXED)) {
		__atomic_store_n(&asked, true, __ATOMIC_RELAXED); /* no order: as above */
		rob_start();
	}
	return __atomic_load_n(&port_tracing, __ATOMIC_RELAXED); /* no order: a hint */
}

void async_trace_phase(const char *name)
{
	struct port_event event = {.type = ASYNC_TRACE_PHASE, .name = name ? name : ""};

	if (tracing())
		port_trace(&event);
}

uint64_t async_trace_calling(void (*func)(void), const char *name)
{
	struct port_event event = {.type = ASYNC_TRACE_CALLING, .func = (async_func_t)func, .name = name};

	if (!tracing())
		return 0;
	port_trace(&event);
	return clock_ns(CLOCK_MONOTONIC);
}

void async_trace_called(void (*func)(void), const char *name, int result, uint64_t since_ns)
{
	struct port_event event = {.type = ASYNC_TRACE_CALLED,
				   .func = (async_func_t)func,
				   .name = name,
				   .error = result,
				   .since_ns = since_ns};

	if (tracing())
		port_trace(&event);
}

uint64_t async_trace_wait_begin(const char *what)
{
	struct port_event event = {.type = ASYNC_TRACE_AWAITING, .name = what ? what : ""};

	if (!tracing())
		return 0;
	port_trace(&event);
	return clock_ns(CLOCK_MONOTONIC);
}

void async_trace_wait_end(const char *what, uint64_t since_ns)
{
	struct port_event event = {.type = ASYNC_TRACE_AWAITED, .name = what ? what : "", .since_ns = since_ns};

	if (tracing())
		port_trace(&event);
}
