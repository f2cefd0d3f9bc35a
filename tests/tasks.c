/* SPDX-License-Identifier: MIT */
/* Threads of a test, and how it looks at threads, memory and reports from outside. See harness.h. */
#include "harness.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

void down(sem_t *sem)
{
	while (sem_wait(sem) < 0)
		CHECK(errno == EINTR);
}

void up(sem_t *sem)
{
	CHECK(sem_post(sem) == 0);
}

pid_t tid_self(void)
{
	return (pid_t)syscall(SYS_gettid);
}

/* The state letter of a thread, 0 if it is gone, and how often it has gone to sleep so far. */
static char thread_state(const char *tid, uint64_t *slept)
{
	char path[64];
	char line[256];
	char state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%.20s/status", tid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "State: %c", &state);
		if (sscanf(line, "voluntary_ctxt_switches: %" SCNu64, slept) == 1)
			break;
	}
	fclose(file);
	return state;
}

enum { MOST_THREADS = 1024 };

struct look {
	size_t threads;
	struct {
		pid_t tid;
		uint32_t slept;
	} seen[MOST_THREADS]; /* as often */
};

/* Looks at the other threads one after the other. Whether each was asleep. */
static bool others_sleep(struct look *look)
{
	DIR *dir = opendir("/proc/self/task");
	const struct dirent *entry;
	pid_t self = tid_self();
	bool sleep = true;

	CHECK(dir);
	look->threads = 0;
	while (sleep && (entry = readdir(dir))) {
		pid_t tid = atoi(entry->d_name);
		uint64_t slept = 0;
		char state;

		if (tid == 0 || tid == self)
			continue;
		state = thread_state(entry->d_name, &slept);
		sleep = state == 'S' || state == 0 || state == 'Z' || state == 'X';
		CHECK(look->threads < MOST_THREADS);
		look->seen[look->threads].tid = tid;
		look->seen[look->threads++].slept = (uint32_t)slept;
	}
	closedir(dir);
	return sleep;
}

/* How many are others, or have gone to sleep again since the look before. */
static size_t stirred(const struct look *before, const struct look *now)
{
	size_t n = 0;

	if (before->threads != now->threads)
		return SIZE_MAX;
	for (size_t i = 0; i < now->threads; i++)
		n += before->seen[i].tid != now->seen[i].tid || before->seen[i].slept != now->seen[i].slept;
	return n;
}

/*
 * One look does not do: a thread that was seen asleep may have been woken by one that is looked at later. Who was seen
 * asleep twice and has not gone to sleep in between has slept all the time. If that is so of all but one, then all
 * slept when that one was seen asleep. More than one may wake by themselves, by the clock: then many looks have to do.
 */
void quiet(void)
{
	enum { IN_A_ROW = 3, MANY = 64 };
	struct look looks[2];
	unsigned int asleep = 0, still = 0;

	for (unsigned int i = 0; still < IN_A_ROW && asleep < MANY; i = !i) {
		sched_yield();
		if (!others_sleep(&looks[i])) {
			asleep = still = 0;
			continue;
		}
		still = asleep && stirred(&looks[!i], &looks[i]) <= 1 ? still + 1 : 0;
		asleep++;
	}
}

uint64_t voluntary_switches(pid_t tid)
{
	char name[24];
	uint64_t n = 0;

	snprintf(name, sizeof(name), "%d", tid);
	CHECK(thread_state(name, &n));
	return n;
}

unsigned int thread_count(void)
{
	DIR *dir = opendir("/proc/self/task");
	const struct dirent *entry;
	unsigned int n = 0;

	CHECK(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/*
 * What this process has written to, in memory or swapped out. By the page tables: the sums in statm may be some hundred
 * KB off, as each processor keeps a part of them, and hold pages of files, which come and go.
 */
size_t memory_bytes(void)
{
	unsigned long kib, sum = 0;
	char line[256];
	FILE *file;

	harness_native("the emulator's memory would be measured");
	file = fopen("/proc/self/smaps_rollup", "re");
	CHECK(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Anonymous: %lu kB", &kib) == 1 || sscanf(line, "Swap: %lu kB", &kib) == 1)
			sum += kib;
	fclose(file);
	CHECK(sum);
	return sum * 1024;
}

void *page_new(void)
{
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(page != MAP_FAILED);
	return page;
}

void page_poison(void *page)
{
	CHECK(mprotect(page, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE) == 0);
}

static void *actor_main(void *data)
{
	struct actor *actor = data;

	actor->tid = tid_self();
	up(&actor->begun);
	actor->run(actor->data);
	actor->done = true;
	return NULL;
}

void actor_start(struct actor *actor, void (*run)(void *), void *data)
{
	memset(actor, 0, sizeof(*actor));
	sem_init(&actor->begun, 0, 0);
	actor->run = run;
	actor->data = data;
	CHECK(pthread_create(&actor->thread, NULL, actor_main, actor) == 0);
	down(&actor->begun);
}

void actor_join(struct actor *actor)
{
	CHECK(pthread_join(actor->thread, NULL) == 0);
}

const char *report_text(void)
{
	static char text[65536];
	int fd = memfd_create("report", MFD_CLOEXEC);

	CHECK(fd >= 0);
	async_report(fd);
	memset(text, 0, sizeof(text));
	CHECK(pread(fd, text, sizeof(text) - 1, 0) >= 0);
	close(fd);
	return text;
}
