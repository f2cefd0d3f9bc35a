// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The table of tasks: from current to its struct rob_thread.
 *
 * Only a task itself enters, looks up and leaves its own entry, so what it finds
 * stays. Buckets are locked since neighbours come and go. An empty bucket is seen
 * without the lock: a task's own entry is not missed by itself. So is the entry
 * that was last entered or found: only its own task makes the key that one's, and
 * who changes it takes the key away first.
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
	unsigned long last_key; /* written with the lock held, as is the next */
	struct port_task *last;
};

static struct bucket buckets[1 << BUCKET_BITS] = {
	[0 ...(1 << BUCKET_BITS) - 1] = {.lock = __RAW_SPIN_LOCK_UNLOCKED(bucket)},
};

atomic_t port_tracepoints; /* here, below all that asks whether events are traced */

/* Who has nothing of the core: schedules calls without an owner, outside of any call. Never written. */
static const struct rob_thread no_task;

static unsigned long current_key(void)
{
	unsigned long level = in_nmi() || in_hardirq() ? 2 : in_serving_softirq() ? 1 : 0;

	return (unsigned long)current | level;
}

static struct bucket *bucket_of(unsigned long key)
{
	return &buckets[hash_long(key, BUCKET_BITS)];
}

/* With the bucket's lock held. */
static void set_last(struct bucket *bucket, struct port_task *task)
{
	WRITE_ONCE(bucket->last_key, 0);
	/* pairs with last_of() */
	smp_wmb();
	WRITE_ONCE(bucket->last, task);
	/* pairs with last_of() */
	smp_wmb();
	WRITE_ONCE(bucket->last_key, task->key);
}

static struct port_task *last_of(struct bucket *bucket, unsigned long key)
{
	struct port_task *task;

	if (READ_ONCE(bucket->last_key) != key)
		return NULL;
	/* pairs with set_last() */
	smp_rmb();
	task = READ_ONCE(bucket->last);
	/* pairs with set_last(): is it still the one of that key? */
	smp_rmb();
	return READ_ONCE(bucket->last_key) == key ? task : NULL;
}

static struct port_task *find_locked(struct bucket *bucket, unsigned long key)
{
	struct port_task *task, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry(task, &bucket->tasks, node)
	{
		if (task->key == key) {
			set_last(bucket, task);
			found = task;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return found;
}

static struct port_task *find(struct bucket *bucket, unsigned long key)
{
	struct port_task *task;

	if (hlist_empty(&bucket->tasks))
		return NULL;
	task = last_of(bucket, key);
	return task ?: find_locked(bucket, key);
}

struct rob_thread *port_self(void)
{
	unsigned long key = current_key();
	struct port_task *task = find(bucket_of(key), key);

	return task ? &task->thread : (struct rob_thread *)&no_task;
}

/* Enters current under task, unless it is in the table already; port_leave() takes back just what this did. */
struct rob_thread *port_enter(struct port_task *task)
{
	unsigned long key = current_key(), flags;
	struct bucket *bucket = bucket_of(key);
	struct port_task *found = find(bucket, key);

	if (found) {
		task->key = 0;
		return &found->thread;
	}
	memset(task, 0, sizeof(*task));
	task->key = key;
	task->thread.parker.task = current;
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_add_head(&task->node, &bucket->tasks);
	set_last(bucket, task);
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
	if (bucket->last_key == task->key)
		WRITE_ONCE(bucket->last_key, 0);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}
