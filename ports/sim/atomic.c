/* SPDX-License-Identifier: MIT */
/*
 * Atomic operations, the lock and the parker, with their orders.
 *
 * A location keeps its last stores. A load may return any that coherence and
 * the clocks allow: none older than one that happened before the load, nor than
 * one that this thread has seen. Read-modify-writes take the newest. A store
 * that releases carries its thread's clock, a load that acquires joins it.
 *
 * Stores take effect in the order of execution, and a load never returns a store
 * to come: weaker than what is allowed (load buffering is not shown), enough for
 * a missing acquire or release.
 *
 * Each store has a version: what its thread had learned, which includes the store
 * that it comes after. Who loads learns which version it got (state.c).
 */
#include "sim.h"

#include "core.h"

#define LOCATIONS 512
#define STORES 8

struct store {
	uint64_t value, version;
	unsigned thread; /* SIM_THREADS: the initial value */
	uint32_t at;     /* that thread's time */
	bool releases;
	struct sim_clock released;
};

struct location {
	const void *address;
	uint32_t run;
	unsigned count; /* stores so far; the last STORES are kept */
	struct store store[STORES];
	unsigned seen[SIM_THREADS]; /* the newest that each thread knows of, as a count */
	struct sim_clock accessed;
};

static struct location locations[LOCATIONS];
static uint32_t run;

void sim_atomics_reset(void)
{
	run++;
}

static struct location *find(const void *address, bool make)
{
	unsigned index = (unsigned)((uintptr_t)address >> 2) * 2654435761u >> 23;

	for (unsigned i = 0; i < LOCATIONS; i++) {
		struct location *location = &locations[(index + i) % LOCATIONS];

		if (location->run == run && location->address == address)
			return location;
		if (location->run == run)
			continue;
		if (!make)
			return NULL;
		location->run = run;
		location->address = address;
		location->count = 0;
		return location;
	}
	sim_fail("more than %d atomic locations", LOCATIONS);
}

static struct store *newest(struct location *location)
{
	return &location->store[(location->count - 1) % STORES];
}

static void first_store(struct location *location, uint64_t value)
{
	memset(location->seen, 0, sizeof(location->seen));
	memset(&location->accessed, 0, sizeof(location->accessed));
	location->count = 1;
	location->store[0] = (struct store){.value = value, .version = value, .thread = SIM_THREADS};
}

/* The location, with what stands in memory as its newest store. */
static struct location *locate(const void *address, uint64_t value)
{
	struct location *location = find(address, true);

	if (!location->count || newest(location)->value != value)
		first_store(location, value);
	sim_memory_atomic(address);
	location->accessed.at[sim_current->index] = sim_current->clock.at[sim_current->index];
	return location;
}

/* A plain access: every atomic one must have happened before. A write makes a new object of it. */
bool sim_atomics_forget(const void *address, bool write)
{
	struct location *location = find(address, false);

	if (!location || !location->count)
		return true;
	for (unsigned i = 0; i < SIM_THREADS; i++)
		if (location->accessed.at[i] > sim_current->clock.at[i])
			return false;
	if (write)
		location->count = 0;
	return true;
}

static void acquire(struct store *store, enum sim_order order)
{
	if ((order & SIM_ACQUIRE) && store->releases)
		sim_join_clock(&sim_current->clock, &store->released);
}

static bool happened_before(const struct store *store)
{
	return store->thread == SIM_THREADS || sim_current->clock.at[store->thread] >= store->at;
}

/* How many stores, from the newest back, a load may return. */
static unsigned coherent(struct location *location)
{
	unsigned count = 1;

	while (count < STORES && count < location->count &&
	       location->count - count + 1 > location->seen[sim_current->index] &&
	       !happened_before(&location->store[(location->count - count) % STORES]))
		count++;
	return count;
}

static uint64_t load(const void *address, uint64_t value, enum sim_order order)
{
	struct location *location = locate(address, value);
	unsigned options = coherent(location);
	unsigned back = sim_choose_store(options);
	struct store *store = &location->store[(location->count - 1 - back) % STORES];

	sim_learn(store->version);
	if (back)
		sim_say("    reads an older store: %llu", (unsigned long long)store->value);
	location->seen[sim_current->index] = location->count - back;
	acquire(store, order);
	return store->value;
}

static void store(const void *address, uint64_t before, uint64_t value, enum sim_order order, bool modifies)
{
	struct location *location = locate(address, before);
	struct store *last = newest(location);
	struct store *store = &location->store[location->count % STORES];
	struct sim_clock released = {{0}};
	bool releases = order & SIM_RELEASE;

	sim_learn(last->version);
	if (modifies)
		acquire(last, order);
	if (modifies && last->releases) { /* a release sequence goes on */
		released = last->released;
		releases = true;
	}
	if (order & SIM_RELEASE)
		sim_join_clock(&released, &sim_current->clock);
	*store = (struct store){value,
				sim_mix(sim_current->learned, value),
				sim_current->index,
				sim_current->clock.at[sim_current->index],
				releases,
				released};
	location->seen[sim_current->index] = ++location->count;
	sim_tick(&sim_current->clock);
}

/* ---- operations ---- */

/* Once set it never changes: a load commutes with everything. */
static bool settled(const port_u32 *p)
{
	return p == &rob.started && p->value;
}

uint32_t sim_load(port_u32 *p, enum sim_order order, struct sim_site *site)
{
	if (settled(p))
		site->reached++;
	else
		sim_point(site);
	return (uint32_t)load(p, p->value, order);
}

void sim_store(port_u32 *p, uint32_t value, enum sim_order order, struct sim_site *site)
{
	sim_point(site);
	store(p, p->value, value, order, false);
	p->value = value;
}

uint32_t sim_xchg(port_u32 *p, uint32_t value, enum sim_order order, struct sim_site *site)
{
	uint32_t before;

	sim_point(site);
	before = p->value;
	store(p, before, value, order, true);
	p->value = value;
	return before;
}

uint32_t sim_or(port_u32 *p, uint32_t bits, enum sim_order order, struct sim_site *site)
{
	uint32_t before;

	sim_point(site);
	before = p->value;
	store(p, before, before | bits, order, true);
	p->value = before | bits;
	return before;
}

bool sim_cas(port_u32 *p, uint32_t *old, uint32_t value, enum sim_order order, struct sim_site *site)
{
	sim_point(site);
	if (p->value != *old) {
		struct location *location = locate(p, p->value);

		location->seen[sim_current->index] = location->count;
		sim_learn(newest(location)->version);
		acquire(newest(location), order);
		sim_access(old, sizeof(*old), true);
		*old = p->value;
		return false;
	}
	store(p, p->value, value, order, true);
	p->value = value;
	return true;
}

const char *sim_word_load(port_name *p, enum sim_order order, struct sim_site *site)
{
	sim_point(site);
	return (const char *)(uintptr_t)load(p, (uintptr_t)p->value, order);
}

const char *sim_name_load(port_name *p, enum sim_order order, struct sim_site *site)
{
	const char *name = sim_word_load(p, order, site);

	if (name)
		sim_access(name, 1, false);
	return name;
}

void sim_name_store(port_name *p, const char *name, enum sim_order order, struct sim_site *site)
{
	sim_point(site);
	store(p, (uintptr_t)p->value, (uintptr_t)name, order, false);
	p->value = name;
}

/* ---- lock and parker ---- */

void sim_lock(struct port_lock *lock, struct sim_site *site)
{
	sim_point(site);
	if (lock->word.value == sim_current->index + 1)
		sim_fail("%s:%u: the thread holds the lock already", site->file, site->line);
	while (lock->word.value)
		sim_block(SIM_IN_LOCK, lock, 0, site);
	store(&lock->word, 0, sim_current->index + 1, SIM_ACQUIRE, true);
	lock->word.value = sim_current->index + 1;
}

void sim_unlock(struct port_lock *lock, struct sim_site *site)
{
	sim_point(site);
	if (lock->word.value != sim_current->index + 1)
		sim_fail("%s:%u: the thread does not hold the lock", site->file, site->line);
	sim_on_unlock(lock);
	store(&lock->word, lock->word.value, 0, SIM_RELEASE, true);
	lock->word.value = 0;
}

static uint32_t take_flags(struct port_parker *parker, enum sim_order order)
{
	uint32_t flags = parker->flags.value;

	store(&parker->flags, flags, 0, order, true);
	parker->flags.value = 0;
	return flags;
}

uint32_t sim_park(struct port_parker *parker, uint64_t deadline_ns, enum sim_order order, struct sim_site *site)
{
	sim_point(site);
	if (!parker->flags.value)
		sim_block(SIM_PARKED, parker, deadline_ns, site);
	return take_flags(parker, order);
}

void sim_unpark(struct port_parker *parker, uint32_t flags, enum sim_order order, struct sim_site *site)
{
	sim_point(site);
	sim_access(parker, 0, false);
	for (unsigned i = 0; i < sim_thread_count; i++)
		if (sim_threads[i].self && &sim_threads[i].self->parker == parker)
			sim_threads[i].wakes++;
	store(&parker->flags, parker->flags.value, parker->flags.value | flags, order, true);
	parker->flags.value |= flags;
}
