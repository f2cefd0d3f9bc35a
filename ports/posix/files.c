/* SPDX-License-Identifier: MIT */
/*
 * The library's own descriptors: only the monitor has any, in a table of its own.
 *
 * A program may close all descriptors that it does not know, and open files of the same numbers: in its table, ours
 * would be closed by it, and its files by us. So the monitor leaves that table when it starts. CLOSE_RANGE_UNSHARE
 * gives it an empty one at once: a copy of the program's would keep pipes open. Where that is refused (before Linux
 * 5.9, by a filter), no file is opened.
 *
 * A new thread inherits the table of the one that starts it, and a message goes to the program's standard error. So
 * what the monitor does in the program's table it leaves to a helper, which it starts before; memory too, as
 * the allocator may be the program's own, with a log.
 *
 * The system calls are direct ones: sanitizers keep account of descriptors by their numbers.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "guest.h"
#include "rob.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define UNSHARE 2u /* CLOSE_RANGE_UNSHARE, which older headers lack */

#define HELPER_BYTES (32 * 1024) /* its use of the stack */

static bool filtered_before;

static bool is_filtered(void)
{
	return prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER;
}

/* A filter that was there when the library was loaded, as in containers, lets files be opened. */
__attribute__((constructor)) static void note_filter(void)
{
	filtered_before = is_filtered();
}

bool guest_may_ask(void)
{
	return filtered_before || !is_filtered();
}

/* ---- the helper ---- */

static void wait_for(sem_t *event)
{
	while (sem_wait(event)) /* interrupted */
		;
}

static void *helper_thread(void *arg)
{
	struct port_helper *helper = arg;

	prctl(PR_SET_NAME, "inorder/helper");
	helper->thread_id = port_thread_id();
	for (;;) {
		wait_for(&helper->asked);
		if (!helper->run)
			return NULL;
		helper->result = helper->run(helper->data);
		sem_post(&helper->done);
	}
}

/* Its signal mask is that of the monitor, which starts it. */
static int start_helper(struct port_helper *helper)
{
	pthread_attr_t attr;
	int error = pthread_attr_init(&attr);

	/* Not covered: pthread_attr_init() of C libraries does not fail */
	if (error)
		return error;
	sem_init(&helper->asked, 0, 0);
	sem_init(&helper->done, 0, 0);
	pthread_attr_setstacksize(&attr, guest_stack_least(HELPER_BYTES));
	error = pthread_create(&helper->thread, &attr, helper_thread, helper); /* O7 */
	pthread_attr_destroy(&attr);
	return error;
}

static void end_helper(struct port_helper *helper)
{
	helper->run = NULL;
	sem_post(&helper->asked);
	pthread_join(helper->thread, NULL);
}

void guest_files_begin(struct port_helper *helper)
{
	if (!guest_may_ask() || start_helper(helper))
		return;
	if (syscall(SYS_close_range, 0, ~0u, UNSHARE))
		end_helper(helper);
	else
		port_apart = helper;
}

int guest_files_end(void)
{
	struct port_helper *helper = port_apart;

	if (!helper)
		return 0;
	end_helper(helper);
	port_apart = NULL;
	return helper->thread_id;
}

int port_in_program(int (*run)(void *data), void *data)
{
	struct port_helper *helper = port_apart;

	if (port_likely(!helper))
		return run(data);
	helper->run = run;
	helper->data = data;
	sem_post(&helper->asked);
	wait_for(&helper->done);
	return helper->result;
}

struct memory {
	void *at;
	size_t bytes;
};

static int allocate(void *data)
{
	struct memory *memory = data;

	memory->at = malloc(memory->bytes);
	return 0;
}

static int give_back(void *memory)
{
	free(memory);
	return 0;
}

void *port_alloc_apart(size_t bytes)
{
	struct memory memory = {NULL, bytes};

	port_in_program(allocate, &memory);
	return memory.at;
}

void port_free_apart(void *memory)
{
	port_in_program(give_back, memory);
}

/* ---- files ---- */

size_t guest_read(const char *path, char *text, size_t bytes)
{
	long got = -1;
	int fd = -1, saved = errno;

	if (port_apart && guest_may_ask())
		fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = syscall(SYS_read, fd, text, bytes - 1);
		syscall(SYS_close, fd);
	}
	text[got > 0 ? got : 0] = '\0';
	errno = saved;
	return got > 0 ? (size_t)got : 0;
}
