/* SPDX-License-Identifier: MIT */
/* What the library's threads take from the process that they are guests of. Files of this port only. */
#ifndef GUEST_H
#define GUEST_H

#include <inorder/async.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>

/* At first use: calls run with the signal mask of this thread. */
void guest_signals_note(void);
/* In a new thread of the library, which begins with every signal blocked. */
void guest_signals_begin(bool worker);

/* The smallest stack that holds the program's static thread-local data and leaves useful_bytes for code. */
size_t guest_stack_least(size_t useful_bytes);
/* Whether every new mapping is locked in memory (mlockall), so that a stack costs its full size. */
bool guest_locks_memory(void);

/* Checks and copies what async_configure() was given; NULL: nothing. 0 or -EINVAL. */
int guest_workers_set(const struct async_workers *workers);
/* Processors that workers may use; 0: not known. */
unsigned guest_cpus(void);
/*
 * What a monitor has run in the program's table of descriptors. Each monitor has one of its own: the next one may begin
 * while the last one ends.
 */
struct port_helper {
	pthread_t thread;
	int thread_id; /* read when it has returned */
	sem_t asked, done;
	int (*run)(void *data); /* NULL: it is to end */
	void *data;
	int result;
};
/*
 * The monitor's descriptors are its own from here on, and files can be read; where it cannot be, they cannot. At its
 * end: the kernel's id of a thread that has served it, and has returned; 0: none.
 */
void guest_files_begin(struct port_helper *helper);
int guest_files_end(void);
/* False: a filter of the program's own may end who opens a file, or asks for what few programs ask for. */
bool guest_may_ask(void);
/* A file's text, cut to the buffer, and its length; 0: it cannot be had. In the monitor. */
size_t guest_read(const char *path, char *text, size_t bytes);
/* Processors that the control group lets the process use at a time, rounded up; UINT_MAX: no limit is known. */
unsigned guest_quota(void);
/* The calling worker gets processors, policy, nice value, timer slack and name of the process; runs the start hook. */
void guest_dress(void);
/* The end hook, if the start hook ran in this thread. */
void guest_undress(void);

#endif
