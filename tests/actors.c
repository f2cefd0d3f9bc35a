/* SPDX-License-Identifier: MIT */
/* What tests are made of: gates, waiters, looking at threads and at reports from outside. See harness.h. */
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

/* The state letter of a thread, 0 if it is gone. */
static char thread_state(const char *tid)
{
	char path[64];
	char text[256];
	const char *end;
	size_t n;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%.20s/stat", tid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = 0;
	end = strrchr(text, ')');
	return end && end[1] == ' ' ? end[2] : 0;
}

static bool others_sleep(void)
{
	DIR *dir = opendir("/proc/self/task");
	const struct dirent *entry;
	pid_t self = tid_self();
	bool sleep = true;

	CHECK(dir);
	while (sleep && (entry = readdir(dir))) {
		char state = 'S';

		if (entry->d_name[0] != '.' && atoi(entry->d_name) != self)
			state = thread_state(entry->d_name);
		sleep = state == 'S' || state == 0 || state == 'Z' || state == 'X';
	}
	closedir(dir);
	return sleep;
}

void quiet(void)
{
	for (unsigned int scans = 0; scans < 4;) {
		sched_yield();
		scans = others_sleep() ? scans + 1 : 0;
	}
}

uint64_t voluntary_switches(pid_t tid)
{
	char path[64];
	char line[256];
	uint64_t n = UINT64_MAX;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	file = fopen(path, "re");
	CHECK(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "voluntary_ctxt_switches: %" SCNu64, &n) == 1)
			break;
	fclose(file);
	CHECK(n != UINT64_MAX);
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

size_t rss_bytes(void)
{
	unsigned long total;
	unsigned long resident;
	FILE *file = fopen("/proc/self/statm", "re");

	CHECK(file && fscanf(file, "%lu %lu", &total, &resident) == 2);
	fclose(file);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
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

void gate_init(struct gate *gate)
{
	memset(gate, 0, sizeof(*gate));
	sem_init(&gate->begun, 0, 0);
	sem_init(&gate->open, 0, 0);
}

void gate_call(void *data, async_cookie_t cookie)
{
	struct gate *gate = data;

	gate->cookie = cookie;
	gate->tid = tid_self();
	if (gate->name)
		async_set_name(gate->name);
	if (gate->error)
		async_set_error(gate->error);
	up(&gate->begun);
	down(&gate->open);
	gate->done = true;
}

static void gate_actor(void *data)
{
	struct gate *gate = data;

	CHECK(async_schedule_domain(gate_call, gate, gate->domain) != 0);
}

async_cookie_t gate_start(struct gate *gate, struct async_domain *domain)
{
	gate->domain = domain;
	gate->has_actor = harness_threads() == 0;
	if (gate->has_actor)
		actor_start(&gate->actor, gate_actor, gate);
	else
		gate_actor(gate);
	down(&gate->begun);
	return gate->cookie;
}

void gate_open(struct gate *gate)
{
	up(&gate->open);
}

void gate_end(struct gate *gate)
{
	gate_open(gate);
	if (gate->has_actor)
		actor_join(&gate->actor);
}

int wait_full(async_cookie_t unused, struct async_domain *domain)
{
	(void)unused;
	return async_synchronize_full_domain(domain);
}

int wait_all(async_cookie_t unused, struct async_domain *unused_domain)
{
	(void)unused;
	(void)unused_domain;
	return async_synchronize_full();
}

static void waiter_run(void *data)
{
	struct waiter *waiter = data;

	waiter->result = waiter->wait(waiter->cookie, waiter->domain);
}

void waiter_start(struct waiter *waiter, int (*wait)(async_cookie_t, struct async_domain *), async_cookie_t cookie,
		  struct async_domain *domain)
{
	waiter->wait = wait;
	waiter->cookie = cookie;
	waiter->domain = domain;
	waiter->result = -1;
	actor_start(&waiter->actor, waiter_run, waiter);
}

bool waiter_done(struct waiter *waiter)
{
	return waiter->actor.done;
}

int waiter_join(struct waiter *waiter)
{
	actor_join(&waiter->actor);
	return waiter->result;
}

void nothing(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
}

void count(void *data, async_cookie_t cookie)
{
	(void)cookie;
	atomic_fetch_add((atomic_uint *)data, 1);
}

void record(void *data, async_cookie_t cookie)
{
	struct record *to = data;
	unsigned int i = atomic_fetch_add(&to->begun, 1);

	CHECK(i < 4096);
	to->cookies[i] = cookie;
	to->tids[i] = tid_self();
	atomic_fetch_add(&to->n, 1);
}

bool record_increasing(const struct record *record)
{
	for (unsigned int i = 1; i < record->n; i++)
		if (record->cookies[i] <= record->cookies[i - 1])
			return false;
	return true;
}

size_t count_of(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = strstr(text, part); at; at = strstr(at + strlen(part), part))
		n++;
	return n;
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
