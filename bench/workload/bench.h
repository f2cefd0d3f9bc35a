/* SPDX-License-Identifier: MIT */
/*
 * A benchmark program is this folder, which has the workloads, and one peer: a way to run function calls out of
 * order. It runs one workload once, checks that every call ran and that order was kept, and prints figures, a line
 * each: "name value". What was found wrong goes to standard error, and the exit code is then 1; 2 means that this
 * peer cannot do that.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the peer: peers/NAME.c ---- */

struct peer {
	const char *name;
	/* Once, before anything else. May start the threads or leave that to the first call. */
	void (*start)(unsigned threads);
	/*
	 * Runs body(0) … body(submitters - 1) beside each other, where peer_submit() may be called, and returns once
	 * they and all that was submitted have returned. Can be called again.
	 */
	void (*enter)(unsigned submitters, void (*body)(unsigned submitter));
	/* In a body: submits one call and waits for it, in the cheapest way that the peer has. */
	void (*run_one)(void *data);
	/* Runs order_work(i) for i < count out of order and order_append(i) in order; NULL: not possible. */
	void (*ordered_wait)(size_t count);   /* the call waits for its turn, or the peer's own ordered loop */
	void (*ordered_retire)(size_t count); /* no call waits */
	/* Domains, for which the peer can wait apart; NULL: not possible. All in a body. */
	void (*domains)(unsigned count);
	void (*submit_in)(unsigned domain, void *data);
	void (*wait_in)(unsigned domain);
	/* W7: in a call: waits for every call that was submitted before it. */
	void (*wait_lower)(size_t index);
	/* W9: in a call: submits each child and waits for them; NULL: not possible. */
	void (*fork_join)(void **child, unsigned count);
	bool nested;         /* calls may submit calls */
	bool counts_nested;  /* but enter() does not wait for these: the workload has to count */
	bool unbounded;      /* any number of calls may be pending */
	void (*raw)(void);   /* the machine's own costs; NULL: another peer has them */
	unsigned main_helps; /* threads that the thread of body() counts for */
};

extern const struct peer peer;

/* Schedules work_call(data). In a body, or in a call if peer.nested. */
void peer_submit(void *data);

/* ---- what the workload gives to the peer ---- */

/* What a call does. Set before peer_submit(). */
extern void (*work_call)(void *data);

void order_work(size_t index);
void order_append(size_t index);

/* ---- order outside of the peer, for those that have none (order.c) ---- */

void turn_reset(size_t count);
/* Waits for the turn of index, appends, gives the turn on. */
void turn_take(size_t index);
/* A reorder buffer: appends index, and those that wait for it, once its turn has come. No thread waits. */
void reorder_done(size_t index);
/* Waits until everything below index was given to reorder_done(). */
void reorder_wait(size_t index);
/* Ordered runs by submitting n calls that use the above; start anew each time. */
void ordered_by_turns(size_t count);
void ordered_by_buffer(size_t count);

/* ---- domains outside of the peer (domains.c): a count each ---- */

void counted_domains(unsigned count);
void counted_submit(unsigned domain, void *data);
void counted_wait(unsigned domain);

/* ---- help (main.c) ---- */

uint64_t now_ns(void);
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Runs body(0) in this thread and the others in their own. */
void run_submitters(unsigned submitters, void (*body)(unsigned submitter));
void *allocate(size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
