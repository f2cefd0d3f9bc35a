/* SPDX-License-Identifier: MIT */
/*
 * Whether a thread of the library is blocked: what the monitor asks.
 *
 * /proc says it at once, where it can be opened. Where it cannot (no /proc, that
 * of another pid namespace, no descriptor left) or must not, the processor time
 * of the thread is looked at: one that has used none for a while is blocked, or the
 * machine is so busy that one thread more does not matter.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "guest.h"
#include "rob.h"

#define STILL_NS 10000000u /* longer than a thread that could run waits for a processor that few want */
#define NOTES 256          /* a power of two */

/* What was seen of a thread: by the monitor alone. Two threads of one place forget each other: they are seen later. */
struct note {
	int thread_id;
	uint64_t used_ns, since_ns;
};

static struct note notes[NOTES];
static bool filtered_before;

static bool is_filtered(void)
{
	return prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER;
}

/* A filter that was there when the library was loaded, as in containers, lets files be opened. */
__attribute__((constructor)) static void note_filter(void)
{
	filtered_before = is_filtered();
}

bool guest_may_open(void)
{
	return filtered_before || !is_filtered();
}

/* The clock of a thread by the kernel's numbering: pthread_getcpuclockid() wants a pthread_t that may be gone. */
static bool processor_time(int thread_id, uint64_t *used_ns)
{
	struct timespec used;

	if (clock_gettime((clockid_t)(~(unsigned int)thread_id << 3 | 6), &used))
		return false;
	*used_ns = (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
	return true;
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

/* The text of the thread's state; 0: it cannot be had. */
static size_t read_state(int thread_id, char *text, size_t bytes)
{
	char path[64];
	ssize_t got;
	int fd;

	if (!guest_may_open())
		return 0;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread_id);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	got = read(fd, text, bytes - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got > 0 ? (size_t)got : 0;
}

/* The letter behind the name in /proc/self/task/TID/stat; the name may hold anything, even brackets. */
bool port_thread_sleeps(int thread_id)
{
	char text[256];
	const char *end;
	int saved = errno;
	bool sleeps;

	if (read_state(thread_id, text, sizeof(text))) {
		end = strrchr(text, ')');
		/* Covered by chance: a thread that has ended since */
		sleeps = end && end[1] == ' ' && (end[2] == 'S' || end[2] == 'D');
	} else {
		sleeps = is_still(thread_id);
	}
	errno = saved;
	return sleeps;
}
