/* SPDX-License-Identifier: MIT */
/* Clause 10: memory follows work. */
#include "harness.h"

enum { MIB = 1 << 20, WARM = 200000 };

static struct async_domain same = ASYNC_DOMAIN_INIT;
static struct async_domain other = ASYNC_DOMAIN_EXCLUSIVE_INIT;
static struct async_owner owner = ASYNC_OWNER_INIT("owner");

static void pass(uint64_t calls)
{
	for (uint64_t i = 0; i < calls; i++) {
		async_schedule_domain(nothing, NULL, i % 2 ? &same : &other);
		if (i % 10000 == 0)
			async_synchronize_full_domain(&other);
	}
	async_synchronize_full_domain(&other);
}

static void flat(uint64_t calls)
{
	struct gate sleeper;
	size_t before;
	size_t after;

	pass(WARM); /* threads, arenas, and the pages of this program */
	gate_new(&sleeper, &same);
	pass(WARM);
	quiet();
	before = memory_bytes();
	pass(calls);
	quiet();
	after = memory_bytes();
	printf("%" PRIu64 " calls passed, %zd KiB grown\n", calls, ((ssize_t)after - (ssize_t)before) / 1024);
	if (after > before + 4 * MIB)
		FAIL("%zu bytes before, %zu after %" PRIu64 " calls", before, after, calls);
	gate_end(&sleeper);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_synchronize_full_domain(&same), 0);
}

TEST(memory_stays_flat_while_a_call_sleeps, .pools = P0 | PMANY, .no_tsan = true, .no_asan = true)
{
	flat(10000000);
}

TEST(memory_stays_flat_for_a_hundred_million, .pools = PMANY, .limit_s = 900, .no_tsan = true, .no_asan = true,
     .long_only = true)
{
	flat(100000000);
}

/* An ordered call waits for its turn behind the sleeper while others of another domain pass. */
TEST(memory_stays_flat_behind_a_turn, .pools = PMANY, .no_tsan = true, .no_asan = true)
{
	struct gate sleeper;
	size_t before;

	gate_new(&sleeper, &same);
	CHECK(async_schedule_ordered(nothing, nothing, NULL, &same));
	pass(WARM);
	quiet();
	before = memory_bytes();
	for (unsigned int i = 0; i < 2000000; i++) {
		CHECK(async_schedule_ordered(nothing, nothing, NULL, &other));
		if (i % 10000 == 0)
			CHECK_EQ(async_synchronize_full_domain(&other), 0);
	}
	CHECK_EQ(async_synchronize_full_domain(&other), 0);
	quiet();
	if (memory_bytes() > before + 4 * MIB)
		FAIL("%zu bytes before, %zu after", before, memory_bytes());
	gate_end(&sleeper);
	CHECK_EQ(async_synchronize_full_domain(&same), 0);
}

enum { PENDING = 1000000 };

static double bytes_a_call(void (*schedule)(void))
{
	struct gate gate;
	size_t before;
	size_t after;

	gate_new(&gate, NULL);
	before = memory_bytes();
	for (unsigned int i = 0; i < PENDING; i++)
		schedule();
	after = memory_bytes();
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full_domain(&same), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	return (double)(after - before) / (double)PENDING;
}

static atomic_uint ran;

static void plain(void)
{
	async_schedule_domain(count, &ran, &same);
}

static void ordered(void)
{
	CHECK(async_schedule_ordered(count, nothing, &ran, &same));
}

/* musl's allocator rounds a block of 2 KB up. */
#ifdef __GLIBC__
#define ROUNDED 1.05
#else
#define ROUNDED 1.25
#endif

static void check_bytes(void (*schedule)(void), double most)
{
	double bytes = bytes_a_call(schedule);

	printf("%.1f bytes a pending call\n", bytes);
	CHECK_EQ(ran, PENDING);
	if (bytes > most * ROUNDED)
		FAIL("%.1f bytes a pending call, at most %.0f", bytes, most);
}

TEST(a_pending_call_takes_32_bytes, .pools = P1, .env = "INORDER_PENDING=2000000", .no_tsan = true, .no_asan = true)
{
	check_bytes(plain, 32);
}

TEST(a_pending_ordered_call_takes_64_bytes, .pools = P1, .env = "INORDER_PENDING=2000000", .no_tsan = true,
     .no_asan = true)
{
	check_bytes(ordered, 64);
}

TEST(a_pending_call_with_an_owner_takes_64_bytes, .pools = P1, .env = "INORDER_PENDING=2000000", .no_tsan = true,
     .no_asan = true)
{
	async_owner_enter(&owner);
	check_bytes(plain, 64);
	async_owner_enter(NULL);
}

/* What a million pending calls took is used again by the next million. */
TEST(memory_of_a_flood_is_used_again, .pools = P1, .env = "INORDER_PENDING=2000000", .no_tsan = true, .no_asan = true)
{
	size_t first;

	bytes_a_call(plain);
	first = memory_bytes();
	for (unsigned int i = 0; i < 4; i++)
		bytes_a_call(plain);
	if (memory_bytes() > first + 40 * (size_t)MIB)
		FAIL("%zu bytes after the first flood, %zu after five", first, memory_bytes());
}
