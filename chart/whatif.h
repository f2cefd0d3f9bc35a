/* SPDX-License-Identifier: MIT */
#ifndef CHART_WHATIF_H
#define CHART_WHATIF_H

#include "chart.h"

/* X(name, word) */
#define CHANGES(X) \
	X(NONE, "nothing") \
	X(FASTER, "faster")         /* the own work of the name takes 1 / times */ \
	X(ASYNC, "async")           /* the step runs beside what follows: see joins() */ \
	X(EARLIER, "earlier")       /* the call is scheduled when what schedules it begins; or see left_out() */ \
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

/* "faster=NAME[,TIMES]", "async=NAME", "earlier=NAME", "threads". False, told on standard error, if it is none. */
bool change_read(struct change *change, const char *text);
/* False, told on standard error, if nothing in the trace has the change's name, or it cannot be changed so. */
bool change_fits(const struct model *model, const struct change *change);
/* Whether a person can change that span so. */
bool change_can(const struct model *model, const struct span *span, enum change_kind kind);
/* For people. Returns @text. */
const char *change_text(const struct model *model, const struct change *change, char *text, size_t bytes);
/* Work takes longer beside other work: known are the number of processors and what units computed. */
bool change_shares(const struct model *model, const struct change *change);
/* How many processors there were; 0: nothing tells. */
unsigned int change_processors(const struct model *model, const struct change *change);
/* It has not ended when the path does, or the trace of its process. */
bool change_lacks_end(const struct model *model, const struct span *span);
/* What has not ended when the path does, and is most of it; NULL: nothing is. */
const char *change_unended(const struct model *model);
int whatif_print(const struct model *model, const struct change *change, const char *title, FILE *file);
/* The change that gains most. False if none that is known of would gain anything. */
bool advise_best(const struct model *model, struct change *change, double *gain_ns);
/* The changes with the largest gain. */
int advise_print(const struct model *model, const char *title, FILE *file);
#endif
