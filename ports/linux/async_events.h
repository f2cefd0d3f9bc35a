/* SPDX-License-Identifier: MIT OR GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM async_calls

#if !defined(ASYNC_EVENTS_H) || defined(TRACE_HEADER_MULTI_READ)
#define ASYNC_EVENTS_H

#include <linux/tracepoint.h>

int port_tracepoint_on(void);
void port_tracepoint_off(void);

/* Of a call. arg: what the core says with that event (see port_trace()). */
DECLARE_EVENT_CLASS(async_call, TP_PROTO(const struct port_event *event), TP_ARGS(event),
		    TP_STRUCT__entry(__field(u64, cookie) __field(u64, arg) __field(const void *, domain)
					     __field(void *, func) __field(int, error)),
		    TP_fast_assign(__entry->cookie = event->cookie; __entry->arg = event->arg;
				   __entry->domain = event->domain; __entry->func = (void *)event->func;
				   __entry->error = event->error;),
		    TP_printk("cookie=%llu func=%ps domain=%p arg=%llu error=%d", __entry->cookie, __entry->func,
			      __entry->domain, __entry->arg, __entry->error));

#define ASYNC_CALL_EVENT(name) \
	DEFINE_EVENT_FN(async_call, name, TP_PROTO(const struct port_event *event), TP_ARGS(event), \
			port_tracepoint_on, port_tracepoint_off)

/* arg: the cookie of the scheduling call, or 0 */
ASYNC_CALL_EVENT(async_scheduled);
/* the scheduler runs it itself, from now */
ASYNC_CALL_EVENT(async_inline);
/* arg: 1 if a waiter runs it */
ASYNC_CALL_EVENT(async_started);
/* func of an ordered call returned; it waits for its turn */
ASYNC_CALL_EVENT(async_returned);
ASYNC_CALL_EVENT(async_retiring);
/* arg: 1 if it was cancelled */
ASYNC_CALL_EVENT(async_completed);
/* a wait in this call, or in none, begins; arg: for cookies below this one */
ASYNC_CALL_EVENT(async_waiting);
/* that wait ends */
ASYNC_CALL_EVENT(async_continued);
/* a worker was added; arg: workers now */
ASYNC_CALL_EVENT(async_worker);

#undef ASYNC_CALL_EVENT

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE async_events
#include <trace/define_trace.h>
