/* SPDX-License-Identifier: MIT */
/*
 * The trace event format (JSON), which ui.perfetto.dev and chrome://tracing open: a track a thread, an arrow from the
 * call that ended a wait to that wait, counters of calls that run and of calls that are pending.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "json.h"

/* The kernel log has pid 0 and stand-in threads without tid: above what Linux hands out, so no real one is meant. */
#define STAND_IN_TID 10000000

struct change {
	uint64_t t_ns;
	int running;
	int pending;
};

static long tid_of(const struct model *model, size_t thread)
{
	long tid = model->threads[thread].tid;

	return tid >= 0 ? tid : STAND_IN_TID + (long)thread;
}

/* systemd is process 1 as /init was: its units are apart. */
static long pid_of(const struct model *model, size_t process)
{
	return model->processes[process].is_systemd ? STAND_IN_TID : model->processes[process].pid;
}

/* A key and a time in microseconds with all its nanoseconds, as no double would hold it. */
static void microseconds(FILE *file, const char *key, uint64_t ns)
{
	fprintf(file, ",\"%s\":%" PRIu64 ".%03" PRIu64, key, ns / 1000, ns % 1000);
}

/* The beginning of an event, up to its time. Events after the first follow a comma. */
static void event(const struct model *model, FILE *file, const char *type, size_t thread, uint64_t t_ns)
{
	fprintf(file, ",\n{\"ph\":\"%s\",\"pid\":%ld,\"tid\":%ld", type, pid_of(model, model->threads[thread].process),
		tid_of(model, thread));
	microseconds(file, "ts", t_ns - model->begin_ns);
}

static void name_process(const struct model *model, size_t i, FILE *file)
{
	const struct process *process = &model->processes[i];

	fprintf(file, "%s{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%ld,\"args\":{\"name\":", i ? ",\n" : "\n",
		pid_of(model, i));
	json_text(file, process->program ? process->program : process->pid ? "process" : "kernel log");
	fputs("}}", file);
}

static void name_thread(const struct model *model, size_t i, FILE *file)
{
	const struct thread *thread = &model->threads[i];
	long pid = pid_of(model, thread->process);

	fprintf(file, ",\n{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%ld,\"tid\":%ld,\"args\":{\"name\":\"%s\"}}",
		pid, tid_of(model, i),
		thread->tid < 0 ? model->processes[thread->process].is_systemd ? "units" : "probes"
		: thread->tid == model->processes[thread->process].pid ? "main"
								       : "thread");
}

static void write_span(const struct model *model, const struct span *span, FILE *file)
{
	const char *name = span_name(model, span);

	if (span->kind == SPAN_TURN) /* holds no thread, and may overlap what does */
		return;
	if (span->kind == SPAN_WAIT)
		name = span->awaited == NONE ? "waits" : call_name(&model->calls[span->awaited]);
	event(model, file, "X", span->thread, span->begin_ns);
	microseconds(file, "dur", span->end_ns - span->begin_ns);
	fprintf(file, ",\"cat\":\"%s\",\"name\":", span_words[span->kind]);
	json_text(file, name);
	fprintf(file, ",\"args\":{\"unfinished\":%s,\"failed\":%s", span->unfinished ? "true" : "false",
		span_failed(model, span) ? "true" : "false");
	if (span->call != NONE) {
		const struct call *call = &model->calls[span->call];

		fprintf(file, ",\"cookie\":%" PRIu64 ",\"error\":%d", call->cookie, call->error);
		if (call->domain) {
			fputs(",\"domain\":", file);
			json_text(file, resolve(call->domain));
		}
	}
	fputs("}}", file);
}

/* From what ended the wait to the wait. An arrow begins in a span and ends in one, so its ends are moved into them. */
static void write_arrow(const struct model *model, size_t index, FILE *file)
{
	const struct span *wait = &model->spans[index];
	const struct call *call = wait->awaited == NONE ? NULL : &model->calls[wait->awaited];
	size_t from = !call ? NONE : call->retire != NONE ? call->retire : call->run;

	if (wait->kind != SPAN_WAIT || from == NONE || wait->end_ns < model->spans[from].end_ns)
		return;
	event(model, file, "s", model->spans[from].thread,
	      model->spans[from].end_ns - (model->spans[from].end_ns > model->spans[from].begin_ns));
	fprintf(file, ",\"cat\":\"wait\",\"name\":\"ends the wait\",\"id\":%zu}", index);
	event(model, file, "f", wait->thread, wait->end_ns);
	fprintf(file, ",\"bp\":\"e\",\"cat\":\"wait\",\"name\":\"ends the wait\",\"id\":%zu}", index);
}

static int compare_changes(const void *a, const void *b)
{
	const struct change *left = a;
	const struct change *right = b;

	return (left->t_ns > right->t_ns) - (left->t_ns < right->t_ns);
}

static void add_change(struct change **changes, size_t *count, uint64_t t_ns, int running, int pending)
{
	*APPEND(*changes, *count) = (struct change){t_ns, running, pending};
}

static void write_counters(const struct model *model, FILE *file)
{
	struct change *changes = NULL;
	size_t count = 0;
	int64_t running = 0;
	int64_t pending = 0;

	for (size_t i = 0; i < model->call_count; i++) {
		const struct call *call = &model->calls[i];

		if (call->scheduled_ns && call->started_ns >= call->scheduled_ns) {
			add_change(&changes, &count, call->scheduled_ns, 0, 1);
			add_change(&changes, &count, call->started_ns, 0, -1);
		}
		if (call->run != NONE) {
			add_change(&changes, &count, model->spans[call->run].begin_ns, 1, 0);
			add_change(&changes, &count, model->spans[call->run].end_ns, -1, 0);
		}
	}
	if (count)
		qsort(changes, count, sizeof(*changes), compare_changes);
	for (size_t i = 0; i < count; i++) {
		running += changes[i].running;
		pending += changes[i].pending;
		if (i + 1 < count && changes[i + 1].t_ns == changes[i].t_ns)
			continue;
		fprintf(file, ",\n{\"ph\":\"C\",\"pid\":%ld,\"name\":\"calls\"", model->processes[0].pid);
		microseconds(file, "ts", changes[i].t_ns - model->begin_ns);
		fprintf(file, ",\"args\":{\"running\":%" PRId64 ",\"pending\":%" PRId64 "}}", running, pending);
	}
	free(changes);
}

int perfetto_write(const struct model *model, FILE *file)
{
	fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[", file);
	for (size_t i = 0; i < model->process_count; i++)
		name_process(model, i, file);
	for (size_t i = 0; i < model->thread_count; i++)
		name_thread(model, i, file);
	for (size_t i = 0; i < model->span_count; i++)
		write_span(model, &model->spans[i], file);
	for (size_t i = 0; i < model->span_count; i++)
		write_arrow(model, i, file);
	write_counters(model, file);
	fputs("]}\n", file);
	return ferror(file) || fflush(file) ? (errno ? -errno : -EIO) : 0;
}
