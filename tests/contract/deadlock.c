// SPDX-License-Identifier: MIT OR GPL-2.0
/* Clause 8: cycles of waits. */
#include "party.h"

/* N calls in N domains, each waiting for the next one's. They begin to wait in the order FIRST, FIRST+1, … */
static void cycle(unsigned int n, unsigned int first, bool by_call)
{
	static const char *const names[] = {"alice_the_call", "bob_the_call", "carol_the_call", "dave_the_call"};
	struct async_domain domains[4] = {ASYNC_DOMAIN_INIT, ASYNC_DOMAIN_INIT, ASYNC_DOMAIN_EXCLUSIVE_INIT,
					  ASYNC_DOMAIN_INIT};
	struct party parties[4];
	struct party *all[4];
	struct gate other;

	gate_init(&other);
	for (unsigned int i = 0; i < n; i++) {
		all[i] = &parties[i];
		party_init(&parties[i], names[i], &domains[(i + 1) % n]);
		parties[i].call = by_call ? &parties[(i + 1) % n] : NULL;
		party_start(&parties[i], &domains[i]);
	}
	if (!by_call)
		gate_start(&other, &domains[0]); /* the last one, the loser, waits for this one still */
	for (unsigned int i = 0; i < n; i++) {
		party_go(&parties[(first + i) % n]);
		quiet();
	}
	if (!by_call) {
		for (unsigned int i = 0; i < n; i++)
			CHECK_EQ(parties[i].result, 1);
		gate_end(&other);
	}
	for (unsigned int i = 0; i < n; i++)
		CHECK_EQ(party_end(&parties[i]), i == n - 1 ? -EDEADLK : 0);
	check_report(all, n);
	for (unsigned int i = 0; i < n; i++)
		CHECK_EQ(async_synchronize_full_domain(&domains[i]), 0);
}

TEST(a_cycle_of_two_the_highest_last, .pools = P0 | P256)
{
	cycle(2, 0, false);
}
TEST(a_cycle_of_two_the_highest_first, .pools = P0 | P256)
{
	cycle(2, 1, false);
}
TEST(a_cycle_of_three, .pools = P0 | P256)
{
	cycle(3, 0, false);
}
TEST(a_cycle_of_three_the_highest_in_the_middle, .pools = P0 | P256)
{
	cycle(3, 1, false);
}
TEST(a_cycle_of_three_the_highest_first, .pools = P0 | P256)
{
	cycle(3, 2, false);
}
TEST(a_cycle_of_four, .pools = P0 | P256)
{
	cycle(4, 1, false);
}
TEST(a_cycle_of_waits_for_one_call, .pools = P0 | P256)
{
	cycle(3, 1, true);
}
TEST(a_cycle_of_two_waits_for_one_call, .pools = P0 | P256)
{
	cycle(2, 0, true);
}

/* With two workers no thread is left to look on. */
TEST(a_cycle_that_takes_all_workers, .pools = P2)
{
	cycle(2, 0, true);
}

static int loose_wait(async_cookie_t cookie, struct async_domain *domain)
{
	return async_synchronize_cookie_domain(cookie, domain);
}

/* A plain thread that waits for a cycle is none of it, and others that are not in it are left alone. */
TEST(bystanders_of_a_cycle_get_zero, .pools = P0 | P256)
{
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN(b);
	ASYNC_DOMAIN(c);
	struct party alice, bob, carol;
	struct waiter waits[2];

	party_init(&alice, "alice_the_call", &b);
	party_init(&bob, "bob_the_call", &a);
	party_init(&carol, "carol_the_call", &a);
	party_start(&alice, &a);
	party_start(&bob, &b);
	party_start(&carol, &c);
	waiter_start(&waits[0], wait_full, 0, &a);
	waiter_start(&waits[1], loose_wait, carol.gate.cookie, NULL);
	party_go(&carol);
	quiet();
	party_go(&alice);
	party_go(&bob);
	CHECK_EQ(party_end(&alice), 0);
	CHECK_EQ(party_end(&bob), -EDEADLK);
	CHECK_EQ(party_end(&carol), 0);
	CHECK_DONE(waits, 2);
	CHECK_EQ(harness_count("EDEADLK"), 1);
	CHECK(!harness_said("carol"));
	CHECK_EQ(async_synchronize_full(), 0); /* the domains go out of scope */
}

/* The call that closes the cycle is scheduled while the other already waits. */
TEST(a_later_call_closes_the_cycle, .pools = P0 | P256)
{
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN(b);
	struct party alice, bob;
	struct party *all[] = {&alice, &bob};
	struct gate holder;

	party_init(&alice, "alice_the_call", &b);
	party_init(&bob, "bob_the_call", &a);
	gate_new(&holder, &b);
	party_start(&alice, &a);
	party_go(&alice);
	quiet();
	party_start(&bob, &b);
	party_go(&bob);
	quiet();
	gate_end(&holder);
	CHECK_EQ(party_end(&alice), 0);
	CHECK_EQ(party_end(&bob), -EDEADLK);
	check_report(all, 2);
}

/* No cycle: a chain of waits in which no call waits for itself. */
TEST(no_cycle_no_report, .pools = P0 | P256)
{
	struct async_domain domains[4] = {ASYNC_DOMAIN_INIT, ASYNC_DOMAIN_INIT, ASYNC_DOMAIN_INIT, ASYNC_DOMAIN_INIT};
	struct party parties[4];

	for (unsigned int i = 0; i < 4; i++) {
		party_init(&parties[i], "party", i < 3 ? &domains[i + 1] : NULL);
		parties[i].call = i == 3 ? &parties[3] : NULL;
	}
	for (unsigned int i = 0; i < 3; i++)
		party_start(&parties[i], &domains[i]);
	gate_new(&parties[3].gate, &domains[3]);
	for (unsigned int i = 0; i < 3; i++)
		party_go(&parties[i]);
	quiet();
	for (unsigned int i = 0; i < 3; i++)
		CHECK_EQ(parties[i].result, 1);
	gate_end(&parties[3].gate);
	for (unsigned int i = 0; i < 3; i++)
		CHECK_EQ(party_end(&parties[i]), 0);
	check_no_report();
}

static struct async_domain ordered = ASYNC_DOMAIN_INIT;
static sem_t func_ran;
static atomic_uint retired;

static void ordered_func(void *data, async_cookie_t cookie)
{
	async_set_name("olga_the_ordered");
	up(&func_ran);
}

static void ordered_retire(void *data, async_cookie_t cookie)
{
	retired++;
}

/* The lower call waits for the ordered one, which waits for its turn behind the lower call. */
TEST(a_cycle_through_an_ordered_call, .pools = P0 | PMANY)
{
	struct party lower, target;

	sem_init(&func_ran, 0, 0);
	party_init(&lower, "luke_the_lower", NULL);
	party_init(&target, "olga_the_ordered", NULL);
	lower.call = &target;
	party_start(&lower, &ordered);
	target.gate.cookie = async_schedule_ordered(ordered_func, ordered_retire, NULL, &ordered);
	down(&func_ran);
	quiet();
	party_go(&lower);
	CHECK_EQ(party_end(&lower), -EDEADLK);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(retired, 1);
	retired = 0;
	CHECK_EQ(harness_count("EDEADLK"), 1);
	CHECK(harness_said("luke_the_lower"));
}

/* The wait began before the ordered call's func returned. */
TEST(a_cycle_that_an_ordered_call_closes, .pools = P256)
{
	struct party lower, target;
	struct gate func;

	gate_init(&func);
	party_init(&lower, "luke_the_lower", NULL);
	party_init(&target, "target", NULL);
	lower.call = &target;
	party_start(&lower, &ordered);
	target.gate.cookie = async_schedule_ordered(gate_call, ordered_retire, &func, &ordered);
	down(&func.begun);
	party_go(&lower);
	quiet();
	gate_end(&func);
	CHECK_EQ(party_end(&lower), -EDEADLK);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(retired, 1);
	retired = 0;
	CHECK_EQ(harness_count("EDEADLK"), 1);
}

/* lower waits for middle's domain, middle for the ordered call behind lower. */
TEST(a_longer_cycle_through_an_ordered_call, .pools = P0 | P256)
{
	ASYNC_DOMAIN(elsewhere);
	struct party lower, middle, target;

	sem_init(&func_ran, 0, 0);
	party_init(&lower, "luke_the_lower", &elsewhere);
	party_init(&middle, "mary_the_middle", NULL);
	party_init(&target, "olga_the_ordered", NULL);
	middle.call = &target;
	party_start(&lower, &ordered);
	party_start(&middle, &elsewhere);
	target.gate.cookie = async_schedule_ordered(ordered_func, ordered_retire, NULL, &ordered);
	down(&func_ran);
	party_go(&lower);
	quiet();
	party_go(&middle);
	CHECK_EQ(party_end(&middle), -EDEADLK);
	CHECK_EQ(party_end(&lower), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(retired, 1);
	retired = 0;
	CHECK_EQ(harness_count("EDEADLK"), 1);
}

/* Timed waits are no edge: the cycle is broken by the time-out, and no thread is told of a deadlock. */
static void timed_cycle(bool timed_first)
{
	ASYNC_DOMAIN(a);
	ASYNC_DOMAIN(b);
	struct party alice, bob;

	party_init(&alice, "alice_the_call", &b);
	party_init(&bob, "bob_the_call", &a);
	alice.timed = true;
	party_start(&alice, &a);
	party_start(&bob, &b);
	party_go(timed_first ? &alice : &bob);
	quiet();
	party_go(timed_first ? &bob : &alice);
	CHECK_EQ(party_end(&alice), -ETIMEDOUT);
	CHECK_EQ(party_end(&bob), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	check_no_report();
}

TEST(a_timed_wait_is_no_edge, .pools = P0 | P256)
{
	timed_cycle(false);
}
TEST(a_timed_wait_that_was_there_first_is_no_edge, .pools = P0 | P256)
{
	timed_cycle(true);
}

/* Calls of one domain that all wait for all of it: a knot of waits. Each cycle is broken, all end. */
static atomic_uint knot_ended;

static void knot(void *data, async_cookie_t cookie)
{
	int result = async_synchronize_full_domain(data);

	CHECK(result == 0 || result == -EDEADLK);
	atomic_fetch_add(&knot_ended, 1);
}

TEST(a_knot_of_full_waits_ends, .pools = PALL)
{
	ASYNC_DOMAIN(domain);

	for (unsigned int i = 0; i < 30; i++)
		async_schedule_domain(knot, &domain, &domain);
	CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	CHECK_EQ(knot_ended, 30);
}

/* The same, one after the other, in every order of three. */
TEST(a_knot_of_three_ends_in_every_order, .pools = P0 | P256)
{
	static const unsigned int orders[6][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0},
	};

	for (unsigned int order = 0; order < 6; order++) {
		ASYNC_DOMAIN(domain);
		struct party parties[3];

		for (unsigned int i = 0; i < 3; i++) {
			party_init(&parties[i], "party", &domain);
			party_start(&parties[i], &domain);
		}
		for (unsigned int i = 0; i < 3; i++) {
			party_go(&parties[orders[order][i]]);
			quiet();
		}
		for (unsigned int i = 0; i < 3; i++)
			CHECK_EQ(party_end(&parties[i]), -EDEADLK); /* each waits for itself, too */
		CHECK_EQ(async_synchronize_full_domain(&domain), 0);
	}
}
