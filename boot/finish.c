/* SPDX-License-Identifier: MIT */
/*
 * The finisher: the same program, the same initcalls, in a process of its own
 * at idle priority, for all that the root did not need. Process 1 can execute
 * the real init meanwhile: a thread of its own that loads a module would hold
 * that up.
 *
 * It has its own copy of the mounts, in which the initramfs stays the root,
 * and a pipe whose other end closes when process 1 executes init: from then
 * on nobody else needs the initramfs, so its last act is to free it.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inorder/initcall.h>
#include <inorder/trace.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RELEASE_FD = 3 };

extern char **environ;

int finisher_start(void)
{
	const struct sched_param param = {0};
	char *const argv[] = {(char *)(uintptr_t)FINISHER, NULL};
	int ends[2], error = 0;
	long pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	/* As vfork(), but with a copy of the memory and of the mounts. The other end is never closed by hand. */
	pid = syscall(SYS_clone, CLONE_NEWNS | CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0) {
		syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &param);
		if (ends[0] == RELEASE_FD ? !fcntl(RELEASE_FD, F_SETFD, 0) : dup2(ends[0], RELEASE_FD) >= 0)
			execve("/proc/self/exe", argv, environ);
		_exit(127);
	}
	if (pid < 0)
		error = -errno;
	else if (waitpid((pid_t)pid, NULL, WNOHANG) == pid) /* it could not become the program again */
		error = -ENOEXEC;
	close(ends[0]);
	if (error)
		close(ends[1]);
	return error;
}

/* A trace of its own beside that of process 1, if that is a file which outlives the initramfs. */
static void start_trace(void)
{
	char path[PATH_MAX];

	if (!cmdline.trace || strncmp(cmdline.trace, "/run/", 5))
		return;
	path_print(path, "%s.finisher", cmdline.trace);
	if (async_trace_open(path))
		say("finisher: cannot write the trace %s", path);
}

static void wait_for_init(void)
{
	char byte;

	while (read(RELEASE_FD, &byte, 1) < 0 && errno == EINTR)
		;
	close(RELEASE_FD);
}

int finisher_main(void)
{
	const uint64_t since = now_ns();
	int root;

	if (cmdline_read())
		return 1;
	start_trace();
	initcalls_run(0);
	async_synchronize_full();
	rest_wait();
	holds_release();
	async_trace_open(NULL);
	say("finisher: done after %llu ms", (unsigned long long)((now_ns() - since) / 1000000));
	wait_for_init();
	root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		free_initramfs(root);
	return 0;
}
