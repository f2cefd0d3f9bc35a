/* SPDX-License-Identifier: MIT */
/*
 * Waiting.
 *
 * A waiter checks its condition; if it does not hold, the waiter enters a list and parks. The thread that makes the
 * condition true takes the waiter out of the list under the lock, and raises ROB_DONE afterwards (O3): only then does
 * the waiter go on. While it runs a call for progress it is in no list. Other flags make it check again.
 *
 *   waiter (CPU 0)                              completer (CPU 1)
 *   lock: not satisfied, enters a list
 *   unlock
 *                                               lock: completes the call; satisfied, takes the waiter out
 *                                               unlock, the waiter noted in rob.after.wake
 *   port_park(): wakes for a POKE
 *   lock: thread->waiter is not this wait       (has not raised ROB_DONE yet: it still reads the waiter)
 *   unlock, parks until ROB_DONE                port_unpark(ROB_DONE): its last access (O3)
 *   returns; the waiter's memory may go
 *
 * Without the second park the waiter could return, and its thread end, while the completer reads it.
 */
#include "core.h"

/* Whether the waiter can leave this lease as it is: no completion that it hides until its end satisfies the waiter. */
static bool suits(struct rob_lease *lease, struct async_waiter *waiter)
{
	struct async_domain *domain = lease->domain;

	/* Covered by chance: waits of these kinds have no domain */
	if (!domain || waiter->kind >= ROB_WAIT_EXIT || waiter->leaves || rob_is_holder(waiter))
		return false;
	if (waiter->kind == ROB_WAIT_DOMAIN && domain != waiter->domain)
		return true;
	/* Covered by chance: waits of these kinds have no domain */
	if (waiter->kind == ROB_WAIT_ALL && domain->exclusive)
		return true;
	return rob_cookie(lease->slot[lease->count - 1]) < waiter->bound;
}

static void recall_for(struct async_waiter *waiter)
{
	struct rob_lease *lease, *next;

	for (lease = rob.leases; lease; lease = next) {
		next = lease->next;
		if (!suits(lease, waiter))
			rob_recall(lease);
	}
}

/* Registered and unsatisfied: parks. Returns the flags that ended it; DONE: without the lock, the wait is over. */
static uint32_t park(struct async_waiter *waiter)
{
	struct rob_thread *self = waiter->thread;
	uint32_t flags;

	rob_pool_block(self);
	rob_unlock();
	self->parked = true;
	flags = port_park(&self->parker, waiter->deadline_ns); /* O3 */
	self->parked = false;
	if (flags & ROB_DONE)
		return flags;
	port_lock(&rob.lock);
	if (self->waiter != waiter) { /* satisfied: the thread that did it is about to raise the flag */
		rob_unlock();
		while (!(flags & ROB_DONE))
			flags |= port_park(&self->parker, 0); /* O3 */
		return flags;
	}
	rob_waiter_remove(waiter);
	rob_pool_unblock(self);
	return flags;
}

static void end_spill(struct rob_thread *self)
{
	rob.pool.spills -= self->spills;
	self->spills = false;
}

/*
 * The wait that this thread parked in was left by siglongjmp(): nothing may refer to it any more. If it was satisfied
 * meanwhile, the waker's last access is the flag.
 */
void rob_wait_left(struct rob_thread *self)
{
	uint32_t flags = 0;

	port_lock(&rob.lock);
	self->parked = false;
	if (self->waiter) {
		rob_waiter_remove(self->waiter);
		rob_pool_unblock(self);
		flags = ROB_DONE;
	}
	end_spill(self);
	rob_unlock();
	while (!(flags & ROB_DONE))
		flags |= port_park(&self->parker, 0); /* O3 */
	/* No order: nothing that could wake it is registered, and the waker is done */
	port_store_relaxed(&self->parker.flags, 0);
}

static void report(struct async_waiter *waiter)
{
	if (waiter->reported || waiter->kind == ROB_WAIT_EXIT)
		return;
	waiter->reported = true;
	rob_deadlock_report(waiter);
}

/* A pending call that this thread has to run itself, or NULL. */
static struct rob_slot *to_run(struct async_waiter *waiter)
{
	struct rob_slot *slot;

	if (rob_is_timed(waiter) || !rob_pool_stuck(waiter->thread))
		return NULL;
	rob_mark_left_out(waiter);
	slot = rob_help_slot(waiter);
	return slot && !rob_quiesced(rob_block(slot)->domain, waiter->thread) ? slot : NULL;
}

/*
 * Registers the waiter and parks it, unless it turns out to be the victim of a cycle which it has not reported yet, or
 * behind which nothing is left. With the lock held; returns what ended it: for ROB_DONE, and only then, without the
 * lock.
 */
static uint32_t register_and_park(struct async_waiter *waiter)
{
	rob_waiter_add(waiter);
	rob_deadlock_check(waiter);
	if (waiter->leaves == ROB_LEAVES_CYCLE && (!waiter->reported || rob_satisfied(waiter))) {
		rob_waiter_remove(waiter);
		return ROB_POKE;
	}
	if (port_unlikely(rob.exits)) /* it may wait for a call that ends the program */
		rob_waiters_special();
	return park(waiter);
}

/*
 * The same with too little stack left to run what it awaits: meanwhile the pool may have one worker more than its
 * limit, with a stack of its own. The lock is held in any case afterwards.
 */
static uint32_t spill_and_park(struct async_waiter *waiter)
{
	uint32_t flags;

	rob.pool.spills++;
	waiter->thread->spills = true;
	flags = register_and_park(waiter);
	if (flags & ROB_DONE)
		port_lock(&rob.lock);
	end_spill(waiter->thread);
	return flags;
}

/*
 * One round of a wait that is not over: runs a call that it awaits, or parks. Returns the flags that ended it; for
 * ROB_DONE, and only then, without the lock.
 */
static uint32_t wait_round(struct async_waiter *waiter)
{
	struct rob_slot *slot;
	uint32_t flags;

	rob_waiter_find_order(waiter);
	slot = to_run(waiter);
	if (!slot)
		return register_and_park(waiter);
	if (port_stack_low() && rob_pool_may_spill()) {
		flags = spill_and_park(waiter);
		if (flags & ROB_DONE)
			rob_unlock();
		return flags;
	}
	rob_queue_take(slot);
	rob_run(slot, waiter->thread, 1);
	return ROB_POKE;
}

/* Waits until nothing that it awaits is in progress. Called with the lock held, returns without. 0 or -ETIMEDOUT. */
static int wait_loop(struct async_waiter *waiter)
{
	uint32_t flags = ROB_POKE;
	int result = 0;

	for (;;) {
		if (waiter->leaves == ROB_LEAVES_CYCLE)
			report(waiter);
		recall_for(waiter);
		if (rob_satisfied(waiter)) {
			rob_waiter_settle(waiter);
			break;
		}
		if (!flags) {
			result = -ETIMEDOUT;
			break;
		}
		flags = wait_round(waiter);
		if (!(flags & ROB_DONE))
			continue;
		if (waiter->leaves != ROB_LEAVES_CYCLE && !(flags & ROB_POKE))
			return 0;
		port_lock(&rob.lock);
		break;
	}
	if (waiter->leaves == ROB_LEAVES_CYCLE)
		report(waiter);
	rob_pool_help_wanted(); /* one waiter is woken to help: where it leaves, the next is */
	rob_unlock();
	return result;
}

static void trace_wait(enum async_trace_type type, struct async_waiter *waiter, int error, uint64_t since_ns)
{
	struct port_event event = {.type = type,
				   .cookie = waiter->cookie,
				   .arg = waiter->bound,
				   .domain = waiter->domain,
				   .error = error,
				   .since_ns = since_ns,
				   .flag = waiter->kind == ROB_WAIT_CALL};

	port_trace(&event);
}

/* What is left out was scheduled while it waited. */
static void report_late(struct async_waiter *waiter)
{
	if (waiter->reported)
		return;
	port_lock(&rob.lock);
	report(waiter);
	rob_unlock();
}

static int wait_traced(struct async_waiter *waiter)
{
	uint64_t since_ns = 0;
	int result;

	if (port_unlikely(port_traces())) {
		rob_unlock();
		since_ns = port_clock_ns();
		trace_wait(ASYNC_TRACE_WAITING, waiter, 0, 0);
		port_lock(&rob.lock);
	}
	if ((waiter->thread->top || rob_is_holder(waiter)) && rob_waits_for_self(waiter)) {
		waiter->leaves = ROB_LEAVES_OWN;
		report(waiter);
	}
	result = wait_loop(waiter);
	if (!result && waiter->leaves) {
		result = -EDEADLK;
		report_late(waiter);
	}
	if (port_unlikely(since_ns))
		trace_wait(ASYNC_TRACE_CONTINUED, waiter, result, since_ns);
	return result;
}

/*
 * Kind, domain, owner, bound and deadline are given. Called with the lock held; returns without it.
 * Waits nest where one runs a call that waits.
 */
int rob_wait(struct async_waiter *waiter)
{
	struct rob_thread *self = port_self();
	struct async_waiter outer;
	bool nested = self->waits;
	int result;

	waiter->thread = self;
	self->id = port_thread_id();
	if (self->top && waiter->kind != ROB_WAIT_EXIT) /* an exit is part of no cycle */
		waiter->cookie = self->top->cookie;
	if (!self->top && !rob_is_holder(waiter) && !port_traces() && rob_satisfied(waiter)) {
		rob_unlock();
		return 0;
	}
	if (self->worker) {
		rob_recall(&self->worker->lease);
		rob_unlock();
		port_lock(&rob.lock);
	}
	if (port_unlikely(self->parked)) {
		rob_unlock();
		rob_wait_left(self);
		port_lock(&rob.lock);
	}
	if (nested)
		outer = self->wait;
	self->wait = *waiter;
	self->waits = true;
	result = wait_traced(&self->wait);
	self->waits = nested;
	if (nested)
		self->wait = outer;
	return result;
}

/* Calls on this thread's stack, and what it holds back, need thought. */
static bool is_plain(struct rob_thread *self, async_cookie_t bound)
{
	return rob_stack_lowest(self) >= bound && !self->quiesce && !port_traces();
}

/*
 * Until when this call may spin for its turn, or 0. A spin shorter than a wake-up
 * would not do, however short the call is: one waiter that has parked makes the
 * turn of the next so late that it parks too, and so on. A call that has run for
 * long gains nothing by it.
 */
static uint64_t spin_until(struct rob_worker *worker, uint64_t *ran_ns)
{
	uint64_t most_ns = port_spin_ns(), now_ns;

	/* Covered by chance: a worker between two calls does not wait; one processor */
	if (!worker || !worker->thread->top || !most_ns)
		return 0;
	worker->lease.size = 1;
	worker->lease.single = LEASE_AFTER_WAIT;
	if (worker->lease.count != 1)
		return 0;
	now_ns = port_clock_ns();
	*ran_ns = now_ns - worker->lease.frame.since_ns;
	return *ran_ns > SPIN_RAN_NS ? 0 : now_ns + most_ns;
}

/* The thread that holds up a wait in the domain and could go on: who is in its lowest call; or 0. */
static int turn_holder(struct async_domain *domain, async_cookie_t bound)
{
	struct rob_slot *lowest = rob_lowest(domain);

	/* Covered by chance: the turn has come since */
	if (!lowest || rob_cookie(lowest) >= bound)
		return 0;
	/* Covered by chance: it is not begun, or its thread waits */
	for (struct rob_thread *thread = rob.threads; thread; thread = thread->next)
		if (!thread->waiter && rob_on_stack(thread, lowest))
			return thread->id;
	return 0; /* Covered by chance: as above */
}

/* A short call has spun for its turn in vain. Does the thread whose turn it is run? */
static void turn_is_late(struct async_domain *domain, async_cookie_t bound)
{
	int holder = 0;

	rob_lock();
	if (rob.pool.width > 1) /* Covered by chance: else others were late before */
		holder = turn_holder(rob_domain(domain), bound);
	rob_unlock();
	/* Covered by chance: how the machine schedules */
	if (!holder || port_thread_runs(holder))
		return;
	port_lock(&rob.lock);
	rob_pool_narrow();
	rob_unlock();
}

/*
 * Without the lock: the domain's lowest cookie in progress is published (O4: what
 * the completed calls wrote comes with it). A call that waits for its turn spins
 * for it, since it often comes sooner than a wake-up could.
 */
static bool turn_has_come(struct async_domain *domain, async_cookie_t bound)
{
	struct rob_thread *self = port_self();
	uint64_t until_ns = 0, ran_ns = 0;

	if (!is_plain(self, bound))
		return false;
	for (unsigned i = 0;; i++) {
		async_cookie_t lowest = port_load64_acquire(&domain->lowest); /* O4 */

		if (lowest >= bound)
			return true;
		if (!lowest)
			return false; /* not used yet */
		if (!i && !(until_ns = spin_until(self->worker, &ran_ns)))
			return false;
		if (i % SPIN_LOOK == SPIN_LOOK - 1 && port_clock_ns() > until_ns) {
			if (ran_ns < TURN_SHORT_NS) /* Covered by chance: a matter of time */
				turn_is_late(domain, bound);
			return false;
		}
		port_relax();
	}
}

/* A wait for cookies below @cookie; for all that is in progress, and comes meanwhile. */
static int wait_below(async_cookie_t cookie, bool full, struct async_domain *domain, uint64_t deadline_ns)
{
	struct async_waiter waiter = {.kind = domain ? ROB_WAIT_DOMAIN : ROB_WAIT_ALL, .deadline_ns = deadline_ns};

	if (domain && turn_has_come(domain, cookie))
		return 0;
	rob_lock();
	waiter.domain = domain ? rob_domain(domain) : NULL;
	waiter.bound = full || cookie <= rob.last ? cookie : rob.last + 1;
	return rob_wait(&waiter);
}

int rob_wait_below(async_cookie_t cookie, struct async_domain *domain, uint64_t deadline_ns)
{
	return wait_below(cookie, false, domain, deadline_ns);
}

int rob_wait_full(struct async_domain *domain)
{
	return wait_below(ASYNC_COOKIE_MAX, true, domain, 0);
}

int rob_wait_call(async_cookie_t cookie, struct async_domain *domain, uint64_t deadline_ns)
{
	struct async_waiter waiter = {.kind = ROB_WAIT_CALL, .bound = cookie, .deadline_ns = deadline_ns};

	rob_lock();
	if (!cookie || cookie > rob.last) {
		rob_unlock();
		return -EINVAL;
	}
	waiter.domain = domain ? rob_domain(domain) : NULL;
	return rob_wait(&waiter);
}

int rob_wait_owner(struct async_owner *owner)
{
	struct async_waiter waiter = {.kind = ROB_WAIT_OWNER, .owner = owner, .bound = ASYNC_COOKIE_MAX};

	rob_lock();
	rob_owner_refresh(owner);
	return rob_wait(&waiter);
}

/* The wait of a normal exit: every call of every domain, those on this stack and what waits for these apart. */
int rob_wait_exit(uint64_t deadline_ns)
{
	struct async_waiter waiter = {.kind = ROB_WAIT_EXIT, .bound = ASYNC_COOKIE_MAX, .deadline_ns = deadline_ns};

	port_lock(&rob.lock);
	rob.exits += !!port_self()->top;
	return rob_wait(&waiter);
}
