/* SPDX-License-Identifier: MIT */
/*
 * Races on plain data: what the compiler reports of plain reads and writes.
 *
 * The core and the cases are compiled with -fsanitize=thread; the functions that
 * the compiler then calls are here, instead of ThreadSanitizer's. They find races
 * with clocks, as FastTrack does (Flanagan, Freund 2009): the last write of each
 * byte, and the last read or, of several at once, one a thread.
 */
#include "sim.h"

#include "core.h"

#undef memset

#define BYTES 4 /* of a cell */
#define HASHED (1u << 13)
#define SPLITS 4096
#define VECTORS 1024
#define VECTOR 0x80000000u /* a read that is a vector's number */

struct times {
	uint32_t written, read;
};

/* Four bytes of memory. While only whole ones were accessed, whole stands for all. */
struct cell {
	uint32_t run;
	uint16_t split; /* 0: no; else the number of its bytes' times */
	bool atomic;
	struct times whole;
	uint32_t wrote_at, read_at; /* places in the program, for the report */
};

/* Of what is used most, cells stand as the memory does; of other variables they are found by a hash. */
static struct cell of_arena[SIM_THREADS * SIM_ARENA_BYTES / BYTES], of_stack[SIM_THREADS * SIM_STACK_BYTES / BYTES];
static struct cell of_rob[sizeof(struct rob) / BYTES + 1];
static struct hashed {
	uintptr_t word;
	struct cell cell;
} of_data[HASHED];
static struct times splits[SPLITS][BYTES];
static struct sim_clock vectors[VECTORS];
static unsigned vector_count, split_count;
static uint32_t run;

void sim_memory_reset(void)
{
	vector_count = 0;
	split_count = 1;
	run++;
}

static struct cell *fresh(struct cell *cell)
{
	if (cell->run == run)
		return cell;
	memset(cell, 0, sizeof(*cell));
	cell->run = run;
	return cell;
}

static struct cell *cell_of_data(uintptr_t word)
{
	uint32_t index = (uint32_t)(word * 0x9e3779b97f4a7c15u >> 51);

	for (uint32_t i = 0; i < HASHED; i++) {
		struct hashed *hashed = &of_data[(index + i) % HASHED];

		if (hashed->cell.run == run && hashed->word == word)
			return &hashed->cell;
		if (hashed->cell.run == run)
			continue;
		hashed->word = word;
		return fresh(&hashed->cell);
	}
	sim_fail("the simulator's shadow memory is used up");
}

/* The cell of the address; in *bytes, for how far the next ones follow it. */
static struct cell *cells_of(uintptr_t address, size_t *bytes)
{
	uintptr_t offset = address - (uintptr_t)sim_stacks;

	if (offset < (uintptr_t)SIM_THREADS * SIM_STACK_BYTES) {
		*bytes = (uintptr_t)SIM_THREADS * SIM_STACK_BYTES - offset;
		return &of_stack[offset / BYTES];
	}
	offset = address - (uintptr_t)&rob;
	if (offset < sizeof(rob)) {
		*bytes = sizeof(rob) - offset;
		return &of_rob[offset / BYTES];
	}
	offset = address - (uintptr_t)sim_arenas;
	if (offset < sizeof(sim_arenas)) {
		*bytes = sizeof(sim_arenas) - offset;
		return &of_arena[offset / BYTES];
	}
	*bytes = BYTES - address % BYTES;
	return cell_of_data(address / BYTES);
}

/* Memory that was freed: every access is checked. */
void sim_shadow_forget(const void *memory, size_t bytes)
{
	size_t room;

	for (size_t i = 0; i < bytes; i += BYTES)
		cells_of((uintptr_t)memory + i, &room)->run = run - 1;
}

/* The times of each byte. */
static struct times *split(struct cell *cell)
{
	if (!cell->split) {
		if (split_count == SPLITS)
			sim_fail("the simulator's shadow memory for single bytes is used up");
		cell->split = (uint16_t)split_count++;
		for (unsigned i = 0; i < BYTES; i++)
			splits[cell->split][i] = cell->whole;
	}
	return splits[cell->split];
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

static _Noreturn void race(const struct cell *cell, uintptr_t address, bool write, bool with_write, void *place)
{
	sim_fail("race: %s at %p and an earlier %s at %p, of address %p", write ? "write" : "read", place,
		 with_write ? "write" : "read", (void *)(uintptr_t)(with_write ? cell->wrote_at : cell->read_at),
		 (void *)address);
}

static void access_times(struct cell *cell, struct times *times, uintptr_t address, bool write, void *place)
{
	if (!before(times->written))
		race(cell, address, write, true, place);
	if (!write) {
		note_read(&times->read);
		return;
	}
	if (!reads_before(times->read))
		race(cell, address, true, false, place);
	times->written = now();
	times->read = 0;
}

static void check_atomic(uintptr_t address, bool write, void *place)
{
	if (!sim_atomics_forget((void *)address, write))
		sim_fail("race: plain %s at %p of an atomic, of address %p", write ? "write" : "read", place,
			 (void *)address);
}

/* Bytes from to to of the cell. */
static void access_cell(struct cell *cell, uintptr_t address, unsigned from, unsigned to, bool write, void *place)
{
	if (cell->atomic)
		check_atomic(address & ~(uintptr_t)(BYTES - 1), write, place);
	if (to - from == BYTES && !cell->split) {
		access_times(cell, &cell->whole, address, write, place);
	} else {
		struct times *times = split(cell);

		for (unsigned i = from; i < to; i++)
			access_times(cell, &times[i], address, write, place);
	}
	if (write)
		cell->wrote_at = (uint32_t)(uintptr_t)place;
	else
		cell->read_at = (uint32_t)(uintptr_t)place;
}

/* This thread has done the same, or more, since it last said something to others: nothing is learned from it. */
static bool is_again(const struct cell *cell, bool write, uint32_t time)
{
	if (cell->run != run || cell->split || cell->atomic)
		return false;
	if (cell->whole.written == time)
		return !write || !cell->whole.read;
	return !write && cell->whole.read == time;
}

static void access_at(uintptr_t address, size_t bytes, bool write, void *place)
{
	uintptr_t end = address + bytes;
	bool checked = false;
	uint32_t time;

	if (!sim_current)
		return;
	time = now();
	if (!bytes)
		sim_arena_check(address, 0, place);
	while (address < end) {
		size_t room;
		struct cell *cell = cells_of(address, &room);

		for (uintptr_t stop = end - address < room ? end : address + room; address < stop; cell++) {
			unsigned from = address % BYTES,
				 to = end - address > BYTES - from ? BYTES : from + (unsigned)(end - address);

			if (to - from != BYTES || !is_again(cell, write, time)) {
				if (!checked)
					sim_arena_check(address, end - address, place);
				checked = true;
				access_cell(fresh(cell), address, from, to, write, place);
			}
			address += to - from;
		}
	}
}

void sim_access(const void *address, size_t bytes, bool write)
{
	access_at((uintptr_t)address, bytes, write, __builtin_return_address(0));
}

/* An atomic access: not to freed memory, and after the plain write that made the object. */
void sim_memory_atomic(const void *address)
{
	size_t room;
	struct cell *cell = fresh(cells_of((uintptr_t)address, &room));

	sim_arena_check((uintptr_t)address, 4, __builtin_return_address(0));
	if (!before(cell->split ? splits[cell->split][0].written : cell->whole.written))
		race(cell, (uintptr_t)address, false, true, __builtin_return_address(0));
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

/* clang's, in place of calls to the C library. */
void *__tsan_memset(void *memory, int value, size_t bytes);
void *__tsan_memcpy(void *to, const void *from, size_t bytes);
void *__tsan_memmove(void *to, const void *from, size_t bytes);

void *__tsan_memset(void *memory, int value, size_t bytes)
{
	access_at((uintptr_t)memory, bytes, true, __builtin_return_address(0));
	return memset(memory, value, bytes);
}

void *__tsan_memcpy(void *to, const void *from, size_t bytes)
{
	return __tsan_memmove(to, from, bytes);
}

void *__tsan_memmove(void *to, const void *from, size_t bytes)
{
	access_at((uintptr_t)from, bytes, false, __builtin_return_address(0));
	access_at((uintptr_t)to, bytes, true, __builtin_return_address(0));
	return memmove(to, from, bytes);
}
