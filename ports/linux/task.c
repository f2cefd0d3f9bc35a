// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The table of tasks: from current to its struct rob_thread.
 *
 * Only a task itself enters, looks up and leaves its own entry, so what it finds
 * stays. Buckets are locked since neighbours come and go. An empty bucket is seen
 * without the lock: a task's own entry is not missed by itself.
 *
 * An interrupt has the task that it interrupts as current but is not part of it:
 * the key holds the level, in bits that are 0 in a task's address.
 */
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/preempt.h>

#include "internal.h"

#define BUCKET_BITS 8

struct bucket {
	raw_spinlock_t lock;
	struct hlist_head tasks;
};

static struct bucket buckets[1 << BUCKET_BITS] = {
	[0 ...(1 << BUCKET_BITS) - 1] = {.lock = __RAW_SPIN_LOCK_UNLOCKED(bucket)},
};

/* Who has nothing of the core: schedules calls without an owner, outside of any call. Never written. */
static const struct rob_thread nobody;

static unsigned long current_key(void)
{
	unsigned long level = in_nmi() || in_hardirq() ? 2 : in_serving_softirq() ? 1 : 0;

	return (unsigned long)current | level;
}

static struct bucket *bucket_of(unsigned long key)
{
	return &buckets[hash_long(key, BUCKET_BITS)];
}

static struct port_task *find(unsigned long key)
{
	struct bucket *bucket = bucket_of(key);
	struct port_task *task, *found = NULL;
	unsigned long flags;

	if (hlist_empty(&bucket->tasks))
		return NULL;
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry(task, &bucket->tasks, node)
	{
		if (task->key == key) {
			found = task;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return found;
}

struct rob_thread *port_self(void)
{
	struct port_task *task = find(current_key());

	return task ? &task->thread : (struct rob_thread *)&nobody;
}

/* Enters current under task, unless it is in the table already; port_leave() takes back just what this did. */
struct rob_thread *port_enter(struct port_task *task)
{
	unsigned long key = current_key(), flags;
	struct port_task *found = find(key);
	struct bucket *bucket = bucket_of(key);

	if (found) {
		task->key = 0;
		return &found->thread;
	}
	memset(task, 0, sizeof(*task));
	task->key = key;
	task->thread.parker.task = current;
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_add_head(&task->node, &bucket->tasks);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return &task->thread;
}

void port_leave(struct port_task *task)
{
	struct bucket *bucket;
	unsigned long flags;

	if (!task->key)
		return;
	bucket = bucket_of(task->key);
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_del(&task->node);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}
