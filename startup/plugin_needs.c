/* SPDX-License-Identifier: MIT */
/*
 * What else is mapped: the objects that one needs, which are its DT_NEEDED entries, followed through libraries that are
 * no plug-ins; and all at some time, to find later which came since.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "plugins.h"

/* Objects found so far; those from @done on are still to be looked at. */
struct walk {
	struct link_map **seen;
	size_t count;
	size_t done;
};

static int see(struct walk *walk, struct link_map *map)
{
	struct link_map **more;

	for (size_t i = 0; i < walk->count; i++)
		if (walk->seen[i] == map)
			return 0;
	more = realloc(walk->seen, (walk->count + 1) * sizeof(struct link_map *));
	if (!more)
		return -ENOMEM;
	walk->seen = more;
	walk->seen[walk->count++] = map;
	return 0;
}

/* The loaded object that goes by this name, or NULL. It stays: the object that needs it is loaded. */
static struct link_map *map_of_name(const char *name)
{
	void *handle = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
	struct link_map *map = NULL;

	if (!handle)
		return NULL;
	dlinfo(handle, RTLD_DI_LINKMAP, &map);
	dlclose(handle);
	return map;
}

static int look_at(struct walk *walk, const struct link_map *map, plugin_visitor visit, void *data)
{
	const char *names = startup_strings(map->l_ld, map->l_addr);
	int result = 0;

	for (const ElfW(Dyn) *entry = map->l_ld; names && result >= 0 && entry->d_tag != DT_NULL; entry++) {
		struct link_map *needed;

		if (entry->d_tag != DT_NEEDED)
			continue;
		needed = map_of_name(names + entry->d_un.d_val);
		if (!needed)
			continue; /* no object of its own, as libpthread where libc holds it */
		result = visit(startup_mapping(needed->l_ld), data);
		if (!result)
			result = see(walk, needed);
	}
	return result < 0 ? result : 0;
}

int plugin_walk_needs(void *handle, plugin_visitor visit, void *data)
{
	struct walk walk = {NULL, 0, 0};
	struct link_map *map;
	int error;

	if (dlinfo(handle, RTLD_DI_LINKMAP, &map))
		return 0;
	error = see(&walk, map);
	while (!error && walk.done < walk.count)
		error = look_at(&walk, walk.seen[walk.done++], visit, data);
	free(walk.seen);
	return error;
}

/* Counts the objects; notes as many as there is room for. */
static int note_object(struct dl_phdr_info *info, size_t bytes, void *data)
{
	struct mapped *mapped = data;

	(void)bytes;
	if (mapped->count < mapped->room)
		mapped->bases[mapped->count] = startup_mapping_of(info).base;
	mapped->count++;
	return 0;
}

/* No memory is allocated while the dynamic loader is locked, so it takes another round when more have come. */
int mapped_now(struct mapped *mapped)
{
	do {
		uintptr_t *more = realloc(mapped->bases, (mapped->count + 1) * sizeof(uintptr_t));

		if (!more)
			return -ENOMEM;
		mapped->bases = more;
		mapped->room = mapped->count + 1;
		mapped->count = 0;
		dl_iterate_phdr(note_object, mapped);
	} while (mapped->count > mapped->room);
	return 0;
}

bool mapped_has(const struct mapped *mapped, uintptr_t base)
{
	for (size_t i = 0; i < mapped->count; i++)
		if (mapped->bases[i] == base)
			return true;
	return false;
}
