/* SPDX-License-Identifier: MIT */
/* One case: every schedule within a bound, random ones, or both kinds of exploring compared. */
#include <time.h>

#include "search.h"

struct totals totals;

/* Of computing: the machine may have much else to do. */
static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

bool run_once(const struct sim_case *which)
{
	enum sim_end end;

	if (!(totals.schedules % 512))
		watch_for_hang();
	end = sim_run(which);
	totals.schedules++;
	totals.known += end == SIM_KNOWN;
	totals.steps += sim_result.steps;
	if (end == SIM_BAD)
		print_failure(which);
	return end != SIM_BAD;
}

/* ---- limits ---- */

/* How a case ended. */
enum ending { ALL, CUT, BAD };

static struct {
	unsigned long long schedules;
	double seconds;
} limit; /* when the case is cut short */

static bool over_limit(void)
{
	return totals.schedules >= limit.schedules || (!(totals.schedules % 256) && seconds_now() > limit.seconds);
}

static void limit_case(void)
{
	limit.schedules = options.most ? totals.schedules + options.most : UINT64_MAX;
	limit.seconds = options.seconds > 0 ? seconds_now() + options.seconds : 1e30;
}

static unsigned bound_of(const struct sim_case *which)
{
	if (options.bound_given)
		return options.bound;
	if (options.deep)
		return which->bound_long ? which->bound_long : 3;
	return which->bound ? which->bound : 2;
}

/* ---- kinds of exploring ---- */

static struct sim_table *endings; /* the states in which runs end, if they are wanted */

/* Every schedule with at most bound deviations. */
static enum ending explore_bound(const struct sim_case *which, unsigned bound)
{
	sim_explore(bound);
	do {
		if (!run_once(which))
			return BAD;
		if (endings && sim_result.state)
			*sim_table_at(endings, sim_result.state) = 1;
		if (over_limit())
			return CUT;
	} while (sim_next());
	return ALL;
}

/* The fewest deviations first, so that a failure is shown with as few as it needs. */
static enum ending explore_all(const struct sim_case *which, unsigned *bound)
{
	enum ending ending;

	sim_reduce(!options.plain, false);
	for (*bound = 0; (ending = explore_bound(which, *bound)) == ALL && *bound < bound_of(which); ++*bound)
		;
	return ending;
}

static enum ending explore_random(const struct sim_case *which)
{
	unsigned length = 100;

	sim_reduce(false, false);
	for (unsigned long i = 0; i < options.random; i++) {
		sim_random(options.seed + i, 3, length);
		if (!run_once(which))
			return BAD;
		if (over_limit())
			return CUT;
		length = sim_result.steps;
	}
	return ALL;
}

/* Is the reduction right? Both ways to explore must end in the same states; and a state must be what its fingerprint
 * says. */
static enum ending compare(const struct sim_case *which)
{
	struct sim_table ends[2] = {{0}};
	unsigned long long begun, runs[2];
	enum ending ending =
		explore_bound(which, 0); /* variables are then as runs of this case leave them, not of another */

	begun = totals.schedules;
	for (unsigned i = 0; i < 2 && ending == ALL; i++) {
		endings = &ends[i];
		sim_reduce(i, !i);
		ending = explore_bound(which, bound_of(which));
		runs[i] = totals.schedules - begun;
	}
	endings = NULL;
	if (ending == ALL) {
		printf("  %s: %llu runs, %llu reduced, end in %zu states, %zu reduced\n", which->name, runs[0],
		       runs[1] - runs[0], ends[0].used, ends[1].used);
		if (ends[0].used != ends[1].used) {
			printf("FAILED %s: the reduction is wrong: runs are missing\n", which->name);
			totals.failures++;
			ending = BAD;
		}
	}
	sim_table_clear(&ends[0]);
	sim_table_clear(&ends[1]);
	sim_reduce(false, false);
	return ending;
}

/* ---- a case ---- */

void explore_case(const struct sim_case *which)
{
	unsigned long long before = totals.schedules;
	double begun = seconds_now();
	unsigned bound = bound_of(which);
	char reached[32] = "at random";
	enum ending ending;

	limit_case();
	if (options.random)
		ending = explore_random(which);
	else if (options.verify)
		ending = compare(which);
	else
		ending = explore_all(which, &bound);
	if (!options.random)
		snprintf(reached, sizeof(reached), "%s %u", ending == CUT ? "part of bound" : "all of bound", bound);
	totals.cut += ending == CUT;
	printf("%s %-24s %9llu schedules, %s, %.1f s  (%s)\n", ending == BAD ? "FAILED" : "ok    ", which->name,
	       totals.schedules - before, reached, seconds_now() - begun, which->rules);
	fflush(stdout);
}

/* ---- the explorer itself: planted bugs (broken.c) ---- */

static bool fails(const struct sim_case *which)
{
	sim_reduce(true, false);
	for (unsigned bound = 0; bound <= 2; bound++) {
		sim_explore(bound);
		do {
			totals.schedules++;
			if (sim_run(which) == SIM_BAD)
				return true;
		} while (sim_next());
	}
	return false;
}

/* It is found, it is called what it is, and its schedule shows it again. */
void find_planted(const struct sim_case *which)
{
	static char schedule[60000], failure[sizeof(sim_result.failure)];
	const char *verdict = "found, and again by its schedule";

	watch_for_hang();
	if (!fails(which)) {
		verdict = "NOT found";
	} else {
		sim_schedule(schedule, sizeof(schedule));
		memcpy(failure, sim_result.failure, sizeof(failure));
		if (!strstr(failure, which->rules))
			verdict = "found, but taken for something else";
		else if (!sim_replay(schedule) || sim_run(which) != SIM_BAD || strcmp(failure, sim_result.failure))
			verdict = "found, but its schedule does not show it again";
	}
	totals.failures += strcmp(verdict, "found, and again by its schedule") != 0;
	printf("%-16s %s: %.*s\n", which->name, verdict, (int)strcspn(failure, "\n"), failure);
	printf("  replay: explore --replay %s@%s\n", which->name, schedule);
}
