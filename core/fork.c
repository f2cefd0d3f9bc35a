/* SPDX-License-Identifier: MIT */
/*
 * Fork: the child has this thread only, and none of the calls.
 *
 * The lock is held from before the fork until after it, in both processes, so the child's copy of the state is one that
 * no thread was changing. What other threads own outside of the lock (their leases' words, their stacks) is not looked
 * at: blocks are freed by the lists alone. By rob.generation domains and owners of the parent differ from fresh ones,
 * so no list of them is needed: each starts afresh at its first use (state.c). rob.forks is the same for calls: one
 * that forked returns into a process in which it does not exist, and its thread ends (frame.c).
 */
#include "core.h"

void rob_fork_prepare(void)
{
	port_lock(&rob.lock);
}

void rob_fork_parent(void)
{
	rob_unlock();
}

static void drop_dead(void)
{
	struct rob_slot *slot, *next;

	for (slot = rob.queue.head; slot; slot = next) {
		struct async_block *block = rob_block(slot);

		next = slot->next;
		/* Covered by chance: a fork while dead calls only are left of a block */
		if (!block->live && !--block->dead)
			rob_free_block(block);
	}
	rob_free_garbage(rob.after.garbage);
	rob.after = (struct rob_after){0};
}

static void drop_calls(void)
{
	drop_dead();
	for (unsigned list = 0; list < 2; list++) {
		struct async_block *block = rob.blocks[list];

		while (block) {
			struct async_block *next = block->all_next;

			if (block->kind == ROB_TABLE)
				port_free(block);
			block = next;
		}
		rob.blocks[list] = rob.blocks_last[list] = NULL;
	}
	rob.queue = (struct rob_queue){0};
	rob.leases = NULL;
	rob.threads = NULL;
}

static void drop_waiters(void)
{
	rob.all_waiters = rob.all_waiters_last = rob.special = NULL;
	rob.calls = rob.frames = NULL;
	rob.waiting = rob.ordered_calls = rob.ascending = rob.exits = 0;
}

/*
 * In a forked child: no thread but this one is left. What it was as a worker is never used again: its call looks at it.
 */
void rob_pool_reset(struct rob_worker *self)
{
	struct rob_pool *pool = &rob.pool;
	struct rob_worker *worker, *all = pool->all;

	memset(pool, 0, sizeof(*pool));
	rob_pool_processors(port_cpus());
	pool->cold = rob.config.cold;
	while ((worker = all)) {
		all = worker->all_next;
		if (worker == self)
			continue;
		memset(worker, 0, sizeof(*worker));
		worker->next = pool->free;
		pool->free = worker;
		worker->all_next = pool->all;
		pool->all = worker;
	}
}

void rob_fork_child(void)
{
	struct rob_thread *self = port_self();

	if (!rob.generation) { /* not used yet */
		rob_unlock();
		return;
	}
	drop_calls();
	drop_waiters();
	rob_pool_reset(self->worker);
	rob.quick = 0;
	rob.forks++;
	/* Not covered: after 2^32 forks one within the other */
	if (!++rob.generation)
		rob.generation = 1;
	self->top = NULL;
	self->worker = NULL;
	self->waiter = NULL;
	self->waits = self->parked = self->spills = false;
	self->listed = false;
	rob.quiesce = self->quiesce;
	port_store_relaxed(&self->parker.flags, 0); /* no order: no other thread exists */
	port_store_relaxed(&rob.started, 0);        /* no order: as above */
	port_store_relaxed(&rob.lock.word, 0);      /* no order: as above */
}
