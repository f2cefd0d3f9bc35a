/* SPDX-License-Identifier: MIT */
/*
 * What the POSIX port's own files run on here: the compiler turns their atomic
 * operations into these calls (-fsanitize=thread), each with its order, and the
 * build gives them another syscall() and another errno. A futex sleeps and wakes
 * as the kernel's does: it may also return without a wake-up, which is a choice.
 */
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <time.h>

#include "sim.h"

/* memory_order_relaxed to memory_order_seq_cst; the last is taken for what it includes. */
static enum sim_order order_of(int order)
{
	static const enum sim_order orders[] = {SIM_RELAXED, SIM_ACQUIRE, SIM_ACQUIRE,
						SIM_RELEASE, SIM_ACQ_REL, SIM_ACQ_REL};

	return orders[order];
}

uint32_t __tsan_atomic32_load(const volatile void *word, int order);
void __tsan_atomic32_store(volatile void *word, uint32_t value, int order);
uint32_t __tsan_atomic32_exchange(volatile void *word, uint32_t value, int order);
uint32_t __tsan_atomic32_fetch_or(volatile void *word, uint32_t bits, int order);
int __tsan_atomic32_compare_exchange_strong(volatile void *word, void *old, uint32_t value, int order, int failure);
int __tsan_atomic32_compare_exchange_weak(volatile void *word, void *old, uint32_t value, int order, int failure);
uint32_t __tsan_atomic32_compare_exchange_val(volatile void *word, uint32_t old, uint32_t value, int order,
					      int failure);
int *sim_errno(void);
long sim_syscall(long number, ...);

uint32_t __tsan_atomic32_load(const volatile void *word, int order)
{
	return sim_load((port_u32 *)(uintptr_t)word, order_of(order), SIM_SITE("posix load"));
}

void __tsan_atomic32_store(volatile void *word, uint32_t value, int order)
{
	sim_store((port_u32 *)(uintptr_t)word, value, order_of(order), SIM_SITE("posix store"));
}

uint32_t __tsan_atomic32_exchange(volatile void *word, uint32_t value, int order)
{
	return sim_xchg((port_u32 *)(uintptr_t)word, value, order_of(order), SIM_SITE("posix exchange"));
}

uint32_t __tsan_atomic32_fetch_or(volatile void *word, uint32_t bits, int order)
{
	return sim_or((port_u32 *)(uintptr_t)word, bits, order_of(order), SIM_SITE("posix fetch_or"));
}

int __tsan_atomic32_compare_exchange_strong(volatile void *word, void *old, uint32_t value, int order, int failure)
{
	/* The simulator's has the acquiring half of order then: no more than what is asked, or the same. */
	return sim_cas((port_u32 *)(uintptr_t)word, old, value, order_of(order), SIM_SITE("posix cas"));
}

/* May fail for no reason. */
int __tsan_atomic32_compare_exchange_weak(volatile void *word, void *old, uint32_t value, int order, int failure)
{
	if (sim_choose(2, 2))
		return 0;
	return __tsan_atomic32_compare_exchange_strong(word, old, value, order, failure);
}

/* clang's: returns what stood there. */
uint32_t __tsan_atomic32_compare_exchange_val(volatile void *word, uint32_t old, uint32_t value, int order, int failure)
{
	__tsan_atomic32_compare_exchange_strong(word, &old, value, order, failure);
	return old;
}

/* Each simulated thread has its own. */
int *sim_errno(void)
{
	static int of[SIM_THREADS];

	return &of[sim_current->index];
}

/* ---- the futex ---- */

static struct sim_order_of turns; /* who sleeps when another thread wakes: the order matters */

static struct sleeper {
	unsigned run; /* in which it slept: a run may end at any step */
	const port_u32 *word;
	struct port_parker woken; /* the simulator's: what the thread is blocked on */
} sleepers[SIM_THREADS];

static long fails(int error)
{
	*sim_errno() = error;
	return -1;
}

static long futex_wait(port_u32 *word, uint32_t expected, const struct timespec *until)
{
	struct sleeper *sleeper = &sleepers[sim_current->index];
	uint64_t deadline_ns = until ? (uint64_t)until->tv_sec * 1000000000u + (uint64_t)until->tv_nsec : 0;

	if (word->value != expected)
		return fails(EAGAIN);
	if (sim_choose(2, 2))
		return fails(EINTR);
	sleeper->run = sim_result.run;
	sleeper->word = word;
	sleeper->woken.flags.value = 0;
	sim_block(SIM_PARKED, &sleeper->woken, deadline_ns, SIM_SITE("futex_wait"));
	sleeper->word = NULL;
	return sleeper->woken.flags.value ? 0 : fails(ETIMEDOUT);
}

static long futex_wake(const port_u32 *word, int count)
{
	long woken = 0;

	for (unsigned i = 0; i < SIM_THREADS && woken < count; i++) {
		if (sleepers[i].run != sim_result.run || sleepers[i].word != word || sleepers[i].woken.flags.value)
			continue;
		sleepers[i].woken.flags.value = 1;
		woken++;
	}
	return woken;
}

long sim_syscall(long number, ...)
{
	va_list args;
	port_u32 *word;
	int operation;
	unsigned value;
	const struct timespec *until;

	va_start(args, number);
	word = va_arg(args, port_u32 *);
	operation = va_arg(args, int);
	value = va_arg(args, unsigned);
	until = va_arg(args, const struct timespec *);
	va_end(args);
	sim_point(SIM_SITE("futex"));
	sim_in_turn(&turns);
	if (number == SYS_futex && operation == FUTEX_WAIT_BITSET_PRIVATE)
		return futex_wait(word, value, until);
	if (number == SYS_futex && operation == FUTEX_WAKE_PRIVATE)
		return futex_wake(word, (int)value);
	sim_fail("system call %ld, operation %d, is not known here", number, operation);
}
