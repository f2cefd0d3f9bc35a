/* SPDX-License-Identifier: MIT */
/*
 * The lines that the kernel writes under initcall_debug, and the library with INORDER_DEBUG=initcall, in
 * dmesg, a console's log or standard error. All other lines are passed over.
 *
 * "initcall NAME returned" does not say in which thread. It is matched with the "calling  NAME" of that name
 * that began when this one says it did, so repeated names do not collide.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"

#define PROBE_DEFER 517 /* the kernel's EPROBE_DEFER: neither a success nor a failure */

/* Where and when a line was written. */
struct stamp {
	uint64_t t_ns;
	long tid; /* CONFIG_PRINTK_CALLER; -1: not told */
};

typedef const char *parse_line(struct input *input, const struct stamp *stamp, const char *rest);

/* "    1.277283]" */
static bool parse_time(const char *text, uint64_t *t_ns)
{
	char seconds[10];
	char micros[7];
	int used = 0;

	if (sscanf(text, " %9[0-9].%6[0-9]]%n", seconds, micros, &used) != 2 || used == 0 || strlen(micros) != 6)
		return false;
	*t_ns = strtoul(seconds, NULL, 10) * UINT64_C(1000000000) + strtoul(micros, NULL, 10) * UINT64_C(1000);
	*t_ns += *t_ns == 0; /* 0 stands for unknown */
	return true;
}

static const char *opening(const char *line, const char *end)
{
	while (end > line && *end != '[')
		end--;
	return *end == '[' ? end : NULL;
}

/* @end is the ']' before the message: "[    1.277283]" or "[    1.277283][    T1]". */
static bool parse_stamp(const char *line, const char *end, struct stamp *stamp)
{
	const char *start = opening(line, end);
	unsigned int cpu;

	stamp->tid = -1;
	if (!start)
		return false;
	if (parse_time(start + 1, &stamp->t_ns))
		return true;
	if (sscanf(start, "[ T%ld", &stamp->tid) != 1 && sscanf(start, "[ C%u", &cpu) != 1)
		return false;
	if (start == line || start[-1] != ']')
		return false;
	start = opening(line, start - 1);
	return start && parse_time(start + 1, &stamp->t_ns);
}

static struct record *add(struct input *input, int type, const struct stamp *stamp, long tid)
{
	struct record *record = APPEND(input->records, input->count);

	*record = (struct record){.type = type, .t_ns = stamp->t_ns, .tid = tid};
	return record;
}

/* "5_ata_port_probe+0x0/0x42 [libata]": the cookie, the name without its range, whether it is a retire step. */
static const char *split_name(const char *text, size_t bytes, uint64_t *cookie, bool *retire)
{
	const char *end = text + bytes;
	const char *plus = memchr(text, '+', bytes);
	const char *module = memchr(text, '[', bytes);
	const char *digit = text;
	const char *suffix = ".retire";

	if (plus && !module && strncmp(plus, "+0x0/", 5) != 0 && bytes > 4 && memcmp(end - 4, "/0x0", 4) == 0)
		end -= 4; /* an object and an offset, without a size: keep both for the symbol table */
	else if (plus)
		end = plus;
	while (digit < end && isdigit((unsigned char)*digit))
		digit++;
	*cookie = 0;
	*retire = false;
	if (digit > text && digit < end && *digit == '_') {
		*cookie = strtoull(text, NULL, 10);
		text = digit + 1;
		if ((size_t)(end - text) > strlen(suffix) &&
		    memcmp(end - strlen(suffix), suffix, strlen(suffix)) == 0) {
			end -= strlen(suffix);
			*retire = true;
		}
	}
	return resolve(keep_part(text, (size_t)(end - text)));
}

/*
 * The library writes a beginning once more when the call has got its name since: the same cookie in the same
 * thread. Returns whether it was that, and then the open call bears the new name.
 */
static bool rename_call(struct input *input, const char *full_name, const struct record *record)
{
	for (size_t i = input->open_count; record->cookie && i-- > 0;) {
		struct open_call *call = &input->open_calls[i];

		if (call->cookie != record->cookie || call->tid != record->tid || call->type != record->type)
			continue;
		call->name = full_name;
		return true;
	}
	return false;
}

static const char *parse_calling(struct input *input, const struct stamp *stamp, const char *rest)
{
	const char *at = strstr(rest, " @ ");
	struct record record = {.t_ns = stamp->t_ns, .type = ASYNC_TRACE_CALLING};
	bool retire;
	char *end;

	if (!at || at == rest)
		return "\"calling\" without a name and \"@ PID\"";
	record.tid = strtol(at + 3, &end, 10);
	if (end == at + 3 || record.tid < 0)
		return "\"calling\" without a thread's number after the \"@\"";
	record.func = keep_part(rest, (size_t)(at - rest));
	record.name = split_name(rest, (size_t)(at - rest), &record.cookie, &retire);
	if (record.cookie)
		record.type = retire ? ASYNC_TRACE_RETIRING : ASYNC_TRACE_STARTED;
	if (rename_call(input, record.func, &record))
		return NULL; /* its end will tell the name */
	*APPEND(input->open_calls, input->open_count) =
		(struct open_call){record.func, record.t_ns, record.cookie, record.tid, record.type};
	*APPEND(input->records, input->count) = record;
	return NULL;
}

/* Takes out the open call that began closest to @since_ns, which then is when it began. Returns its thread, or -1. */
static long close_call(struct input *input, const char *name, uint64_t end_ns, uint64_t *since_ns)
{
	size_t best = NONE;
	uint64_t best_off = UINT64_MAX;
	long tid;

	for (size_t i = input->open_count; i-- > 0;) {
		const struct open_call *call = &input->open_calls[i];
		uint64_t off = call->t_ns > *since_ns ? call->t_ns - *since_ns : *since_ns - call->t_ns;

		if (call->name == name && off < best_off) {
			best = i;
			best_off = off;
		}
	}
	if (best == NONE)
		return -1;
	tid = input->open_calls[best].tid;
	if (input->open_calls[best].t_ns <= end_ns) /* or else the lines of two logs stand in one file */
		*since_ns = input->open_calls[best].t_ns;
	input->open_calls[best] = input->open_calls[--input->open_count];
	return tid;
}

/* "… returned 0 after 377865 usecs"; of asynchronous calls kernels from 6.0 on print no error, which they never had */
static bool parse_returned(const char *rest, size_t *name_bytes, int *error, uint64_t *usecs)
{
	const char *returned = strstr(rest, " returned ");

	*error = 0;
	if (!returned || returned == rest ||
	    (sscanf(returned, " returned %d after %" SCNu64 " usec", error, usecs) != 2 &&
	     sscanf(returned, " returned after %" SCNu64 " usec", usecs) != 1))
		return false;
	*name_bytes = (size_t)(returned - rest);
	return true;
}

static const char *parse_initcall(struct input *input, const struct stamp *stamp, const char *rest)
{
	struct record *record;
	uint64_t since_ns;
	uint64_t cookie;
	uint64_t usecs;
	size_t bytes;
	bool retire;
	int error;
	long tid;

	if (!parse_returned(rest, &bytes, &error, &usecs))
		return "\"initcall\" without \"returned [ERROR] after TIME usecs\"";
	since_ns = usecs < stamp->t_ns / 1000 ? stamp->t_ns - usecs * 1000 : 1;
	tid = close_call(input, keep_part(rest, bytes), stamp->t_ns, &since_ns);
	record = add(input, ASYNC_TRACE_CALLED, stamp, tid >= 0 ? tid : stamp->tid);
	record->name = split_name(rest, bytes, &cookie, &retire);
	record->cookie = cookie;
	record->error = error;
	record->since_ns = since_ns;
	if (cookie)
		record->type = ASYNC_TRACE_COMPLETED;
	return NULL;
}

static const char *parse_probe(struct input *input, const struct stamp *stamp, const char *rest)
{
	struct record *record;
	uint64_t usecs;
	size_t bytes;
	int error;

	if (!parse_returned(rest, &bytes, &error, &usecs))
		return "\"probe of\" without \"returned ERROR after TIME usecs\"";
	record = add(input, ASYNC_TRACE_CALLED, stamp, stamp->tid);
	record->name = keep_part(rest, bytes);
	record->since_ns = usecs < stamp->t_ns / 1000 ? stamp->t_ns - usecs * 1000 : 1;
	record->error = error > 0 ? 0 : error; /* some kernels print 1 for a device that was bound */
	if (error == PROBE_DEFER || error == -PROBE_DEFER)
		record->error = -PROBE_DEFER; /* from Linux 5.11 on printed without its sign */
	return NULL;
}

static const char *parse_wait(struct input *input, const struct stamp *stamp, const char *rest, int type)
{
	char *end;
	long tid = strtol(rest, &end, 10);
	struct record *record;
	uint64_t usecs = 0;

	if (end == rest || tid < 0)
		return "a wait without a thread's number after the \"@\"";
	sscanf(end, " after %" SCNu64 " usec", &usecs);
	record = add(input, type, stamp, tid);
	if (usecs && usecs < stamp->t_ns / 1000)
		record->since_ns = stamp->t_ns - usecs * 1000;
	return NULL;
}

static const char *parse_waiting(struct input *input, const struct stamp *stamp, const char *rest)
{
	return parse_wait(input, stamp, rest, ASYNC_TRACE_WAITING);
}

static const char *parse_continuing(struct input *input, const struct stamp *stamp, const char *rest)
{
	return parse_wait(input, stamp, rest, ASYNC_TRACE_CONTINUED);
}

static const char *parse_phase(struct input *input, const struct stamp *stamp, const char *rest)
{
	add(input, ASYNC_TRACE_PHASE, stamp, stamp->tid)->name = keep(rest);
	return NULL;
}

static const char *parse_run(struct input *input, const struct stamp *stamp, const char *rest)
{
	const char *end = strstr(rest, " as init process");

	if (end)
		add(input, ASYNC_TRACE_PHASE, stamp, stamp->tid)->name = keep_part(rest, (size_t)(end - rest));
	return NULL;
}

static const char *parse_version(struct input *input, const struct stamp *stamp, const char *rest)
{
	(void)rest;
	add(input, ASYNC_TRACE_PHASE, stamp, stamp->tid)->name = keep("kernel");
	return NULL;
}

static const struct {
	const char *text;
	parse_line *parse;
} verbs[] = {
	{"] calling  ", parse_calling},
	{"] initcall ", parse_initcall},
	{"] probe of ", parse_probe},
	{"] async_waiting @ ", parse_waiting},
	{"] async_continuing @ ", parse_continuing},
	{"] inorder: phase ", parse_phase},
	{"] Run ", parse_run},
	{"] Linux version ", parse_version},
};

const char *parse_klog_line(struct input *input, const char *line)
{
	struct stamp stamp;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		const char *found = strstr(line, verbs[i].text);

		if (!found)
			continue;
		if (!parse_stamp(line, found, &stamp))
			return "no time before the message (boot with printk.time=1)";
		return verbs[i].parse(input, &stamp, found + strlen(verbs[i].text));
	}
	return NULL;
}
