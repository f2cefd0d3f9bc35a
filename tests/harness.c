/* SPDX-License-Identifier: MIT */
/* The runner, parent's side: cmocka, one child a test and pool. See harness.h. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#ifndef HARNESS_CHILD
#include <cmocka.h>
#endif
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { LIMIT_S = 180, EMULATED = 3, GRACE_S = 20, FAILED = 99, TIMED_OUT = 98, SKIPPED = 77, STACK_BYTES = 8 << 20 };

static struct harness_test *tests;
static struct harness_test **tests_end = &tests;
static const struct harness_test *running;
/*
 * What a child runs: this program; or that of another processor, built with HARNESS_CHILD, which has no cmocka, in an
 * emulator. tools/check-ports sets both.
 */
static char program[PATH_MAX];

struct run {
	const struct harness_test *test;
	const char *pool; /* NULL: unset */
	char name[128];
};

void harness_add(struct harness_test *test)
{
	*tests_end = test;
	tests_end = &test->next;
}

#if HARNESS_TSAN
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	/*
	 * time_out() has nothing to lose; a process need not sleep for a second before it ends, as tests start
	 * thousands
	 */
	return "report_signal_unsafe=0:atexit_sleep_ms=10";
}
#endif

static void time_out(int signal_number)
{
	static const char text[] = "\ntime-out; the library reports:\n";

	signal(SIGALRM, SIG_DFL);
	alarm(3);
	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(TIMED_OUT);
	async_report(2);
	_exit(TIMED_OUT);
}

static int run_child(const char *name)
{
	for (running = tests; running; running = running->next)
		if (!strcmp(running->name, name))
			break;
	if (!running) {
		fprintf(stderr, "no test is named %s\n", name);
		return FAILED;
	}
	signal(SIGALRM, time_out); /* the parent sends it */
	running->body();
	if (running->raw_exit)
		_exit(0);
	return 0;
}

static void set_environment(const char *env)
{
	char *copy = strdup(env ? env : "");
	char *rest = NULL;

	if (!copy)
		FAIL("no memory");
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		putenv(word); /* keeps the memory */
}

/*
 * Stacks are as large as everywhere, whatever the shell says, and take what memory is used, not huge pages: some tests
 * measure it. Nothing goes on when its parent is gone.
 */
static void set_limits(void)
{
	struct rlimit stack;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	if (getrlimit(RLIMIT_STACK, &stack) == 0 && (rlim_t)STACK_BYTES <= stack.rlim_max) {
		stack.rlim_cur = STACK_BYTES;
		setrlimit(RLIMIT_STACK, &stack);
	}
}

static void execute(const char *name)
{
	const char *emulator = getenv("HARNESS_EMULATOR");
	char *words = strdup(emulator ? emulator : ""), *rest = NULL;
	const char *args[16];
	size_t n = 0;

	for (char *word = words ? strtok_r(words, " ", &rest) : NULL; word && n < 12; word = strtok_r(NULL, " ", &rest))
		args[n++] = word;
	args[n++] = program;
	args[n++] = "--child";
	args[n++] = name;
	args[n] = NULL;
	execvp(args[0], (char **)(uintptr_t)args);
	_exit(FAILED);
}

static pid_t start(const char *name, const char *pool, const char *env, int out, int err)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		FAIL("fork: %s", strerror(errno));
	if (pid)
		return pid;
	setpgid(0, 0);
	set_limits();
	unsetenv("INORDER_PENDING");
	unsetenv("INORDER_EXIT_LIMIT");
	unsetenv("INORDER_DEBUG");
	unsetenv("INORDER_THREADS");
	unsetenv("INORDER_INITCALL_BLACKLIST");
	if (pool)
		setenv("INORDER_THREADS", pool, 1);
	set_environment(env);
	if (dup2(err, 2) < 0 || (out >= 0 && dup2(out, 1) < 0))
		_exit(FAILED);
	execute(name);
	return 0;
}

/*
 * Waits at most so many seconds, then tells the child to report, and to end. Seconds in which this process could run:
 * a machine that was stopped meanwhile is no hang.
 */
static int finish(pid_t pid, unsigned int limit_s)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	int status = 0;

	for (unsigned int second = 1; fd >= 0 && poll(&poller, 1, 1000) <= 0; second++) {
		if (second == limit_s)
			kill(pid, SIGALRM);
		else if (second == limit_s + GRACE_S)
			kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	kill(-pid, SIGKILL); /* what it left behind */
	if (fd >= 0)
		close(fd);
	return status;
}

static char *read_back(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);

	if (!text || pread(fd, text, (size_t)size, 0) < 0)
		FAIL("cannot read what a child wrote: %s", strerror(errno));
	return text;
}

static void describe(char *text, size_t bytes, int status)
{
	if (WIFSIGNALED(status))
		snprintf(text, bytes, "killed by %s", strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == TIMED_OUT)
		snprintf(text, bytes, "timed out");
	else if (WEXITSTATUS(status) == SKIPPED)
		snprintf(text, bytes, "skipped");
	else
		snprintf(text, bytes, "exited with %d", WEXITSTATUS(status));
}

/* Appending, so that no line of one thread is lost under another's. */
static int output(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0)
		FAIL("memfd_create: %s", strerror(errno));
	return fd;
}

#ifndef HARNESS_CHILD
/* QEMU 7.2 cannot start threads in a child that a process with threads has forked. */
static bool is_emulators(const char *text)
{
	return getenv("HARNESS_EMULATOR") &&
	       (strstr(text, "ERROR:../../plugins/core.c") || strstr(text, "include/qemu/rcu.h"));
}

/* An emulator is slower: by as much as it takes a case of threads that wake each other. */
static unsigned int limit_of(const struct harness_test *test)
{
	unsigned int limit_s = test->limit_s ? test->limit_s : LIMIT_S;

	return getenv("HARNESS_EMULATOR") ? EMULATED * limit_s : limit_s;
}

static void check_run(void **state)
{
	const struct run *run = *state;
	const struct harness_test *test = run->test;
	unsigned int limit_s = limit_of(test);
	char what[64];
	char *text;
	bool unfit = false;
	int status;
	int err;

	if ((test->no_tsan && HARNESS_TSAN) || (test->no_asan && HARNESS_ASAN) || (test->long_only && !harness_long()))
		skip();
	err = output(run->name);
	status = finish(start(test->name, run->pool, test->env, -1, err), limit_s);
	if (status) {
		text = read_back(err);
		describe(what, sizeof(what), status);
		fprintf(stderr, "%s %s:\n%s\n", run->name, what, text);
		unfit = is_emulators(text);
		free(text);
	}
	close(err);
	if (status && (unfit || (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)))
		skip();
	assert_int_equal(status, 0);
}

#endif

void harness_run(const char *helper, const char *env, struct harness_result *result)
{
	int out = output("out");
	int err = output("err");
	const char *pool = getenv("INORDER_THREADS");

	memset(result, 0, sizeof(*result));
	result->status = finish(start(helper, pool, env, out, err), LIMIT_S);
	CHECK(pread(out, result->out, sizeof(result->out) - 1, 0) >= 0);
	CHECK(pread(err, result->err, sizeof(result->err) - 1, 0) >= 0);
	close(out);
	close(err);
}

const struct harness_result *harness_exits(const char *helper, const char *env, int code)
{
	static struct harness_result result;

	harness_run(helper, env, &result);
	if (!WIFEXITED(result.status) || WEXITSTATUS(result.status) != code)
		FAIL("status %#x, should have exited with %d: %s", (unsigned int)result.status, code, result.err);
	return &result;
}

void harness_reap(pid_t pid, int code)
{
	char what[64];
	int status = finish(pid, LIMIT_S);

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		harness_native("the emulator hangs in a child that was forked beside its threads");
	describe(what, sizeof(what), status);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
		FAIL("child %s, should have exited with %d", what, code);
}

void harness_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s:%d: ", file, line);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	_exit(FAILED);
}

void harness_skip(const char *why)
{
	fprintf(stderr, "%s\n", why);
	_exit(SKIPPED);
}

void harness_native(const char *why)
{
	if (getenv("HARNESS_EMULATOR"))
		harness_skip(why);
}

unsigned int harness_threads(void)
{
	const char *value = getenv("INORDER_THREADS");

	return value ? (unsigned int)strtoul(value, NULL, 10) : UINT_MAX;
}

bool harness_long(void)
{
	const char *value = getenv("INORDER_TEST_LONG");

	return value && !strcmp(value, "1");
}

char *harness_stderr(void)
{
	return read_back(2);
}

#ifndef HARNESS_CHILD
static size_t list_runs(struct run *runs, const char *filter)
{
	static const struct {
		unsigned int bit;
		const char *threads;
	} pools[] = {
		{P0, "0"}, {P1, "1"}, {P2, "2"}, {P256, "256"}, {PDEFAULT, NULL},
	};
	size_t n = 0;

	for (const struct harness_test *test = tests; test; test = test->next) {
		for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
			struct run *run = &runs[n];

			if (test->helper || !(test->pools & pools[i].bit))
				continue;
			run->test = test;
			run->pool = pools[i].threads;
			snprintf(run->name, sizeof(run->name), "%s@%s", test->name, run->pool ? run->pool : "default");
			n += !filter || strstr(run->name, filter);
		}
	}
	return n;
}

static int run_all(int argc, char **argv)
{
	static struct run runs[1024];
	static struct CMUnitTest units[1024];
	size_t n = list_runs(runs, argc > 1 ? argv[1] : NULL);
	for (size_t i = 0; i < n; i++)
		units[i] = (struct CMUnitTest){.name = runs[i].name, .test_func = check_run, .initial_state = &runs[i]};
	return _cmocka_run_group_tests(tests ? "inorder" : "empty", units, n, NULL, NULL);
}
#else
static int run_all(int argc, char **argv)
{
	fprintf(stderr, "%s: only with --child and a test's name\n", argv[0]);
	return FAILED;
}
#endif

int harness_main(int argc, char **argv)
{
	const char *other = getenv("HARNESS_PROGRAM");

	if (other)
		snprintf(program, sizeof(program), "%s", other);
	else if (!realpath("/proc/self/exe", program))
		FAIL("/proc/self/exe: %s", strerror(errno));
	if (argc == 3 && !strcmp(argv[1], "--child"))
		return run_child(argv[2]);
	return run_all(argc, argv);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
