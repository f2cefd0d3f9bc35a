/* SPDX-License-Identifier: MIT */
/* What became of the jobs, and what must hold of the core whenever its lock is dropped, and at the end. */
#include "explore.h"

#undef memset

struct job jobs[JOBS];
struct async_domain *domain_a, *domain_b;
struct sim_gate gates[4];
static unsigned notes[SIM_THREADS];
static unsigned long long most;
static bool forked;

void oracle_reset(void)
{
	memset(jobs, 0, sizeof(jobs));
	memset(gates, 0, sizeof(gates));
	memset(notes, 0, sizeof(notes));
	most = 0;
	forked = false;
}

void oracle_forget(void)
{
	memset(jobs, 0, sizeof(jobs));
	forked = true;
}

static unsigned index_of(const struct job *job)
{
	return (unsigned)(job - jobs);
}

static void note_cookie(struct job *job, async_cookie_t cookie)
{
	if (!cookie || (job->cookie && job->cookie != cookie))
		sim_fail("job %u has cookie %llu, and then %llu", index_of(job), (unsigned long long)job->cookie,
			 (unsigned long long)cookie);
	job->cookie = cookie;
}

static struct moment now(void)
{
	return (struct moment){true, sim_current->index, ++notes[sim_current->index], sim_current->clock};
}

bool is_before(const struct moment *a, const struct moment *b)
{
	if (!a->is || !b->is)
		return false;
	if (a->thread == b->thread)
		return a->number < b->number;
	return b->clock.at[a->thread] >= a->clock.at[a->thread];
}

void note_scheduled(struct job *job, async_cookie_t cookie)
{
	note_cookie(job, cookie);
}

void note_begun(struct job *job, async_cookie_t cookie)
{
	note_cookie(job, cookie);
	if (job->begun.is)
		sim_fail("job %u runs twice", index_of(job));
	if (job->released)
		sim_fail("job %u runs though it was cancelled", index_of(job));
	if (async_current_cookie() != cookie || !current_is_async())
		sim_fail("job %u has cookie %llu, the thread is in %llu", index_of(job), (unsigned long long)cookie,
			 (unsigned long long)async_current_cookie());
	job->begun = now();
}

void note_ended(struct job *job)
{
	if (job->ended.is)
		sim_fail("job %u ends twice", index_of(job));
	job->ended = now();
}

static bool complete(const struct job *job)
{
	return job->released || (job->ordered ? job->retired.is : job->ended.is);
}

void note_retired(struct job *job)
{
	if (job->retired.is || !job->ended.is)
		sim_fail("job %u retires %s", index_of(job), job->retired.is ? "twice" : "before it ended");
	for (unsigned i = 0; i < JOBS; i++)
		if (jobs[i].domain == job->domain && jobs[i].cookie && jobs[i].cookie < job->cookie &&
		    !complete(&jobs[i]))
			sim_fail("job %u retires before job %u is complete", index_of(job), i);
	job->retired = now();
}

void note_released(struct job *job)
{
	if (job->released || job->begun.is)
		sim_fail("job %u is cancelled, but it %s", index_of(job), job->begun.is ? "has begun" : "was already");
	job->released = true;
}

/* ---- questions; the thread that asks learns the answer ---- */

static uint32_t answer(uint32_t value)
{
	sim_learn(value);
	return value;
}

bool is_begun(const struct job *job)
{
	return answer(job->begun.is);
}

bool is_complete(const struct job *job)
{
	return answer(complete(job));
}

bool is_released(const struct job *job)
{
	return answer(job->released);
}

bool somebody_waits(void)
{
	return answer(rob.waiting != 0);
}

bool is_here(const struct moment *moment)
{
	return answer(moment->is && moment->thread == sim_current->index);
}

unsigned long long most_pending(void)
{
	return answer((uint32_t)most);
}

uint32_t begun_jobs(void)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < JOBS; i++)
		if (jobs[i].begun.is && (!jobs[i].domain || !jobs[i].domain->exclusive))
			mask |= 1u << i;
	return answer(mask);
}

uint32_t running_jobs(void)
{
	uint32_t mask = begun_jobs();

	for (unsigned i = 0; i < JOBS; i++)
		if (jobs[i].ended.is)
			mask &= ~(1u << i);
	return answer(mask);
}

uint32_t jobs_below(const struct async_domain *domain, async_cookie_t bound)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < JOBS; i++) {
		const struct job *job = &jobs[i];

		if (!job->cookie || job->cookie >= bound)
			continue;
		if (domain ? job->domain == domain : !job->domain || !job->domain->exclusive)
			mask |= 1u << i;
	}
	return answer(mask);
}

void check_complete(uint32_t mask)
{
	for (unsigned i = 0; i < JOBS; i++)
		if ((mask >> i & 1) && !complete(&jobs[i]))
			sim_fail("a wait returned before job %u was complete", i);
}

void check_all_complete(void)
{
	for (unsigned i = 0; i < JOBS; i++)
		if (jobs[i].cookie && !complete(&jobs[i]))
			sim_fail("job %u was lost", i);
}

/* ---- invariants, whenever the lock is dropped ---- */

static bool pending(struct rob_slot *slot)
{
	return rob_block(slot)->pending & rob_bit(slot);
}

static void check_queue(void)
{
	uint64_t alive = 0, dead = 0;
	struct rob_slot *last = NULL;

	for (struct rob_slot *slot = rob.queue.head; slot; slot = slot->next) {
		if (last && last->place >= slot->place)
			sim_fail("invariant: the queue is in the order of its cookies");
		if (pending(slot))
			alive++;
		else
			dead++;
		last = slot;
	}
	if (last != rob.queue.tail)
		sim_fail("invariant: the queue's tail is its last call");
	if (alive != rob.queue.pending || dead != rob.queue.dead)
		sim_fail("invariant: %llu calls pending and %llu dead, counted as %llu and %llu",
			 (unsigned long long)alive, (unsigned long long)dead, (unsigned long long)rob.queue.pending,
			 (unsigned long long)rob.queue.dead);
}

static void check_blocks(void)
{
	for (unsigned list = 0; list < 2; list++) {
		async_cookie_t last = 0;

		for (struct async_block *block = rob.blocks[list]; block; block = block->all_next) {
			if (!block->live || (block->pending & ~block->live))
				sim_fail("invariant: a block in the list has live calls, and pending ones are live");
			if (rob_cookie(rob_slots(block)) <= last)
				sim_fail("invariant: blocks are in the order of their first cookies");
			last = rob_cookie(rob_slots(block));
			sim_arena_check((uintptr_t)block->domain, sizeof(*block->domain), __builtin_return_address(0));
			if (block->domain->exclusive != list)
				sim_fail("invariant: the list of a block is its domain's");
		}
	}
}

/* Lists by bound: in order, linked both ways, and their ends known. */
static void check_place(const struct async_waiter *waiter)
{
	const struct async_waiter *first = rob.all_waiters, *last = rob.all_waiters_last;

	if (rob_waiter_list(waiter) == ROB_IN_DOMAIN) {
		first = waiter->domain->waiters;
		last = waiter->domain->waiters_last;
	} else if (rob_waiter_list(waiter) != ROB_IN_ALL) {
		return;
	}
	if (waiter->next && waiter->bound > waiter->next->bound)
		sim_fail("invariant: waiters are in the order of their bounds");
	if (waiter->next ? waiter->next->prev != waiter : last != waiter)
		sim_fail("invariant: a waiter is before its next one, or the last of its list");
	if (waiter->prev ? waiter->prev->next != waiter : first != waiter)
		sim_fail("invariant: a waiter is behind the one before it, or the first of its list");
}

static bool ascends(const struct async_waiter *waiter)
{
	async_cookie_t lowest = ASYNC_COOKIE_MAX;

	for (const struct rob_frame *frame = waiter->thread->top; frame; frame = frame->parent)
		if (frame->cookie < lowest)
			lowest = frame->cookie;
	return waiter->thread->top && !rob_is_timed(waiter) &&
	       (waiter->kind == ROB_WAIT_OWNER || waiter->bound > lowest);
}

static void check_waiters(void)
{
	unsigned waiting = 0, calls = 0, ascending = 0;

	for (struct rob_thread *thread = rob.threads; thread; thread = thread->next) {
		const struct async_waiter *waiter = thread->waiter;

		if (!waiter)
			continue;
		waiting++;
		calls += rob_waiter_list(waiter) == ROB_IN_CALLS && waiter->order;
		ascending += ascends(waiter);
		if (waiter->thread != thread)
			sim_fail("invariant: a registered waiter is its thread's");
		check_place(waiter);
	}
	if (waiting != rob.waiting || calls != rob.ordered_calls || ascending != rob.ascending)
		sim_fail("invariant: %u waits, %u for an ordered call and %u ascending, counted as %u, %u and %u",
			 waiting, calls, ascending, rob.waiting, rob.ordered_calls, rob.ascending);
}

/* Open leases: all of them in the list, which is linked both ways. */
static void check_leases(void)
{
	const struct rob_lease *last = NULL;
	unsigned open = 0, listed = 0;

	for (const struct rob_lease *lease = rob.leases; lease; last = lease, lease = lease->next) {
		if (!lease->open || lease->prev != last || ++listed > SIM_THREADS)
			sim_fail("invariant: the leases in the list are open, and linked both ways");
	}
	for (const struct rob_worker *worker = rob.pool.all; worker; worker = worker->all_next)
		open += worker->lease.open;
	if (open != listed)
		sim_fail("invariant: %u leases are open, and %u in the list", open, listed);
}

static void check_pool(void)
{
	unsigned elsewhere = 0;
	uint64_t brisk = 0;

	for (struct rob_worker *worker = rob.pool.all; worker; worker = worker->all_next) {
		bool counts = worker->thread && (worker->idle || worker->blocked || worker->asleep);

		elsewhere += counts;
		brisk += worker->brisk;
		if (counts && worker->brisk)
			sim_fail("invariant: a worker whose calls are short is active");
	}
	if (brisk != rob.pool.brisk)
		sim_fail("invariant: %llu calls are for workers whose calls are short, counted as %llu",
			 (unsigned long long)brisk, (unsigned long long)rob.pool.brisk);
	if (rob.pool.active + elsewhere != rob.pool.total)
		sim_fail("invariant: %u workers, %u of them idle, blocked or asleep, and %u counted as active",
			 rob.pool.total, elsewhere, rob.pool.active);
	if (rob.quick > rob_pool_quick())
		sim_fail("invariant: calls are scheduled without thought up to %llu pending, and it should be %llu",
			 (unsigned long long)rob.quick, (unsigned long long)rob_pool_quick());
}

void sim_on_unlock(struct port_lock *lock)
{
	if (lock != &rob.lock)
		return;
	if (rob.queue.pending > most)
		most = rob.queue.pending;
	check_queue();
	check_blocks();
	check_waiters();
	check_leases();
	check_pool();
}

/* ---- at the end ---- */

static void check_owned(void *memory, size_t bytes, void *context)
{
	for (struct rob_worker *worker = rob.pool.all; worker; worker = worker->all_next)
		if (worker == memory)
			return;
	for (struct rob_worker *worker = rob.pool.free; worker; worker = worker->next)
		if (worker == memory)
			return;
	for (unsigned large = 0; large < 2; large++)
		for (struct async_block *block = rob.spare[large]; block; block = block->next)
			if (block == memory)
				return;
	for (struct rob_slot *slot = rob.queue.head; slot; slot = slot->next)
		if (rob_block(slot) == memory)
			return; /* dead, until the queue is swept */
	sim_fail("leak: a block of %zu bytes", bytes);
}

void sim_on_quiet(void)
{
	if (rob.queue.pending || rob.threads || rob.waiting || rob.leases || rob.blocks[0] || rob.blocks[1])
		sim_fail("calls, waiters or leases are left");
	if (rob.pool.coming)
		sim_fail("a wake-up is in flight for ever");
	if (rob.pool.cold > rob.config.cold)
		sim_fail("the first burst is over, and %u more workers may be started at once", rob.pool.cold);
	if (!forked) /* else what a lost thread had just allocated is lost with it */
		sim_each_block(check_owned, NULL);
}
