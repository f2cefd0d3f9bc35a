/* SPDX-License-Identifier: MIT */
/*
 * Threads as contexts, and which of them goes on.
 *
 * A thread runs until a scheduling point; there the next one is chosen among
 * those that can go on. Time is virtual: it stands still while anything can run,
 * and then passes to the next deadline. A run ends when its actors have ended
 * and nothing can go on any more: with calls in progress that is a failure.
 */
#include <stdarg.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "sim.h"

#include "core.h"

#define MOST_STEPS 50000
#define MOST_DELAYS 600 /* how often time may pass in a run */
#define START_NS 1000000000u

struct sim_thread sim_threads[SIM_THREADS];
struct sim_thread *sim_current;
unsigned sim_thread_count;
const struct sim_case *sim_case;
struct sim_result sim_result;
bool sim_verbose;

static jmp_buf base; /* where a run began */
static uint64_t now_ns;
static bool workers_start;
static unsigned delays, reports, events[ASYNC_TRACE_TYPES];
static char last_report[2048];

static const char *const roles[] = {"main", "actor", "worker", "monitor"};

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

_Noreturn void sim_fail(const char *format, ...)
{
	va_list args;
	size_t used = 0;

	if (sim_current)
		used = (size_t)snprintf(sim_result.failure, sizeof(sim_result.failure),
					"%s %u: ", roles[sim_current->role], sim_current->index);
	va_start(args, format);
	vsnprintf(sim_result.failure + used, sizeof(sim_result.failure) - used, format, args);
	va_end(args);
	sim_current = NULL;
	_longjmp(base, 1);
}

/* ---- clocks ---- */

void sim_tick(struct sim_clock *clock)
{
	clock->at[sim_current->index]++;
}

void sim_join_clock(struct sim_clock *to, const struct sim_clock *from)
{
	for (unsigned i = 0; i < SIM_THREADS; i++)
		if (to->at[i] < from->at[i])
			to->at[i] = from->at[i];
}

/* ---- contexts ---- */

static _Noreturn void thread_end(void)
{
	if (sim_current->self) {
		sim_delete(sim_current->self);
		sim_current->self = NULL;
	}
	sim_block(SIM_ENDED, NULL, 0, NULL);
	__builtin_unreachable();
}

static void entry(void)
{
	sim_current->func();
	thread_end();
}

static char *stack_of(unsigned index)
{
	static char *stacks;

	if (!stacks) {
		stacks = mmap(NULL, (size_t)SIM_THREADS * SIM_STACK_BYTES, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (stacks == MAP_FAILED)
			abort();
		for (unsigned i = 0; i < SIM_THREADS; i++)
			mprotect(stacks + (size_t)i * SIM_STACK_BYTES, 4096, PROT_NONE);
	}
	return stacks + (size_t)index * SIM_STACK_BYTES;
}

static _Noreturn void enter(struct sim_thread *thread)
{
	ucontext_t context;

	if (thread->started)
		_longjmp(thread->context, 1);
	thread->started = true;
	getcontext(&context);
	context.uc_stack.ss_sp = stack_of(thread->index);
	context.uc_stack.ss_size = SIM_STACK_BYTES;
	context.uc_link = NULL;
	makecontext(&context, entry, 0);
	setcontext(&context);
	abort();
}

static void switch_to(struct sim_thread *thread)
{
	struct sim_thread *from = sim_current;

	if (thread == from)
		return;
	sim_current = thread;
	if (from && _setjmp(from->context))
		return;
	enter(thread);
}

static struct sim_thread *thread_new(enum sim_role role, void (*func)(void))
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
		thread->clock = sim_current->clock;
		sim_tick(&sim_current->clock);
	}
	thread->clock.at[thread->index]++;
	return thread;
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
	return sim_case->flags & (thread->role == SIM_ACTOR ? SIM_EARLY : SIM_EARLY_POOL);
}

static uint32_t mask_of(bool (*is)(const struct sim_thread *thread))
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < sim_thread_count; i++)
		mask |= (uint32_t)is(&sim_threads[i]) << i;
	return mask;
}

static void describe(char *text, size_t bytes)
{
	static const char *const states[] = {"runs", "in a lock", "parked", "in a gate", "waits for the others",
					     "ended"};
	size_t used = 0;

	for (unsigned i = 0; i < sim_thread_count && used < bytes; i++) {
		const struct sim_thread *thread = &sim_threads[i];
		int length = snprintf(text + used, bytes - used, "\n  %s %u %s at %s:%u", roles[thread->role], i,
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
	if (next_ns > now_ns)
		now_ns = next_ns;
	sim_say("    time passes: %llu ns", (unsigned long long)(now_ns - START_NS));
	return true;
}

static void note_late(void)
{
	for (unsigned i = 0; i < sim_thread_count; i++)
		if (sim_threads[i].wait == SIM_PARKED && sim_threads[i].deadline_ns &&
		    sim_threads[i].deadline_ns <= now_ns)
			sim_threads[i].late = true;
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
	return rob.queue.pending || rob.threads || rob.waiters || rob.pool.waking || rob.blocks[0] || rob.blocks[1];
}

/* Nothing can go on. Main does at the end of all; else time passes; else it is a deadlock. */
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

static uint32_t enabled_now(void)
{
	uint32_t mask;

	note_late();
	while (!(mask = mask_of(enabled))) {
		stand_still();
		note_late();
	}
	return mask;
}

/* Chooses who goes on. The current thread, if it does, returns from here at once. */
static void reschedule(void)
{
	uint32_t can = enabled_now(), early = mask_of(may_be_early) & ~can;
	unsigned first = sim_current->index;
	bool free = !(can >> first & 1);
	unsigned next = sim_choose_thread(first, can, early, free);
	struct sim_thread *thread = &sim_threads[next];

	if (early >> next & 1) {
		if (thread->deadline_ns > now_ns)
			now_ns = thread->deadline_ns;
		thread->late = true;
		sim_say("    its deadline passes early");
	}
	if (thread != sim_current && sim_current->site)
		sim_current->site->switched++;
	switch_to(thread);
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
	sim_say("%s %u: %s at %s:%u", roles[sim_current->role], sim_current->index, site->operation, site->file,
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

/* ---- a run ---- */

static void main_thread(void)
{
	if (!(sim_case->flags & SIM_COLD))
		rob_start();
	if (sim_case->begin)
		sim_case->begin();
	for (unsigned i = 0; i < 4; i++)
		if (sim_case->actor[i])
			thread_new(SIM_ACTOR, sim_case->actor[i])->number = i;
	sim_block(SIM_JOINS, NULL, 0, NULL);
	for (unsigned i = 1; i < sim_thread_count; i++)
		sim_join_clock(&sim_current->clock, &sim_threads[i].clock);
	if (sim_case->end)
		sim_case->end();
	sim_on_quiet();
	sim_current = NULL;
	_longjmp(base, 2);
}

static void reset(const struct sim_case *which)
{
	sim_case = which;
	sim_current = NULL;
	sim_thread_count = 0;
	sim_result.steps = 0;
	sim_result.failure[0] = '\0';
	now_ns = START_NS;
	workers_start = !(which->flags & SIM_NO_WORKERS);
	delays = reports = 0;
	last_report[0] = '\0';
	(memset)(events, 0, sizeof(events));
	(memset)(&rob, 0, sizeof(rob));
	sim_memory_reset();
	sim_atomics_reset();
	sim_choices_begin();
}

bool sim_run(const struct sim_case *which)
{
	int how = _setjmp(base);

	if (how)
		return how == 2;
	reset(which);
	switch_to(thread_new(SIM_MAIN, main_thread));
	return false;
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
	now_ns += ns;
}

uint64_t sim_elapsed_ns(void)
{
	return now_ns - START_NS;
}

unsigned sim_actor(void)
{
	return sim_current->role == SIM_ACTOR ? sim_current->number : -1u;
}

unsigned sim_wakes(unsigned actor)
{
	for (unsigned i = 0; i < sim_thread_count; i++)
		if (sim_threads[i].role == SIM_ACTOR && sim_threads[i].number == actor)
			return sim_threads[i].wakes;
	return 0;
}

unsigned sim_reports(void)
{
	return reports;
}

const char *sim_last_report(void)
{
	return last_report;
}

unsigned sim_events(enum async_trace_type type)
{
	return events[type];
}

void sim_let_workers_start(bool can)
{
	workers_start = can;
}

void sim_kill_others(void)
{
	for (unsigned i = 0; i < sim_thread_count; i++) {
		if (&sim_threads[i] != sim_current && sim_threads[i].role != SIM_MAIN) {
			sim_threads[i].wait = SIM_ENDED;
			sim_join_clock(&sim_current->clock, &sim_threads[i].clock); /* the child has a copy of all */
		}
	}
}

/* ---- what the core needs of its port ---- */

uint64_t port_clock_ns(void)
{
	return now_ns;
}

struct rob_thread *port_self(void)
{
	return sim_current->self;
}

int port_thread_id(void)
{
	return (int)sim_current->index + 1;
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

void port_start(struct port_config *config)
{
	config->threads = sim_case->threads == UINT32_MAX ? 0 : sim_case->threads ? sim_case->threads : 3;
	config->pending = sim_case->pending == UINT32_MAX ? 0 : sim_case->pending ? sim_case->pending : 100;
	config->stack_bytes = 0;
	config->watchdog_s = 0;
}

unsigned port_cpus(void)
{
	return sim_case->cpus ? sim_case->cpus : 1;
}

static void worker_main(void)
{
	rob_worker_main(sim_current->worker);
}

int sim_thread_start(struct rob_worker *worker, struct sim_site *site)
{
	struct sim_thread *thread;

	sim_point(site);
	if (worker ? !workers_start : sim_case->flags & SIM_NO_MONITOR)
		return -EAGAIN;
	if (!worker && !(sim_case->flags & SIM_MONITOR))
		return 0;
	if (worker && (sim_case->flags & SIM_WORKERS_FAIL) && sim_choose(2, 2)) {
		sim_say("    no thread can be started");
		return -EAGAIN;
	}
	thread = thread_new(worker ? SIM_WORKER : SIM_MONITOR_ROLE, worker ? worker_main : rob_monitor_main);
	thread->worker = worker;
	return 0;
}

_Noreturn void port_thread_exit(void)
{
	thread_end();
}

bool port_thread_sleeps(int thread_id)
{
	const struct sim_thread *thread = &sim_threads[thread_id - 1];

	return thread->wait == SIM_PARKED || thread->wait == SIM_IN_GATE || thread->wait == SIM_IN_LOCK;
}
