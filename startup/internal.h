/* SPDX-License-Identifier: MIT */
/* What the files of the start-up layer share. */
#ifndef STARTUP_INTERNAL_H
#define STARTUP_INTERNAL_H

#include <inorder/initcall.h>

/* One pass over the initcalls of the objects that belong to @plugin (NULL: to the program). */
struct initcall_pass {
	void *plugin;
	struct async_owner *owner; /* of what the initcalls schedule; a _sync level waits for it */
	bool stop;                 /* at the first failure */
	bool failed;               /* and was stopped */
};

/* The owner of what the initcalls of the program and its libraries schedule. */
extern struct async_owner startup_owner;

/* Guards the list of objects and everything in them. A leaf: held for a few instructions, never over a callback. */
void startup_lock(void);
void startup_unlock(void);

/* The noted objects, in the order in which they were initialised. Needs the lock. */
struct initcall_object *startup_objects(void);

/* Runs the initcalls that are left, as the pass says. Return: 0 or the first error. */
int startup_pass(struct initcall_pass *pass);

/* One line on standard error, "inorder: ..."; in one write. Keeps errno. */
__attribute__((format(printf, 1, 2))) void startup_say(const char *format, ...);

/* True if the user does not want this initcall to run. */
bool startup_blacklisted(const char *name);
/* Reads the environment's blacklist, once. Return: 0 or -ENOMEM. */
int startup_blacklist_environment(void);
#endif
