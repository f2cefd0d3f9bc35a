/* SPDX-License-Identifier: MIT */
/* The lines that the kernel writes under initcall_debug, in its format, so that its tools read them. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "symbol.h"
#include "trace_text.h"

#define NAME_BYTES 192
#define BEGUN_MOST 16

/*
 * What this thread has begun and not ended, the innermost last: calls nest when one that waits runs others
 * meanwhile. The retire step of an ordered call is a bar of its own, with ".retire" at the name's end, because
 * the function returned earlier, perhaps in another thread. Deeper ones than there is room for lose that.
 */
struct begun {
	async_cookie_t cookie;
	uint64_t since_ns;
	bool retire;
	bool named; /* by async_set_name(), when it began */
};

static _Thread_local struct begun begun[BEGUN_MOST];
static _Thread_local unsigned int begun_used;

/* scripts/bootgraph.pl matches [a-zA-Z0-9_.]+ before the plus sign, and nothing else. */
static void replace_others(char *text)
{
	for (; *text; text++)
		if (!((*text >= '0' && *text <= '9') || (*text >= 'A' && *text <= 'Z') ||
		      (*text >= 'a' && *text <= 'z') || *text == '_' || *text == '.'))
			*text = '_';
}

/* "N_name.retire+0x0/0x42" in @text; without a cookie there is no "N_". */
static void kernel_name(char *text, size_t bytes, const struct port_event *event, const char *suffix)
{
	char name[NAME_BYTES];
	char range[64] = "+0x0/0x0";
	char prefix[24] = "";
	char *plus;

	if (event->name)
		snprintf(name, sizeof(name), "%s", event->name);
	else
		port_symbol(event->func, name, sizeof(name));
	plus = event->name ? NULL : strrchr(name, '+');
	if (plus) {
		snprintf(range, sizeof(range), "%s%s", plus, strchr(plus, '/') ? "" : "/0x0");
		*plus = 0;
	}
	replace_others(name);
	if (event->cookie)
		snprintf(prefix, sizeof(prefix), "%" PRIu64 "_", event->cookie);
	snprintf(text, bytes, "%s%s%s%s", prefix, name[0] ? name : "_", suffix, range);
}

static void stamp(struct trace_line *line, uint64_t t_ns)
{
	line->used += (size_t)snprintf(line->text + line->used, sizeof(line->text) - line->used,
				       "[%5" PRIu64 ".%06" PRIu64 "] ", t_ns / 1000000000, t_ns % 1000000000 / 1000);
}

static void calling(struct trace_line *line, const struct trace_place *place, const struct port_event *event,
		    const char *suffix)
{
	char name[NAME_BYTES + 128];

	kernel_name(name, sizeof(name), event, suffix);
	line->used += (size_t)snprintf(line->text + line->used, sizeof(line->text) - line->used, "calling  %s @ %ld\n",
				       name, (long)place->tid);
}

static uint64_t usecs(const struct trace_place *place, uint64_t since_ns)
{
	return since_ns && since_ns < place->now_ns ? (place->now_ns - since_ns) / 1000 : 0;
}

static void returned(struct trace_line *line, const struct trace_place *place, const struct port_event *event,
		     const char *suffix, uint64_t since_ns)
{
	char name[NAME_BYTES + 128];

	kernel_name(name, sizeof(name), event, suffix);
	line->used += (size_t)snprintf(line->text + line->used, sizeof(line->text) - line->used,
				       "initcall %s returned %d after %" PRIu64 " usecs\n", name, event->error,
				       usecs(place, since_ns));
}

static void begins(struct trace_line *line, const struct trace_place *place, const struct port_event *event,
		   bool retire)
{
	if (begun_used < BEGUN_MOST)
		begun[begun_used++] = (struct begun){event->cookie, place->now_ns, retire, event->name};
	stamp(line, place->now_ns);
	calling(line, place, event, retire ? ".retire" : "");
}

/* What began as @event's call, if this thread knows; else what the event itself says of it. */
static struct begun take_begun(const struct port_event *event)
{
	struct begun other = {event->cookie, event->since_ns, false, false};

	if (begun_used && begun[begun_used - 1].cookie == event->cookie)
		return begun[--begun_used];
	return other;
}

/*
 * Its name may have become known only while it ran. bootgraph.pl matches beginning and end by the name, so the
 * beginning is written once more with that name and its own time.
 */
static void ends(struct trace_line *line, const struct trace_place *place, const struct port_event *event)
{
	struct begun call = take_begun(event);
	const char *suffix = call.retire ? ".retire" : "";

	if (event->name && !call.named && call.since_ns) {
		stamp(line, call.since_ns);
		calling(line, place, event, suffix);
	}
	stamp(line, place->now_ns);
	returned(line, place, event, suffix, event->since_ns ? event->since_ns : call.since_ns);
}

/* Not the kernel's: bootgraph.pl passes over it. The name is free text, so only what would break the line is replaced.
 */
static void phase(struct trace_line *line, const char *name)
{
	char text[NAME_BYTES];

	snprintf(text, sizeof(text), "%s", name);
	for (char *next = text; *next; next++)
		if ((unsigned char)*next < 0x20 || *next == 0x7f)
			*next = '_';
	line->used +=
		(size_t)snprintf(line->text + line->used, sizeof(line->text) - line->used, "inorder: phase %s\n", text);
}

static void waits(struct trace_line *line, const struct trace_place *place, const struct port_event *event)
{
	size_t room;

	stamp(line, place->now_ns);
	room = sizeof(line->text) - line->used;
	if (event->type == ASYNC_TRACE_WAITING)
		line->used +=
			(size_t)snprintf(line->text + line->used, room, "async_waiting @ %ld\n", (long)place->tid);
	else
		line->used += (size_t)snprintf(line->text + line->used, room,
					       "async_continuing @ %ld after %" PRIu64 " usec\n", (long)place->tid,
					       usecs(place, event->since_ns));
}

void trace_kernel_event(struct trace_line *line, const struct trace_place *place, const struct port_event *event)
{
	line->used = 0;
	switch (event->type) {
	case ASYNC_TRACE_STARTED:
	case ASYNC_TRACE_RETIRING:
		begins(line, place, event, event->type == ASYNC_TRACE_RETIRING);
		break;
	case ASYNC_TRACE_RETURNED:
		ends(line, place, event);
		break;
	case ASYNC_TRACE_COMPLETED:
		if (!event->arg) /* a cancelled call never began */
			ends(line, place, event);
		break;
	case ASYNC_TRACE_CALLING:
		stamp(line, place->now_ns);
		calling(line, place, event, "");
		break;
	case ASYNC_TRACE_CALLED:
		stamp(line, place->now_ns);
		returned(line, place, event, "", event->since_ns);
		break;
	case ASYNC_TRACE_WAITING:
	case ASYNC_TRACE_CONTINUED:
		waits(line, place, event);
		break;
	case ASYNC_TRACE_PHASE:
		stamp(line, place->now_ns);
		phase(line, event->name ? event->name : "");
		break;
	default:
		break;
	}
}
