/* SPDX-License-Identifier: MIT */
/* The model as JSON. Tables name their columns once: a row takes a third of the bytes that an object would take. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>

#include "json.h"

static void time_of(const struct model *model, uint64_t t_ns, FILE *file)
{
	if (t_ns)
		fprintf(file, ",%" PRId64, (int64_t)(t_ns - model->begin_ns));
	else
		fputs(",null", file);
}

static void index_of(size_t index, FILE *file)
{
	putc(',', file);
	json_index(file, index);
}

static void text_of(const char *text, FILE *file)
{
	putc(',', file);
	json_text(file, text);
}

static void write_processes(const struct model *model, FILE *file)
{
	fputs(",\n\"processes\":{\"columns\":[\"pid\",\"program\",\"units\"],\"rows\":[", file);
	for (size_t i = 0; i < model->process_count; i++) {
		fprintf(file, "%s\n[%ld", i ? "," : "", model->processes[i].pid);
		text_of(model->processes[i].program, file);
		fprintf(file, ",%d]", model->processes[i].is_systemd);
	}
	fputs("]}", file);
}

static void write_threads(const struct model *model, FILE *file)
{
	fputs(",\n\"threads\":{\"columns\":[\"process\",\"tid\"],\"rows\":[", file);
	for (size_t i = 0; i < model->thread_count; i++)
		fprintf(file, "%s\n[%zu,%ld]", i ? "," : "", model->threads[i].process, model->threads[i].tid);
	fputs("]}", file);
}

static void write_phases(const struct model *model, FILE *file)
{
	fputs(",\n\"phases\":{\"columns\":[\"process\",\"begin_ns\",\"end_ns\",\"name\"],\"rows\":[", file);
	for (size_t i = 0; i < model->phase_count; i++) {
		fprintf(file, "%s\n[%zu", i ? "," : "", model->phases[i].process);
		time_of(model, model->phases[i].begin_ns, file);
		time_of(model, model->phases[i].end_ns, file);
		text_of(model->phases[i].name, file);
		putc(']', file);
	}
	fputs("]}", file);
}

static const char *how(const struct call *call)
{
	return call->cancelled ? "cancelled" : call->inlined ? "inline" : call->helped ? "helped" : NULL;
}

static void write_calls(const struct model *model, FILE *file)
{
	fputs(",\n\"calls\":{\"columns\":[\"cookie\",\"by\",\"process\",\"scheduler\",\"scheduled_ns\",\"started_ns\","
	      "\"returned_ns\",\"retiring_ns\",\"completed_ns\",\"run\",\"retire\",\"error\",\"how\",\"name\","
	      "\"function\",\"domain\",\"exclusive\"],\"rows\":[",
	      file);
	for (size_t i = 0; i < model->call_count; i++) {
		const struct call *call = &model->calls[i];

		fprintf(file, "%s\n[%" PRIu64 ",%" PRIu64 ",%zu", i ? "," : "", call->cookie, call->by, call->process);
		index_of(call->scheduler, file);
		time_of(model, call->scheduled_ns, file);
		time_of(model, call->started_ns, file);
		time_of(model, call->returned_ns, file);
		time_of(model, call->retiring_ns, file);
		time_of(model, call->completed_ns, file);
		index_of(call->run, file);
		index_of(call->retire, file);
		fprintf(file, ",%d", call->error);
		text_of(how(call), file);
		text_of(call_name(call), file);
		text_of(call->func ? resolve(call->func) : NULL, file);
		text_of(domain_text(call->domain, call->domain_name), file);
		fprintf(file, ",%d]", call->exclusive);
	}
	fputs("]}", file);
}

static void write_spans(const struct model *model, FILE *file)
{
	fputs(",\n\"spans\":{\"columns\":[\"kind\",\"thread\",\"begin_ns\",\"end_ns\",\"call\",\"parent\",\"awaited\","
	      "\"wait_for\",\"error\",\"failed\",\"unfinished\",\"name\"],\"rows\":[",
	      file);
	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *span = &model->spans[i];

		fprintf(file, "%s\n[\"%s\",%zu", i ? "," : "", span_words[span->kind], span->thread);
		time_of(model, span->begin_ns, file);
		time_of(model, span->end_ns, file);
		index_of(span->call, file);
		index_of(span->parent, file);
		index_of(span->awaited, file);
		fprintf(file, ",%" PRIu64 ",%d,%d,%d", span->wait_for, span->error, span_failed(model, span),
			span->unfinished);
		text_of(span->kind == SPAN_STEP || (span->kind == SPAN_WAIT && span->name) ? span_name(model, span)
											   : NULL,
			file);
		putc(']', file);
	}
	fputs("]}", file);
}

static void write_joins(const struct model *model, FILE *file)
{
	bool any = false;

	fputs(",\n\"joins\":{\"columns\":[\"span\",\"after\"],\"rows\":[", file);
	for (size_t i = 0; i < model->span_count; i++)
		for (size_t j = 0; j < model->spans[i].join_count; j++) {
			fprintf(file, "%s\n[%zu,%zu]", any ? "," : "", i, model->spans[i].joins[j]);
			any = true;
		}
	fputs("]}", file);
}

static void write_path(const struct model *model, FILE *file)
{
	fputs(",\n\"path\":{\"columns\":[\"span\",\"begin_ns\",\"end_ns\",\"what\"],\"rows\":[", file);
	for (size_t i = model->chain_count; i-- > 0;) {
		fprintf(file, "%s\n[%zu", i + 1 < model->chain_count ? "," : "", model->chain[i].span);
		time_of(model, model->chain[i].begin_ns, file);
		time_of(model, model->chain[i].end_ns, file);
		text_of(link_words[model->chain[i].kind], file);
		putc(']', file);
	}
	fputs("]}", file);
}

static void write_gaps(const struct model *model, FILE *file)
{
	char text[512];

	fputs(",\n\"gaps\":{\"columns\":[\"after\",\"before\",\"begin_ns\",\"end_ns\",\"text\"],\"rows\":[", file);
	for (size_t i = model->gap_count; i-- > 0;) {
		const struct gap *gap = &model->gaps[i];

		fputs(i + 1 < model->gap_count ? ",\n[" : "\n[", file);
		json_index(file, gap->after);
		index_of(gap->before, file);
		time_of(model, gap->begin_ns, file);
		time_of(model, gap->end_ns, file);
		text_of(gap_text(model, gap, text, sizeof(text)), file);
		putc(']', file);
	}
	fputs("]}", file);
}

static void write_range(const struct model *model, FILE *file)
{
	const struct path *path = &model->path;
	char text[512];

	fprintf(file, ",\n\"path_begin_ns\":%" PRIu64 ",\"path_end_ns\":%" PRIu64 ",\"explained_ns\":%" PRIu64,
		path->begin_ns - model->begin_ns, path->end_ns - model->begin_ns, path->explained_ns);
	fputs(",\"path_end\":", file);
	json_text(file, path->end_name);
	fputs(",\n\"sentence\":", file);
	json_text(file, path_sentence(model, text, sizeof(text)));
}

static void write_notes(const struct model *model, FILE *file)
{
	fputs(",\n\"notes\":[", file);
	for (size_t i = 0; i < model->note_count; i++) {
		fputs(i ? "," : "", file);
		json_text(file, model->notes[i]);
	}
	putc(']', file);
}

int json_write(const struct model *model, const char *title, FILE *file)
{
	fputs("{\"inorder_chart\":1,\n\"title\":", file);
	json_text(file, title);
	fprintf(file, ",\n\"origin_ns\":%" PRId64 ",\n\"length_ns\":%" PRIu64 ",\n\"zero_ns\":%" PRIu64,
		(int64_t)(model->begin_ns - model->moved_ns), model->end_ns - model->begin_ns,
		model->zero_ns - model->begin_ns);
	write_processes(model, file);
	write_threads(model, file);
	write_phases(model, file);
	write_calls(model, file);
	write_spans(model, file);
	write_joins(model, file);
	write_path(model, file);
	write_range(model, file);
	write_gaps(model, file);
	write_notes(model, file);
	fputs("}\n", file);
	return ferror(file) || fflush(file) ? (errno ? -errno : -EIO) : 0;
}
