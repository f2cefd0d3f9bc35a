/* SPDX-License-Identifier: MIT */
/* Who runs, since when, and who waits for whom: on request, from the watchdog, and of a deadlock. */
#include "core.h"

#define REPORT_CALLS 16 /* of a deadlock; the rest is left out */

/* A call on a stack, as every report names it. */
struct named_call {
	async_func_t func;
	const char *name;
	async_cookie_t cookie;
};

struct row {
	int thread_id;
	bool waits, retiring, quiesces;
	struct named_call call;
	/* Of the call, or of the owner that is waited for: copied, since either may be gone when it is printed. */
	char name[64];
	uint64_t since_ns;
	enum rob_wait_kind kind;
	const void *domain;
	async_cookie_t bound;
	async_cookie_t awaited; /* the lowest call that holds the waiter up */
};

struct snapshot {
	struct row *rows;
	size_t count, capacity;
	uint64_t pending, now_ns;
	unsigned workers, active, processors;
	async_cookie_t last;
};

static struct row *add(struct snapshot *snapshot)
{
	static struct row overflow; /* written, never read: a snapshot that grew meanwhile is cut */

	if (snapshot->count < snapshot->capacity)
		return &snapshot->rows[snapshot->count++];
	snapshot->count++;
	return &overflow;
}

/* With the lock held. No more of the string is looked at than is kept. */
static void set_name(struct row *row, const char *name)
{
	if (name)
		port_format(row->name, sizeof(row->name), "%.63s", name);
}

/* Names the call of a frame: func has set the name, retire goes by it. False: it is between two calls of a lease. */
static bool name_call(struct named_call *call, struct rob_frame *frame)
{
	struct rob_slot *slot = rob_frame_slot(frame);

	*call = (struct named_call){.name = port_name_load(&frame->name)}; /* O6 */
	if (!slot)
		return false;
	call->func = slot->func;
	call->cookie = rob_cookie(slot);
	if (!call->name && rob_func_done(slot))
		call->name = rob_wide(slot)->name;
	return true;
}

static void add_frames(struct snapshot *snapshot, struct rob_thread *thread)
{
	for (struct rob_frame *frame = thread->top; frame; frame = frame->parent) {
		struct named_call call;
		struct row *row;

		if (!name_call(&call, frame))
			continue;
		row = add(snapshot);
		*row = (struct row){.thread_id = thread->id,
				    .call = call,
				    .retiring = rob_func_done(rob_frame_slot(frame)),
				    .since_ns = frame->since_ns};
		set_name(row, call.name);
	}
}

/* The first call of the block that holds the waiter up, if it is lower than what was found: cookies rise in a block. */
static async_cookie_t lower_awaited(struct async_waiter *waiter, struct async_block *block, async_cookie_t found)
{
	struct rob_slot *slot;

	rob_for_bits(slot, block, block->live) {
		if (found && rob_cookie(slot) >= found)
			break;
		if (rob_awaits(waiter, slot) && !rob_on_stack(waiter->thread, slot))
			return rob_cookie(slot);
	}
	return found;
}

/* Blocks stand in the order of their first cookies. */
static async_cookie_t lowest_awaited(struct async_waiter *waiter)
{
	async_cookie_t lowest = 0;

	for (unsigned list = 0; list < 2; list++) {
		for (struct async_block *block = rob.blocks[list]; block; block = block->all_next) {
			if (lowest && rob_cookie(rob_slots(block)) >= lowest)
				break;
			lowest = lower_awaited(waiter, block, lowest);
		}
	}
	return lowest;
}

static void add_waiter(struct snapshot *snapshot, struct async_waiter *waiter)
{
	struct row *row = add(snapshot);

	*row = (struct row){.thread_id = waiter->thread->id,
			    .waits = true,
			    .quiesces = waiter->thread->quiesce,
			    .call = {.cookie = waiter->cookie},
			    .kind = waiter->kind,
			    .domain = waiter->domain,
			    .bound = waiter->bound,
			    .awaited = lowest_awaited(waiter)};
	if (waiter->owner)
		set_name(row, waiter->owner->name);
}

/* Fills what fits; count says how much there was. */
static void take(struct snapshot *snapshot)
{
	snapshot->count = 0;
	rob_lock();
	for (struct rob_thread *thread = rob.threads; thread; thread = thread->next)
		add_frames(snapshot, thread);
	for (struct rob_thread *thread = rob.threads; thread; thread = thread->next)
		if (thread->waiter)
			add_waiter(snapshot, thread->waiter);
	snapshot->pending = rob.queue.pending;
	snapshot->workers = rob.pool.total;
	snapshot->active = rob.pool.active;
	snapshot->processors = rob.pool.cpus;
	snapshot->last = rob.last;
	rob_unlock();
	snapshot->now_ns = port_clock_ns();
}

static void print_running(int fd, const struct row *row, uint64_t now_ns)
{
	char symbol[160];
	uint64_t us = now_ns > row->since_ns ? (now_ns - row->since_ns) / 1000 : 0;

	port_symbol(row->call.func, symbol, sizeof(symbol));
	port_log(fd, "  thread %d: cookie %llu %s%s%s%s %s for %llu.%06llu s\n", row->thread_id,
		 (unsigned long long)row->call.cookie, symbol, row->name[0] ? " (" : "", row->name,
		 row->name[0] ? ")" : "", row->retiring ? "retires" : "runs", (unsigned long long)(us / 1000000),
		 (unsigned long long)(us % 1000000));
}

static void print_waiting(int fd, const struct row *row)
{
	char what[160], held[48] = "", who[48] = "";

	if (row->kind == ROB_WAIT_CALL)
		port_format(what, sizeof(what), "cookie %llu", (unsigned long long)row->bound);
	else if (row->kind == ROB_WAIT_OWNER)
		port_format(what, sizeof(what), "owner %s", row->name[0] ? row->name : "(unnamed)");
	else if (row->kind == ROB_WAIT_QUIESCE)
		port_format(what, sizeof(what), "%s",
			    row->quiesces ? "registered calls to stop running, to quiesce" : "the end of quiescing");
	else if (row->bound == ASYNC_COOKIE_MAX && row->domain)
		port_format(what, sizeof(what), "all calls of domain %p", row->domain);
	else if (row->bound == ASYNC_COOKIE_MAX)
		port_format(what, sizeof(what), "all calls");
	else if (row->domain)
		port_format(what, sizeof(what), "cookies below %llu of domain %p", (unsigned long long)row->bound,
			    row->domain);
	else
		port_format(what, sizeof(what), "cookies below %llu", (unsigned long long)row->bound);
	if (row->call.cookie)
		port_format(who, sizeof(who), ": cookie %llu", (unsigned long long)row->call.cookie);
	if (row->awaited)
		port_format(held, sizeof(held), ", held up by cookie %llu", (unsigned long long)row->awaited);
	port_log(fd, "  thread %d%s waits for %s%s\n", row->thread_id, who, what, held);
}

static void print(int fd, const struct snapshot *snapshot)
{
	size_t shown = snapshot->count < snapshot->capacity ? snapshot->count : snapshot->capacity;

	port_log(fd, "inorder: %llu pending, last cookie %llu, %u workers, %u active, %u processors\n",
		 (unsigned long long)snapshot->pending, (unsigned long long)snapshot->last, snapshot->workers,
		 snapshot->active, snapshot->processors);
	for (size_t i = 0; i < shown; i++) {
		if (snapshot->rows[i].waits)
			print_waiting(fd, &snapshot->rows[i]);
		else
			print_running(fd, &snapshot->rows[i], snapshot->now_ns);
	}
	if (shown < snapshot->count)
		port_log(fd, "  and %llu more\n", (unsigned long long)(snapshot->count - shown));
}

void async_report(int fd)
{
	struct snapshot snapshot = {0};
	struct row few[8];

	take(&snapshot);
	snapshot.capacity = snapshot.count + 16;
	snapshot.rows = port_alloc(snapshot.capacity * sizeof(struct row));
	if (!snapshot.rows) {
		snapshot.rows = few;
		snapshot.capacity = sizeof(few) / sizeof(few[0]);
	}
	take(&snapshot);
	print(fd, &snapshot);
	if (snapshot.rows != few)
		port_free(snapshot.rows);
}

/* Reports once when a call has run for longer than the limit. */
void rob_watchdog(uint64_t limit_ns)
{
	uint64_t now_ns = port_clock_ns();
	bool late = false;

	port_lock(&rob.lock);
	for (struct rob_thread *thread = rob.threads; thread; thread = thread->next) {
		for (struct rob_frame *frame = thread->top; frame; frame = frame->parent) {
			if (frame->warned || !rob_frame_slot(frame) || now_ns < frame->since_ns + limit_ns)
				continue;
			frame->warned = true;
			late = true;
		}
	}
	rob_unlock();
	if (!late)
		return;
	port_log(2, "inorder: watchdog: a call runs for more than %llu s\n",
		 (unsigned long long)(limit_ns / 1000000000u));
	async_report(2);
}

/* ---- a cycle of waits ---- */

static unsigned collect_self(struct async_waiter *waiter, struct named_call *calls)
{
	unsigned count = 0;

	for (struct rob_frame *frame = waiter->thread->top; frame && count < REPORT_CALLS; frame = frame->parent) {
		struct rob_slot *slot = rob_frame_slot(frame);

		if (slot && (frame == waiter->thread->top || rob_awaits(waiter, slot)))
			name_call(&calls[count++], frame);
	}
	return count;
}

static unsigned collect_cycle(struct async_waiter *waiter, struct named_call *calls)
{
	unsigned count = 0;
	struct async_waiter *other;

	name_call(&calls[count++], waiter->thread->top);
	rob_mark_left_out(waiter);
	for (other = rob_deadlock_closing(waiter); other && count < REPORT_CALLS; other = other->visit.via)
		name_call(&calls[count++], other->thread->top);
	return count;
}

static size_t put(char *text, size_t used, size_t bytes, const struct named_call *call, const char *between)
{
	char symbol[160];
	int length;

	if (call->name || !call->func)
		port_format(symbol, sizeof(symbol), "%s", call->name ? call->name : "?");
	else
		port_symbol(call->func, symbol, sizeof(symbol));
	length = port_format(text + used, bytes - used, "%s%s (cookie %llu)", between, symbol,
			     (unsigned long long)call->cookie);
	return length < 0 || (size_t)length >= bytes - used ? bytes - 1 : used + (size_t)length;
}

/*
 * Says on standard error who waits for whom. Called and returns with the lock
 * held; drops it to find names and to write.
 */
void rob_deadlock_report(struct async_waiter *waiter)
{
	struct named_call calls[REPORT_CALLS];
	bool cycle = waiter->leaves == ROB_LEAVES_CYCLE;
	unsigned count = cycle ? collect_cycle(waiter, calls) : collect_self(waiter, calls);
	char text[1536] = "";
	size_t used = 0;

	rob_unlock();
	for (unsigned i = 0; i < count; i++)
		used = put(text, used, sizeof(text), &calls[i], !i ? "" : cycle ? ", which waits for " : " inside ");
	if (cycle)
		used = put(text, used, sizeof(text), &calls[0], ", which waits for ");
	port_log(2, "inorder: deadlock: %s%s; the wait in cookie %llu leaves %s out and returns -EDEADLK\n", text,
		 cycle ? "" : " waits for itself", (unsigned long long)waiter->cookie, cycle ? "the others" : "that");
	port_lock(&rob.lock);
}
