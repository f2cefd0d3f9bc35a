/* SPDX-License-Identifier: MIT */
/*
 * Sleeping: the slow halves of the lock and the parker.
 *
 * The lock is held for a fraction of a microsecond, so whoever wants it spins
 * first; not with one processor.
 */
#define _GNU_SOURCE
#include "rob.h"

/* As port_cpus() found them: read without the lock. */
port_u32 port_processors;

#define LOCK_SPINS 100
#define UNLOCK_SPINS 4
/* More than a wake-up takes, and a processor that a hypervisor or a timer tick takes away: up to 50 us each. */
#define SPIN_NS 100000

bool port_futex_wait(port_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
	struct port_timespec until = {(port_time)(deadline_ns / 1000000000u), (port_time)(deadline_ns % 1000000000u)};
	int saved = errno;
	long result = syscall(PORT_FUTEX, word, FUTEX_WAIT_BITSET_PRIVATE, expected, deadline_ns ? &until : NULL, NULL,
			      FUTEX_BITSET_MATCH_ANY);
	bool in_time = !result || errno != ETIMEDOUT;

	errno = saved;
	return in_time;
}

/* O5 */
void port_lock_slow(struct port_lock *lock)
{
	/* No order: a number that stands for itself */
	for (unsigned i = port_load_relaxed(&port_processors) > 1 ? LOCK_SPINS : 0; i; i--) {
		uint32_t word = port_load_relaxed(&lock->word); /* no order: what follows takes the lock */

		/* O5. No order: a compare-and-swap that fails takes nothing */
		if (!word && atomic_compare_exchange_weak_explicit(&lock->word, &word, PORT_HELD, memory_order_acquire,
								   memory_order_relaxed))
			return;
		/* Asks for a moment between this section and the holder's next. No order: it is but a request */
		if (word == PORT_HELD)
			atomic_compare_exchange_weak_explicit(&lock->word, &word, PORT_HELD | PORT_SPINNER,
							      memory_order_relaxed, memory_order_relaxed);
		port_relax();
	}
	while (atomic_exchange_explicit(&lock->word, PORT_HELD | PORT_SLEEPER, memory_order_acquire)) /* O5 */
		port_futex_wait(&lock->word, PORT_HELD | PORT_SLEEPER, 0);
}

/*
 * Others want it. Whoever spins needs a moment to see that it is free: without
 * one, a thread that takes the lock again and again would have it each time,
 * since the line stands in its own cache, until the other goes to sleep.
 */
void port_unlock_slow(struct port_lock *lock, uint32_t word)
{
	if (word & PORT_SLEEPER)
		port_futex_wake(&lock->word, 1);
	/* No order: only a pause */
	for (unsigned i = word & PORT_SPINNER ? UNLOCK_SPINS : 0; i && !port_load_relaxed(&lock->word); i--)
		port_relax();
}

uint64_t port_spin_ns(void)
{
	/* Covered by chance: needs a machine with one processor; the explorer has cases with one */
	return port_load_relaxed(&port_processors) > 1 ? SPIN_NS : 0; /* no order: a number that stands for itself */
}

/* O3: what was written before the flags that the exchange takes were raised is seen. */
uint32_t port_park(struct port_parker *parker, uint64_t deadline_ns)
{
	uint32_t expected = 0;
	bool rests;

	if (port_cas_acq_rel(&parker->flags, &expected, PORT_PARKED)) {
		rests = port_rest_begin();
		while (port_load_acquire(&parker->flags) == PORT_PARKED)
			if (!port_futex_wait(&parker->flags, PORT_PARKED, deadline_ns))
				break;
		if (rests)
			port_rest_end();
	}
	return port_xchg_acq_rel(&parker->flags, 0) & ~PORT_PARKED;
}
