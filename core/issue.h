/* SPDX-License-Identifier: MIT */
/*
 * The short way of a call that needs no thought: there is storage, in the domain's last block or in a spare one, and
 * fewer calls are pending than rob.quick says, which is 0 before the first call of all. It is part of each public call,
 * since a call to a function would cost a tenth of it, and since the caller is known there at no cost.
 *
 * It notes nothing in rob.after and changes nothing that rob.quick depends on, so it drops the lock by port_unlock().
 *
 *   submitter (CPU 0)                        worker (CPU 1)
 *   port_lock(&rob.lock)
 *   numbers the slot: live and pending bits
 *   links it behind rob.queue.tail
 *   port_unlock(&rob.lock)         --O5-->   port_lock(&rob.lock)
 *                                            finds it at rob.queue.head, func and data filled in
 */
#ifndef CORE_ISSUE_H
#define CORE_ISSUE_H

#include "core.h"

#define ROB_INLINE static inline __attribute__((always_inline))

/* The block that the call goes into, or NULL: it needs thought. */
ROB_INLINE struct async_block *rob_block_at_once(async_func_t func, struct async_domain *domain, int width)
{
	struct async_block *block = domain->last;

	/* Covered by chance: the conditions one by one; the long way has the same */
	if (port_unlikely(!func || domain->generation != rob.generation || rob.queue.pending >= rob.quick ||
			  port_self()->owner || port_traces()))
		return NULL;
	/* Covered by chance: as above */
	if (port_likely(block && block->capacity - block->fill >= width))
		return block;
	return rob_block_begin(domain);
}

/*
 * Numbers and queues the call in the block's next slot. A call of a block that has others in
 * progress is not the lowest. Behind the tail: it is no entry, so nothing links back.
 */
ROB_INLINE async_cookie_t rob_enqueue_at_once(struct async_block *block, async_func_t func, void *data, unsigned width)
{
	struct rob_slot *slot = rob_slots(block) + block->fill;
	async_cookie_t cookie;

	block->pending |= (uint64_t)1 << block->fill;
	cookie = rob_number(block, slot, width);
	slot->func = func;
	slot->data = data;
	slot->next = NULL;
	if (rob.queue.tail) /* covered by chance: calls are taken as they come, or not */
		rob.queue.tail->next = slot;
	else
		rob.queue.head = slot;
	rob.queue.tail = slot;
	rob.queue.pending++;
	return cookie;
}

ROB_INLINE async_cookie_t rob_schedule_plain(async_func_t func, void *data, struct async_domain *domain, bool try_only,
					     const void *caller)
{
	struct async_block *block;
	async_cookie_t cookie;

	port_lock(&rob.lock);
	if (!domain)
		domain = &rob.main_domain;
	block = rob_block_at_once(func, domain, 1);
	if (port_unlikely(!block))
		return rob_schedule_thinking(func, NULL, data, domain, try_only, caller);
	cookie = rob_enqueue_at_once(block, func, data, 1);
	port_unlock(&rob.lock);
	return cookie;
}

ROB_INLINE async_cookie_t rob_schedule_ordered(async_func_t func, async_func_t retire, void *data,
					       struct async_domain *domain, const void *caller)
{
	struct async_block *block;
	async_cookie_t cookie;

	port_lock(&rob.lock);
	if (!domain)
		domain = &rob.main_domain;
	block = port_likely(retire) ? rob_block_at_once(func, domain, 2) : NULL;
	if (port_unlikely(!block))
		return rob_schedule_thinking(func, retire, data, domain, false, caller);
	*rob_wide(rob_slots(block) + block->fill) = (struct rob_wide){.retire = retire, .flags = ROB_QUEUED};
	domain->ordered++;
	cookie = rob_enqueue_at_once(block, func, data, 2);
	port_unlock(&rob.lock);
	return cookie;
}

#endif
