/* SPDX-License-Identifier: MIT */
/* Records of calls become calls and their spans. */
#define _GNU_SOURCE
#include <search.h>
#include <stdlib.h>

#include "model.h"

struct call_node {
	uint64_t cookie;
	size_t call;
};

static int compare_nodes(const void *a, const void *b)
{
	const struct call_node *left = a;
	const struct call_node *right = b;

	return (left->cookie > right->cookie) - (left->cookie < right->cookie);
}

static size_t call_make(struct model *model, size_t process, uint64_t cookie)
{
	struct call_node key = {cookie, 0};
	struct call_node **found = tfind(&key, &model->processes[process].calls, compare_nodes);
	struct call *call = APPEND(model->calls, model->call_count);

	*call = (struct call){.cookie = cookie, .process = process, .scheduler = NONE, .run = NONE, .retire = NONE};
	if (!found) {
		struct call_node *node = more(NULL, 0, sizeof(*node));

		node->cookie = cookie;
		found = tsearch(node, &model->processes[process].calls, compare_nodes);
		if (!found)
			more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	}
	(*found)->call = model->call_count - 1;
	return model->call_count - 1;
}

size_t call_find(const struct model *model, size_t process, uint64_t cookie)
{
	struct call_node key = {cookie, 0};
	struct call_node **found = tfind(&key, &model->processes[process].calls, compare_nodes);

	return found ? (*found)->call : NONE;
}

static void learn(struct call *call, const struct record *record)
{
	if (record->name)
		call->name = record->name;
	if (record->func)
		call->func = record->func;
	if (record->domain)
		call->domain = record->domain;
	if (record->domain_name)
		call->domain_name = record->domain_name;
	if (record->error)
		call->error = record->error;
}

/* The call of a record: a cookie that is scheduled or started once more is a new call (the program began anew). */
static size_t call_of(struct model *model, size_t process, const struct record *record)
{
	size_t index = call_find(model, process, record->cookie);
	bool again = false;

	if (index != NONE) {
		const struct call *call = &model->calls[index];

		if (record->type == ASYNC_TRACE_SCHEDULED)
			again = call->scheduled_ns != 0;
		if (record->type == ASYNC_TRACE_INLINE)
			again = call->run != NONE;
		if (record->type == ASYNC_TRACE_STARTED)
			again = call->run != NONE && !call->inlined;
	}
	if (index == NONE || again)
		index = call_make(model, process, record->cookie);
	learn(&model->calls[index], record);
	return index;
}

static void begin_run(struct model *model, size_t index, size_t thread, uint64_t t_ns)
{
	if (model->calls[index].run != NONE)
		return;
	model->calls[index].run = span_open(model, SPAN_RUN, thread, t_ns);
	model->calls[index].started_ns = t_ns;
	model->spans[model->calls[index].run].call = index;
}

static void end_run(struct model *model, size_t index, size_t thread, const struct record *record)
{
	struct call *call = &model->calls[index];

	if (call->run == NONE && record->since_ns && thread != NONE) {
		call->started_ns = record->since_ns;
		call->run = span_make(model, SPAN_RUN, thread, record->since_ns, record->t_ns);
		model->spans[call->run].call = index;
	} else if (call->run != NONE) {
		span_close(model, call->run, record->t_ns);
	}
}

static void begin_retire(struct model *model, size_t index, size_t thread, uint64_t t_ns)
{
	struct call *call = &model->calls[index];

	if (call->completed_ns) /* a kernel log's "returned" stands for both ends */
		call->returned_ns = call->completed_ns;
	call->completed_ns = 0;
	call->retiring_ns = t_ns;
	call->retire = span_open(model, SPAN_RETIRE, thread, t_ns);
	model->spans[call->retire].call = index;
}

static void complete(struct model *model, size_t index, size_t thread, const struct record *record)
{
	struct call *call = &model->calls[index];

	call->cancelled = record->arg != 0;
	if (call->retire != NONE)
		span_close(model, call->retire, record->t_ns);
	else if (!call->cancelled && !call->returned_ns)
		end_run(model, index, thread, record);
	call->completed_ns = record->t_ns;
}

void add_call(struct model *model, size_t process, size_t thread, const struct record *record)
{
	size_t index = call_of(model, process, record);
	struct call *call = &model->calls[index];

	switch (record->type) {
	case ASYNC_TRACE_SCHEDULED:
	case ASYNC_TRACE_INLINE:
		call->scheduled_ns = record->t_ns;
		call->scheduler = thread;
		call->by = record->arg;
		call->exclusive = record->flag;
		call->inlined = record->type == ASYNC_TRACE_INLINE;
		if (call->inlined)
			begin_run(model, index, thread, record->t_ns);
		break;
	case ASYNC_TRACE_STARTED:
		call->helped = record->arg != 0;
		begin_run(model, index, thread, record->t_ns);
		break;
	case ASYNC_TRACE_RETURNED:
		end_run(model, index, thread, record);
		model->calls[index].returned_ns = record->t_ns;
		break;
	case ASYNC_TRACE_RETIRING:
		begin_retire(model, index, thread, record->t_ns);
		break;
	default:
		complete(model, index, thread, record);
	}
}
