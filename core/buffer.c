/* SPDX-License-Identifier: MIT */
/*
 * Storage of calls: blocks of slots.
 *
 * Invariants, under the lock:
 *  - a block is in its domain's list, and in the list of all, exactly while
 *    block->live is not 0; both lists are in cookie order of the first call;
 *  - slots are added to a block only while it is the last of its domain, so the
 *    cookies of two blocks of a domain never interleave;
 *  - pending is a subset of live; dead counts slots that are linked in the queue
 *    and not pending; a table block is freed once live and dead are both 0.
 */
#include "core.h"

void rob_block_append(struct async_domain *domain, struct async_block *block)
{
	unsigned kind = domain->exclusive;

	block->domain = domain;
	rob_list_insert(domain->first, domain->last, block, domain->last, prev, next);
	rob_list_insert(rob.blocks[kind], rob.blocks_last[kind], block, rob.blocks_last[kind], all_prev, all_next);
}

static void block_remove(struct async_block *block)
{
	struct async_domain *domain = block->domain;
	unsigned kind = domain->exclusive;

	rob_list_unlink(domain->first, domain->last, block, prev, next);
	rob_list_unlink(rob.blocks[kind], rob.blocks_last[kind], block, all_prev, all_next);
}

static bool has_room(const struct async_block *block, unsigned width)
{
	return block && block->kind == ROB_TABLE && block->capacity - block->fill >= (int)width;
}

static struct rob_slot *reserve(struct async_block *block)
{
	struct rob_slot *slot = rob_slots(block) + block->fill;

	slot->place = block->fill; /* its block can be found */
	return slot;
}

/* A slot that needs no new block, or NULL. */
struct rob_slot *rob_slot_here(struct async_domain *domain, unsigned width)
{
	return has_room(domain->last, width) ? reserve(domain->last) : NULL;
}

/* The first block of a domain is small; so is one between entries. */
unsigned rob_block_class(const struct async_domain *domain)
{
	return domain->last && domain->last->kind == ROB_TABLE;
}

static struct async_block *block_init(struct async_block *block, unsigned large)
{
	memset(block, 0, sizeof(*block));
	block->capacity = large ? ROB_SLOTS_LARGE : ROB_SLOTS_SMALL;
	block->kind = ROB_TABLE;
	return block;
}

static struct async_block *spare_pop(unsigned large)
{
	struct async_block *block = rob.spare[large];

	if (!block)
		return NULL;
	rob.spare[large] = block->next;
	rob.spares[large]--;
	return block_init(block, large);
}

/*
 * A spare block becomes the domain's last, for the next call of all, which has to follow at once. NULL: there is none.
 */
struct async_block *rob_block_begin(struct async_domain *domain)
{
	struct async_block *block = spare_pop(rob_block_class(domain));

	if (!block)
		return NULL;
	rob_block_append(domain, block);
	if (domain->first == block)
		port_store64_release(&domain->lowest, rob.last + 1); /* O4 */
	return block;
}

/* Memory for a block of this size becomes a spare one. */
void rob_block_add(struct async_block *block, unsigned large)
{
	block->next = rob.spare[large];
	rob.spare[large] = block;
	rob.spares[large]++;
}

void rob_free_block(struct async_block *block)
{
	unsigned large = block->capacity == ROB_SLOTS_LARGE;

	if (rob.spares[large] >= (large ? ROB_SPARE_LARGE : ROB_SPARE_SMALL)) {
		block->next = rob.after.garbage;
		rob.after.garbage = block;
		return;
	}
	rob_block_add(block, large);
}

size_t rob_block_bytes(unsigned large)
{
	return sizeof(struct async_block) + (large ? ROB_SLOTS_LARGE : ROB_SLOTS_SMALL) * sizeof(struct rob_slot);
}

/*
 * A slot of the domain, not yet issued, or NULL where there is no storage. It is issued, or given back by
 * rob_slot_unused(), before the lock is dropped.
 */
struct rob_slot *rob_slot_new(struct async_domain *domain, unsigned width)
{
	struct rob_slot *slot = rob_slot_here(domain, width);
	struct async_block *block;

	if (port_likely(slot))
		return slot;
	block = spare_pop(rob_block_class(domain));
	if (!block)
		block = spare_pop(!rob_block_class(domain));
	return block ? reserve(block) : NULL;
}

void rob_slot_unused(struct rob_slot *slot)
{
	struct async_block *block = rob_block(slot);

	/* Covered by chance: the limit was reached meanwhile, and nothing else of the block is in progress */
	if (!block->live)
		rob_block_add(block, block->capacity == ROB_SLOTS_LARGE);
}

/* Gives the slot its cookie: the call is in progress from here. */
void rob_issue(struct async_domain *domain, struct rob_slot *slot)
{
	struct async_block *block = rob_block(slot);

	if (rob_is_wide(slot)) {
		if (rob_wide(slot)->retire)
			domain->ordered++;
		if (rob_wide(slot)->owner)
			rob_wide(slot)->owner->in_progress++;
	}
	if (!block->live)
		rob_block_append(domain, block);
	rob_number(block, slot, rob_is_wide(slot) ? 2 : 1);
	if (domain->first == block)
		rob_publish_lowest(domain, rob_lowest(domain));
}

/*
 * What an entry holds exactly while its call is in progress in this process; until then it may hold anything, a
 * copy of another entry too. Hardly ever this by chance.
 */
void *rob_entry_mark(const struct async_entry *entry)
{
	return (void *)(((uintptr_t)entry ^ (uintptr_t)0x9e3779b97f4a7c15u) + rob.generation);
}

static void entry_done(struct async_block *block)
{
	((struct async_entry *)(void *)block)->reserved[0] = NULL;
}

/* The calls of mask are no longer in progress. */
void rob_release(struct async_block *block, uint64_t mask)
{
	block->live &= ~mask;
	if (block->live)
		return;
	block_remove(block);
	if (block->kind == ROB_ENTRY)
		entry_done(block);
	if (block->kind == ROB_TABLE && !block->dead)
		rob_free_block(block);
}

void rob_record_init(struct rob_record *record, enum rob_kind kind)
{
	memset(record, 0, sizeof(*record));
	record->block.kind = (uint8_t)kind;
	record->block.capacity = 1;
	record->slot.place = ROB_WIDE;
}
