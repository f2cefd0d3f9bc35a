/* SPDX-License-Identifier: MIT */
/* initcall_blacklist=: initcalls that the user does not want to run. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct list {
	struct list *next;
	char names[];
};

static struct list *lists;       /* only ever grows; guarded by startup_lock() */
static bool environment_is_read; /* guarded by startup_lock() */

int initcall_blacklist(const char *names)
{
	size_t bytes = strlen(names) + 1;
	struct list *list = malloc(sizeof(*list) + bytes);

	if (!list)
		return -ENOMEM;
	memcpy(list->names, names, bytes);
	startup_lock();
	list->next = lists;
	lists = list;
	startup_unlock();
	return 0;
}

int startup_blacklist_environment(void)
{
	const char *names = secure_getenv("INORDER_INITCALL_BLACKLIST");
	bool first;

	startup_lock();
	first = !environment_is_read;
	environment_is_read = true;
	startup_unlock();
	if (!first || !names || !initcall_blacklist(names))
		return 0;
	startup_lock();
	environment_is_read = false;
	startup_unlock();
	return -ENOMEM;
}

static bool names_it(const char *names, const char *name)
{
	const size_t wanted = strlen(name);

	while (*(names += strspn(names, ", "))) {
		const size_t length = strcspn(names, ", ");

		if (length == wanted && !memcmp(names, name, length))
			return true;
		names += length;
	}
	return false;
}

bool startup_blacklisted(const char *name)
{
	const struct list *list;

	startup_lock();
	list = lists;
	startup_unlock();
	while (list && !names_it(list->names, name))
		list = list->next;
	return list;
}
