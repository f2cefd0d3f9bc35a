/* SPDX-License-Identifier: MIT */
/*
 * The units of systemd as spans, from when they began to activate until they were active, and what each had to come
 * after: their joins. systemd's own work stands in the thread of process 1, behind what was that process before; units
 * stand in threads of their own, as many as were activating at a time.
 */
#define _GNU_SOURCE
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

struct place {
	const char *name; /* kept, so that equal names are equal pointers */
	const struct unit *unit;
	size_t span;    /* NONE: its conditions did not hold, or it was not asked for */
	bool is_parent; /* a slice whose units are told, too */
	bool followed;  /* while joins are collected: those before it are collected already */
};

struct places {
	struct model *model;
	void *by_name;
	struct place *all; /* in order of their begin */
	size_t count;
	size_t ready;     /* the span that loads the units: none is started before it has ended */
	size_t *followed; /* places with that mark */
	size_t followed_count;
};

static int compare_names(const void *a, const void *b)
{
	const struct place *left = a;
	const struct place *right = b;

	return (left->name > right->name) - (left->name < right->name);
}

static uint64_t begin_of(const struct unit *unit)
{
	return unit->activating_ns ? unit->activating_ns : unit->active_ns;
}

static int compare_begins(const void *a, const void *b)
{
	uint64_t left_ns = begin_of(((const struct place *)a)->unit);
	uint64_t right_ns = begin_of(((const struct place *)b)->unit);

	if (left_ns != right_ns)
		return left_ns < right_ns ? -1 : 1;
	return strcmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

/* A unit that does its work and is not active then (Type=oneshot) has become inactive. 0: it has not ended. */
static uint64_t end_of(const struct unit *unit)
{
	uint64_t begin_ns = begin_of(unit);

	if (unit->active_ns >= begin_ns)
		return unit->active_ns;
	return unit->inactive_ns >= begin_ns ? unit->inactive_ns : 0;
}

static size_t add_step(struct model *model, size_t thread, uint64_t begin_ns, uint64_t end_ns, const char *name,
		       enum stand_in stand_in)
{
	size_t index = span_make(model, SPAN_STEP, thread, begin_ns, end_ns);

	model->spans[index].name = keep(name);
	model->spans[index].stand_in = stand_in;
	if (begin_ns < model->begin_ns)
		model->begin_ns = begin_ns;
	if (end_ns > model->end_ns)
		model->end_ns = end_ns;
	return index;
}

/* ---- systemd itself ---- */

/* What the thread is known to have done meanwhile (systemd loads modules, too) is nested in the step. */
static void adopt(struct model *model, size_t index)
{
	const struct span *around = &model->spans[index];

	for (size_t i = 0; i < index; i++) {
		struct span *span = &model->spans[i];

		if (span->thread == around->thread && span->parent == around->parent &&
		    span->begin_ns >= around->begin_ns && span->end_ns && span->end_ns <= around->end_ns)
			span->parent = index;
	}
}

/* What the kernel and an /init of its own are not traced by, in one step each. */
static void add_before(struct model *model, size_t thread, const struct systemd *systemd)
{
	uint64_t zero_ns = model->moved_ns ? model->moved_ns : 1; /* where a kernel's first line stands */
	uint64_t loader_ns = systemd->loader_ns < systemd->firmware_ns ? systemd->loader_ns : 0;
	uint64_t begin_ns = model->moved_ns + systemd->userspace_ns;
	uint64_t last_ns = zero_ns;

	if (systemd->firmware_ns)
		add_step(model, thread, model->moved_ns - systemd->firmware_ns, model->moved_ns - loader_ns, "firmware",
			 STANDS_FOR_PART);
	if (loader_ns)
		add_step(model, thread, model->moved_ns - loader_ns, zero_ns, "loader", STANDS_FOR_PART);
	for (size_t i = 0; i < model->phase_count; i++) /* its switch to the root, the last it tells of itself */
		if (model->processes[model->phases[i].process].pid == 1)
			last_ns = model->phases[i].begin_ns;
	for (size_t i = 0; i < model->span_count; i++)
		if (model->spans[i].thread == thread && model->spans[i].end_ns <= begin_ns &&
		    model->spans[i].end_ns > last_ns)
			last_ns = model->spans[i].end_ns;
	if (last_ns == zero_ns && systemd->initrd_ns && systemd->initrd_ns < systemd->userspace_ns) {
		add_step(model, thread, zero_ns, model->moved_ns + systemd->initrd_ns, "kernel", STANDS_FOR_ALL);
		add_step(model, thread, model->moved_ns + systemd->initrd_ns, begin_ns, "initrd", STANDS_FOR_ALL);
	} else if (last_ns == zero_ns) {
		if (!systemd->container) /* or else the kernel has run since long before */
			add_step(model, thread, zero_ns, begin_ns, "kernel", STANDS_FOR_ALL);
	} else if (last_ns < begin_ns) {
		add_step(model, thread, last_ns, begin_ns, "before systemd", STANDS_FOR_ALL);
	}
}

static void add_part(struct model *model, size_t around, const uint64_t times_ns[2], const char *name)
{
	const struct span *span = &model->spans[around];
	uint64_t begin_ns = model->moved_ns + times_ns[0];
	uint64_t end_ns = model->moved_ns + times_ns[1];

	size_t index;

	if (!times_ns[0] || begin_ns < span->begin_ns || end_ns < begin_ns || end_ns > span->end_ns)
		return;
	index = add_step(model, span->thread, begin_ns, end_ns, name, STANDS_FOR_PART);
	model->spans[index].parent = around;
	adopt(model, index);
}

static size_t add_systemd(struct model *model, size_t process, const struct systemd *systemd)
{
	size_t thread = thread_find(model, process, 1, true);
	uint64_t until_ns = systemd->load_ns[1];
	size_t around;

	if (thread == NONE)
		thread = thread_make(model, process, 1);
	add_before(model, thread, systemd);
	if (until_ns < systemd->userspace_ns)
		until_ns = systemd->userspace_ns;
	around = add_step(model, thread, model->moved_ns + systemd->userspace_ns, model->moved_ns + until_ns, "systemd",
			  STANDS_FOR_PART);
	adopt(model, around);
	add_part(model, around, systemd->security_ns, "systemd: security");
	add_part(model, around, systemd->generators_ns, "systemd: generators");
	add_part(model, around, systemd->load_ns, "systemd: load units");
	return around;
}

/* ---- units ---- */

static void add_unit(struct places *places, size_t process, struct place *place)
{
	struct model *model = places->model;
	uint64_t begin_ns = model->moved_ns + begin_of(place->unit);
	uint64_t end_ns = end_of(place->unit);
	size_t thread = thread_free_since(model, process, begin_ns);
	struct span *span;

	/* It still activates: it ends with all. */
	end_ns = end_ns ? model->moved_ns + end_ns : model->end_ns > begin_ns ? model->end_ns : begin_ns;
	place->span = add_step(model, thread, begin_ns, end_ns, place->name, STANDS_FOR_ITSELF);
	span = &model->spans[place->span];
	span->is_unit = true;
	span->cpu_ns = place->is_parent ? 0 : place->unit->cpu_ns;
	span->error = place->unit->failed ? -1 : 0;
	span->unfinished = !end_of(place->unit);
	if (end_ns > model->processes[process].last_ns)
		model->processes[process].last_ns = end_ns;
}

static struct place *place_of(const struct places *places, const char *name, size_t bytes)
{
	struct place key = {.name = keep_part(name, bytes)};
	struct place **found = tfind(&key, &places->by_name, compare_names);

	return found ? *found : NULL;
}

static void add_join(struct places *places, size_t index, size_t join)
{
	struct span *span = &places->model->spans[index];

	if (join != index && places->model->spans[join].end_ns <= span->begin_ns)
		*APPEND(span->joins, span->join_count) = join;
}

/*
 * The units that @unit had to come after. One that was skipped, because its conditions did not hold, came itself after
 * those before it.
 */
static void collect_joins(struct places *places, size_t index, const struct unit *unit)
{
	const char *word = unit->after;

	for (size_t bytes; word && *(word += strspn(word, " ")); word += bytes) {
		struct place *place;

		bytes = strcspn(word, " ");
		place = place_of(places, word, bytes);
		if (!place || place->followed)
			continue;
		place->followed = true;
		*APPEND(places->followed, places->followed_count) = (size_t)(place - places->all);
		if (place->span != NONE)
			add_join(places, index, place->span);
		else if (place->unit->condition_ns)
			collect_joins(places, index, place->unit);
	}
}

/*
 * What process 1 computes beside the units: all but its generators and the loading of units, which are work all the
 * time.
 */
static void add_beside(struct places *places, const struct systemd *systemd)
{
	const struct place *place = place_of(places, "init.scope", strlen("init.scope"));
	uint64_t load_ns =
		systemd->generators_ns[1] - systemd->generators_ns[0] + systemd->load_ns[1] - systemd->load_ns[0];

	if (place && places->ready != NONE && place->unit->cpu_ns > load_ns)
		places->model->spans[places->ready].cpu_ns = place->unit->cpu_ns - load_ns;
}

static void join_unit(struct places *places, const struct place *place)
{
	if (places->ready != NONE)
		add_join(places, place->span, places->ready);
	collect_joins(places, place->span, place->unit);
	for (size_t i = 0; i < places->followed_count; i++)
		places->all[places->followed[i]].followed = false;
	free(places->followed);
	places->followed = NULL;
	places->followed_count = 0;
}

/* The target that the boot was for: default.target is another name of it. */
static bool is_login(const struct unit *unit)
{
	size_t bytes = strlen("default.target");
	const char *found = unit->names ? strstr(unit->names, "default.target") : NULL;

	return found && (found == unit->names || found[-1] == ' ') && (!found[bytes] || found[bytes] == ' ');
}

static void place_units(struct places *places, const struct input *input)
{
	for (size_t i = 0; i < input->unit_count; i++)
		*APPEND(places->all, places->count) =
			(struct place){.name = input->units[i].name, .unit = &input->units[i], .span = NONE};
	if (places->count)
		qsort(places->all, places->count, sizeof(*places->all), compare_begins);
	for (size_t i = 0; i < places->count; i++)
		if (!tsearch(&places->all[i], &places->by_name, compare_names))
			more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	for (size_t i = 0; i < places->count; i++) {
		const char *slice = places->all[i].unit->slice;
		struct place *parent = slice ? place_of(places, slice, strlen(slice)) : NULL;

		if (parent)
			parent->is_parent = true;
	}
}

static void forget(void *place)
{
	(void)place; /* one of the array */
}

void add_units(struct model *model, const struct input *input)
{
	struct places places = {.model = model, .ready = NONE};
	size_t skipped = 0;
	size_t process;

	if (!input->unit_count && !input->systemd.userspace_ns)
		return;
	*APPEND(model->processes, model->process_count) =
		(struct process){.pid = 1, .program = keep("systemd"), .is_systemd = true};
	process = model->process_count - 1;
	if (input->systemd.userspace_ns)
		places.ready = add_systemd(model, process, &input->systemd);
	place_units(&places, input);
	add_beside(&places, &input->systemd);
	for (size_t i = 0; i < places.count; i++) {
		if (begin_of(places.all[i].unit))
			add_unit(&places, process, &places.all[i]);
		else
			skipped += places.all[i].unit->condition_ns != 0;
		if (places.all[i].span != NONE && is_login(places.all[i].unit))
			model->login = places.all[i].span;
	}
	for (size_t i = 0; i < places.count; i++)
		if (places.all[i].span != NONE)
			join_unit(&places, &places.all[i]);
	if (skipped)
		model_note(model, "units of systemd that were skipped, as their conditions did not hold: %zu", skipped);
	tdestroy(places.by_name, forget);
	free(places.all);
}
