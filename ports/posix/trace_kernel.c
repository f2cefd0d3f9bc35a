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
#define RETIRES_MOST 16

/*
 * The retire step of an ordered call is a bar of its own, with ".retire" at the name's end: the function
 * returned earlier, perhaps in another thread. Steps nest when a retire step waits and runs others meanwhile.
 */
struct retire {
	async_cookie_t cookie;
	uint64_t since_ns;
};

static _Thread_local struct retire retires[RETIRES_MOST];
static _Thread_local unsigned int retires_used;

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

static void retire_begins(const struct trace_place *place, async_cookie_t cookie)
{
	if (retires_used < RETIRES_MOST)
		retires[retires_used++] = (struct retire){ cookie, place->now_ns };
}

/* Whether @cookie's retire step is the one that ends now in this thread; if so, since when it ran. */
static bool retire_ends(async_cookie_t cookie, uint64_t *since_ns)
{
	if (retires_used == 0 || retires[retires_used - 1].cookie != cookie)
		return false;
	*since_ns = retires[--retires_used].since_ns;
	return true;
}

static void completed(struct trace_line *line, const struct trace_place *place, const struct port_event *event)
{
	uint64_t since_ns;

	if (event->arg) /* cancelled: it never began */
		line->used = 0;
	else if (retire_ends(event->cookie, &since_ns))
		returned(line, place, event, ".retire", since_ns);
	else
		returned(line, place, event, "", event->since_ns);
}

/* Not the kernel's: bootgraph.pl passes over it. The name is free text, so only what would break the line is replaced. */
static void phase(struct trace_line *line, const char *name)
{
	char text[NAME_BYTES];

	snprintf(text, sizeof(text), "%s", name);
	for (char *next = text; *next; next++)
		if ((unsigned char)*next < 0x20 || *next == 0x7f)
			*next = '_';
	line->used += (size_t)snprintf(line->text + line->used, sizeof(line->text) - line->used, "inorder: phase %s\n",
				       text);
}

void trace_kernel_event(struct trace_line *line, const struct trace_place *place, const struct port_event *event)
{
	line->used = (size_t)snprintf(line->text, sizeof(line->text), "[%5" PRIu64 ".%06" PRIu64 "] ",
				      place->now_ns / 1000000000, place->now_ns % 1000000000 / 1000);
	switch (event->type) {
	case ASYNC_TRACE_INLINE:
	case ASYNC_TRACE_STARTED:
	case ASYNC_TRACE_CALLING:
		calling(line, place, event, "");
		break;
	case ASYNC_TRACE_RETURNED:
	case ASYNC_TRACE_CALLED:
		returned(line, place, event, "", event->since_ns);
		break;
	case ASYNC_TRACE_RETIRING:
		retire_begins(place, event->cookie);
		calling(line, place, event, ".retire");
		break;
	case ASYNC_TRACE_COMPLETED:
		completed(line, place, event);
		break;
	case ASYNC_TRACE_WAITING:
		line->used += (size_t)snprintf(line->text + line->used, sizeof(line->text) - line->used,
					       "async_waiting @ %ld\n", (long)place->tid);
		break;
	case ASYNC_TRACE_CONTINUED:
		line->used += (size_t)snprintf(line->text + line->used, sizeof(line->text) - line->used,
					       "async_continuing @ %ld after %" PRIu64 " usec\n", (long)place->tid,
					       usecs(place, event->since_ns));
		break;
	case ASYNC_TRACE_PHASE:
		phase(line, event->name ? event->name : "");
		break;
	default:
		line->used = 0;
	}
}
