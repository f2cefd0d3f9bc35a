/* SPDX-License-Identifier: MIT */
/*
 * The finisher: the same program, the same initcalls, in a process of its own,
 * for all that the root did not need. Process 1 can execute the real init
 * meanwhile: a thread of its own that loads a module would hold that up.
 *
 * It is two processes. One does the work, and may die at any moment: the machine
 * is short of memory, or someone kills it. The other one, its parent, which the
 * kernel never kills for memory, waits for it, and has the work done again; all
 * that was done is seen as done. In the end it gives back whatever is still held.
 *
 * It has its own copy of the mounts, in which the initramfs stays the root,
 * and a pipe whose other end closes when process 1 executes init: from then
 * on no one else needs the initramfs, so its last act is to free it.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inorder/initcall.h>
#include <inorder/trace.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Until process 1 has executed the real init, its own work goes first: it is all that the root still needs. */
enum { RELEASE_FD = 3, MOST_TRIES = 3, NICE_BEFORE_INIT = 19, PATIENCE_MS = 10000 };

extern char **environ;

int finisher_start(void)
{
	char *const argv[] = {(char *)(uintptr_t)FINISHER, NULL};
	int ends[2], error = 0;
	long pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	/* As vfork(), but with a copy of the memory and of the mounts. The other end is never closed by hand. */
	pid = syscall(SYS_clone, CLONE_NEWNS | CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0) {
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
	return error ? error : (int)pid;
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

/* Returns once process 1 has executed the real init; at once if it has. */
static void wait_for_init(void)
{
	char byte;

	while (read(RELEASE_FD, &byte, 1) < 0 && errno == EINTR)
		;
}

/* The work, in a process that may die. */
_Noreturn static void work(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
	close(RELEASE_FD);
	if (file_write("/proc/self/oom_score_adj", "0"))
		say("finisher: cannot write /proc/self/oom_score_adj: the kernel may prefer to kill others");
	start_trace();
	initcalls_run(0);
	async_synchronize_full();
	rest_wait();
	holds_release();
	async_trace_open(NULL);
	_exit(0);
}

/* Has the work done once. Return: true if the process came to its end. */
static bool work_once(void)
{
	const pid_t parent = getpid(), pid = fork();
	int status = 0;

	if (pid >= 0) /* both do it: whoever comes first */
		setpgid(pid, 0);
	if (pid == 0)
		work(parent);
	if (pid < 0) {
		complain("finisher: cannot fork: %s", strerror(errno));
		return false;
	}
	wait_for_init();
	setpriority(PRIO_PROCESS, 0, 0);
	patience_wait(PATIENCE, pid, PATIENCE_MS); /* not for long: on a busy machine we would not come to an end */
	setpriority(PRIO_PGRP, (id_t)pid, 0);      /* an error: it is done */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return true;
	complain("finisher: the process that names the disks died (%s %d)", WIFSIGNALED(status) ? "signal" : "status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return false;
}

int finisher_main(void)
{
	const uint64_t since = now_ns();
	int root, tries = 0;
	bool done;

	if (file_write("/proc/self/oom_score_adj", "-1000"))
		say("finisher: cannot write /proc/self/oom_score_adj: the kernel may kill it when memory is short");
	if (cmdline_read())
		return 1;
	setpriority(PRIO_PROCESS, 0, NICE_BEFORE_INIT);
	while (!(done = work_once()) && ++tries < MOST_TRIES)
		;
	if (!done) {
		complain("finisher: giving up after %d tries: disks that were found get their names now, others as "
			 "they come",
			 tries);
		holds_release();
	}
	say("finisher: done after %llu ms", (unsigned long long)((now_ns() - since) / 1000000));
	wait_for_init();
	root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		free_initramfs(root);
	return 0;
}
