/* SPDX-License-Identifier: MIT */
/* The trace of the library's own calls: every event of every call stands in it, once. */
#include "harness.h"

#include <fcntl.h>
#include <inorder/trace.h>
#include <sys/mman.h>

enum { MOST = 300 };

#define WORD(name, word) word,
static const char *const words[] = {ASYNC_TRACE_EVENTS(WORD)};

/* What a trace says of one cookie. */
struct seen {
	unsigned int events[ASYNC_TRACE_TYPES];
	unsigned int ones;
	bool cancelled, exclusive;
	async_cookie_t by;
	char domain[32]; /* its name */
};

static struct seen seen[MOST + 1]; /* by cookie; 0: what is no call's */
static unsigned int starts;
static uint64_t processors;   /* that the last of them told */
static uint64_t most_workers; /* at a time: one that was idle for long ends */
static char path[64];
static int file = -1;

static void trace_begin(void)
{
	file = memfd_create("trace", MFD_CLOEXEC);
	CHECK(file >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	CHECK_EQ(async_trace_open(path), 0);
}

static uint64_t number(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void read_domain(const char *line, char *name)
{
	const char *at = strstr(line, "\"domain_name\":\"");

	if (at)
		sscanf(at, "\"domain_name\":\"%31[^\"]", name);
}

static void read_line(const char *line)
{
	const char *event = strstr(line, "\"ev\":\"");
	uint64_t cookie = number(line, "\"cookie\":");

	CHECK(event && cookie <= MOST);
	event += strlen("\"ev\":\"");
	for (size_t i = 0; i < ASYNC_TRACE_TYPES; i++)
		if (!strncmp(event, words[i], strlen(words[i])) && event[strlen(words[i])] == '"')
			seen[cookie].events[i]++;
	starts += !strncmp(event, "start\"", 6);
	if (number(line, "\"processors\":"))
		processors = number(line, "\"processors\":");
	if (number(line, "\"workers\":") > most_workers)
		most_workers = number(line, "\"workers\":");
	if (number(line, "\"by\":"))
		seen[cookie].by = number(line, "\"by\":");
	seen[cookie].ones += strstr(line, "\"one\":true") != NULL;
	seen[cookie].exclusive |= strstr(line, "\"exclusive\":true") != NULL;
	read_domain(line, seen[cookie].domain);
	seen[cookie].cancelled |= strstr(line, "\"cancelled\":true") != NULL;
}

/* Ends the trace and reads it. */
static void trace_end(void)
{
	static char text[1 << 20];
	char *rest = text, *line;

	CHECK_EQ(async_trace_open(NULL), 0);
	CHECK(pread(file, text, sizeof(text) - 1, 0) > 0);
	close(file);
	while ((line = strsep(&rest, "\n")))
		if (*line)
			read_line(line);
}

static void check_events(async_cookie_t cookie, bool ordered)
{
	const unsigned int *events = seen[cookie].events;

	if (events[ASYNC_TRACE_SCHEDULED] != 1 || events[ASYNC_TRACE_STARTED] != 1 ||
	    events[ASYNC_TRACE_RETURNED] != ordered || events[ASYNC_TRACE_RETIRING] != ordered ||
	    events[ASYNC_TRACE_COMPLETED] != 1)
		FAIL("cookie %" PRIu64 ": %u scheduled, %u started, %u returned, %u retiring, %u completed", cookie,
		     events[ASYNC_TRACE_SCHEDULED], events[ASYNC_TRACE_STARTED], events[ASYNC_TRACE_RETURNED],
		     events[ASYNC_TRACE_RETIRING], events[ASYNC_TRACE_COMPLETED]);
	CHECK(!seen[cookie].cancelled);
	CHECK_EQ(events[ASYNC_TRACE_INLINE], harness_threads() == 0);
}

TEST(every_event_of_a_call_is_traced_once, .pools = PALL)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	struct async_owner owner = ASYNC_OWNER_INIT("owner");
	struct async_entry entries[10] = {0};
	async_cookie_t plain[60], ordered[20], entered[10];
	struct gate gate;

	trace_begin();
	if (harness_threads()) { /* else a wait might run all calls, if every worker slept when the monitor looked */
		gate_new(&gate, NULL);
		gate_end(&gate);
	}
	for (unsigned int i = 0; i < 60; i++) {
		async_owner_enter(i % 3 ? NULL : &owner);
		plain[i] = async_schedule_domain(nothing, NULL, i % 2 ? &domain : NULL);
	}
	async_owner_enter(NULL);
	for (unsigned int i = 0; i < 20; i++)
		ordered[i] = async_schedule_ordered(nothing, nothing, NULL, &domain);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	for (unsigned int i = 0; i < 10; i++)
		entered[i] = async_schedule_entry(&entries[i], nothing, i % 2 ? nothing : NULL, NULL, &domain);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	trace_end();
	for (unsigned int i = 0; i < 60; i++)
		check_events(plain[i], false);
	for (unsigned int i = 0; i < 20; i++)
		check_events(ordered[i], true);
	for (unsigned int i = 0; i < 10; i++)
		CHECK_EQ(seen[entered[i]].events[ASYNC_TRACE_COMPLETED], 1);
	CHECK_EQ(seen[0].events[ASYNC_TRACE_WAITING], 3);
	CHECK_EQ(seen[0].events[ASYNC_TRACE_CONTINUED], 3);
	CHECK(most_workers <= harness_threads());
	CHECK_EQ(most_workers > 0, seen[0].events[ASYNC_TRACE_WORKER] > 0);
	CHECK(harness_threads() == 0 || seen[0].events[ASYNC_TRACE_WORKER] > 0);
}

TEST(a_cancelled_call_is_traced_as_that, .pools = P1)
{
	ASYNC_DOMAIN(domain);
	async_cookie_t cookies[10];
	struct gate gate;

	trace_begin();
	gate_new(&gate, NULL);
	for (unsigned int i = 0; i < 10; i++)
		cookies[i] = async_schedule_domain(nothing, NULL, &domain);
	CHECK_EQ(async_cancel_domain(&domain, nothing), 10);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	trace_end();
	for (unsigned int i = 0; i < 10; i++) {
		CHECK_EQ(seen[cookies[i]].events[ASYNC_TRACE_SCHEDULED], 1);
		CHECK_EQ(seen[cookies[i]].events[ASYNC_TRACE_STARTED], 0);
		CHECK_EQ(seen[cookies[i]].events[ASYNC_TRACE_COMPLETED], 1);
		CHECK(seen[cookies[i]].cancelled);
	}
	check_events(gate.cookie, false);
}

static void wait_for_itself(void *data, async_cookie_t cookie)
{
	CHECK_EQ(async_synchronize_full_domain(data), -EDEADLK);
}

TEST(a_wait_that_fails_is_traced_in_the_call_that_waits, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	async_cookie_t cookie;

	trace_begin();
	cookie = async_schedule_domain(wait_for_itself, &domain, &domain);
	CHECK_EQ(async_synchronize_full(), 0);
	trace_end();
	check_events(cookie, false);
	CHECK_EQ(seen[cookie].events[ASYNC_TRACE_WAITING], 1);
	CHECK_EQ(seen[cookie].events[ASYNC_TRACE_CONTINUED], 1);
}

static async_cookie_t inner;

static void schedule_inside(void *data, async_cookie_t cookie)
{
	inner = async_schedule_domain(nothing, data, data);
}

TEST(the_trace_tells_who_scheduled_a_call, .pools = PALL)
{
	ASYNC_DOMAIN(domain);
	async_cookie_t outer;

	trace_begin();
	outer = async_schedule_domain(schedule_inside, &domain, &domain);
	CHECK_EQ(async_synchronize_full(), 0);
	trace_end();
	check_events(outer, false);
	check_events(inner, false);
	CHECK_EQ(seen[outer].by, 0);
	CHECK_EQ(seen[inner].by, outer);
}

/* The child's events are lines of the same file, after a start of its own. Its cookies go on. */
TEST(a_forked_child_goes_on_in_the_same_trace, .pools = P2, .no_tsan = true)
{
	async_cookie_t before, after;
	pid_t pid;

	trace_begin();
	before = async_schedule(nothing, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
	pid = fork();
	if (!pid) {
		after = async_schedule(nothing, NULL);
		exit(async_synchronize_full() || after != before + 1);
	}
	harness_reap(pid, 0);
	trace_end();
	check_events(before, false);
	check_events(before + 1, false);
	CHECK_EQ(starts, 2);
}

/* What runs inline because too much is pending is traced as that. */
TEST(calls_beyond_the_limit_are_traced_as_inline, .pools = P1, .env = "INORDER_PENDING=5")
{
	async_cookie_t cookies[20];
	unsigned int inlined = 0;
	struct gate gate;

	trace_begin();
	gate_new(&gate, NULL);
	for (unsigned int i = 0; i < 20; i++)
		cookies[i] = async_schedule(nothing, NULL);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	trace_end();
	for (unsigned int i = 0; i < 20; i++) {
		CHECK_EQ(seen[cookies[i]].events[ASYNC_TRACE_COMPLETED], 1);
		CHECK_EQ(seen[cookies[i]].events[ASYNC_TRACE_INLINE], i >= 5);
		inlined += seen[cookies[i]].events[ASYNC_TRACE_INLINE];
	}
	CHECK_EQ(inlined, 15);
}

TEST(waits_of_the_program_are_traced, .pools = P1)
{
	uint64_t since_ns;

	CHECK_EQ(async_trace_wait_begin("disk"), 0);
	async_trace_wait_end("disk", 0);
	trace_begin();
	since_ns = async_trace_wait_begin("disk");
	CHECK(since_ns);
	async_trace_wait_end("disk", since_ns);
	async_trace_wait_end(NULL, async_trace_wait_begin(NULL));
	trace_end();
	CHECK_EQ(seen[0].events[ASYNC_TRACE_AWAITING], 2);
	CHECK_EQ(seen[0].events[ASYNC_TRACE_AWAITED], 2);
}

TEST(a_wait_for_one_call_is_marked_in_the_trace, .pools = PALL)
{
	ASYNC_DOMAIN_EXCLUSIVE(apart);
	async_cookie_t cookie;
	async_cookie_t other;

	trace_begin();
	cookie = async_schedule_domain(nothing, NULL, &apart);
	other = async_schedule(nothing, NULL);
	CHECK_EQ(async_synchronize_call(cookie, &apart), 0);
	CHECK_EQ(async_synchronize_full_domain(&apart), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	trace_end();
	CHECK_EQ(seen[0].ones, 2); /* where it begins and where it ends */
	CHECK(seen[cookie].exclusive);
	CHECK(!seen[other].exclusive);
}

/* As the variable, as the program says, or not at all; the default one, too. */
TEST(a_trace_names_domains, .pools = PALL)
{
	ASYNC_DOMAIN_EXCLUSIVE(disks);
	struct async_domain given = ASYNC_DOMAIN_NAMED_INIT("given to it");
	struct async_domain none = ASYNC_DOMAIN_INIT;
	async_cookie_t cookies[4];

	trace_begin();
	cookies[0] = async_schedule_domain(nothing, NULL, &disks);
	cookies[1] = async_schedule_domain(nothing, NULL, &given);
	cookies[2] = async_schedule_domain(nothing, NULL, &none);
	cookies[3] = async_schedule(nothing, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_full_domain(&disks), 0);
	trace_end();
	CHECK(!strcmp(seen[cookies[0]].domain, "disks"));
	CHECK(!strcmp(seen[cookies[1]].domain, "given to it"));
	CHECK(!strcmp(seen[cookies[2]].domain, ""));
	CHECK(!strcmp(seen[cookies[3]].domain, "default"));
	CHECK(!strcmp(seen[0].domain, "disks")); /* of the wait */
	CHECK(processors >= 1 && processors <= (uint64_t)sysconf(_SC_NPROCESSORS_CONF));
}
