/* SPDX-License-Identifier: MIT */
/*
 * The state of a run, by what its threads have learned, and which states are known.
 *
 * A thread is a deterministic program: where it stands and what it holds follows
 * from what it did and learned so far. It learns of others only by atomic
 * operations, locks and parkers (it mixes in which store it saw, or which one its
 * own store comes after), by the clock, and by the explorer's own questions
 * (sim_learn(), sim_in_turn()). Plain data are ordered by those, else the clocks
 * find a race. So if all threads have learned the same in two runs, memory,
 * clocks and shadow are the same too, and so is all that can follow; what differs
 * is only the order of steps that have nothing to do with each other.
 *
 * That makes the reduction sound under a bound: no step is left out because
 * another order of it will do (which may need more preemptions than are left),
 * but a run ends when it has come to a state from which everything was run
 * before with at least as many deviations left. Who runs matters beside the
 * state, since going on is free: (state, A runs, n left) holds all that can come
 * of (state, B runs, n - 1 left), and (state, no thread can go on, n left) all that
 * can come of (state, anybody, n left). A run has a place above which it differs
 * from those before; depth first, all that follows from a state that was met
 * below another place has been run when this one is met.
 *
 * Fingerprints have 64 bits. With ten million states in a case the chance that
 * two of them meet is below one to 100,000.
 */
#include "sim.h"

#include "core.h"

#undef memset

#define FIRST_SIZE (1u << 16)
#define FREE SIM_THREADS /* in place of who runs: no thread of those that ran can go on */

void sim_learn(uint64_t value)
{
	sim_current->learned = sim_mix(sim_current->learned, value);
}

void sim_in_turn(struct sim_order_of *what)
{
	if (what->run != sim_result.run)
		*what = (struct sim_order_of){0, sim_result.run};
	sim_learn(what->version);
	what->version = sim_current->learned;
}

/* Never 0. */
uint64_t sim_state(void)
{
	uint64_t state = sim_mix(sim_now_ns, sim_port_state());

	for (unsigned i = 0; i < sim_thread_count; i++)
		state = sim_mix(state, sim_threads[i].learned + sim_threads[i].wait);
	return state ? state : 1;
}

/* ---- tables ---- */

static struct sim_entry *look_up(struct sim_entry *entries, size_t size, uint64_t key)
{
	size_t at = key & (size - 1);

	while (entries[at].key && entries[at].key != key)
		at = (at + 1) & (size - 1);
	return &entries[at];
}

static void grow(struct sim_table *table)
{
	size_t size = table->size ? 2 * table->size : FIRST_SIZE;
	struct sim_entry *entries = calloc(size, sizeof(*entries));

	if (!entries) {
		perror("explore: no memory for the known states");
		exit(2);
	}
	for (size_t i = 0; i < table->size; i++)
		if (table->entries[i].key)
			*look_up(entries, size, table->entries[i].key) = table->entries[i];
	free(table->entries);
	table->entries = entries;
	table->size = size;
}

uint64_t *sim_table_at(struct sim_table *table, uint64_t key)
{
	struct sim_entry *entry;

	if (2 * table->used >= table->size)
		grow(table);
	entry = look_up(table->entries, table->size, key);
	table->used += !entry->key;
	entry->key = key;
	return &entry->value;
}

void sim_table_clear(struct sim_table *table)
{
	free(table->entries);
	*table = (struct sim_table){0};
}

/* ---- known states ---- */

/* For each state four bits for whoever runs: one more than the deviations that were left; 0: not met. */
static struct sim_table known;

void sim_state_forget(void)
{
	sim_table_clear(&known);
}

static bool covers(uint64_t lefts, unsigned who, unsigned left)
{
	if ((lefts >> 4 * FREE & 15) > left)
		return true;
	for (unsigned i = 0; i < SIM_THREADS; i++)
		if ((lefts >> 4 * i & 15) > left + (i != who))
			return true;
	return false;
}

bool sim_state_known(bool free_choice, unsigned left)
{
	unsigned who = free_choice ? FREE : sim_current->index;
	uint64_t *lefts = sim_table_at(&known, sim_state());

	if (left > 14)
		return false;
	if (covers(*lefts, who, left))
		return true;
	*lefts &= ~((uint64_t)15 << 4 * who);
	*lefts |= (uint64_t)(left + 1) << 4 * who;
	return false;
}

/* ---- is it true? ---- */

static struct sim_table memories;

/* Where all threads have learned the same, memory is the same. */
void sim_state_verify(void)
{
	uint64_t memory = sim_mix_words(sim_arena_state(), &rob, sizeof(rob));
	uint64_t *before = sim_table_at(&memories, sim_state());

	if (!*before)
		*before = memory;
	if (*before != memory)
		sim_fail("the reduction is wrong: two memories of one state");
}

void sim_verify_forget(void)
{
	sim_table_clear(&memories);
}
