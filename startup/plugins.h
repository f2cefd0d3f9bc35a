/* SPDX-License-Identifier: MIT */
/* What the files of the plug-ins share. The locks: loader, then startup_lock(), which is a leaf. */
#ifndef STARTUP_PLUGINS_H
#define STARTUP_PLUGINS_H

#include <pthread.h>

#include <inorder/plugin.h>

#include "internal.h"

enum plugin_state {
	PLUGIN_LOADING, /* its initcalls run, or their calls are waited for */
	PLUGIN_LIVE,
	PLUGIN_FAILED, /* an initcall failed; whoever still holds it lets go */
	PLUGIN_GOING,  /* no thread holds it; its exit functions run, or its calls are waited for */
	PLUGIN_STUCK,  /* that wait was refused, and plugin_unload() may try again; or fork() left its thread behind */
};

/*
 * An ELF object that was loaded as a plug-in, or came with one and has initcalls.
 * L: changed under the loader lock and startup_lock(), read under either one.
 * S: guarded by startup_lock(). Others: written before it is on the list.
 */
struct plugin {
	struct plugin *next; /* L: in the order of loading: what a plug-in needs stands before it */
	struct async_owner owner;
	void *handle;            /* of dlopen(), held until the end */
	struct mapping mapping;  /* its identity */
	struct mapping *brought; /* libraries that came with it, or with another plug-in, and are none themselves */
	size_t brought_count;
	struct initcall_object *object; /* NULL: it has no initcalls */
	const struct initcall_entry *
		*ran; /* its initcalls that succeeded; the loading thread's, then the last holder's */
	size_t ran_count;
	struct plugin **needs; /* those that stay while this one is loaded; no NULL */
	size_t needs_count;
	struct plugin *loader;   /* S: LOADING: the plug-in whose plugin_load() brings it up */
	struct plugin *inside;   /* S: LOADING, GOING: the plug-in whose call or initcall asked for that */
	struct plugin *blocker;  /* the need on its way out that made plugin_open() return -EAGAIN */
	unsigned int users;      /* S: plugin_load()s and plug-ins that need it */
	enum plugin_state state; /* S */
	bool settling;           /* S: LOADING: its initcalls have run, its calls are waited for */
	pthread_t thread;        /* S: LOADING, GOING: who does it */
	int error;               /* S: FAILED: what plugin_load() returns */
	char path[];
};

/* Serialises dlopen(), dlclose() and changes of the list; never held while initcalls or exit functions run. */
void loader_lock(void);
void loader_unlock(void);
/* True in a constructor or destructor that this thread runs under the loader lock. */
bool loader_is_held(void);

/* The list. Needs either lock. */
struct plugin *plugin_list(void);
/* Finds a plug-in by where it is mapped, or NULL. Needs either lock. */
struct plugin *plugin_find(uintptr_t base);
/* Finds it by what dlopen() would open, or NULL. Needs the loader lock. */
struct plugin *plugin_find_path(const char *path);

/* The plug-in that is being opened: its constructors run. Not on the list yet. NULL: none. Needs either lock. */
struct plugin *plugin_opening(void);
/* Sets it. Needs the loader lock. */
void plugin_set_opening(struct plugin *plugin);
/* Puts it at the list's end; takes it off. Both need the loader lock. */
void plugin_list_append(struct plugin *plugin);
void plugin_list_remove(struct plugin *plugin);
/* In a forked child: the loads and unloads of other threads are stuck. */
void plugin_list_in_child(void);

/* The plug-in whose initcall, exit function, constructor or call this thread runs, or NULL. */
struct plugin *plugin_current(void);

/*
 * dlopen(@path), and a struct plugin for it and for each object that came with it, LOADING. Needs the loader lock.
 * Return: 0; or -errno, with plugin_error() set: then @plugin, if it is not NULL, is to be put.
 */
int plugin_open(const char *path, struct plugin *inside, struct plugin **plugin);
/* Takes it off the list and closes it; the struct is the caller's to free. Takes the loader lock. */
void plugin_close(struct plugin *plugin);
/* Where objects are mapped at some time. */
struct mapped {
	uintptr_t *bases; /* to be freed by the caller */
	size_t count, room;
};
/* Return: 0 or -ENOMEM. */
int mapped_now(struct mapped *mapped);
bool mapped_has(const struct mapped *mapped, uintptr_t base);

/* Lets the core know who owns calls, after a change of the list or of what is being opened. Needs the loader lock. */
void plugin_owners_update(void);

/* Return: 0, 1 or a negative error. */
typedef int (*plugin_visitor)(struct mapping mapping, void *data);
/*
 * Calls @visit with the mapping of each object that the one behind @handle needs, and for which @visit
 * returned 0, of each that this one needs, and so on. Return: 0 or the first negative result.
 */
int plugin_walk_needs(void *handle, plugin_visitor visit, void *data);

/*
 * Waits while @target is on the list in one of @states, a bit for each. For LOADING the caller holds it; otherwise it
 * may be gone already. Takes startup_lock(), unless @locked, and releases it.
 * Return: 0, or -EDEADLK after a report if that cannot end before @inside goes on.
 */
int plugin_wait_while(struct plugin *target, unsigned int states, struct plugin *inside, bool locked);
/* Frees the struct and what it holds. */
void plugin_free(struct plugin *plugin);
/* True if @plugin is @inside, or a plug-in in which @inside is loaded. Needs startup_lock(). */
bool plugin_encloses(const struct plugin *plugin, const struct plugin *inside);

/* Sets plugin_error(). Return: @error. */
__attribute__((format(printf, 2, 3))) int plugin_fail(int error, const char *format, ...);
/* Reports misuse on standard error too. Return: -EDEADLK. */
__attribute__((format(printf, 1, 2))) int plugin_refuse(const char *format, ...);
#endif
