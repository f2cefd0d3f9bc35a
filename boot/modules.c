/* SPDX-License-Identifier: MIT */
/*
 * Kernel modules, each loaded once: a load is an async call that waits for
 * the calls of the modules it depends on, so shared dependencies are loaded by
 * one call and awaited by many, and what does not depend on each other
 * overlaps. Cookies are given in the order of the requests: a dependency has a
 * lower one than what needs it, and what the boot asks for first is claimed
 * first.
 *
 * libkmod answers questions (module_index.c, under a lock: it has no threads),
 * and the calls load; a call never takes that lock, because it may run in a
 * thread that has it. A module may be there already: built in, or loaded by
 * process 1 before the finisher asks; then the kernel says so, and that is
 * success.
 */
#include "internal.h"
#include "module_index.h"

#include <errno.h>
#include <libkmod.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/*
 * Loading is work for a processor, and everything else waits for devices: whoever waited goes first. The driver of
 * the file system waits for no one and is needed last, so it fills the gaps.
 */
enum { NICE = 3, NICE_FOR_ROOT = 13, NICE_LEFT = 10 };

struct module {
	struct module *next;
	struct module **needs; /* all of them, however indirect; then those that it would like to have before */
	size_t need_count, soft_count;
	char *name, *path, *options;
	_Atomic(async_cookie_t) cookie; /* 0 while it is being scheduled */
	const struct module *culprit;   /* the need that failed; written before the result */
	atomic_int result;
	atomic_bool for_root;
	atomic_int loader; /* the process that loads it, or 0 */
	enum module_probe probe;
	uint64_t load_ns;           /* what it took of a processor; written before the result */
	_Atomic(uint64_t) chain_ns; /* with that of the longest chain of what it waited for */
};

static ASYNC_DOMAIN(load_domain);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the list, and libkmod */
static struct module *modules;
static struct module_hook *hooks;
static atomic_bool stopped;

/*
 * A soft dependency is waited for like the others, but may fail. Return: 0, -ECANCELED, or -ENOENT if a need could not
 * be loaded; *@culprit is then the module to blame.
 */
static int wait_for_needs(const struct module *module, const struct module **culprit)
{
	for (size_t i = 0; i < module->need_count + module->soft_count; i++) {
		const struct module *need = module->needs[i];

		async_synchronize_call(need->cookie, &load_domain);
		if (i >= module->need_count || !need->result)
			continue;
		if (need->result == -ECANCELED)
			return -ECANCELED;
		*culprit = need->culprit ? need->culprit : need;
		return -ENOENT;
	}
	return 0;
}

/* Of the longest chain of what @module has waited for. */
static uint64_t longest_need_ns(const struct module *module)
{
	uint64_t longest = 0;

	for (size_t i = 0; i < module->need_count + module->soft_count; i++)
		if (module->needs[i]->chain_ns > longest)
			longest = module->needs[i]->chain_ns;
	return longest;
}

void modules_hook(struct module_hook *hook)
{
	hook->next = hooks;
	hooks = hook;
}

static const struct module_hook *find_hook(const char *name)
{
	const struct module_hook *hook = hooks;

	while (hook && strcmp(hook->name, name))
		hook = hook->next;
	return hook;
}

static bool is_wanted(const struct module *module)
{
	return !stopped || module->for_root;
}

/* Of this thread alone. The finisher's priority is set from outside (finish.c), in its first thread at the latest. */
static void be_nice(const struct module *module)
{
	const bool fills = module->for_root || module->probe == MODULE_HINTED;
	const bool first = module->probe == MODULE_FIRST || (fills && stopped); /* stopped: nothing else is left */
	const int usual = first ? 0 : fills ? NICE_FOR_ROOT : NICE;

	setpriority(PRIO_PROCESS, 0, is_finisher() ? getpriority(PRIO_PROCESS, (id_t)getpid()) : usual);
}

static void be_nice_no_more(void)
{
	if (!is_finisher())
		setpriority(PRIO_PROCESS, 0, 0);
}

static uint64_t processor_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * NSEC_PER_SEC + (uint64_t)used.tv_nsec;
}

static int load_step(void *data)
{
	const struct module *module = data;

	return kernel_module_load(module->path, module->options);
}

static int load_file(struct module *module)
{
	const uint64_t since_ns = processor_ns();
	uint64_t apart_ns = 0;
	int result;

	be_nice(module);
	result = module->for_root ? load_step(module)
				  : apart_run(load_step, module, !kernel_module_is_plain(module->path), &module->loader,
					      &apart_ns);
	be_nice_no_more();
	module->load_ns = processor_ns() - since_ns + apart_ns;
	return result == -EEXIST ? 0 : result;
}

static void load(void *data, async_cookie_t cookie)
{
	struct module *module = data;
	const struct module_hook *hook = find_hook(module->name);
	const bool waits = module->probe == MODULE_PROBE_WAIT;
	int result;

	(void)cookie;
	async_set_name(module->name);
	result = is_wanted(module) ? wait_for_needs(module, &module->culprit) : -ECANCELED;
	if (result == -ENOENT)
		say("module %s: not loaded: it needs %s", module->name, module->culprit->name);
	if (!result && !is_wanted(module))
		result = -ECANCELED;
	if (!result && waits && is_finisher())
		kernel_module_unload_idle(module->name);
	if (!result && !kernel_module_is_live(module->name)) {
		result = load_file(module);
		if (result && result != -ENODEV) /* its hardware is not there */
			say("module %s: cannot load %s: %s", module->name, module->path, strerror(-result));
	}
	if (!result && hook && hook->loaded) /* also if process 1 began the load, and did not see its end */
		hook->loaded();
	if (!result && waits)
		kernel_module_wait(module->name);
	if (!result)
		module->chain_ns = longest_need_ns(module) + module->load_ns;
	module->result = result;
	if (result && result != -ECANCELED && result != -ENODEV)
		async_set_error(result);
}

/* What the kernel gets: the user's options, and ours for where a load has to end. */
static char *make_options(const char *name, const char *options, enum module_probe probe)
{
	const struct module_hook *hook = find_hook(name);
	const bool more = hook && hook->options && (!options || !strstr(options, hook->unless));
	char *text = NULL;

	if (asprintf(&text, "%s%s%s%s%s", options ? options : "", options && *options ? " " : "",
		     more ? hook->options : "", more ? " " : "", probe == MODULE_PROBE_WAIT ? "" : "async_probe") < 0)
		return NULL;
	return text;
}

static struct module *find_module(const char *name)
{
	for (struct module *module = modules; module; module = module->next)
		if (!strcmp(module->name, name))
			return module;
	return NULL;
}

/* The root needs it after all: if the load was given up, it is scheduled again. Needs the lock. */
static void promote(struct module *module)
{
	if (module->for_root)
		return;
	for (size_t i = 0; i < module->need_count + module->soft_count; i++)
		promote(module->needs[i]);
	module->for_root = true;
	if (!stopped)
		return;
	async_synchronize_call(module->cookie, &load_domain);
	module->cookie = async_schedule_domain(load, module, &load_domain);
}

static struct module *schedule(struct kmod_module *kmodule, enum module_probe probe, struct module *after);

/*
 * Return: false if a dependency could not be scheduled, or is waiting for this module to be. Soft dependencies are
 * often the same for several kinds of processors; only those for this one are loaded.
 */
static bool schedule_list(struct kmod_list *list, enum module_probe probe, struct module *module, size_t *count)
{
	const bool soft = count == &module->soft_count;
	struct kmod_list *item;
	bool all = true;

	kmod_list_foreach(item, list)
	{
		struct kmod_module *kmodule = kmod_module_get_module(item);
		const char *path = kmod_module_get_path(kmodule);
		const bool misfit = soft && path && !kernel_module_fits(path);
		struct module *need = misfit ? NULL : schedule(kmodule, probe, NULL);

		if (need && need->cookie)
			module->needs[module->need_count + module->soft_count] = need, ++*count;
		else if (need || (path && !misfit))
			all = false;
		kmod_module_unref(kmodule);
	}
	return all;
}

static size_t count_list(struct kmod_list *list)
{
	struct kmod_list *item;
	size_t count = 0;

	kmod_list_foreach(item, list) count++;
	return count;
}

/*
 * Schedules what @module needs, and what it would like to have before: "crc32c" of a file system that asks the kernel
 * for it by name. Soft dependencies may form circles, also with real ones. The one that would close the circle is left
 * out, as modprobe does. Return: false without memory, or if @module needs what waits for it.
 */
static bool schedule_needs(struct module *module, struct kmod_module *kmodule, enum module_probe probe)
{
	struct kmod_list *needs = kmod_module_get_dependencies(kmodule), *before = NULL, *after = NULL;
	bool good;

	if (kmod_module_get_softdeps(kmodule, &before, &after) < 0)
		before = after = NULL;
	module->needs = calloc(count_list(needs) + count_list(before) + 2, sizeof(*module->needs));
	good = module->needs && schedule_list(needs, probe, module, &module->need_count);
	if (good && !schedule_list(before, probe, module, &module->soft_count))
		say("module %s: a soft dependency of it forms a circle and is left out", module->name);
	kmod_module_unref_list(needs);
	kmod_module_unref_list(before);
	kmod_module_unref_list(after);
	return good;
}

static void free_module(struct module *module)
{
	free(module->needs);
	free(module->name);
	free(module->path);
	free(module->options);
	free(module);
}

/* Return: a module with its texts; NULL without memory. */
static struct module *new_module(struct kmod_module *kmodule, enum module_probe probe)
{
	struct module *module = calloc(1, sizeof(*module));

	if (!module)
		return NULL;
	module->name = strdup(kmod_module_get_name(kmodule));
	module->path = strdup(kmod_module_get_path(kmodule));
	module->for_root = probe == MODULE_FOR_ROOT;
	module->probe = probe;
	if (module->name && module->path)
		module->options = make_options(module->name, kmod_module_get_options(kmodule), probe);
	if (module->options)
		return module;
	free_module(module);
	return NULL;
}

/* A module that cannot be scheduled now may be asked for again. */
static void unlink_module(const struct module *module)
{
	struct module **at = &modules;

	while (*at != module)
		at = &(*at)->next;
	*at = module->next;
}

/* What @module would like to have after it: loaded when it is there, and not waited for. */
static void schedule_followers(struct module *module, struct kmod_module *kmodule, enum module_probe probe)
{
	struct kmod_list *before = NULL, *after = NULL, *item;

	if (kmod_module_get_softdeps(kmodule, &before, &after) < 0)
		return;
	kmod_list_foreach(item, after)
	{
		struct kmod_module *follower = kmod_module_get_module(item);

		schedule(follower, probe, module);
		kmod_module_unref(follower);
	}
	kmod_module_unref_list(before);
	kmod_module_unref_list(after);
}

/*
 * NULL: built in, or not in the image, or no memory. A cookie of 0: a caller of ours schedules it. @after: what it
 * waits for, but does not need; or NULL. Needs the lock.
 */
static struct module *schedule(struct kmod_module *kmodule, enum module_probe probe, struct module *after)
{
	const bool fills = probe == MODULE_FOR_ROOT || probe == MODULE_HINTED;
	const enum module_probe needs_probe = fills ? probe : MODULE_PROBE_ASYNC;
	struct module *module = find_module(kmod_module_get_name(kmodule));

	if (module && module->cookie && probe == MODULE_FOR_ROOT)
		promote(module);
	if (module || !kmod_module_get_path(kmodule))
		return module;
	module = new_module(kmodule, probe);
	if (!module) {
		complain("modules: out of memory: %s is not loaded", kmod_module_get_name(kmodule));
		return NULL;
	}
	module->next = modules;
	modules = module;
	if (!schedule_needs(module, kmodule, needs_probe)) {
		say("module %s: not scheduled: out of memory, or it needs a module that waits for it", module->name);
		unlink_module(module);
		free_module(module);
		return NULL;
	}
	if (after)
		module->needs[module->need_count + module->soft_count++] = after;
	module->cookie = async_schedule_domain(load, module, &load_domain);
	schedule_followers(module, kmodule, needs_probe);
	return module;
}

static void add_to_set(struct module_set *set, struct module *module)
{
	struct module **more = realloc(set->modules, (set->count + 1) * sizeof(*more));

	if (!more) {
		complain("modules: out of memory: the load of %s is not waited for", module->name);
		return;
	}
	set->modules = more;
	set->modules[set->count++] = module;
}

static bool is_left_out(struct kmod_module *kmodule, enum module_probe probe)
{
	const char *path = kmod_module_get_path(kmodule);

	if (!path)
		return false;
	return probe == MODULE_NO_NETWORK ? strstr(path, "/drivers/net/") != NULL
					  : probe == MODULE_FIRST && !kernel_module_fits(path);
}

void modules_request(const char *alias, enum module_probe probe, struct module_set *set)
{
	struct kmod_list *wanted, *item;

	pthread_mutex_lock(&lock);
	wanted = module_index_look_up(alias);
	kmod_list_foreach(item, wanted)
	{
		struct kmod_module *kmodule = kmod_module_get_module(item);
		struct module *module = is_left_out(kmodule, probe) ? NULL : schedule(kmodule, probe, NULL);

		if (module && set)
			add_to_set(set, module);
		kmod_module_unref(kmodule);
	}
	kmod_module_unref_list(wanted);
	pthread_mutex_unlock(&lock);
}

static void hint(struct kmod_module *kmodule)
{
	schedule(kmodule, MODULE_HINTED, NULL);
}

void modules_hint(const char *alias, bool (*may)(const char *path))
{
	pthread_mutex_lock(&lock);
	module_index_hint(alias, may, hint);
	pthread_mutex_unlock(&lock);
}

size_t modules_loaded(struct module_time **times)
{
	size_t count = 0, room = 0;

	pthread_mutex_lock(&lock);
	for (const struct module *module = modules; module; module = module->next)
		room++;
	*times = calloc(room + 1, sizeof(**times));
	for (const struct module *module = modules; *times && module; module = module->next)
		if (module->load_ns && !module->result)
			(*times)[count++] = (struct module_time){.name = module->name,
								 .own_us = module->load_ns / 1000,
								 .chain_us = module->chain_ns / 1000,
								 .of_root = module->for_root};
	pthread_mutex_unlock(&lock);
	return count;
}

int modules_wait(struct module_set *set)
{
	return modules_wait_why(set, NULL, 0);
}

/* Which module failed, and for whom. */
static void explain(const struct module *module, char *why, size_t room)
{
	const struct module *culprit = module->culprit ? module->culprit : module;

	path_print_room(why, room, "%s%s%s%s: %s", culprit->name, module->culprit ? ", which " : "",
			module->culprit ? module->name : "", module->culprit ? " needs" : "",
			strerror(-culprit->result));
}

int modules_wait_why(struct module_set *set, char *why, size_t room)
{
	int error = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct module *module = set->modules[i];

		async_synchronize_call(module->cookie, &load_domain);
		if (error || !module->result)
			continue;
		error = module->result;
		if (why)
			explain(module, why, room);
	}
	free(set->modules);
	*set = (struct module_set){0};
	return error;
}

void modules_wait_needs(struct module_set *set)
{
	const struct module *culprit;

	for (size_t i = 0; i < set->count; i++)
		wait_for_needs(set->modules[i], &culprit);
	free(set->modules);
	*set = (struct module_set){0};
}

void modules_stop(void)
{
	struct module_set root = {0};

	stopped = true;
	pthread_mutex_lock(&lock);
	for (struct module *module = modules; module; module = module->next)
		if (module->for_root)
			add_to_set(&root, module);
		else if (module->loader)
			setpriority(PRIO_PROCESS, (id_t)module->loader, NICE_LEFT);
	pthread_mutex_unlock(&lock);
	modules_wait(&root);
}
