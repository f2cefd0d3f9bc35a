/* SPDX-License-Identifier: MIT */
/* A trace's events, once more with a change: when each comes then. */
#ifndef CHART_SIMULATE_H
#define CHART_SIMULATE_H

#include "processors.h"
#include "replay.h"
#include "whatif.h"

struct edge {
	uint32_t to;
	uint32_t next; /* of the same event */
};

/* What a span that is known to have computed did in the trace; of its end. */
struct computed {
	double work_ns; /* until it ended */
	double wait_ns; /* after that */
	double rest_ns; /* beside what came after it */
};

struct simulation {
	struct replay replay;
	/* of the last change; arrays are of events: */
	const struct change *change;
	double *new_ns;
	uint32_t *before; /* which it came after, as the last of them */
	uint32_t *asides; /* ends of what was made asynchronous */
	size_t aside_count;
	/* while it runs: */
	uint32_t *pending; /* how many it still comes after */
	uint32_t *first;   /* edge */
	struct edge *edges;
	size_t edge_count;
	uint32_t *joiner;      /* of the end of what was made asynchronous: it is not before that; NULL: nothing was */
	uint32_t *held;        /* by how many of those */
	uint32_t *waiter;      /* of a call: the first event that waits for it */
	uint32_t *next_waiter; /* of the same call */
	struct lowest left[2]; /* what of the rows is not complete */
	struct queue times;    /* what comes at a time */
	struct queue works;    /* what comes when so much is done */
	struct processors processors;
	uint32_t current;
	/* of the trace, if processors are shared: */
	bool shares;
	bool all_works;             /* all but waits, not only what units are known to have computed */
	double *work_ns;            /* that passes before the event */
	struct computed *computed;  /* of a span */
	struct processors recorded; /* as the trace had them */
};

struct simulation *simulation_open(const struct model *model);
/* Without a change the times are those of the trace. */
void simulation_run(struct simulation *simulation, const struct change *change);
void simulation_close(struct simulation *simulation);
#endif
