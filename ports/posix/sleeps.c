/* SPDX-License-Identifier: MIT */
/*
 * Whether a thread of the library is blocked: what the monitor asks; whether it runs: what asks who waits for it.
 *
 * /proc says it at once, where it can be opened. Where it cannot (no /proc, that
 * of another pid namespace) or must not (files.c), the processor time of the
 * thread is looked at: one that has used none for a while is blocked, or the
 * machine is so busy that one thread more does not matter.
 */
#define _GNU_SOURCE
#include <sys/resource.h>

#include "guest.h"
#include "rob.h"

#define STILL_NS 10000000u /* longer than a thread that could run waits for a processor that few want */
#define RUNS_NS 10000u     /* for so long a thread's clock is watched */
#define NOTES 256          /* a power of two */

/* What was seen of a thread: by the monitor alone. Two threads of one place forget each other: they are seen later. */
struct note {
	int thread_id;
	uint64_t used_ns, since_ns;
};

static struct note notes[NOTES];

/* The clock of a thread by the kernel's numbering: pthread_getcpuclockid() wants a pthread_t that may be gone. */
static bool processor_time(int thread_id, uint64_t *used_ns)
{
	struct timespec used;

	if (clock_gettime((clockid_t)(~(unsigned int)thread_id << 3 | 6), &used))
		return false;
	*used_ns = (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
	return true;
}

uint64_t port_thread_used_ns(int thread_id)
{
	uint64_t used_ns = 0;
	int saved = errno;

	processor_time(thread_id, &used_ns);
	errno = saved;
	return used_ns;
}

bool port_slept_since(uint64_t *before, unsigned times)
{
	struct rusage usage = {0};
	uint64_t last = *before;

	if (!guest_may_ask())
		return false;
	getrusage(RUSAGE_SELF, &usage);
	*before = (uint64_t)usage.ru_nvcsw;
	return *before - last >= times;
}

static bool is_still(int thread_id)
{
	struct note *note = &notes[(unsigned int)thread_id % NOTES];
	uint64_t used_ns, now_ns = port_clock_ns();

	if (!processor_time(thread_id, &used_ns))
		return false;
	if (note->thread_id != thread_id || note->used_ns != used_ns) {
		*note = (struct note){thread_id, used_ns, now_ns};
		return false;
	}
	return now_ns - note->since_ns >= STILL_NS;
}

/* By its clock, which stands still while it has no processor. One that cannot be asked is taken to run. */
bool port_thread_runs(int thread_id)
{
	uint64_t before_ns, after_ns, until_ns = port_clock_ns() + RUNS_NS;
	int saved = errno;
	bool runs = true;

	/* Covered by chance: the thread ends meanwhile, or runs */
	if (processor_time(thread_id, &before_ns)) {
		while (port_clock_ns() < until_ns)
			port_relax();
		runs = !processor_time(thread_id, &after_ns) || after_ns - before_ns >= RUNS_NS / 2;
	}
	errno = saved;
	return runs;
}

/* The letter behind the name in /proc/self/task/TID/stat; the name may hold anything, even brackets. */
bool port_thread_sleeps(int thread_id)
{
	char path[64], text[256];
	const char *end;
	int saved = errno;
	bool sleeps;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread_id);
	if (guest_read(path, text, sizeof(text))) {
		end = strrchr(text, ')');
		/* Covered by chance: a thread that has ended since */
		sleeps = end && end[1] == ' ' && (end[2] == 'S' || end[2] == 'D');
	} else {
		sleeps = is_still(thread_id);
	}
	errno = saved;
	return sleeps;
}
