/* SPDX-License-Identifier: MIT */
/*
 * From records to calls, threads and spans. A thread's open spans form a stack: what begins while another is
 * open is nested in it. A record whose beginning is missing (tracing began in the middle, or lines were lost)
 * still makes a span when it says since when; a beginning without an end reaches to the end of the chart.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* The kernel tells a process' start to the tick, and programs take a while to begin: less is not worth a bar. */
#define START_LEAST_NS 20000000

/* ---- finding and making ---- */

static size_t process_of(struct model *model, long pid)
{
	for (size_t i = model->process_count; i-- > 0;)
		if (model->processes[i].pid == pid)
			return i;
	*APPEND(model->processes, model->process_count) = (struct process){.pid = pid};
	return model->process_count - 1;
}

/* A kernel log's thread may be one that a trace knows: then its lines belong there. */
static size_t thread_of(struct model *model, size_t process, long tid)
{
	bool any = model->processes[process].pid == 0;

	size_t thread;

	if (tid < 0)
		return NONE;
	thread = thread_find(model, process, tid, any);
	return thread != NONE ? thread : thread_make(model, process, tid);
}

/* ---- one record ---- */

static void begin_step(struct model *model, size_t thread, const struct record *record)
{
	size_t index = span_open(model, SPAN_STEP, thread, record->t_ns);

	model->spans[index].name = record->name ? record->name : record->func;
}

static void begin_wait(struct model *model, size_t process, size_t thread, const struct record *record)
{
	size_t index = span_open(model, SPAN_WAIT, thread, record->t_ns);
	struct span *span = &model->spans[index];

	span->wait_for = record->arg;
	span->one = record->flag;
	span->name = record->type == ASYNC_TRACE_AWAITING ? record->name : NULL;
	span->domain = record->domain;
	span->domain_name = record->domain_name;
	span->call = record->cookie ? call_find(model, process, record->cookie) : NONE;
}

/* The innermost open span of @kind in @thread, and of a step with that name; NONE if there is none. */
static size_t open_span(const struct model *model, size_t thread, enum span_kind kind, const char *name)
{
	const struct thread *on = &model->threads[thread];

	for (size_t i = on->depth; i-- > 0;) {
		const struct span *span = &model->spans[on->stack[i]];

		if (span->kind == kind && (!name || span->name == name))
			return on->stack[i];
	}
	return NONE;
}

static void end_span(struct model *model, size_t thread, enum span_kind kind, const struct record *record)
{
	const char *name = kind == SPAN_STEP ? (record->name ? record->name : record->func) : NULL;
	size_t index = open_span(model, thread, kind, name);

	if (index != NONE)
		span_close(model, index, record->t_ns);
	else if (record->since_ns)
		index = span_make(model, kind, thread, record->since_ns, record->t_ns);
	if (index == NONE)
		return;
	model->spans[index].error = record->error;
	if (kind == SPAN_STEP) {
		model->spans[index].name = name;
		model->spans[index].unfinished = record->flag;
	}
	if (record->type == ASYNC_TRACE_AWAITED)
		model->spans[index].name = record->name;
	if (record->type == ASYNC_TRACE_CONTINUED)
		model->spans[index].one = record->flag;
	if (kind == SPAN_WAIT && !model->spans[index].domain)
		model->spans[index].domain = record->domain;
}

static void add_phase(struct model *model, size_t process, const struct record *record)
{
	for (size_t i = model->phase_count; i-- > 0;) {
		if (model->phases[i].process != process)
			continue;
		model->phases[i].end_ns = record->t_ns;
		break;
	}
	*APPEND(model->phases, model->phase_count) =
		(struct phase){process, record->t_ns, 0, record->name ? record->name : ""};
	model->processes[process].has_phases = true;
}

/* When the kernel's log runs the program that became process 1, before @t_ns; 0 if it does not tell. */
static uint64_t run_init(const struct model *model, uint64_t t_ns)
{
	for (size_t i = model->phase_count; i-- > 0;)
		if (model->processes[model->phases[i].process].pid == 0 && model->phases[i].name[0] == '/' &&
		    model->phases[i].begin_ns < t_ns)
			return model->phases[i].begin_ns;
	return 0;
}

static void add_start(struct model *model, size_t process, size_t thread, const struct record *record)
{
	struct process *started = &model->processes[process];
	uint64_t begin_ns = record->started_ns;
	size_t before;

	started->program = record->name;
	started->version = record->version;
	started->processors = (unsigned int)record->arg;
	if (!started->realtime_ns)
		started->realtime_ns = record->realtime_ns;
	if (record->pid == 1) /* which was a thread of the kernel before it became /init */
		begin_ns = run_init(model, record->t_ns);
	if (!begin_ns || model->threads[thread].last_ns > begin_ns || record->t_ns - begin_ns < START_LEAST_NS)
		return;
	before = span_make(model, SPAN_STEP, thread, begin_ns, record->t_ns);
	model->spans[before].name = keep("before the trace");
	model->spans[before].stand_in = STANDS_FOR_ALL;
	if (begin_ns < model->begin_ns)
		model->begin_ns = begin_ns;
}

/* The library's own lines in a kernel log say again what the trace of that process says better. */
static bool is_traced_phase(const struct input *input, const struct record *record)
{
	if (record->pid != 0 || record->type != ASYNC_TRACE_PHASE)
		return false;
	for (size_t i = 0; i < input->count; i++)
		if (input->records[i].pid && input->records[i].type == ASYNC_TRACE_PHASE &&
		    input->records[i].name == record->name)
			return true;
	return false;
}

static bool said_again(const struct model *model, size_t thread, const struct record *record)
{
	if (record->pid != 0)
		return false;
	if (thread == NONE || model->processes[model->threads[thread].process].pid == 0)
		return false;
	return record->cookie || record->type == ASYNC_TRACE_WAITING || record->type == ASYNC_TRACE_CONTINUED ||
	       (record->func && strstr(record->func, "+0x0/0x0"));
}

/* A probe whose thread the log does not tell, in the initcall around it. False if there is none. */
static bool add_probe(struct model *model, size_t process, const struct record *record)
{
	size_t index;

	if (record->type != ASYNC_TRACE_CALLED || record->pid != 0 || !record->since_ns)
		return false;
	index = nest_probe(model, process, record->since_ns, record->t_ns);
	if (index == NONE)
		return false;
	model->spans[index].name = record->name;
	model->spans[index].error = record->error;
	return true;
}

static void add_record(struct model *model, const struct record *record)
{
	size_t process = process_of(model, record->pid);
	size_t thread = record->type == ASYNC_TRACE_PHASE ? NONE : thread_of(model, process, record->tid);

	model->processes[process].last_ns = record->t_ns;
	if (thread == NONE && add_probe(model, process, record))
		return;
	if (thread == NONE && record->since_ns)
		thread = thread_free_since(model, process, record->since_ns);
	if (said_again(model, thread, record) || (thread == NONE && record->type < ASYNC_TRACE_WORKER))
		return;
	if (record->type == RECORD_START)
		add_start(model, process, thread, record);
	else if (record->type == ASYNC_TRACE_PHASE)
		add_phase(model, process, record);
	else if (record->type == ASYNC_TRACE_WORKER)
		model->workers = record->arg > model->workers ? record->arg : model->workers;
	else if (record->type == ASYNC_TRACE_WAITING || record->type == ASYNC_TRACE_AWAITING)
		begin_wait(model, process, thread, record);
	else if (record->type == ASYNC_TRACE_CONTINUED || record->type == ASYNC_TRACE_AWAITED)
		end_span(model, thread, SPAN_WAIT, record);
	else if (record->type == ASYNC_TRACE_CALLING)
		begin_step(model, thread, record);
	else if (record->type == ASYNC_TRACE_CALLED && thread != NONE)
		end_span(model, thread, SPAN_STEP, record);
	else if (record->cookie && record->type < ASYNC_TRACE_WAITING)
		add_call(model, process, thread, record);
	if (record->since_ns && record->since_ns < model->begin_ns)
		model->begin_ns = record->since_ns;
}

/* ---- all of them ---- */

static void finish_calls(struct model *model)
{
	for (size_t i = 0; i < model->call_count; i++) {
		const struct call *call = &model->calls[i];
		uint64_t end_ns = call->retiring_ns ? call->retiring_ns : call->completed_ns;
		size_t turn;

		if (!call->returned_ns || call->run == NONE)
			continue;
		if (end_ns && end_ns < call->returned_ns) /* lines of two traces, mixed */
			continue;
		turn = span_make(model, SPAN_TURN, model->spans[call->run].thread, call->returned_ns,
				 end_ns ? end_ns : model->processes[call->process].last_ns);
		model->spans[turn].call = i;
		model->spans[turn].unfinished = !end_ns;
	}
}

static size_t depth_of(const struct span *span, const struct span *spans)
{
	size_t depth = 0;

	for (; span->parent != NONE; span = &spans[span->parent])
		depth++;
	return depth;
}

/* By begin, and what is around another first. */
static int compare_spans(const void *a, const void *b, void *spans)
{
	const struct span *left = (const struct span *)spans + *(const size_t *)a;
	const struct span *right = (const struct span *)spans + *(const size_t *)b;
	size_t left_depth;
	size_t right_depth;

	if (left->begin_ns != right->begin_ns)
		return left->begin_ns < right->begin_ns ? -1 : 1;
	if (left->end_ns != right->end_ns)
		return left->end_ns > right->end_ns ? -1 : 1;
	left_depth = depth_of(left, spans);
	right_depth = depth_of(right, spans);
	if (left_depth != right_depth)
		return left_depth < right_depth ? -1 : 1;
	return (left > right) - (left < right);
}

static void finish_threads(struct model *model)
{
	for (size_t i = 0; i < model->span_count; i++) {
		struct span *span = &model->spans[i];
		struct thread *thread = &model->threads[span->thread];

		if (!span->end_ns) {
			span->end_ns = model->processes[thread->process].last_ns;
			if (span->end_ns <
			    span->begin_ns) /* a kernel log's, in a thread whose own trace ended before */
				span->end_ns = model->end_ns;
			span->unfinished = true;
		}
		if (span->kind != SPAN_TURN && span->begin_ns < thread->first_ns)
			thread->first_ns = span->begin_ns;
		if (span->kind != SPAN_TURN && span->end_ns > thread->last_ns)
			thread->last_ns = span->end_ns;
		*APPEND(thread->spans, thread->span_count) = i;
	}
	for (size_t i = 0; i < model->thread_count; i++)
		if (model->threads[i].span_count)
			qsort_r(model->threads[i].spans, model->threads[i].span_count, sizeof(size_t), compare_spans,
				model->spans);
	for (size_t i = 0; i < model->phase_count; i++)
		if (!model->phases[i].end_ns)
			model->phases[i].end_ns = model->processes[model->phases[i].process].last_ns;
}

/*
 * What is open when a kernel's log ends, and no /init was run, lasts to the last line of it: that is what the boot
 * hangs in, of its first thread before others.
 */
static void last_to_end(struct model *model, const struct input *input)
{
	uint64_t *last_ns = NULL;
	size_t hangs = NONE;

	for (size_t i = 0; i < model->open_count; i++) {
		const struct thread *thread = &model->threads[model->open_threads[i]];

		if (model->processes[thread->process].pid == 0 && (hangs == NONE || thread->tid == 1))
			hangs = model->open_threads[i];
	}
	if (hangs == NONE || input->past_init ||
	    (model->last_thread != NONE && model->processes[model->threads[model->last_thread].process].pid))
		return;
	last_ns = &model->processes[model->threads[hangs].process].last_ns;
	if (input->passed_ns > *last_ns)
		*last_ns = input->passed_ns;
	if (*last_ns > model->end_ns)
		model->end_ns = *last_ns;
	model->last_thread = hangs;
}

/* What came before the kernel has no place on its clock, and 0 stands for unknown. */
static void make_room(struct model *model, struct input *input)
{
	uint64_t ns = input->systemd.firmware_ns;

	if (ns < input->systemd.loader_ns)
		ns = input->systemd.firmware_ns = input->systemd.loader_ns;
	if (!ns && !records_from_zero(input))
		return;
	model->moved_ns = ns + 1;
	model->zero_ns = ns ? model->moved_ns : 0;
	records_move(input, model->moved_ns);
}

bool model_build(struct model *model, struct input *input, long pid)
{
	*model = (struct model){.begin_ns = UINT64_MAX, .last_thread = NONE, .login = NONE};
	if (!pid || pid == 1)
		make_room(model, input);
	model->earlier_boots = records_prepare(input);
	/* First the threads that traces know, so that a kernel log's lines find them. */
	model->processors = input->processors;
	for (size_t i = 0; i < input->count; i++)
		if (input->records[i].pid && (!pid || input->records[i].pid == pid))
			thread_of(model, process_of(model, input->records[i].pid), input->records[i].tid);
	for (size_t i = 0; i < input->count; i++) {
		const struct record *record = &input->records[i];

		if ((pid && record->pid != pid) || is_traced_phase(input, record))
			continue;
		if (record->t_ns < model->begin_ns)
			model->begin_ns = record->t_ns;
		if (record->t_ns > model->end_ns)
			model->end_ns = record->t_ns;
		add_record(model, record);
		model->last_thread = thread_of(model, process_of(model, record->pid), record->tid);
	}
	last_to_end(model, input);
	for (size_t i = 0; i < model->process_count; i++)
		if (model->processes[i].pid == 0)
			nest_kernel_start(model, i, input->probes);
	if (!pid || pid == 1)
		add_units(model, input);
	finish_calls(model);
	finish_threads(model);
	link_retries(model);
	cut_jumps(model);
	add_notes(model, input);
	if (!model->zero_ns)
		model->zero_ns = model->begin_ns;
	model->path = (struct path){.begin_ns = model->begin_ns, .end_ns = model->end_ns};
	model->shown = (struct range){model->begin_ns, model->end_ns};
	return model->span_count || model->phase_count;
}

void model_free(struct model *model)
{
	for (size_t i = 0; i < model->thread_count; i++) {
		free(model->threads[i].stack);
		free(model->threads[i].spans);
	}
	for (size_t i = 0; i < model->process_count; i++)
		tdestroy(model->processes[i].calls, free);
	for (size_t i = 0; i < model->span_count; i++)
		free(model->spans[i].joins);
	tdestroy(model->threads_by_tid, free);
	free(model->open_threads);
	free(model->stand_ins);
	free(model->processes);
	free(model->threads);
	free(model->calls);
	free(model->spans);
	free(model->phases);
	free(model->chain);
	free(model->gaps);
	free(model->notes);
	*model = (struct model){0};
}
