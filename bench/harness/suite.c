/* SPDX-License-Identifier: MIT */
/* What is measured. */
#include "harness.h"

#define PEER(name, title, colour, calls_most) { name, title, colour, calls_most, false },
struct peer_info peers[] = { PEERS(PEER) };
const size_t peer_count = sizeof(peers) / sizeof(peers[0]);

#define CALL { "call_ns", "ns", "a call" }
#define SUBMIT { "submit_ns", "ns", "submitting one" }
#define INLINE { "inline", "calls", "run by the submitter" }
#define ITEM { "item_ns", "ns", "an item" }
#define WARM { "warm_ms", "ms", "all, threads there" }
#define COLD { "cold_ms", "ms", "all, the first time" }

const struct row rows[] = {
	{ .id = "raw", .title = "What single operations cost", .work = "raw", .threads = 2, .submitters = 1,
	  .figures = { { "call_ns", "ns", "a call by pointer" }, { "atomic_ns", "ns", "an atomic addition" },
		       { "atomic_both_ns", "ns", "the same, both cores at it" }, { "mutex_ns", "ns", "lock and unlock" },
		       { "malloc_ns", "ns", "malloc and free" }, { "clock_ns", "ns", "reading the clock" },
		       { "syscall_ns", "ns", "a system call" }, { "line_ns", "ns", "a cache line to the other core" },
		       { "wake_ns", "ns", "a futex wake, until it runs" }, { "thread_ns", "ns", "a thread, made and joined" },
		       { "page_ns", "ns", "first touch of a page" } } },
	{ .id = "W1", .title = "W1: empty calls", .work = "W1", .calls = 1000000, .threads = 2, .submitters = 1,
	  .figures = { CALL, SUBMIT, INLINE } },
	{ .id = "W1-256", .title = "W1: empty calls, 256 threads allowed", .work = "W1", .calls = 200000, .threads = 256,
	  .submitters = 1, .figures = { CALL, SUBMIT, INLINE } },
	{ .id = "W1-two", .title = "W1: empty calls, two submitters", .work = "W1", .calls = 1000000, .threads = 2,
	  .submitters = 2, .figures = { CALL, SUBMIT, INLINE } },
	{ .id = "W2-wait", .title = "W2: 1 us of work, then append in order; the call waits for its turn",
	  .work = "W2-wait", .calls = 100000, .threads = 2, .submitters = 1, .figures = { ITEM } },
	{ .id = "W2-wait-256", .title = "W2: the same, 256 threads allowed", .work = "W2-wait", .calls = 50000,
	  .threads = 256, .submitters = 1, .figures = { ITEM } },
	{ .id = "W2-retire", .title = "W2: 1 us of work, then append in order; no call waits", .work = "W2-retire",
	  .calls = 100000, .threads = 2, .submitters = 1, .figures = { ITEM } },
	{ .id = "W3-retire", .title = "W3: calls that sleep 10 ms, then append in order; no call waits",
	  .work = "W3-retire", .threads = 1024, .submitters = 1, .figures = { WARM, COLD }, .sweep = "calls",
	  .values = { 16, 256, 1000, 10000 }, .passes = 3 },
	{ .id = "W3-wait", .title = "W3: the same; the call waits for its turn", .work = "W3-wait", .threads = 1024,
	  .submitters = 1, .figures = { WARM, COLD }, .sweep = "calls", .values = { 16, 256, 1000, 10000 },
	  .passes = 3 },
	{ .id = "W4", .title = "W4: one call of an idle pool", .work = "W4", .calls = 1000, .threads = 2, .submitters = 1,
	  .figures = { { "start_p50_us", "us", "to its start, median" }, { "start_p99_us", "us", "to its start, 99 %" },
		       { "back_p50_us", "us", "back in the waiter, median" },
		       { "back_p99_us", "us", "back in the waiter, 99 %" }, { "cpu_us", "us", "of CPU time" } } },
	{ .id = "W5", .title = "W5: a million pending calls", .work = "W5", .calls = 1000000, .threads = 2,
	  .submitters = 1,
	  .figures = { { "call_bytes", "bytes", "a pending call" }, { "first_tenth_ns", "ns", "to submit, the first tenth" },
		       { "last_tenth_ns", "ns", "to submit, the last tenth" }, INLINE } },
	{ .id = "W6", .title = "W6: the first call of a program", .work = "W6", .calls = 1, .threads = 2, .submitters = 1,
	  .figures = { { "first_us", "us", "from main to its end" }, { "main_us", "us", "from exec to main" },
		       { "total_us", "us", "both" } } },
	{ .id = "W7", .title = "W7: of 1,000 calls one waits for its own cookie", .work = "W7", .calls = 1000000,
	  .threads = 2, .submitters = 1, .figures = { CALL, INLINE } },
	{ .id = "W8", .title = "W8: 64 domains in turn, a full wait for one of them every 1,000 calls", .work = "W8",
	  .calls = 500000, .threads = 2, .submitters = 1, .domains = 64, .figures = { CALL } },
	{ .id = "W9", .title = "W9: nested calls, fan-out 10", .work = "W9", .calls = 120000, .threads = 2,
	  .submitters = 1, .figures = { CALL } },
	{ .id = "W9-wait", .title = "W9: nested calls that wait for their children, fan-out 10", .work = "W9-wait",
	  .calls = 120000, .threads = 2, .submitters = 1, .figures = { CALL } },
	{ .id = "W1-calls", .title = "W1: cost of a call against their number", .work = "W1", .threads = 2,
	  .submitters = 1, .figures = { CALL, SUBMIT }, .sweep = "calls", .values = { 10000, 100000, 1000000, 10000000 },
	  .passes = 3 },
	{ .id = "W1-threads", .title = "W1: cost of a call against the threads allowed", .work = "W1", .calls = 100000,
	  .submitters = 1, .figures = { CALL, SUBMIT }, .sweep = "threads",
	  .values = { 1, 2, 4, 16, 64, 256, 1024, 4096 }, .passes = 3 },
	{ .id = "W2-calls", .title = "W2: cost of an item against their number; the call waits", .work = "W2-wait",
	  .threads = 2, .submitters = 1, .figures = { ITEM }, .sweep = "calls",
	  .values = { 10000, 100000, 1000000, 10000000 }, .passes = 3 },
	{ .id = "W2-threads", .title = "W2: cost of an item against the threads allowed; the call waits",
	  .work = "W2-wait", .calls = 20000, .submitters = 1, .figures = { ITEM }, .sweep = "threads",
	  .values = { 1, 2, 4, 16, 64, 256, 1024, 4096 }, .passes = 3 },
	{ .id = "W2-retire-threads", .title = "W2: cost of an item against the threads allowed; no call waits",
	  .work = "W2-retire", .calls = 50000, .submitters = 1, .figures = { ITEM }, .sweep = "threads",
	  .values = { 1, 2, 4, 16, 64, 256, 1024, 4096 }, .passes = 3 },
	{ .id = "W8-domains", .title = "W8: cost of a call against the number of domains", .work = "W8", .calls = 200000,
	  .threads = 2, .submitters = 1, .figures = { CALL }, .sweep = "domains", .values = { 1, 4, 16, 64, 256, 1024, 4096 },
	  .passes = 3 },
};
const size_t row_count = sizeof(rows) / sizeof(rows[0]);
