/* SPDX-License-Identifier: MIT */
/*
 * The trace event format (JSON), which ui.perfetto.dev and chrome://tracing open: a track a thread, an arrow from the
 * call that ended a wait to that wait, counters of calls, of threads and of the pool.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "json.h"

/* The kernel log has pid 0 and stand-in threads without tid: above what Linux hands out, so no real one is meant. */
#define STAND_IN_TID 10000000
#define PATH_TID (STAND_IN_TID - 1)

struct change {
	uint64_t t_ns;
	int64_t by[2];
};

/* Two values that change with time, under one name. */
struct counter {
	const char *name;
	const char *keys[2]; /* NULL: it has one value */
	struct change *changes;
	size_t count;
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
			json_text(file, domain_text(call->domain, call->domain_name));
		}
	}
	fputs("}}", file);
}

/* An arrow begins in a span and ends in one, so its begin is moved into the one that has ended. */
static void write_arrow(const struct model *model, size_t from, size_t index, uint64_t to_ns, FILE *file)
{
	const struct span *span = &model->spans[from];
	const char *name = model->spans[index].is_unit ? "lets it start" : "ends the wait";

	event(model, file, "s", span->thread, span->end_ns - (span->end_ns > span->begin_ns));
	fprintf(file, ",\"cat\":\"wait\",\"name\":\"%s\",\"id\":%zu}", name, index);
	event(model, file, "f", model->spans[index].thread, to_ns);
	fprintf(file, ",\"bp\":\"e\",\"cat\":\"wait\",\"name\":\"%s\",\"id\":%zu}", name, index);
}

/* From what ended a wait to the wait, and from the last of those that a unit had to come after to the unit. */
static void write_arrows(const struct model *model, FILE *file)
{
	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *span = &model->spans[i];
		const struct call *call = span->awaited == NONE ? NULL : &model->calls[span->awaited];
		size_t from = span->is_unit ? last_join(model, span) : NONE;

		if (span->kind == SPAN_WAIT && call)
			from = call->retire != NONE ? call->retire : call->run;
		if (from != NONE && span->is_unit)
			write_arrow(model, from, i, span->begin_ns, file);
		else if (from != NONE && span->end_ns >= model->spans[from].end_ns)
			write_arrow(model, from, i, span->end_ns, file);
	}
}

static int compare_changes(const void *a, const void *b)
{
	const struct change *left = a;
	const struct change *right = b;

	return (left->t_ns > right->t_ns) - (left->t_ns < right->t_ns);
}

/* The value @key is one more from @begin_ns to @end_ns. */
static void count(struct counter *counter, size_t key, uint64_t begin_ns, uint64_t end_ns)
{
	struct change begin = {.t_ns = begin_ns};
	struct change end = {.t_ns = end_ns};

	if (end_ns <= begin_ns)
		return;
	begin.by[key] = 1;
	end.by[key] = -1;
	*APPEND(counter->changes, counter->count) = begin;
	*APPEND(counter->changes, counter->count) = end;
}

/* Frees the changes. */
static void write_counter(const struct model *model, struct counter *counter, FILE *file)
{
	int64_t values[2] = {0, 0};

	if (counter->count)
		qsort(counter->changes, counter->count, sizeof(*counter->changes), compare_changes);
	for (size_t i = 0; i < counter->count; i++) {
		values[0] += counter->changes[i].by[0];
		values[1] += counter->changes[i].by[1];
		if (i + 1 < counter->count && counter->changes[i + 1].t_ns == counter->changes[i].t_ns)
			continue;
		fprintf(file, ",\n{\"ph\":\"C\",\"pid\":%ld,\"name\":\"%s\"", model->processes[0].pid, counter->name);
		microseconds(file, "ts", counter->changes[i].t_ns - model->begin_ns);
		fprintf(file, ",\"args\":{\"%s\":%" PRId64, counter->keys[0], values[0]);
		if (counter->keys[1])
			fprintf(file, ",\"%s\":%" PRId64, counter->keys[1], values[1]);
		fputs("}}", file);
	}
	free(counter->changes);
}

static void count_calls(const struct model *model, FILE *file)
{
	struct counter counter = {.name = "calls", .keys = {"running", "pending"}};

	for (size_t i = 0; i < model->call_count; i++) {
		const struct call *call = &model->calls[i];

		if (call->run != NONE)
			count(&counter, 0, model->spans[call->run].begin_ns, model->spans[call->run].end_ns);
		if (call->scheduled_ns)
			count(&counter, 1, call->scheduled_ns, call->started_ns);
	}
	write_counter(model, &counter, file);
}

/* A span that does not wait, in one that does, is work; what waits in work is none. */
static void count_threads(const struct model *model, FILE *file)
{
	struct counter counter = {.name = "threads", .keys = {"at work", "waiting"}};

	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *span = &model->spans[i];
		bool wait = span->kind == SPAN_WAIT;
		bool outer = span->parent == NONE;

		if (span->kind == SPAN_TURN || (!outer && wait == (model->spans[span->parent].kind == SPAN_WAIT)))
			continue;
		count(&counter, wait, span->begin_ns, span->end_ns);
		if (!outer && span->end_ns > span->begin_ns) { /* the other of the two is interrupted */
			count(&counter, !wait, span->begin_ns, span->end_ns);
			counter.changes[counter.count - 2].by[!wait] = -1;
			counter.changes[counter.count - 1].by[!wait] = 1;
		}
	}
	write_counter(model, &counter, file);
}

/* Threads of the pool, from what each did first to what it did last. */
static void count_pool(const struct model *model, FILE *file)
{
	struct counter counter = {.name = "pool", .keys = {"threads"}};

	for (size_t i = 0; i < model->thread_count; i++) {
		const struct thread *thread = &model->threads[i];

		if (thread->tid >= 0 && thread->tid != model->processes[thread->process].pid)
			count(&counter, 0, thread->first_ns, thread->last_ns);
	}
	write_counter(model, &counter, file);
}

/* A slice of the track that shows the critical path. */
static void write_part(const struct model *model, uint64_t begin_ns, uint64_t end_ns, const char *category,
		       const char *name, FILE *file)
{
	fprintf(file, ",\n{\"ph\":\"X\",\"pid\":%ld,\"tid\":%d", model->processes[0].pid, PATH_TID);
	microseconds(file, "ts", begin_ns - model->begin_ns);
	microseconds(file, "dur", end_ns - begin_ns);
	fprintf(file, ",\"cat\":\"%s\",\"name\":", category);
	json_text(file, name);
	fputs(",\"args\":{}}", file);
}

static void write_path(const struct model *model, FILE *file)
{
	char name[300];

	fprintf(file,
		",\n{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%ld,\"tid\":%d,"
		"\"args\":{\"name\":\"critical path\"}}",
		model->processes[0].pid, PATH_TID);
	for (size_t i = model->chain_count; i-- > 0;) {
		const struct link *link = &model->chain[i];

		span_label(model, &model->spans[link->span], name, sizeof(name));
		write_part(model, link->begin_ns, link->end_ns,
			   link->kind == LINK_SPAN ? "path" : link_words[link->kind], name, file);
	}
	for (size_t i = model->gap_count; i-- > 0;)
		write_part(model, model->gaps[i].begin_ns, model->gaps[i].end_ns, "gap",
			   gap_text(model, &model->gaps[i], name, sizeof(name)), file);
}

int perfetto_write(const struct model *model, const char *title, FILE *file)
{
	fputs("{\"displayTimeUnit\":\"ms\",\"otherData\":{\"title\":", file);
	json_text(file, title);
	fprintf(file, ",\"path_ns\":%" PRIu64 ",\"explained_ns\":%" PRIu64 "},\"traceEvents\":[",
		model->path.end_ns - model->path.begin_ns, model->path.explained_ns);
	for (size_t i = 0; i < model->process_count; i++)
		name_process(model, i, file);
	for (size_t i = 0; i < model->thread_count; i++)
		name_thread(model, i, file);
	for (size_t i = 0; i < model->span_count; i++)
		write_span(model, &model->spans[i], file);
	write_arrows(model, file);
	write_path(model, file);
	count_calls(model, file);
	count_threads(model, file);
	count_pool(model, file);
	fputs("]}\n", file);
	return ferror(file) || fflush(file) ? (errno ? -errno : -EIO) : 0;
}
