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

static void list_append(struct async_block *block, unsigned list)
{
	block->all_next = NULL;
	block->all_prev = rob.blocks_last[list];
	if (block->all_prev)
		block->all_prev->all_next = block;
	else
		rob.blocks[list] = block;
	rob.blocks_last[list] = block;
}

static void list_remove(struct async_block *block, unsigned list)
{
	if (block->all_prev)
		block->all_prev->all_next = block->all_next;
	else
		rob.blocks[list] = block->all_next;
	if (block->all_next)
		block->all_next->all_prev = block->all_prev;
	else
		rob.blocks_last[list] = block->all_prev;
}

void rob_block_append(struct async_domain *domain, struct async_block *block)
{
	block->domain = domain;
	block->next = NULL;
	block->prev = domain->last;
	if (block->prev)
		block->prev->next = block;
	else
		domain->first = block;
	domain->last = block;
	list_append(block, domain->exclusive);
}

static void block_remove(struct async_block *block)
{
	struct async_domain *domain = block->domain;

	if (block->prev)
		block->prev->next = block->next;
	else
		domain->first = block->next;
	if (block->next)
		block->next->prev = block->prev;
	else
		domain->last = block->prev;
	list_remove(block, domain->exclusive);
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
static unsigned size_class(const struct async_domain *domain)
{
	return domain->last && domain->last->kind == ROB_TABLE;
}

static struct async_block *block_init(struct async_block *block, unsigned large)
{
	memset(block, 0, sizeof(*block));
	block->capacity = large ? ROB_SLOTS_LARGE : ROB_SLOTS_SMALL;
	block->kind = ROB_TABLE;
	rob.newest = NULL; /* may have stood there */
	return block;
}

static struct async_block *spare_pop(unsigned large)
{
	struct async_block *block = rob.spare[large];

	if (!block)
		return NULL;
	rob.spare[large] = block->next;
	rob.spares[large]--;
	if (block->next) { /* a worker has freed it: its lines take a while to come */
		__builtin_prefetch(block->next, 1);
		__builtin_prefetch(rob_slots(block->next), 1);
	}
	return block_init(block, large);
}

/*
 * A spare block becomes the domain's last, for the next call of all, which has to follow at once. NULL: there is none.
 */
struct async_block *rob_block_begin(struct async_domain *domain)
{
	struct async_block *block = spare_pop(size_class(domain));

	if (!block)
		return NULL;
	rob_block_append(domain, block);
	if (domain->first == block)
		port_store64_release(&domain->lowest, rob.last + 1); /* O4 */
	return block;
}

static void spare_push(struct async_block *block, unsigned large)
{
	block->next = rob.spare[large];
	rob.spare[large] = block;
	rob.spares[large]++;
}

void rob_free_block(struct async_block *block, struct rob_after *after)
{
	unsigned large = block->capacity == ROB_SLOTS_LARGE;

	if (rob.spares[large] >= (large ? ROB_SPARE_LARGE : ROB_SPARE_SMALL)) {
		block->next = after->garbage;
		after->garbage = block;
		return;
	}
	spare_push(block, large);
}

/*
 * A slot of the domain, not yet issued, or NULL when there is no memory. May
 * drop the lock and take it again. Before the lock is dropped next, it is
 * issued or given back by rob_slot_unused().
 */
struct rob_slot *rob_slot_new(struct async_domain *domain, unsigned width)
{
	struct rob_slot *slot = rob_slot_here(domain, width);
	struct async_block *block;
	unsigned large;

	if (port_likely(slot))
		return slot;
	large = size_class(domain);
	block = spare_pop(large);
	if (block)
		return reserve(block);
	port_unlock(&rob.lock);
	block = port_alloc(sizeof(*block) + (large ? ROB_SLOTS_LARGE : ROB_SLOTS_SMALL) * sizeof(*slot));
	port_lock(&rob.lock);
	slot = rob_slot_here(rob_domain(domain), width);
	if (!block)
		return slot;
	block_init(block, large);
	if (!slot)
		return reserve(block);
	spare_push(block, large); /* somebody else brought storage meanwhile */
	return slot;
}

void rob_slot_unused(struct rob_slot *slot)
{
	struct async_block *block = rob_block(slot);

	if (!block->live)
		spare_push(block, block->capacity == ROB_SLOTS_LARGE);
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
 * What stands in an entry exactly while its call is in progress in this process; until then it may hold anything, a
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
void rob_release(struct async_block *block, uint64_t mask, struct rob_after *after)
{
	block->live &= ~mask;
	if (block->live)
		return;
	block_remove(block);
	if (block->kind == ROB_ENTRY)
		entry_done(block);
	if (block->kind == ROB_TABLE && !block->dead)
		rob_free_block(block, after);
}

void rob_record_init(struct rob_record *record, enum rob_kind kind)
{
	memset(record, 0, sizeof(*record));
	record->block.kind = (uint8_t)kind;
	record->block.capacity = 1;
	record->slot.place = ROB_WIDE;
}
