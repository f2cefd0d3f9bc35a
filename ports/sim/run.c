/* SPDX-License-Identifier: MIT */
/* One run of a case, from a fresh state to its end or to the first failure. */
#include <stdarg.h>

#include "sim.h"

#include "core.h"

const struct sim_case *sim_case;
struct sim_result sim_result;
bool sim_verbose;

static jmp_buf base; /* where a run began */

void sim_say(const char *format, ...)
{
	va_list args;

	if (!sim_verbose)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

_Noreturn void sim_end_run(enum sim_end how)
{
	sim_current = NULL;
	_longjmp(base, 1 + (int)how);
}

_Noreturn void sim_fail(const char *format, ...)
{
	va_list args;
	size_t used = 0;

	if (sim_current)
		used = (size_t)snprintf(sim_result.failure, sizeof(sim_result.failure),
					"%s %u: ", sim_roles[sim_current->role], sim_current->index);
	va_start(args, format);
	vsnprintf(sim_result.failure + used, sizeof(sim_result.failure) - used, format, args);
	va_end(args);
	sim_end_run(SIM_BAD);
}

static void main_thread(void)
{
	if (!(sim_case->flags & SIM_COLD))
		rob_start();
	if (sim_case->begin)
		sim_case->begin();
	for (unsigned i = 0; i < 4; i++)
		if (sim_case->actor[i])
			sim_thread_new(SIM_ACTOR, sim_case->actor[i])->number = i;
	sim_block(SIM_JOINS, NULL, 0, NULL);
	for (unsigned i = 1; i < sim_thread_count; i++)
		sim_join_clock(&sim_current->clock, &sim_threads[i].clock);
	sim_result.state = sim_state();
	if (sim_case->end)
		sim_case->end();
	sim_on_quiet();
	sim_end_run(SIM_GOOD);
}

static void reset(const struct sim_case *which)
{
	sim_case = which;
	sim_result.run++;
	sim_result.steps = 0;
	sim_result.state = 0;
	sim_result.failure[0] = '\0';
	(memset)(&rob, 0, sizeof(rob));
	sim_threads_reset();
	sim_port_reset();
	sim_memory_reset();
	sim_arena_reset();
	sim_atomics_reset();
	sim_choices_begin();
}

enum sim_end sim_run(const struct sim_case *which)
{
	int how = _setjmp(base);

	if (how)
		return (enum sim_end)(how - 1);
	reset(which);
	sim_switch_to(sim_thread_new(SIM_MAIN, main_thread));
	return SIM_BAD; /* not reached: runs end by sim_end_run() */
}
