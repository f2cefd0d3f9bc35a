/* SPDX-License-Identifier: MIT */
/*
 * A constructor that waits for work in other threads, while dlopen() holds the loader's lock: tracing that
 * work must not need that lock. Looking names up with glibc's dladdr() would hang here.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include "unit.h"

#include "trace.h"
#include "trace_files.h"

static async_func_t loaded_function;

/* The library's constructor calls this: it is found because this program exports its symbols. */
__attribute__((visibility("default"))) void trace_loader_constructor(async_func_t func);

static void *traced_work(void *data)
{
	static int domain;
	struct port_event event = {
		.type = ASYNC_TRACE_STARTED, .cookie = 1, .func = loaded_function, .domain = &domain};

	port_trace(&event);
	return data;
}

void trace_loader_constructor(async_func_t func)
{
	pthread_t thread;

	loaded_function = func;
	if (pthread_create(&thread, NULL, traced_work, NULL) != 0)
		abort();
	pthread_join(thread, NULL);
}

static const char *plugin;

UNIT(constructor_waits_for_traced_work)
{
	json_object *lines;
	void *handle;

	assert_int_equal(async_trace_open(scratch("loader")), 0);
	alarm(250);
	handle = dlopen(plugin, RTLD_NOW);
	alarm(0);
	if (!handle)
		fail_msg("%s", dlerror());
	assert_int_equal(async_trace_open(NULL), 0);
	lines = trace_lines(scratch("loader"));
	assert_int_equal(strncmp(trace_text_of(trace_find(lines, "started", 0), "func"), "trace_loader_probe+0x0/", 23),
			 0);
	json_object_put(lines);
	dlclose(handle);
}

/* A function of a library that is gone has an address and no more. */
UNIT(unloaded_function_is_an_address)
{
	char text[64];

	port_symbol(loaded_function, text, sizeof(text));
	assert_int_equal(strncmp(text, "0x", 2), 0);
}

static int clean(void **state)
{
	scratch_remove();
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: trace_loader PLUGIN\n");
		return 2;
	}
	plugin = argv[1];
	return UNIT_RUN(NULL, clean);
}
