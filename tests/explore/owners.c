/* SPDX-License-Identifier: MIT */
/*
 * Owners, as plug-ins use them: a load waits for the calls of its own, an unload
 * for those that the plug-in's threads have scheduled, and then its owner goes.
 */
#define CASE_BEGIN begin_owners
#define CASE_END check_all_complete
#include "explore.h"

#include "owner.h"

#define NONE UINT32_MAX

static struct async_owner *owner, *other;

static struct async_owner *new_owner(const char *name)
{
	struct async_owner *made = sim_new(sizeof(*made));

	made->name = name;
	return made;
}

static void begin_owners(void)
{
	begin_domains();
	owner = new_owner("owner");
	other = new_owner("other");
}

/* Waits, and takes the owner away: nothing of it is touched any more. */
static void wait_and_free(struct async_owner *whose, uint32_t calls)
{
	sim_check(!async_synchronize_owner(whose));
	check_visible(calls);
	sim_delete(whose);
}

/* ---- the layer above says whose calls those are that threads without an owner schedule ---- */

static struct async_owner *find_owner(const void *caller, async_func_t func, async_func_t retire)
{
	sim_check(caller);
	return func == run_job || retire ? owner : NULL;
}

/* A thread of the plug-in, which ends before its exit function does: that opens the gate. */
static void plugin_thread(void)
{
	gate_wait(&gates[1]);
	start(0, domain_a, NULL);
	start(4, domain_a, nothing); /* there is storage by now */
	start_ordered(1, domain_b, nothing);
	gate_open(&gates[0]);
}

static void load_and_unload(void)
{
	rob_set_owner_finder(find_owner);
	gate_open(&gates[1]);
	gate_wait(&gates[0]);
	wait_and_free(owner, 1 | 2 | 16);
	rob_set_owner_finder(NULL);
	start(2, domain_a, NULL); /* without an owner */
	sim_check(!wait_full(NULL));
}

static void program_thread(void)
{
	start_owned(5, other, domain_a, NULL);
	wait_and_free(other, 32);
}

/* ---- calls of two owners, of which one waits for no thread ---- */

static void own_calls_only(void)
{
	start_owned(0, owner, domain_a, in_gate);
	start_owned(1, other, domain_a, NULL);
	wait_and_free(other, 2);
	sim_check(!is_complete(&jobs[0]));
	gate_open(&gates[0]);
	wait_and_free(owner, 1);
}

/* ---- what a call schedules has its owner, and what that one's retire step schedules ---- */

static void schedules_three(void *data, async_cookie_t cookie)
{
	start(3, domain_a, NULL);
}

static void schedules_two(void *data, async_cookie_t cookie)
{
	start(2, domain_b, schedules_three);
}

static void retire_schedules(void *data, async_cookie_t cookie)
{
	retire_job(data, cookie);
	start(4, domain_b, NULL);
}

static void grandchildren(void)
{
	start_owned(0, owner, domain_a, schedules_two);
	wait_and_free(owner, 1 | 4 | 8);
	sim_check(!wait_full(NULL));
}

static void retired_child(void)
{
	struct async_owner *before = async_owner_enter(owner);
	struct job *job = prepare(1, domain_a, nothing);

	job->ordered = true;
	note_scheduled(job, async_schedule_ordered(run_job, retire_schedules, job, domain_a));
	async_owner_enter(before);
	wait_and_free(owner, 2 | 16);
	sim_check(!wait_full(NULL));
}

/* ---- an owner that another thread goes on to use while it is waited for ---- */

static void schedule_beside(void)
{
	gate_wait(&gates[1]);
	start_owned(2, owner, domain_b, NULL);
	gate_open(&gates[0]);
}

static void wait_beside(void)
{
	start_owned(0, owner, domain_a, NULL);
	gate_open(&gates[1]);
	sim_check(!async_synchronize_owner(owner));
	check_visible(1);
	gate_wait(&gates[0]);
	wait_and_free(owner, 4);
}

/* ---- cancelled calls are no longer the owner's ---- */

static void cancelled(void)
{
	start_owned(0, owner, domain_a, NULL);
	start_owned(1, owner, domain_a, NULL);
	async_cancel_domain(domain_a, release_job);
	sim_check(!async_synchronize_owner(owner));
	sim_delete(owner);
}

/* clang-format off */
const struct sim_case cases_owners[] = {
	CASE("owner-found", "owners C15", plugin_thread, load_and_unload)},
	CASE("owner-found-2cpus", "owners C15", plugin_thread, load_and_unload), .cpus = 2},
	CASE("owner-found-beside", "owners C15", plugin_thread, load_and_unload, program_thread)},
	CASE("owner-found-inline", "owners C15 2.5", plugin_thread, load_and_unload), .threads = NONE},
	CASE("owner-found-full", "owners C15 2.5", plugin_thread, load_and_unload), .pending = 1},
	CASE("owner-found-memory-fails", "owners C15 2.5", program_thread, grandchildren), .flags = SIM_ALLOC_FAILS},
	CASE("owner-alone", "owners C15", own_calls_only), .cpus = 2, .flags = SIM_MONITOR},
	CASE("owner-grandchildren", "owners C15", grandchildren, program_thread)},
	CASE("owner-grandchildren-one", "owners C15 2.6", grandchildren, program_thread), .threads = 1},
	CASE("owner-retired-child", "owners retire", retired_child, program_thread)},
	CASE("owner-beside", "owners 2.3", schedule_beside, wait_beside), .cpus = 2},
	CASE("owner-cancelled", "owners cancel", cancelled, program_thread)},
	{0},
};
