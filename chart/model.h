/* SPDX-License-Identifier: MIT */
/* What the files that build the model share. */
#ifndef CHART_MODEL_H
#define CHART_MODEL_H

#include "chart.h"

/* A closed span of @thread. */
size_t span_make(struct model *model, enum span_kind kind, size_t thread, uint64_t begin_ns, uint64_t end_ns);
size_t thread_make(struct model *model, size_t process, long tid);

/*
 * A step of a kernel log that is known by its end alone (a probe) becomes a span of the thread around it: the one whose
 * open step began before it, where it cuts no other span in two. Returns its span; NONE if there is no such thread.
 */
size_t nest_probe(struct model *model, size_t process, uint64_t since_ns, uint64_t end_ns);
/* What the kernel's first thread does before its first and after its last initcall, as steps. */
void nest_kernel_start(struct model *model, size_t process);
/* The tries of a probe that was deferred become one story: span.retry_of. */
void link_retries(struct model *model);
/* What a reader has to know of the records: model->notes. */
void add_notes(struct model *model, const struct input *input);
__attribute__((format(printf, 2, 3))) void model_note(struct model *model, const char *format, ...);
#endif
