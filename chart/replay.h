/* SPDX-License-Identifier: MIT */
/* A trace's events, gone through once more in order of time, and what each came after: of whatif.c alone. */
#ifndef CHART_REPLAY_H
#define CHART_REPLAY_H

#include "processors.h"
#include "whatif.h"

enum event_type { SCHEDULED, BEGIN, END, TURN_END };

struct event {
	enum event_type type;
	size_t index; /* of the span, or of the call that is scheduled */
	uint64_t t_ns;
	double new_ns;
	size_t before;    /* the event that it came after; NONE: nothing */
	const char *name; /* whose time lies between them; NULL: of no name */
};

struct track {
	size_t first; /* event; NONE: none yet */
	size_t last;
	size_t *stack; /* open spans */
	size_t depth;
	double aside_ns; /* until when what was made asynchronous runs */
	size_t aside;    /* its event */
	double step_ns;  /* when that began */
};

/* For each prefix of the cookies the completion that is last: a Fenwick tree of events, NONE where there is none. */
struct completions {
	const char *domain; /* NULL: all */
	size_t process;
	size_t *latest_new;
	size_t *latest_old;
};

struct replay {
	const struct model *model;
	const struct change *change;
	struct event *events;
	size_t count;
	struct track *tracks;
	size_t *scheduled; /* a call's event */
	size_t *earliest;  /* the event after which the change schedules it; else the same */
	size_t *began;     /* a span's event */
	size_t *ended;     /* a span's event */
	size_t *returned;  /* that of the end of its run */
	size_t *rank;      /* a call's place among the cookies, from 1 */
	uint64_t *cookies; /* in order */
	struct completions *domains;
	size_t domain_count;
	bool shares;        /* processors: work takes longer beside other work */
	bool all_works;     /* all but waits is work, not only what the units are known to have computed */
	struct shared *old; /* what works at a time, in the trace and with the change: of the round before */
	struct shared *new;
	struct shared *busy; /* gets that of this round */
};

/* Its model and change are set. */
void replay_open(struct replay *replay);
void replay_close(struct replay *replay);
/* The later one of two events; either may be NONE. */
size_t later(const struct replay *replay, size_t a, size_t b, bool new_time);
void complete(struct replay *replay, size_t call, size_t event);
/* The last completion of a call below @cookie (0: of any). */
size_t completed_below(struct replay *replay, size_t process, const char *domain, uint64_t cookie, bool new_time);
#endif
