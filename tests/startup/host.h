/* SPDX-License-Identifier: MIT */
/* The host's side of the parts: a log of their steps, and a hook in each. */
#ifndef TESTS_HOST_H
#define TESTS_HOST_H

#include "../harness.h"
#include "part.h"

/* What a step does, beside being logged; its result is the initcall's. NULL: nothing, 0. */
extern int (*_Atomic on_step)(const struct part *part, const char *step);

/* The steps so far but constructors and destructors, "a.init1 a.init2"; valid until the next step. */
const char *steps(void);
void steps_clear(void);
#define CHECK_STEPS(wanted) \
	do { \
		if (strcmp(steps(), wanted)) \
			FAIL("the steps were \"%s\", not \"%s\"", steps(), wanted); \
	} while (0)

/* The path of a part, in static memory for each name. */
const char *part_path(const char *name);
bool part_is_mapped(const char *name);
bool is_part(const struct part *part, const char *name);
bool is_step(const char *step, const char *wanted);

/* plugin_load(), which must succeed. */
struct plugin *load(const char *name);
void unload(struct plugin *plugin);

/* plugin_load() in a thread of its own. */
struct loader {
	struct actor actor;
	const char *name;
	unsigned int flags;
	struct plugin *plugin;
	int result;
};
void loader_start(struct loader *loader, const char *name, unsigned int flags);
int loader_join(struct loader *loader);

/* A call in the part's own code that is a gate. */
void part_gate(struct part_job *job, async_cookie_t cookie);
/* Schedules it; the job lives as long as the gate. */
async_cookie_t part_schedule(struct part_job *job, const struct part *part,
			     void (*run)(struct part_job *, async_cookie_t), void *data);

#endif
