/* SPDX-License-Identifier: MIT */
/* The system's own refusals: RLIMIT_NPROC at its limit, and an environment that is not to be trusted. */
#include "faults.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { NOBODY = 65534 };

static void *no_run(void *data)
{
	return data;
}

/* From here on this process makes no thread. root is not bound by the limit, so it becomes nobody. */
static void at_the_limit(void)
{
	struct rlimit limit = { 1, 1 };
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
	(void)cookie;
	if (write(1, data, 1) != 1)
		_exit(20);
}

HELPER(leave_at_the_limit)
{
	at_the_limit();
	for (unsigned int i = 0; i < 50; i++)
		async_schedule(say, (void *)(uintptr_t)"a");
}

TEST(at_the_limit_of_processes_exit_runs_the_rest, .pools = PALL, .no_asan = true)
{
	struct harness_result result;

	harness_run("leave_at_the_limit", "", &result);
	CHECK_EQ(result.status, 0);
	CHECK_EQ(strlen(result.out), 50);
}

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
	if (strcmp(said, "secure workers\n") || err[0])
		FAIL("said \"%s\" and \"%s\"", said, err);
	free(err);
}
