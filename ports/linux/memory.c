// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Memory. Calls are scheduled in atomic context, so nothing here sleeps. Where
 * memory must not even be asked for (PREEMPT_RT with preemption off) or there is
 * none, what the manager has set aside is used.
 */
#include <linux/llist.h>
#include <linux/slab.h>

#include "internal.h"

#define SET_ASIDE 16
#define SMALL (sizeof(struct async_block) + ROB_SLOTS_SMALL * sizeof(struct rob_slot))
#define LARGE (sizeof(struct async_block) + ROB_SLOTS_LARGE * sizeof(struct rob_slot))

struct stash {
	size_t bytes;
	unsigned int count;     /* stash_lock */
	void *piece[SET_ASIDE]; /* stash_lock */
};

static DEFINE_RAW_SPINLOCK(stash_lock);
static struct stash stashes[] = {{.bytes = SMALL}, {.bytes = LARGE}};
static LLIST_HEAD(garbage); /* what could not be freed where it was let go */
static atomic_t pieces;     /* that are not freed, in debug builds */

static void *piece_new(size_t bytes, gfp_t how)
{
	void *memory = kmalloc(bytes, how);

	if (IS_ENABLED(CONFIG_ASYNC_DEBUG) && memory)
		atomic_inc(&pieces);
	return memory;
}

static void piece_free(void *memory)
{
	if (IS_ENABLED(CONFIG_ASYNC_DEBUG) && memory)
		atomic_dec(&pieces);
	kfree(memory);
}

/* On PREEMPT_RT the allocator takes locks that sleep. */
static bool may_ask(void)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) || !port_in_atomic();
}

static void *stash_pop(size_t bytes)
{
	void *memory = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&stash_lock, flags);
	for (unsigned int i = 0; i < ARRAY_SIZE(stashes) && !memory; i++)
		if (stashes[i].bytes >= bytes && stashes[i].count)
			memory = stashes[i].piece[--stashes[i].count];
	raw_spin_unlock_irqrestore(&stash_lock, flags);
	if (memory)
		port_manager_wake();
	return memory;
}

static bool stash_push(struct stash *stash, void *memory)
{
	unsigned long flags;
	bool room;

	raw_spin_lock_irqsave(&stash_lock, flags);
	room = stash->count < SET_ASIDE;
	if (room)
		stash->piece[stash->count++] = memory;
	raw_spin_unlock_irqrestore(&stash_lock, flags);
	return room;
}

void *port_alloc(size_t bytes)
{
	void *memory = may_ask() ? piece_new(bytes, GFP_ATOMIC | __GFP_NOWARN) : NULL;

	return memory ?: stash_pop(bytes);
}

void port_free(void *memory)
{
	if (may_ask()) {
		piece_free(memory);
	} else if (memory) {
		llist_add(memory, &garbage);
		port_manager_wake();
	}
}

/* Whether the manager has something to do here. */
bool port_memory_low(void)
{
	unsigned long flags;
	bool low = !llist_empty(&garbage);

	raw_spin_lock_irqsave(&stash_lock, flags);
	for (unsigned int i = 0; i < ARRAY_SIZE(stashes); i++)
		low |= stashes[i].count < SET_ASIDE;
	raw_spin_unlock_irqrestore(&stash_lock, flags);
	return low;
}

static void free_garbage(void)
{
	struct llist_node *node = llist_del_all(&garbage);

	while (node) {
		struct llist_node *next = node->next;

		piece_free(node);
		node = next;
	}
}

/* The manager's part. Without memory it is for the next time. */
void port_memory_fill(void)
{
	free_garbage();
	for (unsigned int i = 0; i < ARRAY_SIZE(stashes); i++) {
		void *memory;

		do {
			memory = piece_new(stashes[i].bytes, GFP_KERNEL);
		} while (memory && stash_push(&stashes[i], memory));
		piece_free(memory);
	}
}

/* Everything that the core and this file hold. No call is in progress, no thread is left. */
void port_memory_end(void)
{
	rob_free_all();
	free_garbage();
	for (unsigned int i = 0; i < ARRAY_SIZE(stashes); i++)
		while (stashes[i].count)
			piece_free(stashes[i].piece[--stashes[i].count]);
	WARN(atomic_read(&pieces), "inorder: %d pieces of memory are lost\n", atomic_read(&pieces));
}
