/* SPDX-License-Identifier: MIT */
/*
 * What parked threads saw: the library's system calls pass here (--wrap=syscall). A thread that parks waits on its
 * parker's flags; whoever wakes it has raised one first. So the word says why it woke: it is satisfied, there is
 * work, it is asked to help, or no reason yet: then a wake of an earlier flag came late, after its thread had seen
 * that flag by itself.
 *
 * Some rounds have futex calls fail or return early, as the kernel's may.
 */
#include "torture.h"

#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "core.h" /* the flags' values, nothing else */

enum { SLOTS = 1 << 14 };

/* A thread's, or, once there are more threads than slots, shared. */
static struct slot {
	_Alignas(64) atomic_ulong parked, done, work, poke, late, faults;
} slots[SLOTS];
static atomic_uint slots_used;
static __thread struct slot *own_slot;
static __thread struct random own_random;

static struct slot *slot(void)
{
	if (!own_slot) {
		unsigned int n = atomic_fetch_add(&slots_used, 1);

		own_slot = &slots[n % SLOTS];
		own_random = random_stream(round_.seed, n + 1000000u);
	}
	return own_slot;
}

static void add(atomic_ulong *number)
{
	atomic_fetch_add_explicit(number, 1, memory_order_relaxed);
}

static void note_woken(struct slot *to, uint32_t flags)
{
	if (flags & ROB_DONE)
		add(&to->done);
	else if (flags & ROB_WAKE)
		add(&to->work);
	else if (flags & ROB_POKE)
		add(&to->poke);
	else
		add(&to->late);
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

/* The kernel may end a wait for no reason: by a signal, or just so. */
static bool fails(struct slot *to, long *result)
{
	if (!round_.fault_percent || !random_percent(&own_random, round_.fault_percent))
		return false;
	add(&to->faults);
	switch (random_below(&own_random, 3)) {
	case 0:
		errno = EINTR;
		*result = -1;
		break;
	case 1:
		errno = EAGAIN;
		*result = -1;
		break;
	default:
		*result = 0;
	}
	return true;
}

static long futex(atomic_uint *word, long op, long value, const struct timespec *until)
{
	bool parks = op == FUTEX_WAIT_BITSET_PRIVATE && (uint32_t)value == PORT_PARKED;
	struct slot *to = slot();
	long result;

	if (op == FUTEX_WAIT_BITSET_PRIVATE && fails(to, &result))
		return result;
	if (parks)
		add(&to->parked);
	result = __real_syscall(SYS_futex, word, op, value, until, NULL, FUTEX_BITSET_MATCH_ANY);
	if (parks && !result)
		note_woken(to, atomic_load_explicit(word, memory_order_relaxed));
	return result;
}

long __wrap_syscall(long number, ...)
{
	long argument[6];
	va_list list;

	va_start(list, number);
	for (unsigned int i = 0; i < 6; i++)
		argument[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_futex)
		return futex((void *)argument[0], argument[1], (long)(uint32_t)argument[2], (void *)argument[3]);
	return __real_syscall(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
}

static unsigned long take(atomic_ulong *from, atomic_ulong *figure)
{
	unsigned long n = atomic_exchange(from, 0);

	figure_add(figure, n);
	return n;
}

/* Late wakes are a race between a waker and a thread that has gone on: they happen, but seldom. */
void wakes_collect(bool no_pokes)
{
	struct figures *to = round_.figures;
	unsigned int n = slots_used < SLOTS ? slots_used : SLOTS;
	unsigned long pokes = 0;

	for (unsigned int i = 0; i < n; i++) {
		take(&slots[i].parked, &to->parked);
		take(&slots[i].done, &to->woken_done);
		take(&slots[i].work, &to->woken_work);
		pokes += take(&slots[i].poke, &to->woken_poke);
		take(&slots[i].late, &to->woken_late);
		take(&slots[i].faults, &to->faults);
	}
	if (no_pokes && pokes)
		TFAIL("%lu waiters were woken to help, though there are threads enough", pokes);
	if (to->woken_done > to->waits)
		TFAIL("%lu waiters were woken as satisfied, in %lu waits", to->woken_done, to->waits);
	if (to->woken_late > 100 + to->parked / 10)
		TFAIL("%lu of %lu parked threads were woken without a flag", to->woken_late, to->parked);
}
