/* SPDX-License-Identifier: MIT */
/*
 * The chart's reader of traces. A line becomes one record, or is counted as lost or as of no interest, or what is wrong
 * with it is reported; a record that the library writes again is read as the same; then the chart: model.c.
 */
#include "fuzz.h"
#include "model.h"
#include "trace_text.h"

/* The library's writer writes text up to 300 bytes, escaped. */
#define TEXT_MOST 140

static void check_written(const struct record *record)
{
	struct trace_place place = {record->t_ns, (pid_t)record->pid, (pid_t)record->tid};
	struct port_event event = {.type = (enum async_trace_type)record->type,
				   .error = record->type == ASYNC_TRACE_WORKER ? 0 : record->error,
				   .cookie = record->cookie,
				   .arg = record->arg,
				   .name = record->name,
				   .since_ns = record->since_ns,
				   .flag = record->flag};
	bool waits = record->type == ASYNC_TRACE_WAITING || record->type == ASYNC_TRACE_CONTINUED;
	bool for_all = waits && record->arg == ASYNC_COOKIE_MAX; /* which is written as nothing */
	struct trace_line line = {0};
	struct input again = {0};

	if (record->type >= ASYNC_TRACE_TYPES || (record->name && strlen(record->name) > TEXT_MOST))
		return;
	trace_event(&line, &place, &event);
	HOLD(line.used < sizeof(line.text) && line.text[line.used - 1] == '\n');
	line.text[line.used] = '\0';
	HOLD(!input_line(&again, line.text, line.used));
	HOLD(again.count == 1);
	HOLD(again.records[0].type == record->type && again.records[0].t_ns == record->t_ns);
	HOLD(again.records[0].pid == record->pid && again.records[0].tid == record->tid);
	HOLD(again.records[0].cookie == record->cookie && again.records[0].since_ns == record->since_ns);
	HOLD(again.records[0].error == event.error);
	HOLD(again.records[0].flag == record->flag);
	HOLD(again.records[0].arg == (for_all ? 0 : record->arg));
	HOLD(again.records[0].name == record->name); /* equal texts are equal pointers */
	input_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct input input = {0};
	bool picture = count % 256 == 0; /* it takes long */
	size_t length;

	while (count) {
		char *line = fuzz_line(&bytes, &count, &length);
		size_t records = input.count, lost = input.lost;
		const char *wrong = input_line(&input, line, length);

		HOLD(!wrong || *wrong);
		/* A kernel's line, which may be JSON too, may hold several messages. */
		HOLD((input.count > records && !input.records[records].pid) ||
		     input.count - records + (input.lost > lost) + (wrong != NULL) <= 1);
		if (input.count > records && input.records[records].pid)
			check_written(&input.records[records]);
		free(line);
	}
	check_chart(&input, picture);
	input_free(&input);
	resolve_free();
	keep_free();
	return 0;
}
