/* SPDX-License-Identifier: MIT */
/* What the core reports to the trace. Off, it costs the core one predictable branch a call. */
#ifndef PORT_TRACE_H
#define PORT_TRACE_H

#include <inorder/trace.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

/* True when either form of trace is on. Read without a lock; written at start-up or by async_trace_*(). */
extern _Bool port_tracing;

/* Writes the event in every form that is on. Never called with the core's lock held. Keeps errno. */
void port_trace(const struct port_event *event);

/*
 * "symbol+0x0/0x42", or "object+0xoffset" where there is no dynamic symbol; always ends with NUL. May take the loader's
 * lock.
 */
void port_symbol(async_func_t func, char *text, size_t bytes);

/*
 * Turn on what INORDER_DEBUG and the configuration ask for; fd or -1, path or NULL. Complains on standard error and
 * goes on.
 */
void port_trace_start(int initcall_fd, const char *path);
#endif
