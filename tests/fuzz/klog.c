/* SPDX-License-Identifier: MIT */
/*
 * The chart's reader of kernel logs. A verb becomes one record at most, or what is wrong with it is reported; a record
 * that the library writes in the kernel's form is read as the same; then the chart: model.c.
 */
#include <ctype.h>

#include "fuzz.h"
#include "model.h"
#include "trace_text.h"

/* What stands in the kernel's form as it is: no cookie, no range, nothing that is replaced or cut. */
static bool is_plain(const char *name)
{
	size_t bytes = strlen(name);

	if (!bytes || bytes > 150 || isdigit((unsigned char)*name))
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_' && *name != '.')
			return false;
	return true;
}

static void check_written(const struct record *record)
{
	struct trace_place place = {record->t_ns, 1, (pid_t)record->tid};
	struct port_event event = {
		.type = (enum async_trace_type)record->type, .error = record->error, .name = record->name};
	struct trace_line line = {0};
	struct input again = {0};

	if (record->cookie || record->tid < 0 || record->tid > INT32_MAX ||
	    record->t_ns >= UINT64_C(1000000000000000000) || record->t_ns % 1000)
		return;
	if (record->type != ASYNC_TRACE_WAITING && record->type != ASYNC_TRACE_CONTINUED &&
	    (record->type == ASYNC_TRACE_PHASE || !is_plain(record->name)))
		return;
	trace_kernel_event(&line, &place, &event);
	HOLD(line.used < sizeof(line.text) && line.text[line.used - 1] == '\n');
	line.text[line.used] = '\0';
	HOLD(!input_line(&again, line.text, line.used));
	HOLD(again.count == 1);
	HOLD(again.records[0].type == record->type && again.records[0].t_ns == record->t_ns);
	HOLD(again.records[0].tid == record->tid || record->type == ASYNC_TRACE_CALLED);
	HOLD(again.records[0].error == record->error && !again.records[0].cookie);
	HOLD(again.records[0].name == record->name);
	input_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct input input = {0};
	bool picture = count % 256 == 0; /* it takes long */
	size_t messages = 0;             /* at most */
	size_t length;

	while (count) {
		char *line = fuzz_line(&bytes, &count, &length);
		size_t records = input.count;
		const char *wrong = input_line(&input, line, length);

		messages += length / strlen("[0.000000]") + 1;

		HOLD(!wrong || *wrong);
		HOLD(input.count - records <= length / strlen("call ") + 1);
		HOLD(input.open_count <= input.count + messages); /* also of those that were not understood */
		if (input.count > records && !input.records[records].pid)
			check_written(&input.records[records]);
		free(line);
	}
	check_chart(&input, picture);
	input_free(&input);
	resolve_free();
	keep_free();
	return 0;
}
