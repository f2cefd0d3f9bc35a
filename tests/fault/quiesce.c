/* SPDX-License-Identifier: MIT */
/* Calls that are held back and cannot be stored. */
#include "faults.h"

static atomic_uint stored, blocked;

static void schedule_blocked(void *data)
{
	CHECK(async_schedule(count, &blocked));
}

/* Takes all storage there is; what the holder cannot store is refused, since it would wait for itself. */
static unsigned use_up(void)
{
	unsigned n = 0;

	fault_arm(&fault_memory, 1, FOR_EVER);
	while (async_schedule(count, &stored))
		if (++n > 1000000)
			FAIL("a million calls were stored without memory");
	return n;
}

TEST(call_that_cannot_be_stored_is_held_up_until_the_end, .pools = P0 | P1 | P2 | P256)
{
	struct actor actors[2];
	unsigned n;

	CHECK_EQ(async_quiesce_begin(), 0);
	n = use_up();
	actor_start(&actors[0], schedule_blocked, NULL);
	actor_start(&actors[1], schedule_blocked, NULL);
	quiet();
	CHECK(!actors[0].done && !actors[1].done);
	CHECK_EQ(stored + blocked, 0);
	CHECK_EQ(async_quiesce_end(), 0);
	actor_join(&actors[0]);
	actor_join(&actors[1]);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(stored, n);
	CHECK_EQ(blocked, 2);
	fault_disarm(&fault_memory);
}

static void begin_and_end(void *data)
{
	CHECK_EQ(async_quiesce_begin(), 0);
	up(data);
	CHECK_EQ(async_quiesce_end(), 0);
}

/* A second holder: the end of the first is not the end. */
TEST(call_that_cannot_be_stored_is_held_up_by_every_holder, .pools = P0 | P2)
{
	struct actor actor, other;
	sem_t begun;

	sem_init(&begun, 0, 0);
	CHECK_EQ(async_quiesce_begin(), 0);
	use_up();
	actor_start(&actor, schedule_blocked, NULL);
	actor_start(&other, begin_and_end, &begun);
	down(&begun);
	actor_join(&other);
	quiet();
	CHECK(!actor.done);
	CHECK_EQ(async_quiesce_end(), 0);
	actor_join(&actor);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(blocked, 1);
	fault_disarm(&fault_memory);
}
