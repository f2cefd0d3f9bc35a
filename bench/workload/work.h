/* SPDX-License-Identifier: MIT */
/* The workloads, and what the command line says. */
#ifndef WORK_H
#define WORK_H

#include "bench.h"

struct options {
	size_t calls;
	unsigned threads, submitters, domains, gap_us;
	uint64_t spin;     /* turns of the loop that make a microsecond */
	uint64_t begun_ns; /* when the program was started, CLOCK_MONOTONIC; 0: unknown */
	uint64_t main_ns;  /* when main was reached */
};

extern struct options options;

void work_empty(void);      /* W1 */
void work_order_wait(void); /* W2, W3 */
void work_order_retire(void);
void work_sleep_wait(void);
void work_sleep_retire(void);
void work_latency(void);   /* W4 */
void work_memory(void);    /* W5 */
void work_first(void);     /* W6 */
void work_some_wait(void); /* W7 */
void work_domains(void);   /* W8 */
void work_tree(void);      /* W9 */
void work_tree_wait(void);
void work_raw(void); /* no calls at all: what operations of the machine cost */

/* Calls are counted by the threads that run them, each in its own cache line. */
void tally_reset(void);
void tally_add(void);
void tally_is_submitter(void);
/* Fails unless so many calls ran. Returns how many ran in threads that are submitters. */
size_t tally_check(size_t calls);

void put(const char *name, double value);

#endif
