/* SPDX-License-Identifier: MIT */
/* Calls that come while their owner is waited for, and whose turn is behind the call that waits. */
#include "harness.h"

static ASYNC_DOMAIN(turns);
static ASYNC_DOMAIN(elsewhere);
static ASYNC_OWNER(owner);

struct wait {
	sem_t begun;
	async_cookie_t call; /* waits for this one; 0: for the owner */
	atomic_int result;
	sem_t go;
};

static void wait_for(void *data, async_cookie_t cookie)
{
	struct wait *wait = data;

	up(&wait->begun);
	down(&wait->go);
	wait->result = wait->call ? async_synchronize_call(wait->call, NULL) : async_synchronize_owner(&owner);
}

static void wait_init(struct wait *wait)
{
	memset(wait, 0, sizeof(*wait));
	sem_init(&wait->begun, 0, 0);
	sem_init(&wait->go, 0, 0);
	wait->result = 1;
}

/* A call of the owner holds its waiters up until the other call of the owner is there. */
static void start_gate(struct gate *gate)
{
	async_owner_enter(&owner);
	gate_new(gate, &elsewhere);
	async_owner_enter(NULL);
}

static void schedule_late_turn(void)
{
	quiet();
	async_owner_enter(&owner);
	CHECK(async_schedule_ordered(nothing, nothing, NULL, &turns));
	async_owner_enter(NULL);
	quiet();
}

TEST(a_turn_behind_the_call_that_waits_for_the_owner, .pools = P256)
{
	struct gate gate;
	struct wait wait;

	start_gate(&gate);
	wait_init(&wait);
	async_schedule_domain(wait_for, &wait, &turns);
	down(&wait.begun);
	up(&wait.go);
	schedule_late_turn();
	CHECK_EQ(wait.result, 1); /* it waits for the gate all the same */
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(wait.result, -EDEADLK);
	CHECK_EQ(harness_count("inorder: deadlock: "), 1);
}

TEST(a_turn_that_closes_a_cycle_of_others, .pools = P256)
{
	struct gate gate;
	struct wait lower;
	struct wait higher;

	start_gate(&gate);
	wait_init(&lower);
	wait_init(&higher);
	async_schedule_domain(wait_for, &lower, &turns);
	lower.call = async_schedule_domain(wait_for, &higher, &elsewhere);
	down(&lower.begun);
	down(&higher.begun);
	up(&lower.go);
	up(&higher.go);
	schedule_late_turn();
	CHECK_EQ(higher.result, 1);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(lower.result, 0);
	CHECK_EQ(higher.result, -EDEADLK);
	CHECK_EQ(harness_count("inorder: deadlock: "), 1);
}
