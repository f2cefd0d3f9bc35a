/* SPDX-License-Identifier: MIT */
/* What stands above every output: whose time it is, how long, and how much of it the path explains. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "chart.h"

static const char *program_name(const struct model *model)
{
	for (size_t i = 0; i < model->process_count; i++) {
		const char *program = model->processes[i].program;
		const char *slash = program ? strrchr(program, '/') : NULL;

		if (program)
			return slash ? slash + 1 : program;
	}
	return model->process_count && model->processes[0].pid == 0 ? "kernel log" : "trace";
}

void title_text(const struct model *model, const struct selection *selection, const char *given, char *text,
		size_t bytes)
{
	uint64_t total_ns = model->path.end_ns - model->path.begin_ns;
	char total[32];
	char from[32];
	char to[32];
	const char *name = given ? given : program_name(model);
	int used = snprintf(text, bytes, "%.*s: %s", text_bytes(name, 400), name,
			    duration_text(total_ns, total, sizeof(total)));

	if (model->path.end_name)
		used += snprintf(text + used, bytes - (size_t)used, " to %.*s", text_bytes(model->path.end_name, 60),
				 model->path.end_name);
	used += snprintf(text + used, bytes - (size_t)used, ", %u.%u %% explained by the critical path",
			 path_permille(model) / 10, path_permille(model) % 10);
	if (selection->has_from || selection->has_to)
		snprintf(text + used, bytes - (size_t)used, " (shown: %s to %s)",
			 moment_text(model, model->path.begin_ns, from, sizeof(from)),
			 moment_text(model, model->path.end_ns, to, sizeof(to)));
}
