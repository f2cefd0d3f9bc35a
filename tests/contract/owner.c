/* SPDX-License-Identifier: MIT */
/* Owners: beside its domain, a call belongs to whoever had it scheduled. */
#include "harness.h"

static int wait_owner(async_cookie_t unused, struct async_domain *owner)
{
	return async_synchronize_owner((struct async_owner *)owner);
}

/* waiter_start() carries a domain; an owner goes the same way. */
static void owner_wait_start(struct waiter *waiter, struct async_owner *owner)
{
	waiter_start(waiter, wait_owner, 0, (struct async_domain *)owner);
}

struct owned_gate {
	struct gate gate;
	struct async_owner *owner;
	struct async_domain *domain;
	struct actor actor;
};

static void owned_actor(void *data)
{
	struct owned_gate *owned = data;
	struct async_owner *before = async_owner_enter(owned->owner);

	CHECK(async_schedule_domain(gate_call, &owned->gate, owned->domain));
	CHECK(async_owner_enter(before) == owned->owner);
}

static void owned_start(struct owned_gate *owned, struct async_owner *owner, struct async_domain *domain)
{
	gate_init(&owned->gate);
	owned->owner = owner;
	owned->domain = domain;
	actor_start(&owned->actor, owned_actor, owned);
	down(&owned->gate.begun);
}

static void owned_end(struct owned_gate *owned)
{
	gate_open(&owned->gate);
	actor_join(&owned->actor);
}

TEST(an_owner_is_waited_for_over_domains, .pools = P0 | P256)
{
	ASYNC_OWNER(a);
	ASYNC_OWNER(b);
	ASYNC_DOMAIN_EXCLUSIVE(exclusive);
	struct owned_gate a1, a2, b1;
	struct waiter waiter;

	owned_start(&a1, &a, NULL);
	owned_start(&a2, &a, &exclusive);
	owned_start(&b1, &b, NULL);
	owner_wait_start(&waiter, &a);
	CHECK_WAITING(&waiter, 1);
	owned_end(&a1);
	CHECK_WAITING(&waiter, 1);
	owned_end(&a2);
	CHECK_EQ(waiter_join(&waiter), 0);
	CHECK(!b1.gate.done);
	owned_end(&b1);
	CHECK_EQ(async_synchronize_owner(&b), 0);
	CHECK_EQ(async_synchronize_full_domain(&exclusive), 0);
}

TEST(enter_gives_back_who_was_before, .pools = P2)
{
	ASYNC_OWNER(a);
	ASYNC_OWNER(b);

	CHECK(async_owner_enter(&a) == NULL);
	CHECK(async_owner_enter(&b) == &a);
	CHECK(async_owner_enter(NULL) == &b);
	CHECK(async_owner_enter(NULL) == NULL);
	CHECK_EQ(async_synchronize_owner(&a), 0);
}

TEST(calls_of_nobody_are_not_waited_for, .pools = P0 | PMANY)
{
	ASYNC_OWNER(a);
	struct gate gate;

	CHECK(async_owner_enter(&a) == NULL);
	CHECK(async_owner_enter(NULL) == &a);
	gate_new(&gate, NULL);
	CHECK_EQ(async_synchronize_owner(&a), 0);
	CHECK(!gate.done);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

struct inherit {
	struct gate parent, child;
};

static void schedule_child(void *data, async_cookie_t cookie)
{
	struct inherit *inherit = data;

	gate_call(&inherit->parent, cookie);
	async_schedule(gate_call, &inherit->child);
}

struct family {
	struct inherit inherit;
	struct async_owner *owner;
};

static void family_actor(void *data)
{
	struct family *family = data;

	async_owner_enter(family->owner);
	async_schedule(schedule_child, &family->inherit);
	async_owner_enter(NULL);
}

/* The child is scheduled by a worker, after the thread that scheduled the parent left the owner. */
TEST(nested_calls_inherit_the_owner, .pools = PALL)
{
	ASYNC_OWNER(owner);
	ASYNC_OWNER(stranger);
	struct family family = {.owner = &owner};
	struct actor actor;
	struct waiter waiter;

	gate_init(&family.inherit.parent);
	gate_init(&family.inherit.child);
	actor_start(&actor, family_actor, &family);
	down(&family.inherit.parent.begun);
	gate_open(&family.inherit.parent);
	down(&family.inherit.child.begun);
	owner_wait_start(&waiter, &owner);
	CHECK_EQ(async_synchronize_owner(&stranger), 0);
	CHECK_WAITING(&waiter, 1);
	gate_open(&family.inherit.child);
	CHECK_EQ(waiter_join(&waiter), 0);
	actor_join(&actor);
	CHECK_EQ(async_synchronize_full(), 0);
}

static void nest_deeper(void *data, async_cookie_t cookie)
{
	atomic_int *left = data;

	if (atomic_fetch_sub(left, 1) > 1)
		async_schedule(nest_deeper, left);
}

TEST(an_owner_wait_covers_calls_scheduled_meanwhile, .pools = PALL)
{
	ASYNC_OWNER(owner);

	for (unsigned int i = 0; i < 100; i++) {
		atomic_int left = 50;

		async_owner_enter(&owner);
		async_schedule(nest_deeper, &left);
		async_owner_enter(NULL);
		CHECK_EQ(async_synchronize_owner(&owner), 0);
		CHECK_EQ(left, 0);
	}
}

static void retire_child(void *data, async_cookie_t cookie)
{
	async_schedule(count, data);
}

TEST(a_retire_step_passes_the_owner_on, .pools = PALL)
{
	ASYNC_OWNER(owner);
	atomic_uint n = 0;

	for (unsigned int i = 0; i < 100; i++) {
		async_owner_enter(&owner);
		CHECK(async_schedule_ordered(nothing, retire_child, &n, NULL));
		async_owner_enter(NULL);
		CHECK_EQ(async_synchronize_owner(&owner), 0);
		CHECK_EQ(n, i + 1);
	}
}

TEST(an_owner_may_go_once_its_wait_returned, .pools = PALL)
{
	static const struct async_owner fresh = ASYNC_OWNER_INIT("fresh");

	for (unsigned int i = 0; i < SCALE(2000); i++) {
		void *page = page_new();
		struct async_owner *owner = page;
		atomic_uint n = 0;

		memcpy(page, &fresh, sizeof(fresh));
		async_owner_enter(owner);
		async_schedule(count, &n);
		async_schedule(count, &n);
		async_owner_enter(NULL);
		CHECK_EQ(async_synchronize_owner(owner), 0);
		page_poison(page);
		CHECK_EQ(n, 2);
	}
}

static struct gate in_entry;

static void entry_actor(void *data)
{
	static struct async_entry entry;

	async_owner_enter(data);
	async_schedule_entry(&entry, gate_call, NULL, &in_entry, NULL);
	async_owner_enter(NULL);
}

TEST(entries_have_an_owner_too, .pools = PALL)
{
	ASYNC_OWNER(owner);
	struct actor actor;
	struct waiter waiter;

	gate_init(&in_entry);
	actor_start(&actor, entry_actor, &owner);
	down(&in_entry.begun);
	owner_wait_start(&waiter, &owner);
	CHECK_WAITING(&waiter, 1);
	gate_open(&in_entry);
	CHECK_EQ(waiter_join(&waiter), 0);
	actor_join(&actor);
	CHECK_EQ(async_synchronize_full(), 0);
}

static void count_release(void *data, async_cookie_t cookie)
{
	count(data, cookie);
}

TEST(cancelled_calls_leave_their_owner, .pools = P1)
{
	ASYNC_OWNER(owner);
	ASYNC_DOMAIN(domain);
	struct gate gate;
	atomic_uint ran = 0;

	gate_new(&gate, NULL);
	async_owner_enter(&owner);
	for (unsigned int i = 0; i < 5; i++)
		async_schedule_domain(count, &ran, &domain);
	async_owner_enter(NULL);
	CHECK_EQ(async_cancel_domain(&domain, count_release), 5);
	CHECK_EQ(ran, 5);
	CHECK_EQ(async_synchronize_owner(&owner), 0);
	gate_end(&gate);
	CHECK_EQ(async_synchronize_full(), 0);
}

/* ---- the turn of an owner's ordered call is an edge, too ---- */

struct knot {
	struct async_domain *domain, *elsewhere;
	struct async_owner *owner;
	sem_t ready;
	_Atomic async_cookie_t last;
	_Atomic int lower_result, owner_result;
};

static void lower_waits(void *data, async_cookie_t cookie)
{
	struct knot *knot = data;

	down(&knot->ready);
	knot->lower_result = async_synchronize_call(knot->last, knot->elsewhere);
}

static void waits_for_owner(void *data, async_cookie_t cookie)
{
	struct knot *knot = data;

	knot->owner_result = async_synchronize_owner(knot->owner);
}

static void nothing_more(void *data, async_cookie_t cookie)
{
}

/* The lowest call holds up the owner's ordered one, whose owner the highest waits for, which the lowest waits for. */
TEST(a_cycle_through_the_turn_of_an_owners_call, .pools = PMANY)
{
	ASYNC_DOMAIN(domain);
	ASYNC_DOMAIN(elsewhere);
	ASYNC_OWNER(owner);
	struct knot knot = {.domain = &domain, .elsewhere = &elsewhere, .owner = &owner};

	sem_init(&knot.ready, 0, 0);
	CHECK(async_schedule_domain(lower_waits, &knot, &domain));
	async_owner_enter(&owner);
	CHECK(async_schedule_ordered(nothing_more, nothing_more, NULL, &domain));
	async_owner_enter(NULL);
	knot.last = async_schedule_domain(waits_for_owner, &knot, &elsewhere);
	up(&knot.ready);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(knot.lower_result, 0);
	CHECK_EQ(knot.owner_result, -EDEADLK);
	CHECK_EQ(harness_count("EDEADLK"), 1);
}
