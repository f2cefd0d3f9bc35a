/* SPDX-License-Identifier: MIT */
/* What the files of the start-up layer share. */
#ifndef STARTUP_INTERNAL_H
#define STARTUP_INTERNAL_H

#include <link.h>

#include <inorder/initcall.h>

/* One pass over the initcalls of the objects that belong to @plugin (NULL: to the program). */
struct initcall_pass {
	void *plugin;
	struct async_owner *owner;           /* of what the initcalls schedule; a _sync level waits for it */
	bool stop;                           /* at the first failure */
	const struct initcall_entry *failed; /* where it was stopped */
	const struct initcall_entry **ran;   /* where to list those that succeeded, or NULL */
	size_t ran_count;
};

/* The owner of what the initcalls of the program and its libraries schedule. */
extern struct async_owner startup_owner;

/* Guards the list of objects and everything in them. A leaf: held for a few instructions, never over a callback. */
void startup_lock(void);
void startup_unlock(void);
/* Waits for startup_wake(), which another thread calls. Both need the lock. */
void startup_wait(void);
void startup_wake(void);

/* The noted objects; in the order in which their initcalls are to run, once sorted. Needs the lock. */
struct initcall_object *startup_objects(void);
/* Whether objects have come since it was set to false. Return: what it was. */
bool startup_set_unsorted(bool now);
/*
 * Brings the objects that are mapped at these places into the places' order; those that are at none of them come last.
 */
void startup_arrange(const uintptr_t *bases, size_t count);
/* Brings them into the order in which they were loaded, except that what one needs comes before it. 0 or -ENOMEM. */
int startup_sort(void);
/* The names in an object's dynamic section, which may be NULL; NULL: there are none. */
const char *startup_strings(const ElfW(Dyn) * dynamic, uintptr_t address);

/* How many entries it has; an object without any has no section for them. */
static inline size_t startup_entries(const struct initcall_object *object)
{
	return object->start ? (size_t)(object->stop - object->start) : 0;
}

/* True if all its initcalls have been taken. Needs the lock. */
bool startup_finished(struct initcall_object *object);
/* True while initcalls_run() is in progress. Needs the lock. */
bool startup_running(void);
/* This thread begins or ends it. Needs the lock. */
void startup_set_running(bool now);

/* Maps the init pages of an object away. Return: bytes. */
size_t startup_free_object(struct initcall_object *object);
/* The same for every plug-in, after a wait for its calls. Return: bytes. */
size_t startup_free_plugins(void);

/* What objects that this thread's dlopen() initialises belong to: a struct plugin; NULL: the program. */
extern _Thread_local void *startup_loading;

/* Where an ELF object is mapped; base is its identity. */
struct mapping {
	uintptr_t base, end;
};

struct dl_phdr_info; /* link.h shows it to GNU sources only */
struct mapping startup_mapping_of(const struct dl_phdr_info *info);
/* That of the object that holds an address; base is 0 if none does. Takes the dynamic loader's lock. */
struct mapping startup_mapping(const void *address);

static inline bool startup_maps(struct mapping mapping, uintptr_t address)
{
	return address >= mapping.base && address < mapping.end;
}

/* Runs the initcalls that are left, as the pass says. Return: 0 or the first error. */
int startup_pass(struct initcall_pass *pass);

/* One line on standard error, "inorder: ..."; in one write. Keeps errno. */
__attribute__((format(printf, 1, 2))) void startup_say(const char *format, ...);

/* True if the user does not want this initcall to run. */
bool startup_blacklisted(const char *name);
/* Reads the environment's blacklist, once. Return: 0 or -ENOMEM. */
int startup_blacklist_environment(void);
#endif
