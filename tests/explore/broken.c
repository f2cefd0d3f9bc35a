/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs, one of each kind: the explorer must find them. Not bugs of the
 * core: these cases do what the core must not do. rules: what the failure says.
 */
#define CASE_BEGIN begin
#define CASE_END NULL
#include "explore.h"

static port_u32 *flag, *data;
static struct port_lock *locks;
static unsigned plain;
static char *memory;

static void begin(void)
{
	begin_domains();
	flag = sim_new(sizeof(*flag));
	data = sim_new(sizeof(*data));
	locks = sim_new(2 * sizeof(*locks));
	memory = sim_new(8);
	plain = 0;
}

static void count(void)
{
	plain++;
}

/* ---- orders ---- */

static void say(void)
{
	port_store_relaxed(data, 1);
	port_store_relaxed(flag, 1);
}

static void listen(void)
{
	if (port_load_relaxed(flag))
		sim_check(port_load_relaxed(data));
}

static void count_in_two_steps(void)
{
	port_store_relaxed(data, port_load_relaxed(data) + 1);
}

static void end_two(void)
{
	sim_check(port_load_relaxed(data) == 2);
}

/* ---- locks and wake-ups ---- */

static void both_locks(unsigned first)
{
	port_lock(&locks[first]);
	port_lock(&locks[!first]);
	port_unlock(&locks[!first]);
	port_unlock(&locks[first]);
}

static void first_lock_first(void)
{
	both_locks(0);
}

static void second_lock_first(void)
{
	both_locks(1);
}

static void lock_twice(void)
{
	port_lock(&locks[0]);
	port_lock(&locks[0]);
}

static struct rob_thread *sleeper;

/* Looks, then says that it sleeps, then does: who wakes sleepers in between wakes no thread. */
static void look_and_sleep(void)
{
	sleeper = port_self();
	if (!port_load_acquire(flag)) {
		port_store_release(data, 1);
		port_park(&port_self()->parker, 0);
	}
}

static void wake_who_sleeps(void)
{
	port_store_release(flag, 1);
	if (port_load_acquire(data))
		port_unpark(&sleeper->parker, 1);
}

/* ---- memory ---- */

static void free_and_say(void)
{
	sim_delete(memory);
	port_store_release(flag, 1);
}

static void hear_and_use(void)
{
	if (port_load_acquire(flag))
		memory[0] = 1;
}

static void free_twice(void)
{
	sim_delete(memory);
	sim_delete(memory);
}

static void beyond(void)
{
	memory[12] = 1;
}

static void lose_memory(void)
{
	void *volatile lost = port_alloc(24);

	lost = NULL;
	(void)lost;
}

static void write_nowhere(void)
{
	*(volatile char *volatile *)&memory = NULL;
	*memory = 1;
}

/* ---- calls ---- */

static void run_again(void)
{
	start(0, domain_a, nothing);
	async_synchronize_full_domain(domain_a);
	run_job(&jobs[0], jobs[0].cookie);
}

static void wait_for_nothing(void)
{
	start(0, domain_a, NULL);
	check_complete(1);
	async_synchronize_full_domain(domain_a);
}

ACTOR(free_too_early, "0a free:a")

/* A call's entry belongs to the library until the call is complete. */
static void free_entry_too_early(void)
{
	struct async_entry *entry = sim_new(sizeof(*entry));

	prepare(0, domain_a, NULL);
	note_scheduled(&jobs[0], async_schedule_entry(entry, run_job, NULL, &jobs[0], domain_a));
	sim_delete(entry);
	async_synchronize_full_domain(domain_a);
}

/* Ordered calls that do not wait for their turn. */
static void run_and_retire(void *job, async_cookie_t cookie)
{
	run_job(job, cookie);
	retire_job(job, cookie);
}

static void retire_at_once(void)
{
	for (unsigned i = 0; i < 2; i++) {
		prepare(i, domain_a, NULL)->ordered = true;
		note_scheduled(&jobs[i], async_schedule_domain(run_and_retire, &jobs[i], domain_a));
	}
	async_synchronize_full_domain(domain_a);
}

static void retire_again(void)
{
	prepare(0, domain_a, NULL)->ordered = true;
	async_schedule_ordered(run_and_retire, retire_job, &jobs[0], domain_a);
	async_synchronize_full_domain(domain_a);
}

static void drop_call(void)
{
	start(0, domain_a, NULL);
	async_cancel_domain(domain_a, NULL); /* tells no thread */
}

/* Another thread wakes a waiter whose call is not complete. */
static void count_wakes(void)
{
	start(0, domain_a, NULL);
	async_synchronize_full_domain(domain_a);
	sim_check(sim_wakes(0) <= 1);
}

static void wake_a_waiter(void)
{
	port_lock(&rob.lock);
	for (struct rob_thread *thread = rob.threads; thread; thread = thread->next)
		if (thread->waiter)
			port_unpark(&thread->parker, ROB_POKE);
	port_unlock(&rob.lock);
}

static void miscount(void)
{
	port_lock(&rob.lock);
	rob.queue.pending++;
	port_unlock(&rob.lock);
}

static void spin_for_ever(void)
{
	for (;;)
		work();
}

/* clang-format off */
const struct sim_case cases_broken[] = {
	CASE("race", "race: ", count, count)},
	CASE("stale", "does not hold", say, listen)},
	CASE("lost-update", "does not hold", count_in_two_steps, count_in_two_steps), .end = end_two},
	CASE("lock-order", "deadlock", first_lock_first, second_lock_first)},
	CASE("lock-twice", "holds the lock already", lock_twice)},
	CASE("lost-wake", "lost wake-up", look_and_sleep, wake_who_sleeps)},
	CASE("use-after-free", "use after free", free_and_say, hear_and_use)},
	CASE("free-twice", "freed twice", free_twice)},
	CASE("beyond", "use beyond a block", beyond)},
	CASE("leak", "leak: ", lose_memory)},
	CASE("crash", "egmentation", write_nowhere)},
	CASE("run-twice", "runs twice", run_again)},
	CASE("early-return", "a wait returned before", wait_for_nothing)},
	CASE("domain-gone", "after free", free_too_early)},
	CASE("entry-gone", "after free", free_entry_too_early)},
	CASE("retire-order", "before job 0 is complete", retire_at_once), .cpus = 2},
	CASE("retire-twice", "retires twice", retire_again)},
	CASE("call-lost", "was lost", drop_call), .end = check_all_complete},
	CASE("woken-for-nothing", "sim_wakes(0) <= 1 does not hold", count_wakes, wake_a_waiter)},
	CASE("invariant", "invariant: ", miscount)},
	CASE("endless", "does not end", spin_for_ever)},
	{0},
};
