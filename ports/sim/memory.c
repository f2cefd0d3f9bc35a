/* SPDX-License-Identifier: MIT */
/*
 * Memory: an allocator that never reuses, and what the compiler reports of plain
 * reads and writes.
 *
 * The core and the cases are compiled with -fsanitize=thread; the functions that
 * the compiler then calls are here, instead of ThreadSanitizer's. They find races
 * with clocks, as FastTrack does (Flanagan, Freund 2009): the last write of each
 * byte, and the last read or, of several at once, one a thread.
 */
#include "sim.h"

#undef memset

#define ARENA_BYTES (1024u * 1024)
#define GRAIN 8
#define BLOCKS 1024
#define GAP 64
#define CELLS (1u << 15)
#define VECTORS 1024
#define VECTOR 0x80000000u /* a read that is a vector's number */

enum { NEVER, ALLOCATED, FREED };

static struct {
	_Alignas(64) char bytes[ARENA_BYTES];
	uint8_t state[ARENA_BYTES / GRAIN];
	size_t used;
	struct block {
		size_t start, bytes;
		bool freed, internal;
	} block[BLOCKS];
	unsigned blocks;
} arena;

/* Eight bytes of memory. While only whole ones were accessed, [0] stands for all. */
struct cell {
	uintptr_t word;
	uint32_t run;
	bool split, atomic;
	uint32_t written[8], read[8];
	void *wrote_at, *read_at; /* places in the program, for the report */
};

static struct cell cells[CELLS];
static struct sim_clock vectors[VECTORS];
static unsigned vector_count;
static uint32_t run;

void sim_memory_reset(void)
{
	memset(arena.state, NEVER, arena.used / GRAIN);
	arena.used = 0;
	arena.blocks = 0;
	vector_count = 0;
	run++;
}

/* ---- the allocator ---- */

static void *take(size_t bytes, bool internal)
{
	size_t rounded = (bytes + 63) / 64 * 64;
	char *memory = arena.bytes + arena.used;

	if (arena.used + rounded + GAP > ARENA_BYTES || arena.blocks == BLOCKS)
		sim_fail("the simulator's memory is used up");
	arena.block[arena.blocks++] = (struct block){arena.used, bytes, false, internal};
	memset(memory, 0xa5, rounded);
	memset(arena.state + arena.used / GRAIN, ALLOCATED, (bytes + GRAIN - 1) / GRAIN);
	memset(arena.state + arena.used / GRAIN + (bytes + GRAIN - 1) / GRAIN, NEVER,
	       (rounded + GAP) / GRAIN - (bytes + GRAIN - 1) / GRAIN);
	arena.used += rounded + GAP;
	return memory;
}

static void give_back(void *memory)
{
	for (unsigned i = 0; i < arena.blocks; i++) {
		struct block *block = &arena.block[i];

		if (arena.bytes + block->start != (char *)memory)
			continue;
		if (block->freed)
			sim_fail("freed twice: a block of %zu bytes", block->bytes);
		sim_access(memory, block->bytes, true);
		block->freed = true;
		memset(memory, 0xdb, block->bytes);
		memset(arena.state + block->start / GRAIN, FREED, (block->bytes + GRAIN - 1) / GRAIN);
		return;
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
	for (unsigned i = 0; i < arena.blocks; i++)
		if (!arena.block[i].freed && !arena.block[i].internal)
			used(arena.bytes + arena.block[i].start, arena.block[i].bytes, context);
}

/* ---- plain accesses ---- */

static struct cell *cell_of(uintptr_t word)
{
	uint32_t index = (uint32_t)(word * 0x9e3779b97f4a7c15u >> 49);

	for (uint32_t i = 0; i < CELLS; i++) {
		struct cell *cell = &cells[(index + i) % CELLS];

		if (cell->run == run && cell->word == word)
			return cell;
		if (cell->run == run)
			continue;
		memset(cell, 0, sizeof(*cell));
		cell->word = word;
		cell->run = run;
		return cell;
	}
	sim_fail("the simulator's shadow memory is used up");
}

static void split(struct cell *cell)
{
	if (cell->split)
		return;
	cell->split = true;
	for (unsigned i = 1; i < 8; i++) {
		cell->written[i] = cell->written[0];
		cell->read[i] = cell->read[0];
	}
}

/* A time of a thread in a word; 0: never. */
static uint32_t now(void)
{
	return sim_current->clock.at[sim_current->index] << 4 | sim_current->index;
}

static bool before(uint32_t time)
{
	return sim_current->clock.at[time & 15] >= time >> 4;
}

static bool reads_before(uint32_t read)
{
	if (!(read & VECTOR))
		return before(read);
	for (unsigned i = 0; i < SIM_THREADS; i++)
		if (vectors[read & ~VECTOR].at[i] > sim_current->clock.at[i])
			return false;
	return true;
}

static void note_read(uint32_t *read)
{
	uint32_t old = *read;

	if (!(old & VECTOR) && (before(old) || (old & 15) == sim_current->index)) {
		*read = now();
		return;
	}
	if (!(old & VECTOR)) {
		if (vector_count == VECTORS)
			sim_fail("the simulator's read vectors are used up");
		memset(&vectors[vector_count], 0, sizeof(vectors[0]));
		vectors[vector_count].at[old & 15] = old >> 4;
		*read = VECTOR | vector_count++;
	}
	vectors[*read & ~VECTOR].at[sim_current->index] = sim_current->clock.at[sim_current->index];
}

static _Noreturn void race(const struct cell *cell, bool write, bool with_write, void *place)
{
	sim_fail("race: %s at %p and an earlier %s at %p, of address %p", write ? "write" : "read", place,
		 with_write ? "write" : "read", with_write ? cell->wrote_at : cell->read_at, (void *)(cell->word << 3));
}

static void access_byte(struct cell *cell, unsigned byte, bool write, void *place)
{
	if (!before(cell->written[byte]))
		race(cell, write, true, place);
	if (!write) {
		note_read(&cell->read[byte]);
		return;
	}
	if (!reads_before(cell->read[byte]))
		race(cell, true, false, place);
	cell->written[byte] = now();
	cell->read[byte] = 0;
}

static void check_state(uintptr_t address, size_t bytes, void *place)
{
	uintptr_t offset = address - (uintptr_t)arena.bytes;

	if (offset >= ARENA_BYTES)
		return;
	for (uintptr_t at = offset / GRAIN; at <= (offset + bytes - !!bytes) / GRAIN; at++)
		if (arena.state[at] != ALLOCATED)
			sim_fail("%s at %p, of address %p",
				 arena.state[at] == FREED ? "use after free" : "use beyond a block", place,
				 (void *)address);
}

static void check_atomic(struct cell *cell, unsigned from, unsigned to, bool write, void *place)
{
	for (unsigned half = from / 4; half < (to + 3) / 4; half++)
		if (!sim_atomics_forget((void *)((cell->word << 3) + 4 * half), write))
			sim_fail("race: plain %s at %p of an atomic, of address %p", write ? "write" : "read", place,
				 (void *)(cell->word << 3));
}

static void access_at(uintptr_t address, size_t bytes, bool write, void *place)
{
	uintptr_t end = address + bytes;

	if (!sim_current)
		return;
	check_state(address, bytes, place);
	while (address < end) {
		struct cell *cell = cell_of(address >> 3);
		unsigned from = address & 7, to = end - address > 8 - from ? 8 : from + (unsigned)(end - address);

		if (cell->atomic)
			check_atomic(cell, from, to, write, place);
		if (to - from == 8 && !cell->split) {
			access_byte(cell, 0, write, place);
		} else {
			split(cell);
			for (unsigned i = from; i < to; i++)
				access_byte(cell, i, write, place);
		}
		if (write)
			cell->wrote_at = place;
		else
			cell->read_at = place;
		address += to - from;
	}
}

void sim_access(const void *address, size_t bytes, bool write)
{
	access_at((uintptr_t)address, bytes, write, __builtin_return_address(0));
}

/* An atomic access: not to freed memory, and after the plain write that made the object. */
void sim_memory_atomic(const void *address)
{
	struct cell *cell = cell_of((uintptr_t)address >> 3);
	unsigned byte = cell->split ? (unsigned)((uintptr_t)address & 7) : 0;

	check_state((uintptr_t)address, 4, __builtin_return_address(0));
	if (!before(cell->written[byte]))
		race(cell, false, true, __builtin_return_address(0));
	cell->atomic = true;
}

void *sim_memset(void *memory, int value, size_t bytes)
{
	access_at((uintptr_t)memory, bytes, true, __builtin_return_address(0));
	return memset(memory, value, bytes);
}

/* ---- what the compiler calls ---- */

#define HOOKS(bytes) \
	void __tsan_read##bytes(void *address); \
	void __tsan_write##bytes(void *address); \
	void __tsan_unaligned_read##bytes(void *address); \
	void __tsan_unaligned_write##bytes(void *address); \
	void __tsan_read##bytes(void *address) \
	{ \
		access_at((uintptr_t)address, bytes, false, __builtin_return_address(0)); \
	} \
	void __tsan_write##bytes(void *address) \
	{ \
		access_at((uintptr_t)address, bytes, true, __builtin_return_address(0)); \
	} \
	void __tsan_unaligned_read##bytes(void *address) \
	{ \
		access_at((uintptr_t)address, bytes, false, __builtin_return_address(0)); \
	} \
	void __tsan_unaligned_write##bytes(void *address) \
	{ \
		access_at((uintptr_t)address, bytes, true, __builtin_return_address(0)); \
	}

HOOKS(1)
HOOKS(2)
HOOKS(4)
HOOKS(8)
HOOKS(16)

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_read_range(void *address, unsigned long bytes);
void __tsan_write_range(void *address, unsigned long bytes);

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
	(void)caller;
}

void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *address, unsigned long bytes)
{
	access_at((uintptr_t)address, bytes, false, __builtin_return_address(0));
}

void __tsan_write_range(void *address, unsigned long bytes)
{
	access_at((uintptr_t)address, bytes, true, __builtin_return_address(0));
}
