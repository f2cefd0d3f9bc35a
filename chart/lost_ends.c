/* SPDX-License-Identifier: MIT */
/*
 * Consoles lose lines, and so the ends of initcalls and of devices' callbacks. The kernel begins neither inside another
 * one of its kind in the same thread; so one whose end is not there was over when the thread's next one began, or
 * /init.
 */
#define _GNU_SOURCE
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"

enum kind { INITCALL, CALLBACK, KINDS };

/* The last ones of a thread that have no end. */
struct pending {
	long tid;
	size_t records[KINDS]; /* NONE: there is none */
};

static int compare_tids(const void *a, const void *b)
{
	const struct pending *left = a;
	const struct pending *right = b;

	return (left->tid > right->tid) - (left->tid < right->tid);
}

static struct pending *pending_of(void **tree, long tid)
{
	const struct pending key = {.tid = tid};
	struct pending *const *found = tfind(&key, tree, compare_tids);
	struct pending *made;

	if (found)
		return *found;
	made = malloc(sizeof(*made));
	if (!made || !(*made = (struct pending){tid, {NONE, NONE}}, tsearch(made, tree, compare_tids)))
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	return made;
}

/* Not of a step of a program, whose size is not known. */
static bool is_kernel_step(const struct record *record, enum kind *kind)
{
	const char *range = record->func ? strstr(record->func, "+0x0/0x") : NULL;

	*kind = range && strchr(range, '(') ? CALLBACK : INITCALL;
	return record->pid == 0 && range && strncmp(range, "+0x0/0x0", 8) != 0 &&
	       (record->type == ASYNC_TRACE_CALLING || record->type == ASYNC_TRACE_CALLED);
}

static bool runs_init(const struct record *record)
{
	return record->type == ASYNC_TRACE_PHASE && record->pid == 0 && record->name && record->name[0] == '/';
}

static void end_pending(struct input *input, size_t *pending, const struct record *next, uint64_t t_ns)
{
	struct record ended;

	if (*pending == NONE)
		return;
	ended = input->records[*pending];
	ended.type = ASYNC_TRACE_CALLED;
	ended.since_ns = ended.t_ns;
	ended.t_ns = t_ns;
	ended.order = next->order - 1;
	*APPEND(input->records, input->count) = ended;
	*pending = NONE;
	input->lost_ends++;
}

void records_mark_open(struct input *input)
{
	for (size_t i = 0; i < input->open_count; i++)
		if (!input->open_calls[i].broken && input->open_calls[i].type == ASYNC_TRACE_CALLING)
			input->records[input->open_calls[i].record].flag = true;
}

/* What the beginning, or the end, of a step tells of those before it in its thread. */
static void end_others(struct input *input, struct pending *pending, const struct record *record, enum kind kind)
{
	size_t *callback = &pending->records[CALLBACK];

	if (record->type != ASYNC_TRACE_CALLED) {
		end_pending(input, callback, record, record->t_ns);
		if (kind == INITCALL)
			end_pending(input, &pending->records[INITCALL], record, record->t_ns);
	} else if (kind == INITCALL && *callback != NONE) { /* it ends with what is around it */
		*callback = NONE;
		input->lost_ends++;
	}
}

/*
 * An initcall ends whose begin is not there, while the end of another one is missed. Both tell when they began: if
 * then, it is one of which a character was lost in one line; if later, the other one was over by then.
 */
static void end_headless(struct input *input, struct pending *pending, size_t index)
{
	struct record *record = &input->records[index];
	size_t *missed = &pending->records[INITCALL];
	const struct record *begun = *missed == NONE ? NULL : &input->records[*missed];
	uint64_t slack_ns = (record->t_ns - record->since_ns) / 40 + 100000; /* as in nest.c */

	if (!begun || begun->type != ASYNC_TRACE_CALLING || record->since_ns + slack_ns < begun->t_ns)
		return;
	if (record->since_ns > begun->t_ns + slack_ns) {
		const struct record next = *record;

		end_pending(input, missed, &next, next.since_ns);
		return;
	}
	record->name = begun->name;
	record->func = begun->func;
	record->headless = false;
	input->renamed++;
	*missed = NONE;
}

bool records_end_lost(struct input *input)
{
	size_t count = input->count;
	void *tree = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct record record = input->records[i];
		struct pending *pending;
		enum kind kind;

		if (!is_kernel_step(&record, &kind) && !runs_init(&record))
			continue;
		pending = pending_of(&tree, runs_init(&record) ? 1 : record.tid);
		end_others(input, pending, &record, kind);
		if (record.headless && kind == INITCALL)
			end_headless(input, pending, i);
		if (record.type == ASYNC_TRACE_CALLING && record.flag)
			pending->records[kind] = i;
	}
	tdestroy(tree, free);
	return input->count > count;
}
