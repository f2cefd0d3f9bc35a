/* SPDX-License-Identifier: MIT */
/*
 * Steps of a kernel log that do not say in which thread they ran. "probe of NAME returned" tells when the probe ended
 * and how long it took, no more. An initcall that was open all that time is taken for its caller.
 */
#define _GNU_SOURCE
#include "model.h"

#define BETWEEN_LEAST_NS 1000000 /* less is not worth a bar */

/* Kernels before 5.12 count 1024 ns as a microsecond; and a line is written some time after what it tells. */
static uint64_t slack_ns(uint64_t length_ns)
{
	return length_ns / 40 + 100000;
}

/* True if a child of @around overlaps the beginning of the probe: then they ran in two threads. */
static bool cuts(const struct model *model, size_t around, uint64_t since_ns)
{
	for (size_t i = model->spans[around].last_child; i != NONE; i = model->spans[i].sibling) {
		const struct span *span = &model->spans[i];

		if (span->end_ns <= since_ns) /* so did those before it */
			return false;
		if (span->begin_ns + slack_ns(span->end_ns - span->begin_ns) < since_ns)
			return true;
	}
	return false;
}

/* The step that is open in @thread and began before the probe; NONE if there is none, or not before. */
static size_t step_around(const struct model *model, size_t thread, uint64_t since_ns, uint64_t slack)
{
	const struct thread *on = &model->threads[thread];
	size_t innermost = on->depth ? on->stack[on->depth - 1] : NONE;

	if (innermost == NONE || model->spans[innermost].kind != SPAN_STEP ||
	    model->spans[innermost].begin_ns > since_ns + slack)
		return NONE;
	return innermost;
}

static size_t find_around(const struct model *model, size_t process, uint64_t since_ns, uint64_t end_ns)
{
	size_t best = NONE;

	for (size_t i = 0; i < model->open_count; i++) {
		size_t thread = model->open_threads[i];
		size_t around;

		if (model->threads[thread].process != process)
			continue;
		around = step_around(model, thread, since_ns, slack_ns(end_ns - since_ns));
		if (around == NONE || cuts(model, around, since_ns))
			continue;
		if (best == NONE || model->spans[around].begin_ns > model->spans[best].begin_ns ||
		    (model->spans[around].begin_ns == model->spans[best].begin_ns && around < best))
			best = around;
	}
	return best;
}

/* The last children of @around, those that ended within the probe, become its own. */
static void adopt(struct model *model, size_t around, size_t index)
{
	struct span *probe = &model->spans[index];
	size_t child = model->spans[around].last_child;
	size_t first = NONE;

	for (; child != NONE && model->spans[child].end_ns > probe->begin_ns; child = model->spans[child].sibling) {
		if (model->spans[child].begin_ns < probe->begin_ns)
			probe->begin_ns = model->spans[child].begin_ns;
		model->spans[child].parent = index;
		if (first == NONE)
			probe->last_child = child;
		first = child;
	}
	if (first != NONE)
		model->spans[first].sibling = NONE;
	model->spans[around].last_child = child;
}

size_t nest_probe(struct model *model, size_t process, uint64_t since_ns, uint64_t end_ns)
{
	size_t around = find_around(model, process, since_ns, end_ns);
	size_t index;

	if (around == NONE)
		return NONE;
	if (since_ns < model->spans[around].begin_ns)
		since_ns = model->spans[around].begin_ns;
	index = span_make(model, SPAN_STEP, model->spans[around].thread, since_ns, end_ns);
	adopt(model, around, index);
	span_nest(model, index, around);
	return index;
}

static void add_step(struct model *model, size_t thread, uint64_t begin_ns, uint64_t end_ns, const char *name,
		     enum stand_in stand_in)
{
	size_t index;

	if (begin_ns >= end_ns)
		return;
	index = span_make(model, SPAN_STEP, thread, begin_ns, end_ns);
	model->spans[index].name = keep(name);
	model->spans[index].stand_in = stand_in;
}

/* When the log of a kernel begins, and when it runs /init; UINT64_MAX and 0 if the log does not tell. */
static void find_ends(const struct model *model, size_t process, uint64_t *begin_ns, uint64_t *init_ns)
{
	const char *kernel = keep("kernel");

	*begin_ns = UINT64_MAX;
	*init_ns = 0;
	for (size_t i = 0; i < model->phase_count; i++) {
		const struct phase *phase = &model->phases[i];

		if (phase->process != process)
			continue;
		if (phase->name[0] == '/' && !*init_ns)
			*init_ns = phase->begin_ns;
		else if (phase->name == kernel && *begin_ns == UINT64_MAX)
			*begin_ns = phase->begin_ns;
	}
}

/* Before /init the kernel waits for all asynchronous calls: from when its first thread has nothing to wait for. */
static uint64_t joined(const struct model *model, size_t process, uint64_t last_ns, uint64_t init_ns)
{
	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *span = &model->spans[i];

		if (span->kind == SPAN_RUN && model->threads[span->thread].process == process &&
		    span->end_ns > last_ns && span->end_ns <= init_ns)
			last_ns = span->end_ns;
	}
	return last_ns;
}

/*
 * A log without initcalls: what the first thread did is not told, but that nothing else was before the first span.
 * Under initcall_debug it is what is before the first probe; without it, it may be anything.
 */
static void nest_before_all(struct model *model, size_t process, size_t thread, uint64_t begin_ns,
			    enum stand_in stand_in)
{
	uint64_t first_ns = UINT64_MAX;

	for (size_t i = 0; i < model->span_count; i++)
		if ((model->spans[i].thread == thread || model->threads[model->spans[i].thread].process == process) &&
		    model->spans[i].begin_ns < first_ns)
			first_ns = model->spans[i].begin_ns;
	if (first_ns == UINT64_MAX || begin_ns >= first_ns)
		return;
	if (thread == NONE)
		thread = thread_make(model, process, 1);
	add_step(model, thread, begin_ns, first_ns, "kernel", stand_in);
}

/* Whether the log tells what its first thread did. */
static bool tells_initcalls(const struct model *model, size_t thread, uint64_t init_ns)
{
	for (size_t i = 0; thread != NONE && i < model->span_count; i++)
		if (model->spans[i].thread == thread && model->spans[i].kind == SPAN_STEP &&
		    model->spans[i].stand_in == STANDS_FOR_ITSELF && (!init_ns || model->spans[i].begin_ns < init_ns))
			return true;
	return false;
}

/* Between two initcalls their thread is in kernel_init(), which starts processors, prints, goes on to the next one. */
static void nest_between(struct model *model, size_t thread, uint64_t init_ns)
{
	size_t count = model->span_count;
	uint64_t covered_ns = 0;

	for (size_t i = 0; i < count; i++) {
		struct span span = model->spans[i];

		if (span.thread != thread || span.parent != NONE || span.begin_ns >= init_ns)
			continue;
		if (covered_ns && span.begin_ns >= covered_ns + BETWEEN_LEAST_NS)
			add_step(model, thread, covered_ns, span.begin_ns, "kernel_init", STANDS_FOR_PART);
		if (!span.end_ns) /* all of the rest is in it */
			return;
		if (span.end_ns > covered_ns)
			covered_ns = span.end_ns;
	}
}

void nest_kernel_start(struct model *model, size_t process, bool probes)
{
	/* It runs start_kernel() and then kernel_init(), and becomes process 1, which a trace may know. */
	size_t thread = thread_find(model, process, 1, true);
	uint64_t first_ns = UINT64_MAX;
	uint64_t last_ns = 0;
	uint64_t begin_ns;
	uint64_t init_ns;

	find_ends(model, process, &begin_ns, &init_ns);
	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *span = &model->spans[i];

		if (span->thread != thread || span->kind == SPAN_TURN)
			continue;
		if (span->begin_ns < first_ns)
			first_ns = span->begin_ns;
		if (span->begin_ns < init_ns && (!span->end_ns || span->end_ns > last_ns))
			last_ns = span->end_ns ? span->end_ns : UINT64_MAX;
	}
	if (!tells_initcalls(model, thread, init_ns)) {
		nest_before_all(model, process, thread, begin_ns, probes ? STANDS_FOR_PART : STANDS_FOR_ALL);
		return;
	}
	if (last_ns)
		last_ns = joined(model, process, last_ns, init_ns);
	nest_between(model, thread, init_ns);
	add_step(model, thread, begin_ns, first_ns, "start_kernel", STANDS_FOR_PART);
	if (last_ns)
		add_step(model, thread, last_ns, init_ns, "kernel_init", STANDS_FOR_PART);
}
