/* SPDX-License-Identifier: MIT */
/* A trace's events in order of time, and what each came after: of simulate.c and advise.c alone. */
#ifndef CHART_REPLAY_H
#define CHART_REPLAY_H

#include "chart.h"
#include "lowest.h"

#define NO_EVENT UINT32_MAX

enum event_type { SCHEDULED, BEGIN, END, TURN_END };

/* It comes @delay_ns after the last of those that it comes after. */
struct event {
	uint64_t t_ns;
	double delay_ns;
	const char *name;  /* whose own time the delay is; NULL: of no name */
	uint32_t index;    /* of the span, or of the call that is scheduled */
	uint32_t previous; /* in its thread */
	uint32_t next;     /* in its thread */
	uint32_t around;   /* the innermost span until then; NO_EVENT: none */
	uint32_t other;    /* that it comes after, besides */
	uint32_t set;      /* of calls that it comes after; NO_EVENT: none */
	enum event_type type : 8;
	bool chained;   /* it comes after the previous one in its thread */
	bool works;     /* what a span does by itself is taken for work: the trace does not tell */
	bool run_begin; /* of a call that was scheduled */
	bool joined;    /* of a unit: after those that it had to come after */
	bool computes;  /* the end of a span that is known to have computed */
};

/* Calls that were complete before: those of one row of completions, from @begin to @end, whose cookie is below. */
struct set {
	bool all; /* of the domain's row, or of all of the process */
	uint32_t begin, end;
	uint64_t bound;
};

/* A call is complete: of a process and, in its domain's row, of a domain; in order of time. */
struct completion {
	size_t process;
	const char *domain;
	uint64_t cookie; /* UINT64_MAX: no wait for all domains is for it */
	uint32_t event;
	uint32_t call;
};

struct row {
	struct completion *completions;
	size_t count;
	uint32_t *place; /* of each call; NO_EVENT: it does not complete */
	struct lowest cookies;
};

struct replay {
	const struct model *model;
	struct event *events;
	size_t count;
	struct set *sets;
	size_t set_count;
	struct row rows[2]; /* of each domain; of all */
	/* events: */
	uint32_t *began, *ended;        /* of a span */
	uint32_t *scheduled, *earliest; /* of a call; the earliest one that could schedule it */
	uint32_t kernel_joins;          /* that waits for all that the kernel does asynchronously; NO_EVENT: none */
};

/* A wait that is a cause by itself: for a device, a process. It takes its time, as a step does. */
bool is_own_wait(const struct span *span);
void replay_open(struct replay *replay, const struct model *model);
void replay_close(struct replay *replay);
size_t event_thread(const struct model *model, const struct event *event);
/* An array of that many, each of them NO_EVENT. */
uint32_t *event_array(size_t count);
#endif
