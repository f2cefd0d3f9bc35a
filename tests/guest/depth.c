/* SPDX-License-Identifier: MIT */
/* Calls that nest as deep as the program likes: what is left of a stack bounds how many stand on it. */
#include "harness.h"

#include <sys/resource.h>

enum { DEPTH = SCALE(3000), STACK_BYTES = 256 * 1024 };

/* Stacks, of this thread too, that far fewer calls fill. */
static void small_stacks(void)
{
	struct async_config config = ASYNC_CONFIG_INIT;

	config.stack_bytes = STACK_BYTES;
	CHECK_EQ(async_configure(&config), 0);
}

static void in_small_thread(void (*run)(void *), void *data)
{
	pthread_attr_t attr;
	pthread_t thread;

	CHECK(!pthread_attr_init(&attr));
	CHECK(!pthread_attr_setstacksize(&attr, STACK_BYTES));
	CHECK(!pthread_create(&thread, &attr, (void *(*)(void *))(uintptr_t)run, data));
	CHECK(!pthread_join(thread, NULL));
	CHECK(!pthread_attr_destroy(&attr));
}

static unsigned int reached;

/* Each schedules the next and waits for it. */
static void nest(void *data, async_cookie_t cookie)
{
	uintptr_t level = (uintptr_t)data;

	reached++;
	if (level < DEPTH)
		CHECK_EQ(async_synchronize_call(async_schedule(nest, (void *)(level + 1)), NULL), 0);
}

static void nest_deep(void *data)
{
	async_schedule(nest, (void *)1);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(reached, DEPTH);
}

TEST(nested_waits_go_deeper_than_any_stack, .pools = PSOME)
{
	small_stacks();
	in_small_thread(nest_deep, NULL);
}

TEST(nested_waits_go_deeper_where_calls_run_inline, .pools = PSOME, .env = "INORDER_PENDING=0")
{
	small_stacks();
	in_small_thread(nest_deep, NULL);
}

/* Each schedules the next: a state machine. */
static void step(void *data, async_cookie_t cookie)
{
	if (++reached < 10 * DEPTH)
		async_schedule(step, NULL);
}

static void walk(void *data)
{
	async_schedule(step, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(reached, 10 * DEPTH);
}

TEST(inline_calls_do_not_fill_the_stack, .pools = PALL, .env = "INORDER_PENDING=0")
{
	small_stacks();
	in_small_thread(walk, NULL);
}

/* What is left in the queue for want of stack has run when the outermost scheduling returns, without a wait. */
static void walk_without_waiting(void *data)
{
	async_schedule(step, NULL);
	CHECK_EQ(reached, 10 * DEPTH);
}

TEST(without_workers_all_inline_calls_have_run, .pools = P0)
{
	in_small_thread(walk_without_waiting, NULL);
}

/* The main thread's stack is bounded by a limit, not by what is mapped. */
TEST(the_main_threads_stack_is_known, .pools = P0, .env = "INORDER_PENDING=0")
{
	struct rlimit limit;

	CHECK(!getrlimit(RLIMIT_STACK, &limit));
	limit.rlim_cur = 1 << 20;
	CHECK(!setrlimit(RLIMIT_STACK, &limit));
	walk(NULL);
}

static void schedule_low(unsigned int levels)
{
	volatile char room[1024];

	room[0] = (char)levels;
	if (levels)
		schedule_low(levels - 1);
	else
		async_schedule(step, NULL);
	CHECK(room[0] == (char)levels);
}

/* Whoever schedules with little stack left, and in no call: nothing would run later what is left. */
static void schedule_at_the_end(void *data)
{
	reached = 10 * DEPTH - 1;
	schedule_low(STACK_BYTES / 1024 - 50);
	CHECK_EQ(reached, 10 * DEPTH);
}

TEST(a_call_that_does_not_nest_runs_inline_at_the_stacks_end, .pools = P0, .no_tsan = true, .no_asan = true)
{
	in_small_thread(schedule_at_the_end, NULL);
}

/* A thread beyond the limit is started for want of stack only. */
TEST(the_limit_of_threads_holds_while_there_is_stack, .pools = P1, .no_tsan = true)
{
	unsigned int before = thread_count();

	for (uintptr_t level = DEPTH - 50; level > DEPTH - 55; level--)
		async_schedule(nest, (void *)level);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK(thread_count() <= before + 3); /* the worker, the monitor and its helper */ /* a worker and the monitor */
}

static atomic_uint entered;

static void stay(void *gate, async_cookie_t cookie)
{
	entered++;
	down(gate);
}

/* Each worker beyond the limit was for one wait: when that is over, the limit is what it was. */
TEST(the_limit_of_threads_holds_again_after_want_of_stack, .pools = P1)
{
	sem_t gate;

	small_stacks();
	in_small_thread(nest_deep, NULL);
	CHECK_EQ(async_shutdown(), 0);
	CHECK_EQ(sem_init(&gate, 0, 0), 0);
	for (unsigned int i = 0; i < 3; i++)
		async_schedule(stay, &gate);
	while (!entered)
		sched_yield();
	quiet();
	CHECK_EQ(entered, 1);
	for (unsigned int i = 0; i < 3; i++)
		up(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

enum { FANOUT = 12, LEVELS = 3 };

static atomic_uint leaves;

static void apply(uintptr_t level);

static void branch(void *level, async_cookie_t cookie)
{
	if (level)
		apply((uintptr_t)level - 1);
	else
		atomic_fetch_add(&leaves, 1);
}

static void apply(uintptr_t level)
{
	ASYNC_DOMAIN_EXCLUSIVE(own);

	for (unsigned int i = 0; i < FANOUT; i++)
		async_schedule_domain(branch, (void *)level, &own);
	CHECK_EQ(async_synchronize_full_domain(&own), 0);
}

/*
 * A tree of calls that wait for theirs: not a thread for each that waits. On a busy machine some calls sleep for
 * another reason, as for a lock of the allocator whose holder has no processor, and get threads: so it is tried again.
 */
TEST(nested_fork_join_takes_few_threads, .pools = P256, .no_tsan = true)
{
	unsigned int before = thread_count(), few = 16 * (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), threads;
	unsigned int tries = 0;

	do {
		leaves = 0;
		apply(LEVELS - 1);
		CHECK_EQ(leaves, FANOUT * FANOUT * FANOUT);
		threads = thread_count() - before;
		CHECK_EQ(async_shutdown(), 0);
	} while (threads >= few && ++tries < 5);
	CHECK(threads < few);
}
