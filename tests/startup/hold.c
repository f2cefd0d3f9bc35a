/* SPDX-License-Identifier: MIT */
/*
 * Linked with the example that loads plug-ins: the slow one's sleep() ends only once the load of network.so is over. So
 * the program ends if a slow plug-in delays no other, and only then, however slow the machine is.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <inorder/plugin.h>

enum { STEP_US = 10000, MOST_STEPS = 10000 };

static atomic_bool network_is_loaded;

int __real_plugin_load(const char *path, unsigned flags, struct plugin **plugin);
int __wrap_plugin_load(const char *path, unsigned flags, struct plugin **plugin);
int __wrap_plugin_load(const char *path, unsigned flags, struct plugin **plugin)
{
	const int error = __real_plugin_load(path, flags, plugin);

	if (strstr(path, "network"))
		network_is_loaded = true;
	return error;
}

/* Instead of the C library's, also for plug-ins. */
__attribute__((visibility("default"))) unsigned sleep(unsigned seconds)
{
	for (unsigned steps = 0; !network_is_loaded; usleep(STEP_US))
		if (++steps == MOST_STEPS) {
			fprintf(stderr, "network.so is not loaded while scanner.so sleeps\n");
			_exit(1);
		}
	return 0 * seconds;
}
