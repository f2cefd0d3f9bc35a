/* SPDX-License-Identifier: MIT */
/*
 * Loads plug-ins, all at once: each load waits for its own plug-in's calls
 * only, so the slow one delays no other. Unloads them in reverse order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <inorder/plugin.h>

/* Not the default domain: a plug-in that waits there would wait for the load that waits for the plug-in. */
static ASYNC_DOMAIN(loading);

struct load {
	const char *path;
	struct plugin *plugin;
	double ms;
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void load(void *data, async_cookie_t cookie)
{
	const double begin_ms = now_ms();
	struct load *this = data;
	const int error = plugin_load(this->path, 0, &this->plugin);

	(void)cookie;
	if (error) {
		fprintf(stderr, "host: %s\n", plugin_error());
		async_set_error(error);
	}
	this->ms = now_ms() - begin_ms;
}

int main(int argc, char **argv)
{
	const int count = argc - 1;
	struct load *loads = calloc((size_t)count + 1, sizeof(*loads));
	int result = 0;

	if (!loads || !count) {
		fprintf(stderr, loads ? "usage: host PLUGIN...\n" : "host: no memory\n");
		free(loads);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < count; i++) {
		loads[i].path = argv[i + 1];
		async_schedule_domain(load, &loads[i], &loading);
	}
	async_synchronize_full_domain(&loading);
	for (int i = 0; i < count; i++) {
		const char *slash = strrchr(loads[i].path, '/');

		printf("%s %s after %.0f ms\n", slash ? slash + 1 : loads[i].path, loads[i].plugin ? "ready" : "failed",
		       loads[i].ms);
		result |= !loads[i].plugin;
	}
	for (int i = count; i--;)
		if (loads[i].plugin && plugin_unload(loads[i].plugin)) {
			fprintf(stderr, "host: %s\n", plugin_error());
			result = 1;
		}
	free(loads);
	return result;
}
