/* SPDX-License-Identifier: MIT */
/*
 * The scheduler of the simulating port, as the explorer sees it.
 *
 * A run executes one case from a fresh state. Whatever could go this way or
 * that is a choice: which thread goes on, which store a load returns, whether
 * an allocation fails, whether a deadline passes early. Option 0 is the dull
 * one (the same thread goes on, the newest store, success, in time); any other
 * is a deviation and costs one, unless the thread that ran cannot go on: then
 * the next thread is chosen freely. So the bound on deviations is a bound on
 * preemptions (and on those other surprises), and a schedule is the list of its
 * deviations and free choices.
 *
 * Schedules that only swap steps which do not touch the same thing end in the
 * same state; of those, one is run to its end (state.c).
 */
#ifndef SIM_H
#define SIM_H

#include <setjmp.h>

#include "port.h"

#define SIM_THREADS 12
#define SIM_STACK_BYTES (64 * 1024)

/* ---- what a case says about itself ---- */

enum sim_flags {
	SIM_MONITOR = 1,      /* the pool's monitor runs; else it is as slow as can be: it is started and never runs */
	SIM_NO_MONITOR = 512, /* it cannot be started */
	SIM_NO_WORKERS = 2,   /* no worker can be started */
	SIM_WORKERS_FAIL = 4, /* starting a worker may fail, a choice */
	SIM_ALLOC_FAILS = 8,  /* an allocation may fail, a choice */
	SIM_NO_MEMORY = 16,   /* none succeeds */
	SIM_EARLY = 32,       /* deadlines of waits may pass early, a choice */
	SIM_EARLY_POOL = 64,  /* so may those of workers and the monitor */
	SIM_EARLY_MONITOR = 4096, /* those of the monitor */
	SIM_COLD = 128,           /* the library's first call is part of the case */
	SIM_TRACES = 256,         /* the trace is on */
	SIM_SPINS = 1024,         /* calls that wait for their turn spin for it */
	SIM_WATCHDOG = 2048,      /* calls that run for more than a second are reported */
	SIM_SHALLOW = 8192,       /* stacks have room for one call */
};

struct sim_case {
	const char *name;
	const char *rules;      /* clauses of the contract, rows of the conformance list */
	void (*begin)(void);    /* alone */
	void (*actor[4])(void); /* beside each other */
	void (*end)(void);      /* alone, when nothing is left to do */
	unsigned cpus, threads; /* 0: 1 and 3 */
	unsigned pending;       /* 0: 100 */
	unsigned cold;          /* workers that are started at once at first */
	unsigned help_from;     /* so many workers a processor help before they are replaced; 0: none */
	unsigned flags;
	unsigned bound, bound_long; /* deviations; 0: 2 and 3 */
};

/* ---- runs (run.c) ---- */

enum sim_end { SIM_BAD, SIM_GOOD, SIM_KNOWN }; /* known: it came to a state from which all was run before */

enum sim_end sim_run(const struct sim_case *which);
extern struct sim_result {
	char failure[2048];
	unsigned run, steps;
	uint64_t state; /* in which it ended, of a good one */
} sim_result;
extern bool sim_verbose; /* print every step */

/* ---- choices (choice.c) ---- */

enum sim_mode { SIM_DFS, SIM_RANDOM, SIM_REPLAY };

void sim_explore(unsigned bound); /* begins with the schedule without deviations */
bool sim_next(void);              /* to the next schedule; false: all were run */
void sim_random(uint64_t seed, unsigned changes, unsigned length);
bool sim_replay(const char *line); /* "4:1,17:2" */
void sim_schedule(char *text, size_t bytes);
/* From here on: whether runs end in known states; whether it is checked that those are what they seem (state.c). */
void sim_reduce(bool yes, bool verify);
void sim_choices_begin(void);
/* Chooses one of count options; bit i of cost: option i is a deviation. The thread learns which it was. */
unsigned sim_choose(unsigned count, uint32_t cost);
unsigned sim_choose_store(unsigned count); /* how far back; the thread learns which store it gets, not how */
/* Chooses a thread among those in mask; first is the dull choice. */
unsigned sim_choose_thread(unsigned first, uint32_t enabled, uint32_t early);

/* ---- tables (state.c): a number for each key, which is not 0 ---- */

struct sim_table {
	struct sim_entry {
		uint64_t key, value;
	} * entries;
	size_t size, used;
};

/* The number of this key, 0 for a new one. Until the next use of the table. */
uint64_t *sim_table_at(struct sim_table *table, uint64_t key);
void sim_table_clear(struct sim_table *table);

/* ---- inside a run ---- */

_Noreturn __attribute__((format(printf, 1, 2))) void sim_fail(const char *format, ...);
#define sim_check(condition) \
	((condition) ? (void)0 : sim_fail("%s:%d: %s does not hold", __FILE__, __LINE__, #condition))

/* Blocks as a system call would, until the gate is opened. Orders nothing. */
struct sim_gate {
	unsigned opened;
};
void sim_gate_wait(struct sim_gate *gate, struct sim_site *site);
void sim_gate_open(struct sim_gate *gate, struct sim_site *site);
#define gate_wait(gate) sim_gate_wait(gate, SIM_SITE("gate_wait"))
#define gate_open(gate) sim_gate_open(gate, SIM_SITE("gate_open"))
#define work() sim_point(SIM_SITE("work"))

/* The processor is used for so long. */
void sim_spend(uint64_t ns);
uint64_t sim_elapsed_ns(void);      /* since the run began */
unsigned sim_actor(void);           /* which actor this is; -1u on other threads */
unsigned sim_wakes(unsigned actor); /* how often it was unparked in this run */
unsigned sim_reports(void);         /* lines written to standard error */
const char *sim_last_report(void);
unsigned sim_events(enum async_trace_type type);
void sim_let_workers_start(bool can); /* from here on */
void sim_kill_others(void);           /* what fork() does to the child's other threads */

/*
 * What a thread learns of the simulated world, other than by the operations of the port, it notes: the state of a
 * run is known by what its threads have learned (state.c).
 */
void sim_learn(uint64_t value);
/* For what threads change in an order that matters: the order counts as learned. */
struct sim_order_of {
	uint64_t version;
	unsigned run;
};
void sim_in_turn(struct sim_order_of *what);

/* Called at the release of each lock, and when nothing is left to do: the explorer's own checks. */
void sim_on_unlock(struct port_lock *lock);
void sim_on_quiet(void);
/* Calls used(memory, bytes, context) for every block that is allocated. */
void sim_each_block(void (*used)(void *memory, size_t bytes, void *context), void *context);

extern struct sim_site __start_sim_sites[], __stop_sim_sites[];

/* ---- inside the simulator ---- */

enum sim_wait { SIM_RUNS, SIM_IN_LOCK, SIM_PARKED, SIM_IN_GATE, SIM_JOINS, SIM_ENDED };
enum sim_role { SIM_MAIN, SIM_ACTOR, SIM_WORKER, SIM_MONITOR_ROLE };

struct sim_clock {
	uint32_t at[SIM_THREADS];
};

struct sim_thread {
	unsigned index;
	enum sim_role role;
	enum sim_wait wait;
	void *on; /* what it waits for */
	uint64_t deadline_ns;
	bool late; /* its deadline has passed */
	bool started;
	struct rob_thread *self;
	struct rob_worker *worker;
	void (*func)(void);
	struct sim_clock clock;
	struct sim_site *site;  /* where it is */
	uint64_t learned;       /* a fingerprint of all that it did and learned */
	unsigned wakes, number; /* actors: which */
	jmp_buf context;
};

extern struct sim_thread sim_threads[SIM_THREADS];
extern struct sim_thread *sim_current; /* NULL outside a run */
extern unsigned sim_thread_count;
extern const struct sim_case *sim_case;
extern uint64_t sim_now_ns;
extern const char *const sim_roles[];

/* context.c: stacks */
void sim_switch_to(struct sim_thread *thread);
extern char *sim_stacks; /* of all threads, one behind the other */

/* thread.c */
_Noreturn void sim_thread_end(void);
void sim_threads_reset(void);
struct sim_thread *sim_thread_new(enum sim_role role, void (*func)(void));
void sim_block(enum sim_wait wait, void *on, uint64_t deadline_ns, struct sim_site *site);

/* run.c */
#define SIM_START_NS 1000000000u
_Noreturn void sim_end_run(enum sim_end how);
__attribute__((format(printf, 1, 2))) void sim_say(const char *format, ...);

/* port.c */
void sim_port_reset(void);
uint64_t sim_port_state(void);

/* clocks */
static inline void sim_tick(struct sim_clock *clock)
{
	clock->at[sim_current->index]++;
}

static inline void sim_join_clock(struct sim_clock *to, const struct sim_clock *from)
{
	for (unsigned i = 0; i < SIM_THREADS; i++)
		if (to->at[i] < from->at[i])
			to->at[i] = from->at[i];
}

/* state.c */
static inline uint64_t sim_mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93u;
	return hash ^ hash >> 29;
}

uint64_t sim_state(void);
/* Whether all that can follow from here, with so many deviations left, was run before or is about to be. */
bool sim_state_known(bool free_choice, unsigned left);
void sim_state_forget(void); /* nothing is known any more */
void sim_state_verify(void);
void sim_verify_forget(void);

/* arena.c, memory.c */
void sim_memory_reset(void);
void sim_access(const void *address, size_t bytes, bool write);
void *sim_new(size_t bytes);
void sim_delete(void *memory);
void sim_arena_reset(void);
/* Fails unless all of it is allocated; memory of others is no matter of the allocator's. */
void sim_arena_check(uintptr_t address, size_t bytes, void *place);
void sim_shadow_forget(const void *memory, size_t bytes);
uint64_t sim_arena_state(void);
uint64_t sim_mix_words(uint64_t hash, const void *memory, size_t bytes);
#define SIM_ARENA_BYTES (128u * 1024) /* of each thread */
extern char sim_arenas[SIM_THREADS][SIM_ARENA_BYTES];

/* atomic.c */
void sim_atomics_reset(void);
bool sim_atomics_forget(const void *address, bool write);
void sim_memory_atomic(const void *address);

#endif
