/* SPDX-License-Identifier: MIT */
/*
 * Waiting for another thread's load or unload, without hanging for ever.
 *
 * The core sees waits for calls. It does not see a thread that waits for a
 * plug-in to come up or to go, so those are found here. Each such wait says for
 * whom it waits and inside which plug-in it happens: its load, or one of its
 * initcalls or calls. That plug-in, and each one inside which it is itself being
 * loaded, cannot go on before the wait ends. A wait that would close a circle
 * of these is refused, so the waits that exist never form one.
 *
 * Once a plug-in only waits for its own calls, so does whoever waits for it: in
 * the core, which then sees the circle if one of those calls waits for us.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "plugins.h"

struct wait {
	struct wait *next;
	const struct plugin *target;
	const struct plugin *inside;
};

static struct wait *waits; /* guarded by startup_lock() */
static _Thread_local char error_text[256];

bool plugin_encloses(const struct plugin *plugin, const struct plugin *inside)
{
	while (inside && inside != plugin)
		inside = inside->inside;
	return inside;
}

/* Whether @target can only go on after something that happens inside @inside. Ends, for there is no circle yet. */
static bool depends_on(const struct plugin *target, const struct plugin *inside)
{
	if (plugin_encloses(target, inside))
		return true;
	for (const struct wait *wait = waits; wait; wait = wait->next)
		if (plugin_encloses(target, wait->inside) && depends_on(wait->target, inside))
			return true;
	return false;
}

/* Whether @plugin still exists, in one of @states. */
static bool still_is(const struct plugin *plugin, unsigned int states)
{
	const struct plugin *other = plugin_list();

	while (other && other != plugin)
		other = other->next;
	return other && 1u << other->state & states;
}

int plugin_wait_while(struct plugin *target, unsigned int states, struct plugin *inside, bool locked)
{
	struct wait wait = {NULL, target, inside};
	struct wait **link = &waits;
	bool settled = false;
	int error = 0;

	if (!locked)
		startup_lock();
	if (inside && still_is(target, states) && depends_on(target, inside))
		error = plugin_refuse("plug-in %s: a wait for %s here (call %llu) would never end: that one waits for "
				      "this",
				      inside->path, target->path, (unsigned long long)async_current_cookie());
	wait.next = waits;
	waits = &wait;
	while (!error && still_is(target, states)) {
		if (settled || !target->settling) {
			startup_wait();
			continue;
		}
		startup_unlock();
		error = async_synchronize_owner(&target->owner);
		if (error)
			plugin_fail(error, "plug-in %s: a call of it waits for this load", target->path);
		startup_lock();
		settled = true;
	}
	while (*link != &wait)
		link = &(*link)->next;
	*link = wait.next;
	startup_unlock();
	return error;
}

/* In a forked child the other threads are gone: none is in dlopen(), and what they were loading stays undone. */
static void begin_child(void)
{
	waits = NULL;
	plugin_list_in_child();
}

__attribute__((constructor)) static void renew_over_fork(void)
{
	if (pthread_atfork(NULL, NULL, begin_child))
		startup_say("no memory for the fork handler of plug-ins: do not use them in a forked child");
}

int plugin_fail(int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error_text, sizeof(error_text), format, arguments);
	va_end(arguments);
	return error;
}

int plugin_refuse(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error_text, sizeof(error_text), format, arguments);
	va_end(arguments);
	startup_say("%s", error_text);
	return -EDEADLK;
}

const char *plugin_error(void)
{
	return error_text;
}
