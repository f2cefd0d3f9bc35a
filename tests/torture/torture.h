/* SPDX-License-Identifier: MIT */
/*
 * Torture: random programs against the library, with an oracle.
 *
 * The driver (main.c) runs rounds, each in a process of its own: a scenario, a
 * pool size and a limit of pending calls, all chosen from the seed. A round is a
 * number of phases; what a phase does follows from seed, round and phase alone
 * (when its threads run does not), so a phase that failed is repeated by
 * torture --seed S --round R --phase P.
 *
 * Nothing here looks at a clock to judge: a hang ends by the round's alarm.
 */
#ifndef TESTS_TORTURE_H
#define TESTS_TORTURE_H

#include "../harness.h" /* for its names only; not linked */

#include <stdarg.h>

/* ---- choices ---- */

struct random {
	uint64_t state;
};

/* Streams of different numbers are independent of each other. */
struct random random_stream(uint64_t seed, uint64_t number);
uint64_t random_next(struct random *random);
/* 0 to n - 1 */
static inline unsigned int random_below(struct random *random, unsigned int n)
{
	return (unsigned int)((random_next(random) >> 32) * n >> 32);
}
static inline bool random_percent(struct random *random, unsigned int percent)
{
	return random_below(random, 100) < percent;
}

/* ---- rounds ---- */

/* What a round did, in memory that it shares with the driver. X-macro: name, what it says in the summary. */
#define FIGURES(X) \
	X(calls, "calls") \
	X(retires, "retire steps") \
	X(cancelled, "cancelled") \
	X(refused, "refused (try, no storage)") \
	X(waits, "waits") \
	X(timed_out, "timed out") \
	X(deadlocks, "-EDEADLK") \
	X(domains, "domains come and gone") \
	X(forks, "forks") \
	X(quiesces, "quiesces") \
	X(parked, "times parked") \
	X(woken_done, "woken: satisfied") \
	X(woken_work, "woken: work") \
	X(woken_poke, "woken: asked to help") \
	X(woken_late, "woken late by an earlier wake") \
	X(faults, "system calls made to fail")

struct figures {
#define X(name, text) atomic_ulong name;
	FIGURES(X)
#undef X
	/* Of a round that ends with calls in progress, judged by the driver: those of a normal exit all complete. */
	atomic_ulong accepted, completed;
	atomic_bool drops;
};

struct round {
	uint64_t seed;
	unsigned int number;
	unsigned int phase;         /* the one that runs */
	long only_phase;            /* -1: as many as fit */
	unsigned int limit_ms;      /* no phase begins after this */
	unsigned int threads;       /* INORDER_THREADS */
	unsigned int pending;       /* INORDER_PENDING; 0: unset */
	unsigned int fault_percent; /* so many futex waits end early or fail */
	struct random choices;      /* of this phase */
	struct figures *figures;
};

extern struct round round_;

struct scenario {
	const char *name;
	void (*phase)(void);
	unsigned int share; /* of 100 rounds */
};

extern const struct scenario scenarios[];

void flood_phase(void);
void safe_phase(void);
void wild_phase(void);
void leave_phase(void);

/* Says where and what, adds the library's report, and ends the process. */
_Noreturn void torture_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
#define TFAIL(...) torture_fail(__FILE__, __LINE__, __VA_ARGS__)
#define TCHECK(cond) \
	do { \
		if (!(cond)) \
			TFAIL("not true: %s", #cond); \
	} while (0)

static inline void figure_add(atomic_ulong *figure, unsigned long n)
{
	atomic_fetch_add_explicit(figure, n, memory_order_relaxed);
}

/* The process ends as one that hangs after so many seconds in which it could run, counted from now. */
void allow(int seconds);
enum { STILL_S = 120 };

/* What the parked threads of this process saw, added to the figures; checks what can be checked. */
void wakes_collect(bool no_pokes);

/* A child of a fork: uses the library, and ends. */
_Noreturn void forked_child(struct random *random);

#endif
