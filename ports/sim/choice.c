/* SPDX-License-Identifier: MIT */
/*
 * Choices: all of them within a bound on deviations, random ones, or those of a
 * recorded schedule.
 *
 * Exploration is depth first over the choices of a run; the next run repeats the
 * choices up to the last one that can still go another way. The reduction is one
 * by known states (state.c). Those that leave out steps, as another order of them
 * will do, are unsound as they stand: the other order may need more preemptions
 * than the bound allows (Coons, Musuvathi, McKinley 2013).
 *
 * Random schedules are those of PCT (Burckhardt and others 2010): threads have
 * random priorities, the highest enabled one goes on, and at a few random steps
 * the running thread falls below all others.
 */
#include "sim.h"

#define CHOICES 20000
#define CHANGES 8

struct choice {
	uint8_t chosen, count;
	uint16_t spent; /* deviations before it */
	uint32_t cost;  /* which options are one */
};

static struct {
	enum sim_mode mode;
	bool reduced, verified;
	struct choice path[CHOICES];
	unsigned depth, fixed; /* choices made; of those, repeated from the run before */
	unsigned spent, bound;
	uint64_t seed, state;
	unsigned change[CHANGES], changes, length, threads_chosen, lowest;
	unsigned priority[SIM_THREADS];
	uint8_t replay[CHOICES];
} choices;

/* xorshift64* */
static uint64_t draw(void)
{
	choices.state ^= choices.state >> 12;
	choices.state ^= choices.state << 25;
	choices.state ^= choices.state >> 27;
	return choices.state * 2685821657736338717u;
}

void sim_explore(unsigned bound)
{
	choices.mode = SIM_DFS;
	choices.bound = bound;
	choices.fixed = 0;
}

void sim_random(uint64_t seed, unsigned changes, unsigned length)
{
	choices.mode = SIM_RANDOM;
	choices.seed = seed;
	choices.changes = changes < CHANGES ? changes : CHANGES;
	choices.length = length ? length : 1;
}

void sim_reduce(bool yes, bool verify)
{
	choices.reduced = yes;
	choices.verified = verify;
	sim_state_forget();
	sim_verify_forget();
}

bool sim_replay(const char *line)
{
	choices.mode = SIM_REPLAY;
	memset(choices.replay, 0, sizeof(choices.replay));
	while (*line && *line != '-') {
		char *end;
		unsigned long at = strtoul(line, &end, 10), option;

		if (end == line || *end != ':' || at >= CHOICES)
			return false;
		line = end + 1;
		option = strtoul(line, &end, 10);
		if (end == line || option > 31 || (*end && *end != ','))
			return false;
		choices.replay[at] = (uint8_t)option;
		line = *end ? end + 1 : end;
	}
	return true;
}

static void random_begin(void)
{
	choices.state = choices.seed * 0x9e3779b97f4a7c15u + 1;
	for (unsigned i = 0; i < 8; i++)
		draw();
	for (unsigned i = 0; i < SIM_THREADS; i++)
		choices.priority[i] = (unsigned)(draw() >> 40) + CHANGES + 1;
	for (unsigned i = 0; i < choices.changes; i++)
		choices.change[i] = (unsigned)(draw() % choices.length);
	choices.lowest = CHANGES;
}

void sim_choices_begin(void)
{
	choices.depth = choices.spent = choices.threads_chosen = 0;
	if (choices.mode == SIM_RANDOM)
		random_begin();
}

/* Records option as the choice at this depth. */
static unsigned record(unsigned count, uint32_t cost, unsigned option)
{
	struct choice *choice = &choices.path[choices.depth++];

	*choice = (struct choice){(uint8_t)option, (uint8_t)count, (uint16_t)choices.spent, cost};
	choices.spent += cost >> option & 1;
	return option;
}

static unsigned repeat(unsigned count, uint32_t cost)
{
	struct choice *choice = &choices.path[choices.depth];

	if (choice->count != count || choice->cost != cost)
		sim_fail("the simulator is not deterministic: choice %u had %u options, has %u", choices.depth,
			 choice->count, count);
	choices.depth++;
	choices.spent += cost >> choice->chosen & 1;
	return choice->chosen;
}

static void check_depth(void)
{
	if (choices.depth >= CHOICES)
		sim_fail("more than %d choices: the run does not end", CHOICES);
}

static unsigned choose(unsigned count, uint32_t cost)
{
	check_depth();
	switch (choices.mode) {
	case SIM_DFS:
		return choices.depth < choices.fixed ? repeat(count, cost) : record(count, cost, 0);
	case SIM_REPLAY:
		if (choices.replay[choices.depth] >= count)
			sim_fail("the schedule is not one of this case: choice %u has %u options", choices.depth,
				 count);
		return record(count, cost, choices.replay[choices.depth]);
	default:
		return record(count, cost, draw() % 8 ? 0 : (unsigned)(draw() % count));
	}
}

unsigned sim_choose(unsigned count, uint32_t cost)
{
	unsigned option = choose(count, cost);

	sim_learn(option);
	return option;
}

unsigned sim_choose_store(unsigned count)
{
	return count > 1 ? choose(count, (1u << count) - 2) : 0;
}

/* By priority. An early deadline is rare. */
static unsigned random_thread(const unsigned *option, unsigned count, unsigned enabled, unsigned first)
{
	unsigned best = 0;

	for (unsigned i = 0; i < choices.changes; i++)
		if (choices.change[i] == choices.threads_chosen && first < SIM_THREADS)
			choices.priority[first] = choices.lowest--;
	choices.threads_chosen++;
	if (count > enabled && (!enabled || !(draw() % 16)))
		return enabled + (unsigned)(draw() % (count - enabled));
	for (unsigned i = 1; i < enabled; i++)
		if (choices.priority[option[i]] > choices.priority[option[best]])
			best = i;
	return best;
}

/* The thread that an option is: the first one, the others that can go on, those whose deadline passes early. */
static unsigned thread_of(unsigned option, unsigned first, uint32_t enabled, uint32_t early)
{
	if (enabled >> first & 1) {
		if (!option--)
			return first;
		enabled &= ~(1u << first);
	}
	for (; enabled; enabled &= enabled - 1)
		if (!option--)
			return (unsigned)__builtin_ctz(enabled);
	for (; option; option--)
		early &= early - 1;
	return (unsigned)__builtin_ctz(early);
}

static unsigned at_random(unsigned first, uint32_t enabled, uint32_t early, uint32_t cost)
{
	unsigned option[SIM_THREADS], settled = (unsigned)__builtin_popcount(enabled);
	unsigned count = settled + (unsigned)__builtin_popcount(early);

	for (unsigned i = 0; i < count; i++)
		option[i] = thread_of(i, first, enabled, early);
	return option[record(count, cost, random_thread(option, count, settled, first))];
}

unsigned sim_choose_thread(unsigned first, uint32_t enabled, uint32_t early)
{
	unsigned settled = (unsigned)__builtin_popcount(enabled), count = settled + (unsigned)__builtin_popcount(early);
	bool free_choice = !(enabled >> first & 1);
	uint32_t cost = free_choice ? 0 : (1u << settled) - 2;

	if (count == 1)
		return thread_of(0, first, enabled, early);
	cost |= ((1u << count) - 1) & ~((1u << settled) - 1);
	if (choices.mode == SIM_RANDOM) {
		check_depth();
		return at_random(first, enabled, early, cost);
	}
	if (choices.verified)
		sim_state_verify();
	if (choices.reduced && choices.mode == SIM_DFS && choices.depth >= choices.fixed &&
	    sim_state_known(free_choice, choices.bound - choices.spent))
		sim_end_run(SIM_KNOWN);
	return thread_of(choose(count, cost), first, enabled, early);
}

bool sim_next(void)
{
	while (choices.depth) {
		struct choice *choice = &choices.path[choices.depth - 1];

		while (++choice->chosen < choice->count) {
			if (choice->spent + (choice->cost >> choice->chosen & 1) <= choices.bound) {
				choices.fixed = choices.depth;
				return true;
			}
		}
		choices.depth--;
	}
	return false;
}

void sim_schedule(char *text, size_t bytes)
{
	size_t used = 0;

	snprintf(text, bytes, "-");
	for (unsigned i = 0; i < choices.depth && used < bytes; i++) {
		int length;

		if (!choices.path[i].chosen)
			continue;
		length = snprintf(text + used, bytes - used, "%s%u:%u", used ? "," : "", i, choices.path[i].chosen);
		used += length > 0 ? (size_t)length : 0;
	}
}
