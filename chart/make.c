/* SPDX-License-Identifier: MIT */
/* New threads and spans of the model. */
#include "model.h"

size_t thread_make(struct model *model, size_t process, long tid)
{
	struct thread *thread = APPEND(model->threads, model->thread_count);

	*thread = (struct thread){.process = process, .tid = tid, .first_ns = UINT64_MAX};
	model->processes[process].threads++;
	return model->thread_count - 1;
}

size_t span_make(struct model *model, enum span_kind kind, size_t thread, uint64_t begin_ns, uint64_t end_ns)
{
	struct span *span = APPEND(model->spans, model->span_count);

	*span = (struct span){.kind = kind,
			      .thread = thread,
			      .begin_ns = begin_ns,
			      .end_ns = end_ns,
			      .call = NONE,
			      .parent = NONE,
			      .awaited = NONE,
			      .retry_of = NONE};
	if (end_ns > model->threads[thread].last_ns)
		model->threads[thread].last_ns = end_ns;
	return model->span_count - 1;
}
