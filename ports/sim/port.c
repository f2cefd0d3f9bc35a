/* SPDX-License-Identifier: MIT */
/* What the core needs of its port, and what cases ask and do beside it. */
#include <stdarg.h>

#include "sim.h"

#include "core.h"

#define SPIN_NS 1000u
#define RELAX_NS 400u

static bool workers_start;
static unsigned reports, events[ASYNC_TRACE_TYPES];
static char last_report[2048];

void sim_port_reset(void)
{
	workers_start = !(sim_case->flags & SIM_NO_WORKERS);
	reports = 0;
	last_report[0] = '\0';
	(memset)(events, 0, sizeof(events));
}

/* What is kept here and changes what can follow. */
uint64_t sim_port_state(void)
{
	return workers_start;
}

bool port_stack_low(void)
{
	return (sim_case->flags & SIM_SHALLOW) && port_self()->top;
}

/* ---- for cases ---- */

void sim_gate_wait(struct sim_gate *gate, struct sim_site *site)
{
	sim_point(site);
	if (!gate->opened)
		sim_block(SIM_IN_GATE, gate, 0, site);
}

void sim_gate_open(struct sim_gate *gate, struct sim_site *site)
{
	sim_point(site);
	gate->opened = 1;
}

void sim_spend(uint64_t ns)
{
	sim_now_ns += ns;
}

uint64_t sim_elapsed_ns(void)
{
	sim_learn(sim_now_ns);
	return sim_now_ns - SIM_START_NS;
}

unsigned sim_actor(void)
{
	return sim_current->role == SIM_ACTOR ? sim_current->number : -1u;
}

unsigned sim_wakes(unsigned actor)
{
	unsigned wakes = 0;

	for (unsigned i = 0; i < sim_thread_count; i++)
		if (sim_threads[i].role == SIM_ACTOR && sim_threads[i].number == actor)
			wakes = sim_threads[i].wakes;
	sim_learn(wakes);
	return wakes;
}

unsigned sim_reports(void)
{
	sim_learn(reports);
	return reports;
}

const char *sim_last_report(void)
{
	return last_report;
}

unsigned sim_events(enum async_trace_type type)
{
	sim_learn(events[type]);
	return events[type];
}

void sim_let_workers_start(bool can)
{
	workers_start = can;
}

/* The child has a copy of all. */
void sim_kill_others(void)
{
	for (unsigned i = 0; i < sim_thread_count; i++) {
		struct sim_thread *thread = &sim_threads[i];

		if (thread == sim_current || thread->role == SIM_MAIN)
			continue;
		sim_learn(thread->learned + thread->wait);
		thread->wait = SIM_ENDED;
		sim_join_clock(&sim_current->clock, &thread->clock);
	}
}

/* ---- clock, log, trace ---- */

uint64_t port_clock_ns(void)
{
	sim_learn(sim_now_ns);
	return sim_now_ns;
}

void port_log(int fd, const char *format, ...)
{
	va_list args;

	(void)fd;
	reports++;
	va_start(args, format);
	vsnprintf(last_report, sizeof(last_report), format, args);
	va_end(args);
	sim_say("    says: %s", last_report);
}

bool port_traces(void)
{
	return sim_case->flags & SIM_TRACES;
}

void sim_trace(const struct port_event *event, struct sim_site *site)
{
	sim_point(site);
	events[event->type]++;
}

void port_symbol(async_func_t func, char *text, size_t bytes)
{
	snprintf(text, bytes, "%p", (void *)(uintptr_t)func);
}

/* ---- configuration ---- */

static uint32_t setting(unsigned value, uint32_t otherwise)
{
	return value == UINT32_MAX ? 0 : value ? value : otherwise;
}

void port_start(struct port_config *config)
{
	config->threads = setting(sim_case->threads, 3);
	config->pending = setting(sim_case->pending, 100);
	config->cold = sim_case->cold;
	config->help_from = sim_case->help_from;
	config->watchdog_s = sim_case->flags & SIM_WATCHDOG ? 1 : 0;
}

unsigned port_cpus(void)
{
	return sim_case->cpus ? sim_case->cpus : 1;
}

/* ---- threads ---- */

struct rob_thread *port_self(void)
{
	return sim_current->self;
}

int port_thread_id(void)
{
	return (int)sim_current->index + 1;
}

uint64_t sim_spin_ns(void)
{
	return sim_case->flags & SIM_SPINS ? SPIN_NS : 0;
}

void sim_relax(void)
{
	if (sim_case->flags & SIM_SPINS)
		sim_now_ns += RELAX_NS;
}

static void worker_main(void)
{
	rob_worker_main(sim_current->worker);
}

int sim_thread_start(struct rob_worker *worker, struct sim_site *site)
{
	struct sim_thread *thread;

	sim_point(site);
	sim_learn(workers_start);
	if (worker ? !workers_start : sim_case->flags & SIM_NO_MONITOR)
		return -EAGAIN;
	if (!worker && !(sim_case->flags & SIM_MONITOR))
		return 0;
	if (worker && (sim_case->flags & SIM_WORKERS_FAIL) && sim_choose(2, 2)) {
		sim_say("    no thread can be started");
		return -EAGAIN;
	}
	thread = sim_thread_new(worker ? SIM_WORKER : SIM_MONITOR_ROLE, worker ? worker_main : rob_monitor_main);
	thread->worker = worker;
	return 0;
}

_Noreturn void port_thread_exit(void)
{
	sim_thread_end();
}

bool port_thread_sleeps(int thread_id)
{
	const struct sim_thread *thread = &sim_threads[thread_id - 1];
	bool sleeps = thread->wait == SIM_PARKED || thread->wait == SIM_IN_GATE || thread->wait == SIM_IN_LOCK;

	sim_learn(sleeps);
	return sleeps;
}
