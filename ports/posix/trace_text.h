/* SPDX-License-Identifier: MIT */
/* Lines of a trace, built in a fixed buffer. */
#ifndef PORT_TRACE_TEXT_H
#define PORT_TRACE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "trace.h"

/* The longest line: every text in it is cut long before that. Below PIPE_BUF, so that pipes keep lines whole too. */
#define TRACE_LINE_BYTES 2048
#define TRACE_FORMAT_VERSION 2

struct trace_line {
	size_t used;
	char text[TRACE_LINE_BYTES];
};

/* When and where an event happened. */
struct trace_place {
	uint64_t now_ns; /* CLOCK_MONOTONIC */
	pid_t pid;
	pid_t tid;
};

/* The words of the events, by enum async_trace_type. */
extern const char *const trace_words[];

/* The full trace: a JSON object a line. */
void trace_header(struct trace_line *line, const struct trace_place *place, uint64_t realtime_ns);
void trace_event(struct trace_line *line, const struct trace_place *place, const struct port_event *event);
void trace_lost(struct trace_line *line, const struct trace_place *place, uint64_t lines);

/* The kernel's initcall_debug lines. Leaves @line empty for an event that the kernel has no line for. */
void trace_kernel_event(struct trace_line *line, const struct trace_place *place, const struct port_event *event);
#endif
