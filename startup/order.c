/* SPDX-License-Identifier: MIT */
/*
 * The order of objects: as they were loaded, except that what an object needs
 * comes before it.
 *
 * Their constructors note them after what they need, but those that do not need
 * each other in whatever order the dynamic loader likes: glibc takes the last one
 * first. Its list is in the order of loading, so following DT_NEEDED from each
 * object on it, and taking an object once all that it needs is taken, gives the
 * order that is wanted. The list is read inside dl_iterate_phdr(), which keeps
 * objects from being unmapped meanwhile; nothing is allocated there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { SONAME, PATH, FILENAME, NAMES };

struct loaded {
	uintptr_t base;
	const ElfW(Dyn) * dynamic; /* NULL: it needs nothing */
	const char *strings;
	const char *names[NAMES]; /* its DT_SONAME, or NULL; the path by which it was found; the last part of that */
	bool taken;
};

struct order {
	struct loaded *loaded; /* in the order of loading */
	uintptr_t *sorted;
	size_t count, room, sorted_count;
};

static const ElfW(Dyn) * find_entry(const ElfW(Dyn) * entry, ElfW(Sxword) tag)
{
	while (entry && entry->d_tag != DT_NULL && entry->d_tag != tag)
		entry++;
	return entry && entry->d_tag == tag ? entry : NULL;
}

/* Some architectures leave the pointer as it is in the file. */
const char *startup_strings(const ElfW(Dyn) * dynamic, uintptr_t address)
{
	const ElfW(Dyn) *entry = find_entry(dynamic, DT_STRTAB);

	return entry ? (const char *)(entry->d_un.d_ptr + (entry->d_un.d_ptr < address ? address : 0)) : NULL;
}

static void describe(struct loaded *loaded, const struct dl_phdr_info *info)
{
	const char *slash = strrchr(info->dlpi_name, '/');
	const ElfW(Dyn) * soname;

	*loaded = (struct loaded){.base = startup_mapping_of(info).base};
	loaded->names[PATH] = info->dlpi_name;
	loaded->names[FILENAME] = slash ? slash + 1 : info->dlpi_name;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			loaded->dynamic = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	loaded->strings = startup_strings(loaded->dynamic, info->dlpi_addr);
	soname = find_entry(loaded->dynamic, DT_SONAME);
	if (soname && loaded->strings)
		loaded->names[SONAME] = loaded->strings + soname->d_un.d_val;
}

static int collect(struct dl_phdr_info *info, size_t bytes, void *data)
{
	struct order *order = data;

	(void)bytes;
	if (order->count < order->room)
		describe(&order->loaded[order->count], info);
	order->count++;
	return 0;
}

static struct loaded *find_name(const struct order *order, const char *name)
{
	for (size_t which = 0; which < NAMES; which++)
		for (size_t i = 0; i < order->count; i++)
			if (order->loaded[i].names[which] && !strcmp(order->loaded[i].names[which], name))
				return &order->loaded[i];
	return NULL;
}

/* Takes what the object needs, and then the object. */
static void take(struct order *order, struct loaded *loaded)
{
	const ElfW(Dyn) *entry = loaded->strings ? loaded->dynamic : NULL;

	if (loaded->taken)
		return;
	loaded->taken = true;
	while ((entry = find_entry(entry, DT_NEEDED))) {
		struct loaded *needed = find_name(order, loaded->strings + entry->d_un.d_val);

		if (needed)
			take(order, needed);
		entry++;
	}
	order->sorted[order->sorted_count++] = loaded->base;
}

/* Called for the first object, and does all the work. */
static int sort_now(struct dl_phdr_info *info, size_t bytes, void *data)
{
	struct order *order = data;

	(void)info;
	(void)bytes;
	order->count = 0;
	dl_iterate_phdr(collect, order);
	if (order->count <= order->room)
		for (size_t i = 0; i < order->count; i++)
			take(order, &order->loaded[i]);
	return 1;
}

static int make_room(struct order *order)
{
	free(order->loaded);
	free(order->sorted);
	order->room = order->count + 8;
	order->loaded = calloc(order->room, sizeof(*order->loaded));
	order->sorted = calloc(order->room, sizeof(*order->sorted));
	return order->loaded && order->sorted ? 0 : -ENOMEM;
}

int startup_sort(void)
{
	struct order order = {.count = 24}; /* a guess, the first time */
	int error;

	if (!startup_set_unsorted(false))
		return 0;
	do {
		error = make_room(&order);
		if (!error)
			dl_iterate_phdr(sort_now, &order);
	} while (!error && order.count > order.room);
	if (error)
		startup_set_unsorted(true);
	else
		startup_arrange(order.sorted, order.sorted_count);
	free(order.loaded);
	free(order.sorted);
	return error;
}
