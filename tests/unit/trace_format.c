/* SPDX-License-Identifier: MIT */
/* What the lines of both forms of the trace look like. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <regex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#include "trace.h"
#include "trace_files.h"

static void probe(void *data, async_cookie_t cookie)
{
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void send(enum async_trace_type type, async_cookie_t cookie, async_cookie_t arg, int error, uint64_t since_ns,
		 const char *name)
{
	struct port_event event = {.type = type,
				   .cookie = cookie,
				   .arg = arg,
				   .error = error,
				   .since_ns = since_ns,
				   .name = name,
				   .func = probe};

	port_trace(&event);
}

/* Traces what @events sends and returns the lines; the caller puts them. */
static json_object *full(void (*events)(void))
{
	const char *path = scratch("full");

	unlink(path);
	assert_int_equal(async_trace_open(path), 0);
	assert_true(port_tracing);
	events();
	assert_int_equal(async_trace_open(NULL), 0);
	assert_false(port_tracing);
	return trace_lines(path);
}

/* The kernel's lines of what @events sends; the caller frees them. */
static char *kernel(void (*events)(void))
{
	const char *path = scratch("kernel");
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);

	assert_int_equal(async_trace_initcall(fd), 0);
	events();
	assert_int_equal(async_trace_initcall(-1), 0);
	close(fd);
	return file_text(path);
}

static void assert_matches(const char *text, const char *expression)
{
	regex_t regex;

	assert_int_equal(regcomp(&regex, expression, REG_EXTENDED | REG_NEWLINE | REG_NOSUB), 0);
	if (regexec(&regex, text, 0, NULL, 0) != 0)
		fail_msg("no line matches\n  %s\nin\n%s", expression, text);
	regfree(&regex);
}

/*
 * The text before the number is @before, and the number lies between @least and that plus the time since @since_ns: a
 * machine that stands still in the middle adds to it.
 */
static void assert_usecs(const char *text, const char *before, uint64_t least, uint64_t since_ns)
{
	const char *at = strstr(text, before);

	if (!at)
		fail_msg("no \"%s\" in\n%s", before, text);
	assert_in_range(strtoull(at + strlen(before), NULL, 10), least, least + (now_ns() - since_ns) / 1000);
}

static void one_call(void)
{
	send(ASYNC_TRACE_SCHEDULED, 5, 3, 0, 0, NULL);
	send(ASYNC_TRACE_STARTED, 5, 1, 0, 0, NULL);
	send(ASYNC_TRACE_COMPLETED, 5, 0, -5, now_ns() - 2500000, "sd a");
}

UNIT(header_tells_the_start)
{
	json_object *lines = full(one_call);
	json_object *start = json_object_array_get_idx(lines, 0);

	assert_string_equal(trace_text_of(start, "ev"), "start");
	assert_int_equal(trace_number(start, "inorder"), 2);
	assert_in_range(trace_number(start, "started_ns"), 1, trace_number(start, "t_ns"));
	assert_int_equal(trace_number(start, "pid"), getpid());
	assert_int_equal(trace_number(start, "ppid"), getppid());
	assert_string_equal(trace_text_of(start, "clock"), "monotonic");
	assert_non_null(strstr(trace_text_of(start, "program"), "trace_format"));
	assert_in_range(trace_number(start, "realtime_ns"), (time(NULL) - 60) * 1000000000ll,
			(time(NULL) + 1) * 1000000000ll);
	assert_in_range(trace_number(start, "t_ns"), now_ns() - 60000000000, now_ns());
	json_object_put(lines);
}

UNIT(events_of_a_call)
{
	uint64_t since_ns = now_ns();
	json_object *lines = full(one_call);
	json_object *scheduled = trace_find(lines, "scheduled", 0);
	json_object *started = trace_find(lines, "started", 0);
	json_object *completed = trace_find(lines, "completed", 0);

	assert_int_equal(json_object_array_length(lines), 4);
	assert_int_equal(trace_number(scheduled, "cookie"), 5);
	assert_int_equal(trace_number(scheduled, "by"), 3);
	assert_int_equal(trace_number(scheduled, "tid"), syscall(SYS_gettid));
	assert_string_equal(trace_text_of(started, "helped"), "true");
	assert_int_equal(trace_number(completed, "error"), -5);
	assert_string_equal(trace_text_of(completed, "name"), "sd a");
	assert_in_range(trace_number(completed, "t_ns") - trace_number(completed, "since_ns"), 2500000,
			2500000 + (int64_t)(now_ns() - since_ns));
	assert_int_equal(trace_number(completed, "cancelled"), -1);
	json_object_put(lines);
}

/* The chart finds a static function's name by the object's path and the offset in it. */
UNIT(static_function_is_object_and_offset)
{
	json_object *lines = full(one_call);
	const char *func = trace_text_of(trace_find(lines, "scheduled", 0), "func");
	const char *plus = strrchr(func, '+');

	assert_int_equal(func[0], '/');
	assert_non_null(plus);
	assert_int_equal(strncmp(plus, "+0x", 3), 0);
	json_object_put(lines);
}

UNIT(dynamic_symbol_is_named)
{
	char text[128];
	char tiny[8];

	port_symbol((async_func_t)(void (*)(void))getpid, text, sizeof(text));
	assert_matches(text, "^[a-z_]*getpid\\+0x0/0x[0-9a-f]+$");
	port_symbol((async_func_t)(uintptr_t)8, text, sizeof(text));
	assert_string_equal(text, "0x8");
	port_symbol(probe, tiny, sizeof(tiny));
	assert_int_equal(strlen(tiny), sizeof(tiny) - 1);
}

static void waits(void)
{
	send(ASYNC_TRACE_WAITING, 7, 9, 0, 0, NULL);
	send(ASYNC_TRACE_CONTINUED, 7, 9, -35, now_ns() - 19872000, NULL);
	send(ASYNC_TRACE_WAITING, 0, ASYNC_COOKIE_MAX, 0, 0, NULL);
	send(ASYNC_TRACE_WORKER, 0, 3, 1, 0, NULL);
	send(ASYNC_TRACE_COMPLETED, 8, 1, 0, 0, NULL);
	async_trace_wait_end("disk sda", async_trace_wait_begin("disk sda"));
}

UNIT(arguments_by_event)
{
	json_object *lines = full(waits);

	assert_int_equal(trace_number(trace_find(lines, "waiting", 0), "for"), 9);
	assert_int_equal(trace_number(trace_find(lines, "waiting", 1), "for"), -1);
	assert_int_equal(trace_number(trace_find(lines, "continued", 0), "error"), -35);
	assert_int_equal(trace_number(trace_find(lines, "worker", 0), "workers"), 3);
	assert_string_equal(trace_text_of(trace_find(lines, "worker", 0), "compensation"), "true");
	assert_int_equal(trace_number(trace_find(lines, "worker", 0), "error"), -1);
	assert_string_equal(trace_text_of(trace_find(lines, "completed", 0), "cancelled"), "true");
	assert_string_equal(trace_text_of(trace_find(lines, "awaiting", 0), "name"), "disk sda");
	assert_string_equal(trace_text_of(trace_find(lines, "awaited", 0), "name"), "disk sda");
	assert_true(trace_number(trace_find(lines, "awaited", 0), "since_ns") >=
		    trace_number(trace_find(lines, "awaiting", 0), "t_ns"));
	json_object_put(lines);
}

/* What comes out of the JSON reader is what went in, as far as it was UTF-8. */
UNIT(any_name_is_safe)
{
	static const char *const names[][2] = {
		{"a \"quoted\" \\ name", "a \"quoted\" \\ name"},
		{"two\nlines\r\ttab\x01\x7f", "two\nlines\r\ttab\x01\x7f"},
		{"größe 🦀", "größe 🦀"},
		{"bad \xff\xc3( \xed\xa0\x80 \xf4\x90\x80\x80 \xc0\xaf", NULL},
		{"cut \xf0\x9f\xa6", NULL},
		{"", ""},
	};

	unlink(scratch("names"));
	assert_int_equal(async_trace_open(scratch("names")), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		send(ASYNC_TRACE_STARTED, i + 1, 0, 0, 0, names[i][0]);
	assert_int_equal(async_trace_open(NULL), 0);
	json_object *lines = trace_lines(scratch("names"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i][1])
			assert_string_equal(trace_text_of(trace_find(lines, "started", i), "name"), names[i][1]);
	assert_string_equal(trace_text_of(trace_find(lines, "started", 4), "name"), "cut \ufffd\ufffd\ufffd");
	json_object_put(lines);
}

static char endless[100000];

static void long_name(void)
{
	memset(endless, '"', sizeof(endless) - 1);
	send(ASYNC_TRACE_STARTED, 1, 0, 0, 0, endless);
	async_trace_phase(endless);
	async_trace_called(NULL, endless, 0, async_trace_calling(NULL, endless));
}

UNIT(endless_names_are_cut)
{
	json_object *lines = full(long_name);
	char *log = kernel(long_name);

	assert_in_range(strlen(trace_text_of(trace_find(lines, "started", 0), "name")), 100, 300);
	assert_in_range(strlen(trace_text_of(trace_find(lines, "phase", 0), "name")), 100, 300);
	assert_int_equal(count_of(log, "\n"), 4);
	json_object_put(lines);
	free(log);
}

static void named_call(void)
{
	send(ASYNC_TRACE_SCHEDULED, 5, 0, 0, 0, NULL);
	send(ASYNC_TRACE_STARTED, 5, 0, 0, 0, "ata port/1");
	send(ASYNC_TRACE_COMPLETED, 5, 0, -5, now_ns() - 377865000, "ata port/1");
	send(ASYNC_TRACE_STARTED, 6, 0, 0, 0, NULL);
	send(ASYNC_TRACE_WAITING, 6, 6, 0, 0, NULL);
	send(ASYNC_TRACE_CONTINUED, 6, 6, 0, now_ns() - 19872000, NULL);
	async_trace_phase("late\ninit");
	send(ASYNC_TRACE_COMPLETED, 7, 1, 0, 0, NULL);
}

UNIT(kernel_lines)
{
	uint64_t since_ns = now_ns();
	char *log = kernel(named_call);

	assert_matches(log, "^\\[ *[0-9]+\\.[0-9]{6}\\] calling  5_ata_port_1\\+0x0/0x0 @ [0-9]+$");
	assert_matches(log,
		       "^\\[ *[0-9]+\\.[0-9]{6}\\] initcall 5_ata_port_1\\+0x0/0x0 returned -5 after [0-9]+ usecs$");
	assert_usecs(log, "5_ata_port_1+0x0/0x0 returned -5 after ", 377865, since_ns);
	assert_matches(log, "^\\[.*\\] calling  6_[a-zA-Z0-9_.]+\\+0x[0-9a-f]+/0x0 @ [0-9]+$");
	assert_matches(log, "^\\[.*\\] async_waiting @ [0-9]+$");
	assert_matches(log, "^\\[.*\\] async_continuing @ [0-9]+ after [0-9]+ usec$");
	assert_usecs(strstr(log, "async_continuing"), " after ", 19872, since_ns);
	assert_matches(log, "^\\[.*\\] inorder: phase late_init$");
	assert_int_equal(count_of(log, "\n"), 6);
	assert_null(strstr(log, "7_"));
	free(log);
}

static void named_late(void)
{
	send(ASYNC_TRACE_STARTED, 5, 0, 0, 0, NULL);
	send(ASYNC_TRACE_COMPLETED, 5, 0, 0, now_ns() - 1000, "sda");
	send(ASYNC_TRACE_STARTED, 6, 0, 0, 0, "sdb");
	send(ASYNC_TRACE_COMPLETED, 6, 0, 0, now_ns() - 1000, "sdb");
}

/* The end has the name that the call gave itself; a beginning with that name is written too, with its own time. */
UNIT(late_name_has_its_beginning)
{
	char *log = kernel(named_late);
	char first[32];
	char again[32];

	assert_int_equal(count_of(log, "calling  5_"), 2);
	assert_int_equal(count_of(log, "calling  5_sda+0x0/0x0"), 1);
	assert_int_equal(count_of(log, "calling  6_"), 1);
	assert_int_equal(sscanf(log, "[%31[0-9. ]", first), 1);
	assert_int_equal(sscanf(strchr(log, '\n'), "\n[%31[0-9. ]", again), 1);
	assert_string_equal(first, again);
	assert_true(strstr(log, "calling  5_sda") < strstr(log, "initcall 5_sda"));
	free(log);
}

static void ordered_call(void)
{
	send(ASYNC_TRACE_STARTED, 1, 0, 0, 0, "a");
	send(ASYNC_TRACE_RETURNED, 1, 0, 0, now_ns() - 5000000, "a");
	send(ASYNC_TRACE_RETIRING, 1, 0, 0, 0, "a");
	send(ASYNC_TRACE_STARTED, 2, 1, 0, 0, "b"); /* run by the retire step while it waits */
	send(ASYNC_TRACE_COMPLETED, 2, 0, 0, now_ns() - 1000000, "b");
	send(ASYNC_TRACE_COMPLETED, 1, 0, 0, now_ns() - 7000000, "a");
}

/* A bar of its own for the retire step: it may run in another thread, and later. */
UNIT(retire_step_is_a_line_of_its_own)
{
	uint64_t since_ns = now_ns();
	char *log = kernel(ordered_call);

	assert_matches(log, "calling  1_a\\+0x0/0x0 @");
	assert_usecs(log, "initcall 1_a+0x0/0x0 returned 0 after ", 5000, since_ns);
	assert_matches(log, "calling  1_a\\.retire\\+0x0/0x0 @");
	assert_usecs(log, "initcall 2_b+0x0/0x0 returned 0 after ", 1000, since_ns);
	assert_usecs(log, "initcall 1_a.retire+0x0/0x0 returned 0 after ", 7000, since_ns);
	free(log);
}

static void step(void)
{
	uint64_t since_ns = async_trace_calling((void (*)(void))getpid, NULL);

	assert_true(since_ns > 0 && since_ns <= now_ns());
	async_trace_called((void (*)(void))getpid, NULL, -2, since_ns);
}

UNIT(synchronous_steps)
{
	json_object *lines = full(step);
	char *log = kernel(step);

	assert_non_null(strstr(trace_text_of(trace_find(lines, "calling", 0), "func"), "getpid+0x0/"));
	assert_int_equal(trace_number(trace_find(lines, "called", 0), "error"), -2);
	assert_matches(log, "calling  [a-z_]*getpid\\+0x0/0x[0-9a-f]+ @ [0-9]+$");
	assert_matches(log, "initcall [a-z_]*getpid\\+0x0/0x[0-9a-f]+ returned -2 after [0-9]+ usecs$");
	assert_int_equal(async_trace_calling(NULL, "off"), 0);
	json_object_put(lines);
	free(log);
}

static int clean(void **state)
{
	scratch_remove();
	return 0;
}

UNIT_MAIN(NULL, clean)
