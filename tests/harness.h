/* SPDX-License-Identifier: MIT */
/*
 * The tests' runner. The library is configured once per process, so every test
 * runs in a process of its own, once for each pool size that it names: cmocka
 * (in the parent) starts this program again for one test, with its environment
 * set and a time limit, and shows what it wrote to standard error if it fails.
 *
 * In the child, standard error is a file: harness_stderr() reads it back.
 * No test sleeps for order. Events are semaphores and gates; "nothing more
 * happens unless we do something" is quiet().
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <inorder/async.h>

#if defined(__SANITIZE_THREAD__) || defined(TESTS_HELGRIND_ANNOTATE_H)
#define HARNESS_TSAN 1
#elif defined(__SANITIZE_ADDRESS__)
#define HARNESS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HARNESS_TSAN 1
#elif __has_feature(address_sanitizer)
#define HARNESS_ASAN 1
#endif
#endif
#ifndef HARNESS_TSAN
#define HARNESS_TSAN 0
#endif
#ifndef HARNESS_ASAN
#define HARNESS_ASAN 0
#endif

/* Smaller numbers where every memory access is watched. */
#define SCALE(n) ((HARNESS_TSAN || HARNESS_ASAN) ? (n) / 10 : (n))
/* A kernel's matter: how deep calls may run inside each other on one stack; a place for other threads to run. */
#define NESTING(n) (n)
#define breathe() ((void)0)

enum {
	P0 = 1, /* INORDER_THREADS=0 */
	P1 = 2,
	P2 = 4,
	P256 = 8,
	PDEFAULT = 16, /* INORDER_THREADS unset */
	PSOME = P1 | P2 | P256,
	PMANY = P2 | P256,
	PALL = P0 | PSOME,
};

struct harness_test {
	const char *name;
	void (*body)(void);
	unsigned int pools;
	const char *env;      /* more of the environment: "A=1 B=2" */
	unsigned int limit_s; /* 0: 180 */
	bool no_tsan;         /* ThreadSanitizer cannot run it (threads after fork, memory measured) */
	bool no_asan;
	bool no_kernel; /* a kernel cannot, see kernel/harness.h */
	bool raw_exit;  /* leave by _exit(): what is left is left on purpose */
	bool long_only; /* only with INORDER_TEST_LONG=1 */
	bool helper;    /* not a test: started by one, see harness_run() */
	struct harness_test *next;
};

#define HARNESS_REGISTER(id, ...) \
	static void id(void); \
	static struct harness_test harness_##id = {.name = #id, .body = id, __VA_ARGS__}; \
	__attribute__((constructor)) static void harness_register_##id(void) \
	{ \
		harness_add(&harness_##id); \
	} \
	static void id(void)
/* TEST(name, .pools = PALL, ...) { body } */
#define TEST(id, ...) HARNESS_REGISTER(id, __VA_ARGS__)
#define HELPER(id) HARNESS_REGISTER(id, .helper = true, .pools = PDEFAULT)

void harness_add(struct harness_test *test);
int harness_main(int argc, char **argv);

_Noreturn void harness_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* This machine cannot run the test: it counts as skipped. WHY says what is missing. */
_Noreturn void harness_skip(const char *why);
/* The same where another processor is emulated (tools/check-ports). */
void harness_native(const char *why);
#define FAIL(...) harness_fail(__FILE__, __LINE__, __VA_ARGS__)

/* INORDER_THREADS of this run; UINT_MAX where it is unset. */
unsigned int harness_threads(void);
bool harness_long(void);
/* What this process has written to standard error so far; the caller frees it. */
char *harness_stderr(void);
/* What async_report() says now; valid until the next. */
const char *report_text(void);

/* Runs HELPER in a process of its own and waits for it. */
struct harness_result {
	int status; /* as of waitpid() */
	char out[4096];
	char err[16384];
};
void harness_run(const char *helper, const char *env, struct harness_result *result);
/* The same; it must exit with CODE. Valid until the next. */
const struct harness_result *harness_exits(const char *helper, const char *env, int code);
/* Waits for a child that this test forked; fails unless it exited with CODE. */
void harness_reap(pid_t pid, int code);

void down(sem_t *sem);
void up(sem_t *sem);
pid_t tid_self(void);
/* Returns once every other thread sleeps: nothing happens unless we do it. For "has not happened" only. */
void quiet(void);
uint64_t voluntary_switches(pid_t tid);
unsigned int thread_count(void);
size_t memory_bytes(void);
void *page_new(void);
/* From here on, any access is a SIGSEGV. */
void page_poison(void *page);

/* A thread of the test's own. */
struct actor {
	pthread_t thread;
	sem_t begun;
	void (*run)(void *);
	void *data;
	_Atomic pid_t tid;
	atomic_bool done;
};
void actor_start(struct actor *actor, void (*run)(void *), void *data);
void actor_join(struct actor *actor);

#include "actors.h"

#endif
