/* SPDX-License-Identifier: MIT */
/*
 * inorder: do_initcalls() for programs.
 *
 *	static int __init probe_disks(void) { ... return 0; }
 *	device_initcall(probe_disks);
 *
 *	int main(void) { return initcalls_run(0) ? 1 : 0; }
 *
 * Every ELF object (program, library, plug-in) that includes this file has one
 * struct initcall_object, which says where its initcalls are. A constructor
 * notes it, and does nothing else; nothing runs before initcalls_run().
 */
#ifndef INORDER_INITCALL_H
#define INORDER_INITCALL_H

#include <inorder/async.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The levels, in the order in which they run. Async calls run on across
 * levels; a _sync level waits for those of all initcalls before it begins and
 * before it ends. X(name)
 */
/* clang-format off */
#define INITCALL_LEVELS(X) \
	X(core) X(core_sync) X(postcore) X(postcore_sync) X(arch) X(arch_sync) X(subsys) X(subsys_sync) \
	X(fs) X(fs_sync) X(device) X(device_sync) X(late) X(late_sync)
/* clang-format on */

enum initcall_level {
#define INITCALL_ENUM(name) INITCALL_LEVEL_##name,
	INITCALL_LEVELS(INITCALL_ENUM)
#undef INITCALL_ENUM
		INITCALL_LEVELS_END,
	INITCALL_LEVEL_exit = INITCALL_LEVELS_END
};

/* What a registration leaves in the section inorder_initcall. */
struct initcall_entry {
	int (*init)(void);
	void (*exit)(void); /* of INITCALL_LEVEL_exit only: it undoes init */
	const char *name;
	uint32_t level;
	uint32_t reserved;
};

/* One ELF object. All fields are private; the size is part of the ABI. */
struct initcall_object {
	const struct initcall_entry *start;
	const struct initcall_entry *stop;
	char *text, *text_stop; /* pages of __init */
	char *data, *data_stop; /* pages of __initdata */
	struct initcall_object *next;
	struct async_owner *owner; /* the plug-in's; NULL in a program or a library */
	void *plugin;              /* which plug-in it belongs to; NULL: to the program */
	uintptr_t base, end;       /* where it is mapped */
	uint32_t level;            /* the next initcall to run: its level, */
	uint32_t index;            /* and where to look for it */
	uint32_t noted;
	uint32_t freed;
	void *reserved[2];
};

/* In initcalls_run(): stop at the first initcall that fails. */
#define INITCALL_STOP 1u

/**
 * initcalls_run() - run every initcall that has not been run, level by level
 * @flags: 0, or INITCALL_STOP to stop at the first failure
 *
 * Within a level in link order; objects in the order in which they were
 * loaded, except that an object comes after all that it needs (DT_NEEDED): the
 * libraries as they were linked, the program, what dlopen() loaded later.
 * Initcalls of plug-ins are run by plugin_load() alone. May be called again
 * when more objects were loaded.
 *
 * Return:   0; the result of the first initcall that returned a negative errno, which is also named on
 *           standard error; -EBUSY if a run is in progress; -EINVAL for an unknown flag; -ENOMEM; -EDEADLK
 *           if a _sync level would have to wait for the caller.
 * Context:  may block; any thread, not from a signal handler, nor beside another thread's dlopen() of an object
 *           with initcalls: they could run before its constructors.
 * Ordering: as if the caller had called the functions one after the other. Calls that they schedule may
 *           still be in progress at the return.
 * Source:   Linux 6.1 do_initcalls(), do_one_initcall(); the wait of _sync levels is ours.
 */
INORDER_API int initcalls_run(unsigned int flags);

/**
 * initcall_blacklist() - never run these initcalls
 * @names: function names with commas between them; copied
 *
 * The environment's INORDER_INITCALL_BLACKLIST adds to it. An initcall that is left out counts as
 * successful; the trace shows it with the result 0 and the name "NAME.blacklisted".
 *
 * Return:   0, or -ENOMEM.
 * Context:  any thread; before initcalls_run() or plugin_load().
 * Ordering: none.
 * Source:   Linux 6.1 initcall_blacklist=.
 */
INORDER_API int initcall_blacklist(const char *names);

/**
 * initcalls_free() - give the memory of __init and __initdata back
 *
 * Makes the full wait, waits for what initcalls scheduled in exclusive domains, then takes the pages away
 * from every object whose initcalls have all been run. Whoever uses them later faults at once.
 *
 * Return:   bytes that were freed. 0 and nothing freed, with errno EDEADLK, if the caller would wait for itself,
 *           or EBUSY, if initcalls_run() is in progress.
 * Context:  may block; any thread, not from a signal handler, nor beside dlclose() of an object with init code.
 * Ordering: every async call that was in progress happens before the pages go.
 * Source:   Linux 6.1 kernel_init(), free_initmem().
 */
INORDER_API size_t initcalls_free(void);

/**
 * initcalls_note() - put an object on the list; for the constructor below, and for no other thread
 * @object: the object's own
 *
 * Context:  constructors.
 * Ordering: none.
 * Source:   ours.
 */
INORDER_API void initcalls_note(struct initcall_object *object);

/**
 * initcalls_forget() - take an object from the list; for the destructor below, and for no other thread
 * @object: the object's own
 *
 * Context:  destructors.
 * Ordering: none.
 * Source:   ours.
 */
INORDER_API void initcalls_forget(struct initcall_object *object);

#define core_initcall(fn) INITCALL_REGISTER(fn, core)
#define core_initcall_sync(fn) INITCALL_REGISTER(fn, core_sync)
#define postcore_initcall(fn) INITCALL_REGISTER(fn, postcore)
#define postcore_initcall_sync(fn) INITCALL_REGISTER(fn, postcore_sync)
#define arch_initcall(fn) INITCALL_REGISTER(fn, arch)
#define arch_initcall_sync(fn) INITCALL_REGISTER(fn, arch_sync)
#define subsys_initcall(fn) INITCALL_REGISTER(fn, subsys)
#define subsys_initcall_sync(fn) INITCALL_REGISTER(fn, subsys_sync)
#define fs_initcall(fn) INITCALL_REGISTER(fn, fs)
#define fs_initcall_sync(fn) INITCALL_REGISTER(fn, fs_sync)
#define device_initcall(fn) INITCALL_REGISTER(fn, device)
#define device_initcall_sync(fn) INITCALL_REGISTER(fn, device_sync)
#define late_initcall(fn) INITCALL_REGISTER(fn, late)
#define late_initcall_sync(fn) INITCALL_REGISTER(fn, late_sync)

/**
 * exitcall() - name the function that undoes an initcall of a plug-in
 * @init_fn: the initcall
 * @exit_fn: void exit_fn(void)
 *
 * plugin_unload(), and a load that fails, call it if @init_fn had been run and had not failed, in the
 * reverse of the order in which the initcalls ran. In a program or a library it is never called.
 */
#define exitcall(init_fn, exit_fn) INITCALL_ENTRY(inorder_exitcall_##init_fn, init_fn, exit_fn, #exit_fn, exit)

#define INITCALL_REGISTER(fn, level) INITCALL_ENTRY(inorder_initcall_##fn##_##level, fn, 0, #fn, level)
#define INITCALL_ENTRY(var, init, exit, name, level) \
	static const struct initcall_entry var INITCALL_KEEP INITCALL_IN_ORDER \
		__attribute__((section("inorder_initcall"), aligned(sizeof(void *)))) = {init, exit, name, \
											 INITCALL_LEVEL_##level, 0}

/* Neither the compiler, nor --gc-sections, nor LTO may drop an entry or change its place. */
#if __has_attribute(retain)
#define INITCALL_KEEP __attribute__((used, retain))
#else
#define INITCALL_KEEP __attribute__((used))
#endif
#if __has_attribute(no_reorder)
#define INITCALL_IN_ORDER __attribute__((no_reorder))
#else
#define INITCALL_IN_ORDER
#endif

/*
 * Init code and init data, for initcalls_free(). "__init" is a name that the
 * C++ library uses for its own, so C++ code writes INITCALL_TEXT.
 */
#define INITCALL_TEXT __attribute__((section("inorder_init_text"), noinline))
#define INITCALL_DATA __attribute__((section("inorder_init_data")))
#ifndef __cplusplus
#define __init INITCALL_TEXT
#define __initdata INITCALL_DATA
#endif

/*
 * What a file contributes to these sections begins and ends at a page border:
 * subsection 1 comes after all that the compiler puts into subsection 0.
 */
#if defined(__x86_64__) || defined(__i386__)
#define INITCALL_PAGE "4096"
#else
#define INITCALL_PAGE "65536"
#endif
#define INITCALL_PAGES(section, flags) \
	__asm__(".pushsection " section ",0,\"" flags "\",%progbits\n\t.balign " INITCALL_PAGE "\n\t.popsection\n\t" \
		".pushsection " section ",1,\"" flags "\",%progbits\n\t.balign " INITCALL_PAGE "\n\t.popsection")
INITCALL_PAGES("inorder_init_text", "ax");
INITCALL_PAGES("inorder_init_data", "aw");

#define INITCALL_HIDDEN __attribute__((weak, visibility("hidden")))
extern const struct initcall_entry __start_inorder_initcall[] INITCALL_HIDDEN;
extern const struct initcall_entry __stop_inorder_initcall[] INITCALL_HIDDEN;
extern char __start_inorder_init_text[] INITCALL_HIDDEN;
extern char __stop_inorder_init_text[] INITCALL_HIDDEN;
extern char __start_inorder_init_data[] INITCALL_HIDDEN;
extern char __stop_inorder_init_data[] INITCALL_HIDDEN;

/* One for the whole object, however many files define it; hidden, so never another object's. */
INITCALL_HIDDEN struct initcall_object inorder_initcall_object = {__start_inorder_initcall,
								  __stop_inorder_initcall,
								  __start_inorder_init_text,
								  __stop_inorder_init_text,
								  __start_inorder_init_data,
								  __stop_inorder_init_data,
								  0,
								  0,
								  0,
								  0,
								  0,
								  0,
								  0,
								  0,
								  0,
								  {0}};

/* Before the object's own constructors and after its destructors; all but the first call does nothing. */
__attribute__((constructor(101), used)) static void inorder_initcalls_note(void)
{
	initcalls_note(&inorder_initcall_object);
}

__attribute__((destructor(101), used)) static void inorder_initcalls_forget(void)
{
	initcalls_forget(&inorder_initcall_object);
}

#ifdef __cplusplus
}
#endif
#endif
