/* SPDX-License-Identifier: MIT */
/* What the files that build the model share. */
#ifndef CHART_MODEL_H
#define CHART_MODEL_H

#include "chart.h"

/* A closed span of @thread. */
size_t span_make(struct model *model, enum span_kind kind, size_t thread, uint64_t begin_ns, uint64_t end_ns);
size_t thread_make(struct model *model, size_t process, long tid);
/* For what does not tell its thread: one of some stand-ins that was free in that time. */
size_t thread_free_since(struct model *model, size_t process, uint64_t since_ns);
/* The thread of that tid in @process, or in any; of several the one that was made last. NONE if there is none. */
size_t thread_find(const struct model *model, size_t process, long tid, bool any);
/* A span that begins in @parent, or has ended in it; the children of a span are added in order of their end. */
void span_nest(struct model *model, size_t index, size_t parent);
/* A span whose end is not known yet: what begins in its thread until then is nested in it. */
size_t span_open(struct model *model, enum span_kind kind, size_t thread, uint64_t t_ns);
/* Whatever was opened inside and not closed ends with it. */
void span_close(struct model *model, size_t index, uint64_t t_ns);

/* The call of that cookie; NONE if it was not met yet. */
size_t call_find(const struct model *model, size_t process, uint64_t cookie);
/* An event of a call. */
void add_call(struct model *model, size_t process, size_t thread, const struct record *record);

/*
 * A step of a kernel log that is known by its end alone (a probe) becomes a span of the thread around it: the one whose
 * open step began before it, where it cuts no other span in two. Returns its span; NONE if there is no such thread.
 */
size_t nest_probe(struct model *model, size_t process, uint64_t since_ns, uint64_t end_ns);
/* What the kernel's first thread does before its first and after its last initcall. @probes: the log has some. */
void nest_kernel_start(struct model *model, size_t process, bool probes);
/* The units of systemd: a process of their own. */
void add_units(struct model *model, const struct input *input);
/* The tries of a probe that was deferred become one story: span.retry_of. */
void link_retries(struct model *model);
/* What a reader has to know of the records: model->notes. */
void add_notes(struct model *model, const struct input *input);
/* A time in which the clock jumped is left out, and a note reports it. */
void cut_jumps(struct model *model);
__attribute__((format(printf, 2, 3))) void model_note(struct model *model, const char *format, ...);
#endif
