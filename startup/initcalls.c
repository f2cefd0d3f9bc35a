/* SPDX-License-Identifier: MIT */
/*
 * Running initcalls.
 *
 * A pass takes, again and again, the first initcall that has not been run: of
 * the lowest level, and there of the first object. Each object remembers how
 * far it has come (level, index), so nothing runs twice, an object that is
 * loaded in the middle catches up, and one that is unloaded is simply gone.
 * The lock is not held while an initcall runs.
 *
 * The thread that makes a pass has the pass's owner entered, so what initcalls
 * schedule, directly or through other calls, belongs to it: the program's
 * initcalls to one common owner, a plug-in's to the plug-in.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <inorder/trace.h>

#include "internal.h"

static const char *const level_names[] = {
#define LEVEL_NAME(name) #name,
	INITCALL_LEVELS(LEVEL_NAME)
#undef LEVEL_NAME
};

struct async_owner startup_owner = ASYNC_OWNER_INIT("initcalls");

/* The levels come in pairs: name, name_sync. */
static bool level_waits(uint32_t level)
{
	return level < INITCALL_LEVELS_END && level % 2;
}

/* The object's next initcall that has not been run, or NULL. Needs the lock. */
static const struct initcall_entry *next_of(struct initcall_object *object)
{
	for (; object->level < INITCALL_LEVELS_END; object->level++, object->index = 0)
		for (; object->index < startup_entries(object); object->index++)
			if (object->start[object->index].level == object->level)
				return &object->start[object->index];
	return NULL;
}

bool startup_finished(struct initcall_object *object)
{
	return !next_of(object);
}

/* Takes the next initcall of the pass: of several objects at one level, of the first. NULL: none is left. */
static const struct initcall_entry *take_next(const struct initcall_pass *pass)
{
	const struct initcall_entry *first = NULL;
	struct initcall_object *object, *from = NULL;

	startup_lock();
	for (object = startup_objects(); object; object = object->next) {
		const struct initcall_entry *entry = object->plugin == pass->plugin ? next_of(object) : NULL;

		if (entry && (!first || entry->level < first->level)) {
			first = entry;
			from = object;
		}
	}
	if (from)
		from->index++;
	startup_unlock();
	return first;
}

static void report_failure(const struct initcall_entry *entry, int result, bool stop)
{
	const char *next = stop ? "the remaining ones are not run" : "the remaining ones run all the same";
	Dl_info where;

	if (dladdr(entry, &where) && where.dli_fname)
		startup_say("initcall %s of %s failed: %s (%d); %s", entry->name, where.dli_fname, strerror(-result),
			    result, next);
	else
		startup_say("initcall %s failed: %s (%d); %s", entry->name, strerror(-result), result, next);
}

/* Runs one initcall inside its two trace lines. */
static int run_one(struct initcall_pass *pass, const struct initcall_entry *entry)
{
	void (*func)(void) = (void (*)(void))entry->init;
	char blacklisted[128];
	uint64_t since_ns;
	int result;

	if (startup_blacklisted(entry->name)) {
		snprintf(blacklisted, sizeof(blacklisted), "%.100s.blacklisted", entry->name);
		since_ns = async_trace_calling(func, blacklisted);
		async_trace_called(func, blacklisted, 0, since_ns);
		return 0;
	}
	since_ns = async_trace_calling(func, entry->name);
	result = entry->init();
	async_trace_called(func, entry->name, result, since_ns);
	if (result >= 0 && pass->ran)
		pass->ran[pass->ran_count++] = entry;
	return result;
}

/* Leaves a level and enters another one: marks it, and waits at the borders of a _sync level. */
static int change_level(const struct initcall_pass *pass, uint32_t from, uint32_t to)
{
	int error = 0;

	if (level_waits(from) || level_waits(to))
		error = async_synchronize_owner(pass->owner);
	if (!pass->plugin) {
		char phase[64];

		snprintf(phase, sizeof(phase), "%s initcalls", level_names[to]);
		async_trace_phase(phase);
	}
	return error;
}

int startup_pass(struct initcall_pass *pass)
{
	struct async_owner *before = async_owner_enter(pass->owner);
	const struct initcall_entry *entry;
	uint32_t level = INITCALL_LEVELS_END;
	int result = 0;

	while (!pass->failed) {
		int error = pass->plugin ? 0 : startup_sort(); /* initcalls may load more objects */

		result = result ? result : error;
		entry = take_next(pass);
		if (!entry)
			break;
		error = entry->level != level ? change_level(pass, level, entry->level) : 0;
		level = entry->level;
		result = result ? result : error;
		error = run_one(pass, entry);
		if (error < 0) {
			report_failure(entry, error, pass->stop);
			pass->failed = pass->stop ? entry : NULL;
			result = result ? result : error;
		}
	}
	if (!pass->failed && level_waits(level)) {
		const int error = async_synchronize_owner(pass->owner);

		result = result ? result : error;
	}
	async_owner_enter(before);
	return result;
}

int initcalls_run(unsigned int flags)
{
	struct initcall_pass pass = {.owner = &startup_owner, .stop = flags & INITCALL_STOP};
	bool busy;
	int result;

	if (flags & ~INITCALL_STOP)
		return -EINVAL;
	result = startup_blacklist_environment();
	result = result ? result : startup_sort();
	if (result)
		return result;
	async_domain_error(NULL, NULL); /* the library reads what the environment says about traces at its first use */
	startup_lock();
	busy = startup_running();
	if (!busy)
		startup_set_running(true);
	startup_unlock();
	if (busy)
		return -EBUSY;
	result = startup_pass(&pass);
	startup_lock();
	startup_set_running(false);
	startup_unlock();
	return result;
}
