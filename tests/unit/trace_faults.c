/* SPDX-License-Identifier: MIT */
/* What must not hurt the program: full disks, closed descriptors, gone readers, forks, many writers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "trace.h"
#include "trace_files.h"

#define PROCESSES 4
#define THREADS 4
#define LINES 200

static void send(async_cookie_t cookie)
{
	struct port_event event = {.type = ASYNC_TRACE_STARTED, .cookie = cookie, .name = "probe"};

	port_trace(&event);
}

/* In children, where cmocka's asserts do not reach. */
static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "CHECK %s\n", what);
	fflush(NULL);
	_exit(1);
}

static void assert_child(void (*body)(void), const char *told, size_t times)
{
	int status = in_child(body);
	char *errors = child_errors();

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("wait status 0x%x: %s", (unsigned int)status, errors);
	if (told && count_of(errors, told) != times)
		fail_msg("told %zu times, not %zu: %s", count_of(errors, told), times, errors);
	if (!told)
		assert_string_equal(errors, "");
	free(errors);
}

static void fill_the_disk(void)
{
	check(async_trace_open("/dev/full") == 0, "open");
	errno = 1234;
	for (async_cookie_t i = 1; i <= 50; i++)
		send(i);
	check(errno == 1234, "errno is kept");
}

UNIT(full_disk_is_told_once)
{
	assert_child(fill_the_disk, "cannot write the trace /dev/full: No space left on device", 1);
}

static rlim_t limit_bytes;

static void reach_the_limit(void)
{
	struct rlimit small = {limit_bytes, RLIM_INFINITY};
	struct rlimit large = {RLIM_INFINITY, RLIM_INFINITY};

	check(async_trace_open(scratch("limited")) == 0, "open");
	check(setrlimit(RLIMIT_FSIZE, &small) == 0, "limit");
	for (async_cookie_t i = 1; i <= 100; i++)
		send(i);
	check(setrlimit(RLIMIT_FSIZE, &large) == 0, "no limit");
	send(101);
	send(102);
}

/* SIGXFSZ would end the program. The line that was cut stands alone, and how many are missing is reported. */
static size_t torn_at(rlim_t bytes)
{
	long long lost = 0;
	size_t written = 0;
	size_t torn = 0;
	char *text;

	limit_bytes = bytes;
	unlink(scratch("limited"));
	assert_child(reach_the_limit, "inorder: cannot write", 1);
	text = file_text(scratch("limited"));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		json_object *object = json_tokener_parse(line);

		torn += !object;
		written += strcmp(trace_text_of(object, "ev"), "started") == 0;
		lost += strcmp(trace_text_of(object, "ev"), "lost") == 0 ? trace_number(object, "lines") : 0;
		json_object_put(object);
	}
	assert_true(lost > 0);
	assert_int_equal(written + (size_t)lost, 102);
	free(text);
	return torn;
}

/*
 * Where a line ends depends on where this was built, as the first has the program's path. So every byte of
 * one line is tried as the last: the end of a line, and its newline, are among them. There, nothing is torn.
 */
UNIT(lost_lines_are_counted)
{
	size_t torn = 0, tried = 0;

	for (rlim_t bytes = 1500; bytes < 1700; bytes++, tried++) {
		size_t here = torn_at(bytes);

		assert_true(here <= 1);
		torn += here;
	}
	assert_in_range(tried - torn, 1, tried - 1);
}

/* As daemons do: close all, then open a file of their own, which gets the trace's number. */
static void close_all(void)
{
	int own;

	check(async_trace_open(scratch("closed")) == 0, "open");
	send(1);
	for (int fd = 3; fd < 100; fd++)
		close(fd);
	for (int i = 0; i < 20; i++)
		own = open(scratch("precious"), O_WRONLY | O_CREAT | O_APPEND, 0600);
	check(own > 0, "own file");
	send(2);
	send(3);
	check(async_trace_open(NULL) == 0, "stop");
	check(fcntl(own, F_GETFD) >= 0, "the program's descriptor stays open");
}

UNIT(closed_descriptor_is_let_go)
{
	char *text;

	assert_child(close_all, "the program closed its descriptor; the trace ends here", 1);
	text = file_text(scratch("precious"));
	assert_string_equal(text, "");
	free(text);
	text = file_text(scratch("closed"));
	assert_int_equal(count_of(text, "\"started\""), 1);
	free(text);
}

static void lose_the_reader(void)
{
	int ends[2];
	sigset_t pending;

	check(pipe(ends) == 0, "pipe");
	check(async_trace_initcall(ends[1]) == 0, "start");
	send(1);
	close(ends[0]);
	send(2);
	send(3);
	sigpending(&pending);
	check(!sigismember(&pending, SIGPIPE), "no signal is left over");
}

UNIT(gone_reader_is_no_signal)
{
	assert_child(lose_the_reader, "cannot write the initcall lines", 1);
}

UNIT(unusable_paths)
{
	assert_int_equal(async_trace_open("/nonexistent/trace"), -ENOENT);
	assert_int_equal(async_trace_open("/"), -EISDIR);
	assert_int_equal(mkfifo(scratch("fifo"), 0600), 0);
	assert_int_equal(async_trace_open(scratch("fifo")), -ENXIO); /* no one reads: must not block */
	assert_false(port_tracing);
}

static void start_badly(void)
{
	port_trace_start(-1, "/nonexistent/trace");
	check(!port_tracing, "off");
}

UNIT(bad_start_is_told)
{
	assert_child(start_badly, "cannot write the trace /nonexistent/trace: No such file or directory; going on", 1);
}

UNIT(stopped_is_off)
{
	char *before;
	char *after;

	assert_int_equal(async_trace_open(scratch("stopped")), 0);
	assert_int_equal(async_trace_open(NULL), 0);
	before = file_text(scratch("stopped"));
	send(1);
	async_trace_phase("no more");
	after = file_text(scratch("stopped"));
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* A second start appends, and the torn last line of a crashed program does not spoil the new first one. */
UNIT(appends_after_a_crash)
{
	FILE *file = fopen(scratch("again"), "we");
	char *text;

	fputs("{\"t_ns\":12,\"pi", file);
	fclose(file);
	assert_int_equal(async_trace_open(scratch("again")), 0);
	assert_int_equal(async_trace_open(scratch("again")), 0);
	assert_int_equal(async_trace_open(NULL), 0);
	text = file_text(scratch("again"));
	assert_int_equal(strncmp(text, "{\"t_ns\":12,\"pi\n{\"t_ns\":", 23), 0);
	assert_int_equal(count_of(text, "\"ev\":\"start\""), 2);
	free(text);
}

static void *many_lines(void *data)
{
	for (async_cookie_t i = 1; i <= LINES; i++)
		send(i);
	return data;
}

static void many_threads(void)
{
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		check(pthread_create(&threads[i], NULL, many_lines, NULL) == 0, "thread");
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* Whole lines, and every child begins with a line that tells who it is. */
UNIT(processes_share_a_file)
{
	pid_t children[PROCESSES];
	json_object *lines;
	size_t starts = 0;

	assert_int_equal(async_trace_open(scratch("shared")), 0);
	for (size_t i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			alarm(250);
			many_threads();
			_exit(0);
		}
	}
	for (size_t i = 0; i < PROCESSES; i++)
		assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
	assert_int_equal(async_trace_open(NULL), 0);
	lines = trace_lines(scratch("shared"));
	assert_int_equal(json_object_array_length(lines), 1 + PROCESSES + PROCESSES * THREADS * LINES);
	while (trace_find(lines, "start", starts))
		starts++;
	assert_int_equal(starts, 1 + PROCESSES);
	for (size_t i = 1; i < starts; i++)
		assert_int_equal(trace_number(trace_find(lines, "start", i), "ppid"), getpid());
	for (size_t i = 0; i < PROCESSES; i++) {
		size_t j = 1;

		while (j < starts && trace_number(trace_find(lines, "start", j), "pid") != children[i])
			j++;
		assert_true(j < starts);
	}
	json_object_put(lines);
}

static void *endless_lines(void *stop)
{
	while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED)) {
		send(1);
		pthread_testcancel();
	}
	return NULL;
}

/* After a change of files no one writes to the old one; a fork between two lines leaves a child that can trace. */
UNIT(change_files_while_threads_write)
{
	bool stop = false;
	pthread_t threads[THREADS];
	char *before;
	char *after;

	assert_int_equal(async_trace_open(scratch("first")), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, endless_lines, &stop), 0);
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();

		if (child == 0) {
			alarm(250);
			send(7);
			_exit(async_trace_open(NULL) == 0 ? 0 : 1);
		}
		int status = 1;

		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	assert_int_equal(async_trace_open(scratch("second")), 0);
	before = file_text(scratch("first"));
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	after = file_text(scratch("first"));
	assert_string_equal(before, after);
	assert_int_equal(async_trace_open(NULL), 0);
	json_object_put(trace_lines(scratch("first")));
	json_object_put(trace_lines(scratch("second")));
	free(before);
	free(after);
}

/* A cancelled thread must not keep the lock. */
UNIT(cancelled_thread_keeps_nothing)
{
	bool never = false;
	pthread_t thread;

	alarm(250);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(async_trace_open(scratch("cancelled")), 0);
		assert_int_equal(pthread_create(&thread, NULL, endless_lines, &never), 0);
		pthread_cancel(thread);
		pthread_join(thread, NULL);
		assert_int_equal(async_trace_open(NULL), 0);
	}
	alarm(0);
}

static int clean(void **state)
{
	scratch_remove();
	return 0;
}

UNIT_MAIN(NULL, clean)
