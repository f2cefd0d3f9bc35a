/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <dlfcn.h>

int (*_Atomic on_step)(const struct part *part, const char *step);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char log_text[4096];

int host_step(const struct part *part, const char *step)
{
	int (*step_hook)(const struct part *, const char *);

	if (!is_step(step, "ctor") && !is_step(step, "dtor")) {
		pthread_mutex_lock(&lock);
		if (strlen(log_text) + strlen(part->name) + strlen(step) + 3 < sizeof(log_text)) {
			strcat(log_text, log_text[0] ? " " : "");
			strcat(log_text, part->name);
			strcat(log_text, ".");
			strcat(log_text, step);
		}
		pthread_mutex_unlock(&lock);
	}
	step_hook = on_step;
	return step_hook ? step_hook(part, step) : 0;
}

const char *steps(void)
{
	static _Thread_local char copy[sizeof(log_text)];

	pthread_mutex_lock(&lock);
	strcpy(copy, log_text);
	pthread_mutex_unlock(&lock);
	return copy;
}

void steps_clear(void)
{
	pthread_mutex_lock(&lock);
	log_text[0] = 0;
	pthread_mutex_unlock(&lock);
}

const char *part_path(const char *name)
{
	static _Thread_local char paths[8][512];
	static _Thread_local unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/part_%s.so", PART_DIR, name);
	return path;
}

bool part_is_mapped(const char *name)
{
	void *handle = dlopen(part_path(name), RTLD_LAZY | RTLD_NOLOAD);

	if (handle)
		dlclose(handle);
	return handle;
}

bool is_part(const struct part *part, const char *name)
{
	return !strcmp(part->name, name);
}

bool is_step(const char *step, const char *wanted)
{
	return !strcmp(step, wanted);
}

struct plugin *load(const char *name)
{
	struct plugin *plugin;
	const int error = plugin_load(part_path(name), 0, &plugin);

	if (error)
		FAIL("part %s cannot be loaded: %d, %s", name, error, plugin_error());
	return plugin;
}

void unload(struct plugin *plugin)
{
	CHECK_EQ(plugin_unload(plugin), 0);
}

static void run_loader(void *data)
{
	struct loader *loader = data;

	loader->result = plugin_load(part_path(loader->name), loader->flags, &loader->plugin);
}

void loader_start(struct loader *loader, const char *name, unsigned int flags)
{
	loader->name = name;
	loader->flags = flags;
	actor_start(&loader->actor, run_loader, loader);
}

int loader_join(struct loader *loader)
{
	actor_join(&loader->actor);
	return loader->result;
}

void part_gate(struct part_job *job, async_cookie_t cookie)
{
	gate_call(job->data, cookie);
}

async_cookie_t part_schedule(struct part_job *job, const struct part *part,
			     void (*run)(struct part_job *, async_cookie_t), void *data)
{
	job->run = run;
	job->part = part;
	job->data = data;
	return async_schedule(part->call, job);
}
