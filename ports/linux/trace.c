// SPDX-License-Identifier: MIT OR GPL-2.0
/* Where the core's events go: tracepoints, the log. And what the core writes itself: reports. */
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/seq_file.h>

#include "internal.h"

#define CREATE_TRACE_POINTS
#include "async_events.h"

int port_tracepoint_on(void)
{
	atomic_inc(&port_tracepoints);
	return 0;
}

void port_tracepoint_off(void)
{
	atomic_dec(&port_tracepoints);
}

static void trace_point(const struct port_event *event)
{
	switch (event->type) {
	case ASYNC_TRACE_SCHEDULED:
		trace_async_scheduled(event);
		break;
	case ASYNC_TRACE_INLINE:
		trace_async_inline(event);
		break;
	case ASYNC_TRACE_STARTED:
		trace_async_started(event);
		break;
	case ASYNC_TRACE_RETURNED:
		trace_async_returned(event);
		break;
	case ASYNC_TRACE_RETIRING:
		trace_async_retiring(event);
		break;
	case ASYNC_TRACE_COMPLETED:
		trace_async_completed(event);
		break;
	case ASYNC_TRACE_WAITING:
		trace_async_waiting(event);
		break;
	case ASYNC_TRACE_CONTINUED:
		trace_async_continued(event);
		break;
	case ASYNC_TRACE_WORKER:
		trace_async_worker(event);
		break;
	default:
		break;
	}
}

void port_trace(const struct port_event *event)
{
	struct port_event near;

	if (event->func == port_near_run && event->type == ASYNC_TRACE_STARTED) {
		near = *event;
		near.func = port_near_func();
		event = &near;
	}
	if (atomic_read(&port_tracepoints))
		trace_point(event);
	if (port_debug_lines())
		port_trace_lines(event);
}

static DEFINE_MUTEX(report_mutex);
static struct seq_file *report_file; /* report_mutex */

/* Who runs, since when, and who waits for whom. */
void port_report(struct seq_file *file)
{
	mutex_lock(&report_mutex);
	report_file = file;
	async_report(PORT_LOG_FILE);
	report_file = NULL;
	mutex_unlock(&report_mutex);
}

void port_log(int fd, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (fd == PORT_LOG_FILE)
		seq_vprintf(report_file, format, args);
	else
		vprintk(format, args);
	va_end(args);
}
