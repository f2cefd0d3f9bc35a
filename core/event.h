/* SPDX-License-Identifier: MIT */
/* What the core reports to its port, and reads from it: the same in every port. The port's header includes this. */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

/* One event of the trace. Unused fields are 0. The trace adds time and thread itself. */
struct port_event {
	enum async_trace_type type;
	int error;
	async_cookie_t cookie; /* the call; of a wait: the call that waits, or 0 */
	async_cookie_t arg;    /* see ASYNC_TRACE_EVENTS */
	const void *domain;    /* NULL: all registered, or none */
	async_func_t func;
	const char *name;  /* async_set_name(), or NULL: named by func */
	uint64_t since_ns; /* COMPLETED, CONTINUED, RETURNED: when it began (monotonic); 0: unknown */
	bool flag;         /* SCHEDULED, INLINE: the domain is exclusive; WAITING, CONTINUED: for call arg alone */
};

/* What port_start() fills in, once. */
struct port_config {
	uint32_t threads;    /* most workers; 0: calls run in their callers */
	uint32_t pending;    /* most pending calls; beyond, calls run in their callers */
	uint32_t watchdog_s; /* a call that runs for longer is reported; 0: none is */
	uint32_t full_s;     /* so are calls that find all threads blocked for so long; 0: they are not */
	uint32_t cold;       /* COLD_BURST unless the port says otherwise */
	uint32_t help_from;  /* HELP_FROM, as well; 0: never */
};

#endif
