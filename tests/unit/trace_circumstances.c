/* SPDX-License-Identifier: MIT */
/* The trace in unusual circumstances: pending signals, nowhere to report to, deep nesting, names that are no text. */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "trace_files.h"
#include "trace_text.h"

static const struct trace_place place = {UINT64_C(5000001000), 7, 8};

/* cmocka's assertions do not work in a forked child. */
static void check(bool holds, int code)
{
	if (!holds)
		_exit(code);
}

static void send(async_cookie_t cookie)
{
	struct port_event event = {.type = ASYNC_TRACE_STARTED, .cookie = cookie, .name = "name"};

	port_trace(&event);
}

static void block(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static bool is_pending(int number)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, number) == 1;
}

static void write_to_nobody(bool pending_before)
{
	int ends[2];

	block(SIGPIPE);
	if (pending_before)
		raise(SIGPIPE);
	check(pipe(ends) == 0, 2);
	close(ends[0]);
	check(async_trace_initcall(ends[1]) == 0, 3);
	send(1);
	check(is_pending(SIGPIPE) == pending_before, 4);
}

static void one_signal_more(void)
{
	write_to_nobody(true);
}

static void no_signal_more(void)
{
	write_to_nobody(false);
}

/* The program blocks the signal, and may be about to take it: what the trace's own write raised is not left to it. */
UNIT(a_blocked_signal_is_as_it_was)
{
	assert_int_equal(in_child(one_signal_more), 0);
	assert_int_equal(in_child(no_signal_more), 0);
}

static void write_beyond_the_limit(void)
{
	struct rlimit none = {10, RLIM_INFINITY}, any = {RLIM_INFINITY, RLIM_INFINITY};

	block(SIGXFSZ);
	raise(SIGXFSZ);
	check(async_trace_open(scratch("beyond")) == 0, 2);
	check(setrlimit(RLIMIT_FSIZE, &none) == 0, 3);
	send(1);
	check(is_pending(SIGXFSZ), 4);
	check(setrlimit(RLIMIT_FSIZE, &any) == 0, 5);
}

UNIT(a_pending_limit_signal_stays)
{
	assert_int_equal(in_child(write_beyond_the_limit), 0);
}

static void write_without_standard_error(void)
{
	close(STDERR_FILENO);
	check(open("/dev/full", O_WRONLY) == STDERR_FILENO, 2);
	check(async_trace_open("/dev/full") == 0, 3);
	send(1);
	send(2);
}

UNIT(nobody_to_tell)
{
	assert_int_equal(in_child(write_without_standard_error), 0);
}

static const char *kernel_line(struct trace_line *line, enum async_trace_type type, async_cookie_t cookie,
			       uint64_t since_ns, const char *name)
{
	struct port_event event = {.type = type, .cookie = cookie, .since_ns = since_ns, .name = name};

	trace_kernel_event(line, &place, &event);
	assert_true(line->used < sizeof(line->text));
	line->text[line->used] = '\0';
	return line->text;
}

/* More calls within each other than the thread remembers: the outer ones end well, the innermost as they can. */
UNIT(calls_nested_too_deep)
{
	struct trace_line line;
	char wanted[128];

	for (async_cookie_t cookie = 1; cookie <= 20; cookie++)
		kernel_line(&line, ASYNC_TRACE_STARTED, cookie, 0, "deep");
	for (async_cookie_t cookie = 20; cookie >= 1; cookie--) {
		snprintf(wanted, sizeof(wanted),
			 "[    5.000001] initcall %" PRIu64 "_deep+0x0/0x0 returned 0 after 0 usecs\n", cookie);
		assert_string_equal(kernel_line(&line, ASYNC_TRACE_COMPLETED, cookie, 0, "deep"), wanted);
	}
}

UNIT(ends_without_a_beginning)
{
	struct trace_line line;

	assert_string_equal(kernel_line(&line, ASYNC_TRACE_COMPLETED, 3, UINT64_C(5000000000), "late"),
			    "[    5.000000] calling  3_late+0x0/0x0 @ 8\n"
			    "[    5.000001] initcall 3_late+0x0/0x0 returned 0 after 1 usecs\n");
	assert_string_equal(kernel_line(&line, ASYNC_TRACE_CALLED, 0, UINT64_C(9000000000), "future"),
			    "[    5.000001] initcall future+0x0/0x0 returned 0 after 0 usecs\n");
}

UNIT(names_that_the_kernel_would_not_print)
{
	struct trace_line line;

	assert_string_equal(kernel_line(&line, ASYNC_TRACE_CALLING, 0, 0, ""),
			    "[    5.000001] calling  _+0x0/0x0 @ 8\n");
	assert_string_equal(kernel_line(&line, ASYNC_TRACE_CALLING, 0, 0, "aZ09_. @[`{/:"),
			    "[    5.000001] calling  aZ09_._______+0x0/0x0 @ 8\n");
	assert_string_equal(kernel_line(&line, ASYNC_TRACE_PHASE, 0, 0,
					"a\n\x7f"
					"b"),
			    "[    5.000001] inorder: phase a__b\n");
	assert_string_equal(kernel_line(&line, ASYNC_TRACE_PHASE, 0, 0, NULL), "[    5.000001] inorder: phase \n");
}

static void check_json_name(const char *name, const char *wanted)
{
	struct port_event event = {.type = ASYNC_TRACE_PHASE, .name = name};
	struct trace_line line;
	json_object *object;

	trace_event(&line, &place, &event);
	line.text[line.used] = '\0';
	object = json_tokener_parse(line.text);
	assert_non_null(object);
	assert_string_equal(trace_text_of(object, "name"), wanted);
	json_object_put(object);
}

#define NO "\xef\xbf\xbd"

UNIT(names_that_are_no_text)
{
	check_json_name("\xf4\x8f\xbf\xbf \xed\x9f\xbf \xee\x80\x80", "\xf4\x8f\xbf\xbf \xed\x9f\xbf \xee\x80\x80");
	check_json_name("\xf4\x90\x80\x80", NO NO NO NO);             /* beyond the last */
	check_json_name("\xed\xa0\x80", NO NO NO);                    /* a surrogate */
	check_json_name("\xe0\x80\x80 \xc0\x80", NO NO NO " " NO NO); /* more bytes than needed */
	check_json_name("\xf5 \x80 \xc3", NO " " NO " " NO);
}

static int tidy(void **state)
{
	scratch_remove();
	return 0;
}

UNIT_MAIN(NULL, tidy)
