/* SPDX-License-Identifier: MIT */
/* The system's own refusals: limits of processes and memory, and an environment that is not to be trusted. */
#include "faults.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>

enum { NOBODY = 65534 };

static void *no_run(void *data)
{
	return data;
}

/* From here on this process makes no thread. root is not bound by the limit, so it becomes the user without rights. */
static void at_the_limit(void)
{
	struct rlimit limit = {1, 1};
	pthread_t thread;

	CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
	if (geteuid() == 0)
		CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	CHECK_EQ(pthread_create(&thread, NULL, no_run, NULL), EAGAIN);
}

static void parent(void *data, async_cookie_t cookie)
{
	ASYNC_DOMAIN_EXCLUSIVE(own);
	atomic_uint child = 0;

	async_schedule_domain(count, &child, &own);
	CHECK_EQ(async_synchronize_full_domain(&own), 0);
	CHECK_EQ(child, 1);
	count(data, cookie);
}

/* LeakSanitizer makes a thread at exit. */
TEST(at_the_limit_of_processes_everything_runs, .pools = PALL, .raw_exit = true)
{
	static struct record retired;
	atomic_uint n = 0;

	at_the_limit();
	for (unsigned int i = 0; i < 300; i++) {
		CHECK(async_schedule(parent, &n));
		CHECK(async_schedule_ordered(record, nothing, &retired, NULL));
	}
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(n, 300);
	CHECK_EQ(retired.n, 300);
}

static void say(void *data, async_cookie_t cookie)
{
	if (write(1, data, 1) != 1)
		_exit(20);
}

HELPER(leave_at_the_limit)
{
	at_the_limit();
	for (unsigned int i = 0; i < 50; i++)
		async_schedule(say, (void *)(uintptr_t) "a");
}

TEST(at_the_limit_of_processes_exit_runs_the_rest, .pools = PALL, .no_asan = true)
{
	struct harness_result result;

	harness_run("leave_at_the_limit", "", &result);
	CHECK_EQ(result.status, 0);
	CHECK_EQ(strlen(result.out), 50);
}

/* ---- a limit of a control group ---- */

/* Where the pids controller is: its own hierarchy (version 1), or the one for all. */
static bool make_group(char *path, size_t bytes)
{
	static const char *const roots[] = {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"};
	char file[128];

	for (unsigned int i = 0; i < 2; i++) {
		snprintf(path, bytes, "%s/inorder-test-%d", roots[i], getpid());
		if (mkdir(path, 0755) < 0)
			continue;
		snprintf(file, sizeof(file), "%s/pids.max", path);
		if (access(file, W_OK) == 0)
			return true;
		rmdir(path);
	}
	return false;
}

static void write_group(const char *name, const char *text)
{
	char file[128];
	int fd;

	snprintf(file, sizeof(file), "%s/%s", getenv("TEST_GROUP"), name);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static unsigned long refusals(void)
{
	unsigned long n = 0;
	char file[128];
	FILE *events;

	snprintf(file, sizeof(file), "%s/pids.events", getenv("TEST_GROUP"));
	events = fopen(file, "re");
	CHECK(events && fscanf(events, "max %lu", &n) == 1);
	fclose(events);
	return n;
}

/* Three threads may be: this one, and two of the library's, one of them a worker if the monitor came first. */
HELPER(run_in_a_group)
{
	static struct record retired;
	static struct gate gates[8];
	atomic_uint n = 0;

	write_group("cgroup.procs", "0");
	write_group("pids.max", "3");
	for (unsigned int i = 0; i < 300; i++) {
		CHECK(async_schedule(parent, &n));
		CHECK(async_schedule_ordered(record, nothing, &retired, NULL));
	}
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(n, 300);
	CHECK_EQ(retired.n, 300);
	for (unsigned int i = 0; i < 8; i++) { /* each needs a thread: those that find none run later */
		gate_init(&gates[i]);
		async_schedule(gate_call, &gates[i]);
	}
	quiet();
	for (unsigned int i = 0; i < 8; i++)
		gate_open(&gates[i]);
	CHECK_EQ(async_synchronize_full(), 0);
	for (unsigned int i = 0; i < 8; i++)
		CHECK(gates[i].done);
	CHECK(refusals() > 0);
}

TEST(at_the_limit_of_a_control_group_everything_runs, .pools = PMANY, .no_asan = true, .no_tsan = true)
{
	struct harness_result result;
	char path[96], env[128];

	if (!make_group(path, sizeof(path)))
		harness_skip("no control group for processes can be made: root and the pids controller are needed");
	snprintf(env, sizeof(env), "TEST_GROUP=%s", path);
	harness_run("run_in_a_group", env, &result);
	while (rmdir(path) < 0) { /* a process may leave its group after it was waited for */
		CHECK(errno == EBUSY);
		sched_yield();
	}
	if (result.status)
		FAIL("status %#x: %s", (unsigned int)result.status, result.err);
}

/* ---- a limit of memory ---- */

static size_t address_space_bytes(void)
{
	unsigned long pages;
	FILE *file = fopen("/proc/self/statm", "re");

	CHECK(file && fscanf(file, "%lu", &pages) == 1);
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Stacks of 8 MB do not fit any more, and pending calls use up the rest: then calls run inline, or are refused. */
static void limit_memory(size_t more_bytes)
{
	struct rlimit limit;

	limit.rlim_cur = limit.rlim_max = address_space_bytes() + more_bytes;
	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

static void run_to_the_limit(void)
{
	static atomic_uint ran, refused;
	unsigned int n = 30000;
	async_cookie_t cookie;

	for (unsigned int i = 0; i < n; i++) {
		CHECK(async_schedule(count, &ran));
		if (!async_schedule_ordered(count, nothing, &ran, NULL))
			refused++;
		if (!async_try_schedule(count, &ran, NULL, &cookie))
			refused++;
	}
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(ran + refused, 3 * n);
	if (harness_threads() == 0)
		CHECK_EQ(refused, n); /* there are no workers to try for */
}

TEST(at_the_limit_of_memory_everything_runs_or_is_refused, .pools = PALL, .env = "INORDER_PENDING=100000000",
     .no_asan = true, .no_tsan = true)
{
	limit_memory(4 << 20);
	run_to_the_limit();
}

/* Some threads fit. Their gates keep calls pending until there is no memory for more. */
TEST(calls_that_have_no_memory_are_refused, .pools = P1 | P2, .env = "INORDER_PENDING=100000000", .no_asan = true,
     .no_tsan = true)
{
	static atomic_uint ran;
	struct gate gates[2];
	unsigned int n = 0;

	limit_memory(40 << 20);
	for (unsigned int i = 0; i < harness_threads(); i++)
		gate_new(&gates[i], NULL);
	while (async_schedule_ordered(count, nothing, &ran, NULL))
		n++;
	CHECK(n > 10000);
	CHECK(!async_try_schedule(count, &ran, NULL, NULL));
	CHECK(async_schedule(count, &ran)); /* inline */
	CHECK_EQ(ran, 1);
	for (unsigned int i = 0; i < harness_threads(); i++)
		gate_end(&gates[i]);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(ran, n + 1);
}

/* ---- an environment that is not to be trusted ---- */

HELPER(tell_whether_there_are_workers)
{
	async_cookie_t cookie;

	printf("%s %s\n", getauxval(AT_SECURE) ? "secure" : "insecure",
	       async_try_schedule(nothing, NULL, NULL, &cookie) ? "workers" : "none");
}

static void copy_to(int to)
{
	char buffer[65536];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	CHECK(from >= 0);
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		CHECK(write(to, buffer, (size_t)n) == n);
	CHECK_EQ(n, 0);
	close(from);
}

static void run_set_uid(const char *program, char *said, size_t bytes)
{
	int fds[2];
	size_t n = 0;
	pid_t pid;

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	pid = fork();
	if (!pid) {
		setenv("INORDER_THREADS", "0", 1);
		setenv("INORDER_DEBUG", "initcall", 1);
		dup2(fds[1], 1);
		execl(program, program, "--child", "tell_whether_there_are_workers", (char *)NULL);
		_exit(99);
	}
	close(fds[1]);
	for (ssize_t got = 1; got > 0 && n + 1 < bytes; n += (size_t)got)
		if ((got = read(fds[0], said + n, bytes - n - 1)) < 0)
			break;
	said[n] = 0;
	close(fds[0]);
	harness_reap(pid, 0);
}

/* A set-user-ID program does not do what its caller's environment says. */
TEST(a_set_user_id_program_ignores_the_environment, .pools = PDEFAULT, .no_asan = true, .no_tsan = true)
{
	char path[] = "/tmp/inorder-test-XXXXXX";
	char said[64];
	char *err;
	int fd;

	if (geteuid() != 0)
		return; /* only root can give a program away */
	fd = mkostemp(path, O_CLOEXEC);
	CHECK(fd >= 0);
	copy_to(fd);
	CHECK(fchown(fd, NOBODY, NOBODY) == 0 && fchmod(fd, 04755) == 0);
	close(fd);
	run_set_uid(path, said, sizeof(said));
	unlink(path);
	err = harness_stderr();
	if (!strcmp(said, "insecure none\n"))
		return; /* a file system without set-user-ID */
	if (strcmp(said, "secure workers\n") ||
	    (err[0] && strncmp(err, "profiling:", 10))) /* gcov's, about its files */
		FAIL("said \"%s\" and \"%s\"", said, err);
	free(err);
}
