/* SPDX-License-Identifier: MIT */
/*
 * The allocator: it poisons, and never uses memory again within a run. Each
 * thread has its own part, so that addresses follow from what the thread did and
 * not from the order in which threads allocate.
 */
#include "sim.h"

#undef memset

#define GRAIN 8
#define BLOCKS 128 /* of a thread */
#define GAP 64
#define CHAINS 4

enum { NEVER, ALLOCATED, FREED };

_Alignas(64) char sim_arenas[SIM_THREADS][SIM_ARENA_BYTES];

static struct part {
	uint8_t state[SIM_ARENA_BYTES / GRAIN];
	size_t used;
	struct block {
		size_t start, bytes;
		bool freed, internal;
	} block[BLOCKS];
	unsigned blocks;
} parts[SIM_THREADS];

void sim_arena_reset(void)
{
	for (unsigned i = 0; i < SIM_THREADS; i++) {
		memset(parts[i].state, NEVER, parts[i].used / GRAIN);
		parts[i].used = 0;
		parts[i].blocks = 0;
	}
}

/* False: it is not in any arena. */
static bool offset_of(uintptr_t address, uintptr_t *offset)
{
	*offset = address - (uintptr_t)sim_arenas;
	return *offset < sizeof(sim_arenas);
}

static void *take(size_t bytes, bool internal)
{
	unsigned index = sim_current ? sim_current->index : 0;
	struct part *part = &parts[index];
	size_t rounded = (bytes + 63) / 64 * 64, grains = (bytes + GRAIN - 1) / GRAIN;
	char *memory = sim_arenas[index] + part->used;

	if (part->used + rounded + GAP > SIM_ARENA_BYTES || part->blocks == BLOCKS)
		sim_fail("the simulator's memory is used up");
	part->block[part->blocks++] = (struct block){part->used, bytes, false, internal};
	memset(memory, 0xa5, rounded);
	memset(part->state + part->used / GRAIN, ALLOCATED, grains);
	memset(part->state + part->used / GRAIN + grains, NEVER, (rounded + GAP) / GRAIN - grains);
	part->used += rounded + GAP;
	return memory;
}

static void free_block(struct part *part, struct block *block, char *memory)
{
	if (block->freed)
		sim_fail("freed twice: a block of %zu bytes", block->bytes);
	sim_access(memory, block->bytes, true);
	sim_shadow_forget(memory, block->bytes);
	block->freed = true;
	memset(memory, 0xdb, block->bytes);
	memset(part->state + block->start / GRAIN, FREED, (block->bytes + GRAIN - 1) / GRAIN);
}

static void give_back(void *memory)
{
	uintptr_t offset;

	if (offset_of((uintptr_t)memory, &offset)) {
		struct part *part = &parts[offset / SIM_ARENA_BYTES];

		for (unsigned i = 0; i < part->blocks; i++)
			if (part->block[i].start == offset % SIM_ARENA_BYTES) {
				free_block(part, &part->block[i], memory);
				return;
			}
	}
	sim_fail("freed, but never allocated: %p", memory);
}

void *sim_alloc(size_t bytes, struct sim_site *site)
{
	sim_point(site);
	if (sim_case->flags & SIM_NO_MEMORY)
		return NULL;
	if ((sim_case->flags & SIM_ALLOC_FAILS) && sim_choose(2, 2)) {
		sim_say("    there is no memory");
		return NULL;
	}
	return take(bytes, false);
}

void sim_free(void *memory, struct sim_site *site)
{
	sim_point(site);
	if (memory)
		give_back(memory);
}

/* The simulator's own, and that of cases: never fails, is no scheduling point. */
void *sim_new(size_t bytes)
{
	return memset(take(bytes, true), 0, bytes);
}

void sim_delete(void *memory)
{
	give_back(memory);
}

void sim_each_block(void (*used)(void *memory, size_t bytes, void *context), void *context)
{
	for (unsigned n = 0; n < SIM_THREADS; n++)
		for (unsigned i = 0; i < parts[n].blocks; i++)
			if (!parts[n].block[i].freed && !parts[n].block[i].internal)
				used(sim_arenas[n] + parts[n].block[i].start, parts[n].block[i].bytes, context);
}

void sim_arena_check(uintptr_t address, size_t bytes, void *place)
{
	const uint8_t *state;
	uintptr_t offset;

	if (!offset_of(address, &offset))
		return;
	state = parts[offset / SIM_ARENA_BYTES].state;
	offset %= SIM_ARENA_BYTES;
	for (uintptr_t at = offset / GRAIN; at <= (offset + bytes - !!bytes) / GRAIN; at++)
		if (state[at] != ALLOCATED)
			sim_fail("%s at %p, of address %p",
				 state[at] == FREED ? "use after free" : "use beyond a block", place, (void *)address);
}

/* Several chains at once: each has to wait for the multiplications of the word before. */
uint64_t sim_mix_words(uint64_t hash, const void *memory, size_t bytes)
{
	uint64_t chain[CHAINS] = {hash}, word[CHAINS];
	const char *from = memory;

	for (; bytes >= sizeof(word); bytes -= sizeof(word), from += sizeof(word)) {
		memcpy(word, from, sizeof(word));
#pragma GCC unroll 4
		for (unsigned i = 0; i < CHAINS; i++) {
			chain[i] = (chain[i] ^ word[i]) * 0x9e3779b97f4a7c15u;
			chain[i] ^= chain[i] >> 32;
		}
	}
	memset(word, 0, sizeof(word));
	memcpy(word, from, bytes);
	for (unsigned i = 0; i < CHAINS; i++)
		hash = sim_mix(hash, sim_mix(chain[i], word[i]));
	return hash;
}

/* A fingerprint of all that is allocated, or was. */
uint64_t sim_arena_state(void)
{
	uint64_t state = 1;

	for (unsigned n = 0; n < SIM_THREADS; n++)
		for (unsigned i = 0; i < parts[n].blocks; i++) {
			const struct block *block = &parts[n].block[i];

			state = sim_mix_words(state + n, sim_arenas[n] + block->start, block->bytes);
		}
	return state;
}
