/* SPDX-License-Identifier: MIT */
/* What the files of the program explore share: what is asked for, and what was found. */
#ifndef SEARCH_H
#define SEARCH_H

#include "explore.h"

extern struct options {
	bool deep, list, coverage, stop, plain, verify, planted;
	unsigned bound;
	bool bound_given;
	unsigned jobs;
	unsigned long random, seed;
	const char *only, *group;
	unsigned long most; /* runs of a case; 0: no limit */
	double seconds;     /* of computing, most for a case; 0: no limit */
} options;

/* Of all processes that explore. */
struct totals {
	unsigned long long schedules, known, steps, failures, cut;
};

/* main.c */
unsigned each_case(void (*what)(const struct sim_case *which));

/* search.c */
extern struct totals totals;
void explore_case(const struct sim_case *which);
bool run_once(const struct sim_case *which);
void find_planted(const struct sim_case *which);

/* outcome.c */
void print_failure(const struct sim_case *which);
void catch_signals(void);
void watch_for_hang(void);                                /* from now on, for a thousand runs or so */
void coverage_add(unsigned *reached, unsigned *switched); /* of another process, site by site */
size_t coverage_sites(void);
void coverage_print(void);

#endif
