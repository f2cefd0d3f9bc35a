/* SPDX-License-Identifier: MIT */
/*
 * inorder: plug-ins, loaded and unloaded as the kernel does with modules.
 *
 * A plug-in is a shared object with initcalls. Loading it runs them and waits
 * for the async calls that they scheduled, and for no others: a slow plug-in
 * delays no other load. Unloading waits for every call of the plug-in
 * before its code goes.
 *
 * What it needs (DT_NEEDED) and has initcalls of its own becomes a plug-in too:
 * it is brought up first, counted, and unloaded with its last user. A library
 * without initcalls that comes along is part of the plug-ins that need it.
 *
 * Calls of a plug-in are those that its constructors, initcalls, exit functions and
 * calls schedule; and, where the thread that schedules has no owner, those that
 * are scheduled by the plug-in's code or run it, in whatever thread.
 */
#ifndef INORDER_PLUGIN_H
#define INORDER_PLUGIN_H

#include <inorder/initcall.h>

#ifdef __cplusplus
extern "C" {
#endif

struct plugin;

/* In plugin_load(): do not wait for the plug-in's async calls. */
#define PLUGIN_ASYNC 1u

/**
 * The owner of the calls of the plug-in that this code is linked into; NULL in a program, and before the first
 * initcall. Its calls have it already. async_owner_enter(THIS_PLUGIN) makes it that of calls that could not be found
 * otherwise: scheduled by the program's code, to run the program's code, on behalf of the plug-in.
 */
#define THIS_PLUGIN (inorder_initcall_object.owner)

/**
 * plugin_load() - load a plug-in, run its initcalls, wait for its calls
 * @path: as for dlopen()
 * @flags: 0, or PLUGIN_ASYNC to return without waiting for the plug-in's calls
 * @plugin: where the plug-in is put; NULL in case of an error
 *
 * Stops at the first initcall that fails, and undoes the load: the functions that exitcall() names for those
 * that had succeeded, in reverse order, a wait for the calls, dlclose(). A plug-in that is loaded already is
 * counted, as by dlopen(); one whose load or unload is in progress is waited for.
 *
 * Return:   0; what an initcall returned; -EDEADLK, after a report on standard error, if the load would have to
 *           wait for its own caller (a plug-in that loads itself; two that load each other; a constructor);
 *           -ENOENT and the like if there is no such file; -ELIBBAD if the dynamic loader refuses it; -EBUSY if
 *           it is half unloaded, or its init code was freed and something keeps it mapped; -EINVAL for an
 *           unknown flag; -ENOMEM. plugin_error() has the text.
 * Context:  may block; any thread, also inside a call, an initcall or another plug-in's load; not from a signal
 *           handler, a constructor or a destructor, nor in a call that one of these waits for.
 * Ordering: what the initcalls did, and without PLUGIN_ASYNC what their calls did, happens before the return.
 * Source:   Linux 6.1 load_module(), do_init_module(), async_probe; the wait per owner is ours.
 */
INORDER_API int plugin_load(const char *path, unsigned int flags, struct plugin **plugin);

/**
 * plugin_unload() - undo one plugin_load()
 * @plugin: the plug-in; not to be used afterwards, if 0 is returned
 *
 * The last one runs the plug-in's exit functions in the reverse order of its initcalls, waits for its calls,
 * and closes it; then what it needed, if no other thread does. Threads of the plug-in end before its last exit
 * function returns; no thread schedules its functions after that.
 *
 * Return:   0; -EDEADLK, after a report on standard error, if it would wait for its own caller. Then nothing was
 *           done, unless the exit functions had already run; a later plugin_unload() goes on from there.
 * Context:  may block; any thread, also inside a call that is not the plug-in's; not from a signal handler, a
 *           constructor or a destructor.
 * Ordering: everything that the calls of the plug-in did happens before the return.
 * Source:   Linux 6.1 delete_module().
 */
INORDER_API int plugin_unload(struct plugin *plugin);

/**
 * plugin_symbol() - find a function or a variable of a plug-in
 * @plugin: the plug-in
 * @name: the symbol's name
 *
 * Return:   its address, or NULL; plugin_error() has the text.
 * Context:  any thread; not a signal handler.
 * Ordering: none.
 * Source:   ours; dlsym().
 */
INORDER_API void *plugin_symbol(struct plugin *plugin, const char *name);

/**
 * plugin_owner() - the owner of a plug-in's calls, to wait for
 * @plugin: the plug-in
 *
 * Return:   the owner, for async_synchronize_owner(); valid until the plug-in is unloaded.
 * Context:  any thread; signal handlers too.
 * Ordering: none.
 * Source:   ours.
 */
INORDER_API struct async_owner *plugin_owner(struct plugin *plugin);

/**
 * plugin_error() - what went wrong last in this thread
 *
 * Return:   a text that names the plug-in and the cause, valid until the next call of plugin_load(),
 *           plugin_unload() or plugin_symbol() in this thread; empty if none of them has failed yet.
 * Context:  any thread; not a signal handler.
 * Ordering: none.
 * Source:   ours.
 */
INORDER_API const char *plugin_error(void);

#ifdef __cplusplus
}
#endif
#endif
