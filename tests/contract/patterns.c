/* SPDX-License-Identifier: MIT */
/* <inorder/patterns.h>: the ordered loop, and calls with results. */
#include <inorder/patterns.h>

#include "harness.h"

#define NOWHERE SIZE_MAX

struct counted {
	atomic_size_t begun, retired_so_far, ran;
	size_t retired, window, fails_at, stops_at;
	atomic_bool too_far;
	struct gate *holds; /* item 0 stays in it */
};

static struct counted counted(size_t window)
{
	return (struct counted){.window = window, .fails_at = NOWHERE, .stops_at = NOWHERE};
}

static int count_item(void *data, size_t index)
{
	struct counted *loop = data;

	/* Read after our own begin is counted: what has retired by then can only be more. */
	if (atomic_fetch_add(&loop->begun, 1) + 1 > atomic_load(&loop->retired_so_far) + loop->window)
		loop->too_far = true;
	if (!index && loop->holds)
		gate_call(loop->holds, async_current_cookie());
	atomic_fetch_add(&loop->ran, 1);
	return index == loop->fails_at ? -EIO : 0;
}

static int retire_counted(void *data, size_t index, int error)
{
	struct counted *loop = data;

	CHECK_EQ(index, loop->retired);
	CHECK_EQ(error, index == loop->fails_at ? -EIO : 0);
	loop->retired++;
	atomic_fetch_add(&loop->retired_so_far, 1);
	return index == loop->stops_at ? -ENOSPC : 0;
}

TEST(each_item_runs_once_and_retires_in_order, .pools = PALL)
{
	static const size_t counts[] = {0, 1, 2, 3, 63, 64, 65, 1000}, windows[] = {1, 2, 3, 64, 1000, 5000};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (size_t j = 0; j < sizeof(windows) / sizeof(windows[0]); j++) {
			struct counted loop = counted(windows[j]);

			CHECK_EQ(async_for_each_ordered(counts[i], count_item, retire_counted, &loop, windows[j]), 0);
			CHECK_EQ(loop.begun, counts[i]);
			CHECK_EQ(loop.retired, counts[i]);
			CHECK(!loop.too_far);
		}
}

TEST(a_usual_window_and_no_stack_that_grows, .pools = PALL)
{
	size_t count = SCALE(200000);
	struct counted loop = counted(NOWHERE / 2);

	CHECK_EQ(async_for_each_ordered(count, count_item, retire_counted, &loop, 0), 0);
	CHECK_EQ(loop.retired, count);
}

struct held_loop {
	struct counted loop;
	struct actor actor;
	int result;
};

static void run_held(void *data)
{
	struct held_loop *held = data;

	held->result = async_for_each_ordered(100, count_item, retire_counted, &held->loop, held->loop.window);
}

/* Back-pressure: while the first item is late, the window is all that runs ahead. */
TEST(a_late_item_holds_the_window_back, .pools = PMANY)
{
	struct held_loop held = {.loop = counted(7)};
	struct gate gate;

	gate_init(&gate);
	held.loop.holds = &gate;
	actor_start(&held.actor, run_held, &held);
	down(&gate.begun);
	quiet();
	CHECK_EQ(held.loop.begun, 7);
	CHECK_EQ(held.loop.retired_so_far, 0);
	gate_open(&gate);
	actor_join(&held.actor);
	CHECK_EQ(held.result, 0);
	CHECK_EQ(held.loop.retired, 100);
	CHECK(!held.loop.too_far);
}

/* No window is scheduled behind an item that ends the loop; those that have begun go on to their end. */
TEST(an_error_ends_the_loop_in_order, .pools = PALL)
{
	struct counted loop = counted(8);

	loop.fails_at = 17;
	CHECK_EQ(async_for_each_ordered(1000, count_item, NULL, &loop, 8), -EIO);
	CHECK(loop.ran >= 18 && loop.ran <= 17 + 8);

	loop = counted(8);
	loop.fails_at = 17; /* retired like any other: its retire step returns 0 */
	loop.stops_at = 500;
	CHECK_EQ(async_for_each_ordered(1000, count_item, retire_counted, &loop, 8), -ENOSPC);
	CHECK_EQ(loop.retired, 501);
	CHECK(loop.ran >= 501 && loop.ran <= 500 + 8);
}

static int inner_loop(void *data, size_t index)
{
	struct counted loop = counted(3);

	CHECK_EQ(async_for_each_ordered(index, count_item, retire_counted, &loop, 3), 0);
	CHECK_EQ(loop.retired, index);
	return 0;
}

TEST(loops_nest, .pools = PALL)
{
	CHECK_EQ(async_for_each_ordered(50, inner_loop, NULL, NULL, 10), 0);
}

TEST(loops_refuse_what_makes_no_sense, .pools = P0 | P1)
{
	struct counted loop = counted(1);

	CHECK_EQ(async_for_each_ordered(1, NULL, retire_counted, &loop, 1), -EINVAL);
	CHECK_EQ(async_for_each_ordered(SIZE_MAX, count_item, retire_counted, &loop, SIZE_MAX), -ENOMEM);
	CHECK_EQ(async_for_each_ordered(SIZE_MAX, count_item, retire_counted, &loop, SIZE_MAX / 64), -ENOMEM);
	CHECK_EQ(loop.ran, 0);
}

static int doubled(void *data, void **value)
{
	*value = (void *)((intptr_t)data * 2);
	return (intptr_t)data < 0 ? -ERANGE : 0;
}

TEST(a_result_is_a_value_or_an_error, .pools = PALL)
{
	struct async_result results[100], bad;
	void *value = &bad;
	ASYNC_DOMAIN_EXCLUSIVE(domain);

	for (intptr_t i = 0; i < 100; i++)
		CHECK(async_schedule_result(&results[i], doubled, (void *)i, &domain));
	for (intptr_t i = 99; i >= 0; i--) {
		CHECK_EQ(async_result_get(&results[i], &value), 0);
		CHECK_EQ((intptr_t)value, 2 * i);
		CHECK_EQ(async_result_get(&results[i], NULL), 0); /* again */
	}
	value = &bad;
	CHECK(async_schedule_result(&bad, doubled, (void *)(intptr_t)-1, &domain));
	CHECK_EQ(async_result_get(&bad, &value), -ERANGE);
	CHECK(value == &bad);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(async_domain_error(&domain, NULL), -ERANGE);
}

TEST(a_result_waits_for_its_call_alone, .pools = PMANY)
{
	struct async_result result;
	struct gate gate;
	void *value;

	gate_new(&gate, NULL);
	CHECK(async_schedule_result(&result, doubled, (void *)4, NULL));
	CHECK_EQ(async_result_get(&result, &value), 0);
	CHECK_EQ((intptr_t)value, 8);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(a_result_that_was_taken_back, .pools = P1)
{
	struct async_result result;
	struct gate gate;
	ASYNC_DOMAIN_EXCLUSIVE(domain);

	gate_new(&gate, NULL);
	CHECK(async_schedule_result(&result, doubled, NULL, &domain));
	CHECK_EQ(async_cancel_domain(&domain, NULL), 1);
	CHECK_EQ(async_result_get(&result, NULL), -ECANCELED);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(async_schedule_result(&result, NULL, NULL, &domain), 0);
	CHECK_EQ(async_result_get(&result, NULL), -EINVAL);
}

/* What it was given for the call in progress is not touched by the one that is refused. */
TEST(a_result_in_progress_stays_what_it_is, .pools = P1)
{
	struct async_result result;
	struct gate gate;
	async_cookie_t cookie;
	void *value;
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	ASYNC_DOMAIN_EXCLUSIVE(other);

	gate_new(&gate, NULL);
	cookie = async_schedule_result(&result, doubled, (void *)4, &domain);
	CHECK(cookie);
	CHECK_EQ(async_schedule_result(&result, doubled, (void *)-1, &other), cookie);
	CHECK(harness_said("is refused"));
	gate_end(&gate);
	CHECK_EQ(async_result_get(&result, &value), 0);
	CHECK_EQ((intptr_t)value, 8);
	CHECK_EQ(async_synchronize_full(), 0);
}
