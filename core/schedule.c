/* SPDX-License-Identifier: MIT */
/*
 * Issuing calls: the long way, which covers every state. The short one is in issue.h.
 *
 * From rob_issue() on the call is in progress, and another thread may claim, run and complete it once the lock is
 * dropped: neither the slot nor the domain is touched after that, and what the trace says of it is noted before. Memory
 * is asked for without the lock, so everything that was looked at before is looked at again: the limit may be reached
 * meanwhile, the domain have been used, and another block be there.
 */
#include "core.h"

/* Whose call it is: what the thread works for, else what the layer above says. With the lock held. */
static struct async_owner *owner_of(const struct rob_request *request)
{
	struct async_owner *owner = port_self()->owner;

	if (!owner && port_unlikely(rob.find_owner))
		owner = rob.find_owner(request->caller, request->func, request->retire);
	rob_owner_refresh(owner);
	return owner;
}

static void fill(struct rob_slot *slot, const struct rob_request *request, bool wide)
{
	slot->func = request->func;
	slot->data = request->data;
	slot->next = NULL;
	if (!wide)
		return;
	slot->place |= ROB_WIDE;
	*rob_wide(slot) = (struct rob_wide){.retire = request->retire, .owner = request->owner};
}

/* Without the lock the domain may be gone: @exclusive is what it was. */
static void trace_issue(enum async_trace_type type, const struct rob_request *request, async_cookie_t cookie,
			bool exclusive)
{
	struct rob_thread *self = port_self();
	struct port_event event = {.type = type,
				   .cookie = cookie,
				   .arg = self->top ? self->top->cookie : 0,
				   .domain = request->domain,
				   .func = request->func,
				   .flag = exclusive};

	port_trace(&event);
}

/* The turn of this call makes those that wait for its owner wait for lower calls of its domain: is that a cycle? */
static void check_turn(const struct rob_request *request)
{
	if (port_unlikely(rob.special) && request->retire && request->owner)
		rob_poke_owner(request->owner);
}

/* Puts a call that has its slot into the queue; returns without the lock. */
static async_cookie_t enqueue(const struct rob_request *request, struct rob_slot *slot)
{
	bool exclusive = port_unlikely(port_traces()) && request->domain->exclusive;
	async_cookie_t cookie;

	rob_issue(request->domain, slot);
	cookie = rob_cookie(slot);
	check_turn(request);
	rob_queue_append(slot);
	rob_now_pending();
	rob_unlock();
	if (port_unlikely(port_traces()))
		trace_issue(ASYNC_TRACE_SCHEDULED, request, cookie, exclusive);
	return cookie;
}

/* Runs a call in this thread, in progress like any other; returns without the lock. */
static async_cookie_t run_inline(const struct rob_request *request, struct rob_slot *slot)
{
	async_cookie_t cookie;

	rob_issue(request->domain, slot);
	cookie = rob_cookie(slot);
	check_turn(request);
	if (port_unlikely(port_traces())) {
		bool exclusive = request->domain->exclusive;

		rob_unlock();
		trace_issue(ASYNC_TRACE_SCHEDULED, request, cookie, exclusive);
		trace_issue(ASYNC_TRACE_INLINE, request, cookie, exclusive);
		port_lock(&rob.lock);
	}
	rob_run(slot, port_self(), 0);
	if (!port_self()->top)
		rob_run_left(port_self());
	rob_unlock();
	return cookie;
}

/* Without storage the call's record is on this stack, which outlives it: a plain call is complete when it has run. */
static async_cookie_t run_on_stack(const struct rob_request *request)
{
	struct rob_record record;

	rob_record_init(&record, ROB_RECORD);
	fill(&record.slot, request, true);
	return run_inline(request, &record.slot);
}

/*
 * Whether the call has to run inline. While it must not run at all, or where it would nest in another call with little
 * stack left, it queues, whatever the limit.
 */
static bool is_full(const struct rob_request *request)
{
	if (!rob_inline_only() && rob.queue.pending < rob.config.pending)
		return false;
	if (rob_quiesced(request->domain, port_self()) && !request->try_only)
		return false;
	return request->try_only || !port_self()->top || !port_stack_low();
}

/* A slot; where there is no storage it is asked for, without the lock meanwhile. NULL: there is no memory. */
static struct rob_slot *slot_new(struct async_domain *domain, unsigned width)
{
	struct rob_slot *slot = rob_slot_new(domain, width);
	unsigned large = rob_block_class(domain);
	void *memory;

	if (port_likely(slot))
		return slot;
	rob_unlock();
	memory = port_alloc(rob_block_bytes(large));
	port_lock(&rob.lock);
	if (memory)
		rob_block_add(memory, large);
	return rob_slot_new(rob_domain(domain), width);
}

/* Any call, any state. With the lock held; returns without. */
static async_cookie_t schedule_locked(struct rob_request *request)
{
	struct async_domain *domain;
	struct rob_slot *slot;
	unsigned width;
	bool full;

	if (port_unlikely(!request->func)) {
		rob_unlock();
		port_refused(request->caller, 0);
		return 0;
	}
	if (port_unlikely(!port_load_relaxed(&rob.started))) { /* no order: written under the lock */
		rob_unlock();
		rob_start();
		port_lock(&rob.lock);
	}
	request->owner = owner_of(request);
	width = request->retire || request->owner ? 2 : 1;
	domain = request->domain = rob_domain(request->domain);
	full = is_full(request);
	if (full && request->try_only) {
		rob_unlock();
		return 0;
	}
	slot = full && !request->retire ? rob_slot_here(domain, width) : slot_new(domain, width);
	full = is_full(request);
	if (!slot && !request->retire && !request->try_only) {
		if (!rob_quiesced(domain, port_self()))
			return run_on_stack(request);
		if (port_self()->quiesce) { /* it would wait for itself */
			rob_unlock();
			return 0;
		}
		rob_quiesce_wait_end();
		return schedule_locked(request);
	}
	if (!slot || (full && request->try_only)) {
		if (slot)
			rob_slot_unused(slot);
		rob_unlock();
		return 0;
	}
	fill(slot, request, width == 2);
	if (full)
		return run_inline(request, slot);
	return enqueue(request, slot);
}

/* Out of line: what a plain call mostly does not need stays out of its way. With the lock held; returns without. */
async_cookie_t rob_schedule_thinking(async_func_t func, async_func_t retire, void *data, struct async_domain *domain,
				     bool try_only, const void *caller)
{
	struct rob_request request = {
		.func = func, .retire = retire, .data = data, .domain = domain, .caller = caller, .try_only = try_only};

	return schedule_locked(&request);
}

bool rob_entry_in_progress(const struct async_entry *entry)
{
	bool is;

	rob_lock();
	is = entry->reserved[0] == rob_entry_mark(entry);
	rob_unlock();
	return is;
}

async_cookie_t rob_schedule_entry(struct async_entry *entry, struct rob_request *request)
{
	struct rob_record *record = (struct rob_record *)(void *)entry;
	async_cookie_t busy = 0;

	rob_lock();
	if (port_unlikely(entry->reserved[0] == rob_entry_mark(entry)))
		busy = rob_cookie(&record->slot);
	if (port_unlikely(busy || !request->func)) {
		rob_unlock();
		port_refused(request->caller, busy);
		return busy;
	}
	request->owner = owner_of(request);
	request->domain = rob_domain(request->domain);
	rob_record_init(record, ROB_ENTRY);
	entry->reserved[0] = rob_entry_mark(entry);
	fill(&record->slot, request, true);
	/* Covered by chance: an entry without workers while another thread quiesces */
	if (rob_inline_only() && !rob_quiesced(request->domain, port_self()))
		return run_inline(request, &record->slot);
	return enqueue(request, &record->slot);
}
