/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * What tests of calls are made of, wherever they run. harness.h includes this: ours for programs, that of kernel/ for
 * kernels. Each brings sem_t with down() and up(), C11's atomics, FAIL() and struct actor, a thread of the test's own.
 */
#ifndef TESTS_ACTORS_H
#define TESTS_ACTORS_H

#define CHECK(cond) \
	do { \
		if (!(cond)) \
			FAIL("not true: %s", #cond); \
	} while (0)
#define CHECK_EQ(a, b) \
	do { \
		long long check_a = (long long)(a), check_b = (long long)(b); \
\
		if (check_a != check_b) \
			FAIL("%s is %lld, not %s, %lld", #a, check_a, #b, check_b); \
	} while (0)

/* A call that says when it has begun and ends when told to. */
struct gate {
	sem_t begun;
	sem_t open;
	struct async_domain *domain;
	const char *name;
	int error;
	_Atomic async_cookie_t cookie;
	_Atomic pid_t tid;
	atomic_bool done;
	bool has_actor;
	struct actor actor;
};
void gate_init(struct gate *gate);
void gate_call(void *data, async_cookie_t cookie);
/* Schedules it and returns once it runs; without workers, from a thread of its own. */
async_cookie_t gate_start(struct gate *gate, struct async_domain *domain);
/* gate_init() and gate_start() */
async_cookie_t gate_new(struct gate *gate, struct async_domain *domain);
void gates_new(struct gate *gates, unsigned int n, struct async_domain *domain);
void gate_open(struct gate *gate);
void gate_end(struct gate *gate);
void gates_end(struct gate *gates, unsigned int n);

/* A wait in a thread of its own. */
struct waiter {
	struct actor actor;
	int (*wait)(async_cookie_t cookie, struct async_domain *domain);
	async_cookie_t cookie;
	struct async_domain *domain;
	int result;
};
int wait_full(async_cookie_t unused, struct async_domain *domain);
int wait_all(async_cookie_t unused, struct async_domain *unused_domain);
void waiter_start(struct waiter *waiter, int (*wait)(async_cookie_t, struct async_domain *), async_cookie_t cookie,
		  struct async_domain *domain);
bool waiter_done(struct waiter *waiter);
int waiter_join(struct waiter *waiter);
/* Each of so many waits goes on until something happens. */
#define CHECK_WAITING(waiters, number) \
	do { \
		quiet(); \
		for (unsigned int check_i = 0; check_i < (number); check_i++) \
			CHECK(!waiter_done(&(waiters)[check_i])); \
	} while (0)
/* Each of so many waits ends, and well. */
#define CHECK_DONE(waiters, number) \
	do { \
		for (unsigned int check_i = 0; check_i < (number); check_i++) \
			CHECK_EQ(waiter_join(&(waiters)[check_i]), 0); \
	} while (0)

/* RUN in so many threads at once; returns when all are over. */
void actors_run(unsigned int n, void (*run)(void *), void *data);

void nothing(void *data, async_cookie_t cookie);
void count(void *data, async_cookie_t cookie); /* data: atomic_uint */

/* The order in which things happened. */
struct record {
	atomic_uint begun;
	atomic_uint n; /* so many are written */
	async_cookie_t cookies[4096];
	pid_t tids[4096];
};
void record(void *data, async_cookie_t cookie);
bool record_increasing(const struct record *record);

/* How often PART stands in TEXT. */
size_t count_of(const char *text, const char *part);
/* Whether TEXT holds NUMBER in decimal, not as a part of a longer number. */
bool has_number(const char *text, uint64_t number);
/* The same of what the library has reported since the test began. */
bool harness_said(const char *text);
size_t harness_count(const char *text);

#endif
