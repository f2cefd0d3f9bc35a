/* SPDX-License-Identifier: MIT */
/*
 * The POSIX port's lock and parker (ports/posix/park.c and port.h, unchanged) on
 * the simulator: a wake-up that is lost, a lock that two hold, an order too weak.
 */
#define CASE_BEGIN NULL
#define CASE_END NULL
#include "explore.h"
#include "posix_port.h"

static unsigned *lock, *parker; /* their word */
static unsigned guarded, done, given[2];
static uint32_t taken;

static void begin(void)
{
	lock = sim_new(POSIX_WORD);
	parker = sim_new(POSIX_WORD);
	guarded = done = given[0] = given[1] = 0;
	taken = 0;
	posix_processors(1);
}

static void begin_spinning(void)
{
	begin();
	posix_processors(2);
}

/* ---- the lock (O5) ---- */

static void add(void)
{
	posix_lock(lock);
	guarded++;
	work();
	guarded++;
	posix_unlock(lock);
}

static void add_twice(void)
{
	add();
	add();
}

static void end_two(void)
{
	sim_check(guarded == 4);
	sim_check(!*lock);
}

static void end_three(void)
{
	sim_check(guarded == 6);
	sim_check(!*lock);
}

static void end_four(void)
{
	sim_check(guarded == 8);
	sim_check(!*lock);
}

/* ---- the parker (O3) ---- */

static void give_first(void)
{
	given[0] = 1;
	posix_unpark(parker, 1);
}

static void give_second(void)
{
	given[1] = 1;
	posix_unpark(parker, 2);
}

static void give_twice(void)
{
	give_first();
	give_second();
}

/* Takes both flags, and with each what its giver wrote. */
static void take(void)
{
	while (taken != 3) {
		uint32_t flags = posix_park(parker, 0);

		sim_check(flags && !(flags & ~3u) && !(taken & flags));
		taken |= flags;
		for (unsigned i = 0; i < 2; i++)
			if (flags >> i & 1)
				sim_check(given[i]);
	}
}

/* What was raised is the last access: the memory may go. */
static void take_and_free(void)
{
	sim_check(posix_park(parker, 0) == 1);
	sim_check(given[0]);
	sim_delete(parker);
}

/* What it did before it took the flag, no thread who raised it sees as undone. */
static void take_and_write(void)
{
	sim_check(posix_park(parker, 0) == 1);
	given[0] = 2;
}

static void read_and_give(void)
{
	sim_check(!given[0]);
	posix_unpark(parker, 1);
}

/* A deadline passes, or does not: no flag is lost by it. */
static void take_late(void)
{
	taken = posix_park(parker, 2000000000u);
	sim_check(!(taken & ~1u));
	if (!taken)
		taken = posix_park(parker, 0);
	sim_check(taken == 1 && given[0]);
}

static void too_late(void)
{
	sim_check(!posix_park(parker, 2000000000u));
	sim_check(sim_elapsed_ns() >= 1000000000u);
	posix_unpark(parker, 4);
	sim_check(posix_park(parker, 0) == 4);
}

static void end_taken(void)
{
	sim_check(!*parker);
}

/* clang-format off */
const struct sim_case cases_posix[] = {
	CASE("posix-lock", "O5", add, add), .begin = begin, .end = end_two, .bound = 3, .bound_long = 5},
	CASE("posix-lock-three", "O5", add, add, add), .begin = begin, .end = end_three},
	CASE("posix-lock-twice", "O5", add_twice, add_twice), .begin = begin, .end = end_four},
	CASE("posix-lock-spins", "O5", add, add), .begin = begin_spinning, .end = end_two},
	CASE("posix-lock-spins-three", "O5", add, add, add), .begin = begin_spinning, .end = end_three, .bound = 2},
	CASE("posix-park", "O3", take, give_twice), .begin = begin, .end = end_taken, .bound = 3, .bound_long = 4},
	CASE("posix-park-two", "O3", take, give_first, give_second), .begin = begin, .end = end_taken},
	CASE("posix-park-free", "O3", take_and_free, give_first), .begin = begin, .bound = 3, .bound_long = 5},
	CASE("posix-park-write", "O3", take_and_write, read_and_give), .begin = begin, .end = end_taken, .bound = 3},
	CASE("posix-park-late", "O3", take_late, give_first), .begin = begin, .end = end_taken, .flags = SIM_EARLY,
	 .bound = 3, .bound_long = 4},
	CASE("posix-park-time", "O3", too_late), .begin = begin, .end = end_taken},
	{0},
};
