/* SPDX-License-Identifier: MIT */
/*
 * Threads, and which of them goes on.
 *
 * A thread runs until a scheduling point; there the next one is chosen among
 * those that can go on. Time is virtual: it stands still while anything can run,
 * and then passes to the next deadline. Where nothing can go on and no deadline
 * is left, the main thread ends the run if nothing is left to do; else that is a
 * failure.
 */
#include "sim.h"

#include "core.h"

#define MOST_STEPS 50000
#define MOST_DELAYS 600 /* how often time may pass in a run */

struct sim_thread sim_threads[SIM_THREADS];
struct sim_thread *sim_current;
unsigned sim_thread_count;
uint64_t sim_now_ns;
const char *const sim_roles[] = {"main", "actor", "worker", "monitor"};

static unsigned delays;
static struct sim_order_of creations;

void sim_threads_reset(void)
{
	sim_current = NULL;
	sim_thread_count = 0;
	sim_now_ns = SIM_START_NS;
	delays = 0;
}

struct sim_thread *sim_thread_new(enum sim_role role, void (*func)(void))
{
	struct sim_thread *thread;

	if (sim_thread_count == SIM_THREADS)
		sim_fail("more than %d threads", SIM_THREADS);
	thread = &sim_threads[sim_thread_count];
	memset(thread, 0, sizeof(*thread));
	thread->index = sim_thread_count++;
	thread->role = role;
	thread->func = func;
	thread->self = sim_new(sizeof(struct rob_thread));
	if (sim_current) {
		sim_in_turn(&creations);
		thread->learned = sim_mix(sim_current->learned, thread->index);
		thread->clock = sim_current->clock;
		sim_tick(&sim_current->clock);
	}
	thread->clock.at[thread->index]++;
	return thread;
}

_Noreturn void sim_thread_end(void)
{
	if (sim_current->self) {
		sim_delete(sim_current->self);
		sim_current->self = NULL;
	}
	sim_block(SIM_ENDED, NULL, 0, NULL);
	__builtin_unreachable();
}

/* ---- who can go on ---- */

static bool enabled(const struct sim_thread *thread)
{
	switch (thread->wait) {
	case SIM_RUNS:
		return true;
	case SIM_IN_LOCK:
		return !((struct port_lock *)thread->on)->word.value;
	case SIM_PARKED:
		return thread->late || ((struct port_parker *)thread->on)->flags.value;
	case SIM_IN_GATE:
		return ((struct sim_gate *)thread->on)->opened;
	default:
		return false;
	}
}

static bool may_be_early(const struct sim_thread *thread)
{
	if (thread->wait != SIM_PARKED || !thread->deadline_ns || thread->late)
		return false;
	if (thread->role == SIM_MONITOR_ROLE && (sim_case->flags & SIM_EARLY_MONITOR))
		return true;
	return sim_case->flags & (thread->role == SIM_ACTOR ? SIM_EARLY : SIM_EARLY_POOL);
}

static uint32_t who_may_be_early(void)
{
	uint32_t mask = 0;

	if (!(sim_case->flags & (SIM_EARLY | SIM_EARLY_POOL | SIM_EARLY_MONITOR)))
		return 0;
	for (unsigned i = 0; i < sim_thread_count; i++)
		mask |= (uint32_t)may_be_early(&sim_threads[i]) << i;
	return mask;
}

static uint32_t who_is_enabled(void)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < sim_thread_count; i++) {
		struct sim_thread *thread = &sim_threads[i];

		if (thread->wait == SIM_PARKED && thread->deadline_ns && thread->deadline_ns <= sim_now_ns)
			thread->late = true;
		mask |= (uint32_t)enabled(thread) << i;
	}
	return mask;
}

/* ---- when nothing can go on ---- */

static void describe(char *text, size_t bytes)
{
	static const char *const states[] = {"runs", "in a lock", "parked", "in a gate", "waits for the others",
					     "ended"};
	size_t used = 0;

	for (unsigned i = 0; i < sim_thread_count && used < bytes; i++) {
		const struct sim_thread *thread = &sim_threads[i];
		int length = snprintf(text + used, bytes - used, "\n  %s %u %s at %s:%u", sim_roles[thread->role], i,
				      states[thread->wait], thread->site ? thread->site->file : "?",
				      thread->site ? thread->site->line : 0);

		used += length > 0 ? (size_t)length : 0;
	}
}

/* Lets time pass to the next deadline. False: there is none. */
static bool delay(void)
{
	uint64_t next_ns = UINT64_MAX;
	bool found = false;

	for (unsigned i = 0; i < sim_thread_count; i++) {
		struct sim_thread *thread = &sim_threads[i];

		if (thread->wait == SIM_PARKED && thread->deadline_ns && thread->deadline_ns < next_ns) {
			next_ns = thread->deadline_ns;
			found = true;
		}
	}
	if (!found || ++delays > MOST_DELAYS)
		return false;
	if (next_ns > sim_now_ns)
		sim_now_ns = next_ns;
	sim_say("    time passes: %llu ns", (unsigned long long)(sim_now_ns - SIM_START_NS));
	return true;
}

static bool actors_ended(void)
{
	for (unsigned i = 1; i < sim_thread_count; i++)
		if (sim_threads[i].role == SIM_ACTOR && sim_threads[i].wait != SIM_ENDED)
			return false;
	return true;
}

static bool work_left(void)
{
	return rob.queue.pending || rob.threads || rob.waiting || rob.pool.coming || rob.blocks[0] || rob.blocks[1];
}

/* Main goes on at the end of all; else time passes; else it is a deadlock. */
static void stand_still(void)
{
	char text[1500] = "";

	if (sim_threads[0].wait == SIM_JOINS && actors_ended() && !work_left()) {
		sim_threads[0].wait = SIM_RUNS;
		return;
	}
	if (delay())
		return;
	describe(text, sizeof(text));
	sim_current = NULL;
	sim_fail("deadlock, or a lost wake-up: nothing can go on, %llu pending%s",
		 (unsigned long long)rob.queue.pending, text);
}

/* ---- scheduling points ---- */

static void pass_early(struct sim_thread *thread)
{
	if (thread->deadline_ns > sim_now_ns)
		sim_now_ns = thread->deadline_ns;
	thread->late = true;
	sim_say("    its deadline passes early");
}

/* Chooses who goes on. The current thread, if it does, returns from here at once. */
static void reschedule(void)
{
	struct sim_thread *from = sim_current, *to;
	uint32_t can, early;
	unsigned next;

	while (!(can = who_is_enabled()))
		stand_still();
	early = who_may_be_early() & ~can;
	next = sim_choose_thread(from->index, can, early);
	to = &sim_threads[next];
	if (early >> next & 1)
		pass_early(to);
	if (to != from && from->site)
		from->site->switched++;
	sim_switch_to(to);
}

void sim_point(struct sim_site *site)
{
	if (!sim_current)
		return;
	site->reached++;
	sim_current->site = site;
	if (++sim_result.steps > MOST_STEPS)
		sim_fail("more than %d steps: the run does not end", MOST_STEPS);
	reschedule();
	sim_learn((uintptr_t)site);
	sim_say("%s %u: %s at %s:%u", sim_roles[sim_current->role], sim_current->index, site->operation, site->file,
		site->line);
}

/* Returns when the thread can go on, and was chosen. */
void sim_block(enum sim_wait wait, void *on, uint64_t deadline_ns, struct sim_site *site)
{
	sim_current->wait = wait;
	sim_current->on = on;
	sim_current->deadline_ns = deadline_ns;
	sim_current->late = false;
	sim_current->site = site;
	reschedule();
	sim_current->wait = SIM_RUNS;
	sim_current->on = NULL;
	sim_current->deadline_ns = 0;
}
