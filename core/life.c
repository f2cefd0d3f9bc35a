/* SPDX-License-Identifier: MIT */
/* The library's own life: first use, dropping the lock, fork, exit. */
#include "core.h"

struct rob rob = {.main_domain = ASYNC_DOMAIN_INIT};

/* The first call of all (O1: whoever sees started sees what was set up), or the first in a forked child. */
void rob_start(void)
{
	bool first;

	port_lock(&rob.lock);
	first = !port_load_relaxed(&rob.started);
	if (!rob.generation) {
		port_start(&rob.config);
		rob.generation = 1;
		rob.pool.cpus = port_cpus();
	}
	port_store_release(&rob.started, 1);
	port_unlock(&rob.lock);
	if (first && rob.config.watchdog_s)
		rob_pool_watch();
}

static void free_garbage(struct async_block *block)
{
	while (block) {
		struct async_block *next = block->next;

		port_free(block);
		block = next;
	}
}

/* A waiter may be gone as soon as its flag is raised: what is needed of it is read before (O3). */
static void wake_waiters(struct async_waiter *waiter)
{
	while (waiter) {
		struct async_waiter *next = waiter->next;

		port_unpark(&waiter->thread->parker, ROB_DONE);
		waiter = next;
	}
}

/* Drops the lock and does what could not be done under it. */
void rob_unlock(struct rob_after *after)
{
	struct async_waiter *wake = after->wake;
	struct async_block *garbage = after->garbage;

	after->wake = NULL;
	after->garbage = NULL;
	rob.quick = rob_pool_quick();
	port_unlock(&rob.lock);
	if (port_unlikely(wake))
		wake_waiters(wake);
	if (port_unlikely(garbage))
		free_garbage(garbage);
	if (port_unlikely(after->worker || after->start || after->start_monitor || after->wake_monitor))
		rob_pool_after(after);
}

/* The domain meant, fresh if it was last used before a fork. */
struct async_domain *rob_domain(struct async_domain *domain)
{
	if (!domain)
		domain = &rob.main_domain;
	if (port_unlikely(domain->generation != rob.generation)) {
		unsigned exclusive = domain->exclusive;

		memset(domain, 0, offsetof(struct async_domain, lowest));
		domain->exclusive = exclusive;
		port_store64_release(&domain->lowest, 0); /* waits look at it without the lock (O4) */
		domain->generation = rob.generation;
	}
	return domain;
}

void rob_owner_refresh(struct async_owner *owner)
{
	if (!owner || owner->generation == rob.generation)
		return;
	owner->generation = rob.generation;
	owner->in_progress = 0;
}

struct async_owner *async_owner_enter(struct async_owner *owner)
{
	struct rob_thread *self = port_self();
	struct async_owner *before = self->owner;

	self->owner = owner;
	return before;
}

void rob_set_owner_finder(rob_owner_finder find)
{
	rob_lock();
	rob.find_owner = find;
	rob.quick = 0;
	port_unlock(&rob.lock);
}

/* ---- fork: the child has this thread only, and none of the calls ---- */

void rob_fork_prepare(void)
{
	port_lock(&rob.lock);
}

void rob_fork_parent(void)
{
	port_unlock(&rob.lock);
}

static void drop_dead(void)
{
	struct rob_after after = {0};
	struct rob_slot *slot, *next;

	for (slot = rob.queue.head; slot; slot = next) {
		struct async_block *block = rob_block(slot);

		next = slot->next;
		if (!block->live && !--block->dead)
			rob_free_block(block, &after);
	}
	free_garbage(after.garbage);
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
	rob.waiters = rob.all_waiters = rob.all_waiters_last = rob.odd = NULL;
	memset(rob.bucket, 0, sizeof(rob.bucket));
	rob.call_waiters = rob.ascending = 0;
}

void rob_fork_child(void)
{
	struct rob_thread *self = port_self();

	drop_calls();
	drop_waiters();
	rob_pool_reset(self->worker);
	rob.quick = 0;
	rob.forks++;
	if (!++rob.generation)
		rob.generation = 1;
	self->top = NULL;
	self->worker = NULL;
	self->waiter = NULL;
	self->listed = false;
	rob.quiesce = self->quiesce;
	port_store_relaxed(&self->parker.flags, 0);
	port_store_relaxed(&rob.started, 0);
	port_store_relaxed(&rob.lock.word, 0);
}

/* Normal exit: every call completes, those on this stack apart; later ones run in their callers. */
void rob_exit(void)
{
	if (!port_load_acquire(&rob.started)) /* O1 */
		return;
	port_lock(&rob.lock);
	if (rob.quiesce) {
		struct rob_after after = {0};

		rob.quiesce = 0;
		rob_waiters_odd(&after);
		rob_pool_kick(&after);
		rob_unlock(&after);
		port_lock(&rob.lock);
	}
	rob_wait_exit();
	port_lock(&rob.lock);
	rob.ended = true;
	rob.quick = 0;
	port_unlock(&rob.lock);
}
