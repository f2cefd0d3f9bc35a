/* SPDX-License-Identifier: MIT */
#ifndef CHART_WHATIF_H
#define CHART_WHATIF_H

#include "chart.h"

/* X(name, word) */
#define CHANGES(X) \
	X(NONE, "nothing") \
	X(FASTER, "faster")         /* the own work of the name takes 1 / times */ \
	X(ASYNC, "async")           /* the step runs beside what follows, up to its thread's next wait */ \
	X(EARLIER, "earlier")       /* the call is scheduled when what schedules it begins; or see begin_unit() */ \
	X(THREADS, "threads")       /* a call begins when it is scheduled: there is always a free thread */ \
	X(PROCESSORS, "processors") /* what works shares another number of them */

enum change_kind {
#define CHANGE_ENUM(name, word) CHANGE_##name,
	CHANGES(CHANGE_ENUM)
#undef CHANGE_ENUM
};

struct change {
	enum change_kind kind;
	const char *name;
	double times;            /* how much faster; or how many processors */
	unsigned int processors; /* that there were; 0: the trace tells */
};

struct outcome {
	double total_ns;  /* from the begin of the path to its end */
	const char *next; /* the name that then has most of the critical path; NULL: none has any */
	double next_ns;
};

/* A wait that is a cause by itself: for a device, a process. It takes its time, as a step does. */
bool is_own_wait(const struct span *span);
/* The trace's schedule once more with a change: what waited for what stays, and each thread's order. */
void whatif(const struct model *model, const struct change *change, struct outcome *outcome);
/* "faster=NAME[,TIMES]", "async=NAME", "earlier=NAME", "threads". False, told on standard error, if it is none. */
bool change_read(struct change *change, const char *text);
/* False, told on standard error, if nothing in the trace has the change's name. */
bool change_fits(const struct model *model, const struct change *change);
/* Work takes longer beside other work: known are the number of processors and what units computed. */
bool whatif_shares(const struct model *model, const struct change *change);
/* How many processors there were; 0: nothing tells. */
unsigned int change_processors(const struct model *model, const struct change *change);
int whatif_print(const struct model *model, const struct change *change, const char *title, FILE *file);
/* The changes with the largest gain. */
int advise_print(const struct model *model, const char *title, FILE *file);
#endif
