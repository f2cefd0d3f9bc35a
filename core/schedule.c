/* SPDX-License-Identifier: MIT */
/* Issuing calls. */
#include "core.h"

struct request {
	async_func_t func, retire;
	void *data;
	struct async_domain *domain;
	struct async_owner *owner;
	const void *caller; /* where the call was scheduled */
	bool try_only;
};

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define CALLER() __builtin_extract_return_addr(__builtin_return_address(0))

/* Whose call it is: what the thread works for, else what the layer above says. With the lock held. */
ALWAYS_INLINE struct async_owner *owner_of(const struct request *request)
{
	struct async_owner *owner = port_self()->owner;

	if (!owner && port_unlikely(rob.find_owner))
		owner = rob.find_owner(request->caller, request->func, request->retire);
	rob_owner_refresh(owner);
	return owner;
}

static void fill(struct rob_slot *slot, const struct request *request, bool wide)
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
static void trace_issue(enum async_trace_type type, const struct request *request, async_cookie_t cookie,
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
static void check_turn(const struct request *request)
{
	if (port_unlikely(rob.odd) && request->retire && request->owner)
		rob_poke_owner(request->owner);
}

/* Puts a call that has its slot into the queue; returns without the lock. */
static async_cookie_t enqueue(const struct request *request, struct rob_slot *slot)
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

/* Without workers: runs what calls in this call's nest have left in the queue, for want of stack. With the lock. */
static void run_left(struct rob_thread *self)
{
	struct rob_slot *slot;

	while (rob_inline_only() && !self->top && !rob.quiesce && (slot = rob_queue_head())) {
		rob_queue_take(slot);
		rob_run(slot, self, 0);
	}
}

/* Runs a call in this thread, in progress like any other; returns without the lock. */
static async_cookie_t run_inline(const struct request *request, struct rob_slot *slot)
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
	run_left(port_self());
	rob_unlock();
	return cookie;
}

/* Without storage the call's record is on this stack, which outlives it: a plain call is complete when it has run. */
static async_cookie_t run_on_stack(const struct request *request)
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
static bool is_full(const struct request *request)
{
	if (rob_quiesced(request->domain, port_self()) && !request->try_only)
		return false;
	if (!rob_inline_only() && rob.queue.pending < rob.config.pending)
		return false;
	return request->try_only || !port_self()->top || !port_stack_low();
}

/* Nothing to call: known here, where it can be seen who asked. */
static async_cookie_t refuse(const struct request *request)
{
	char caller[160];

	port_symbol((async_func_t)(uintptr_t)request->caller, caller, sizeof(caller));
	port_log(2, "inorder: %s schedules a call without a function (NULL); it is refused, the cookie is 0\n", caller);
	return 0;
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
static async_cookie_t schedule_locked(struct request *request)
{
	struct async_domain *domain;
	struct rob_slot *slot;
	unsigned width;
	bool full;

	if (port_unlikely(!request->func)) {
		rob_unlock();
		return refuse(request);
	}
	if (port_unlikely(!port_load_relaxed(&rob.started))) {
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

/*
 * Most calls need no thought: there is storage, in the domain's last block or in a
 * spare one, and fewer are pending than rob.quick says, which is 0 before the first
 * call of all.
 */
ALWAYS_INLINE struct async_block *block_at_once(async_func_t func, struct async_domain *domain, int width)
{
	struct async_block *block = domain->last;

	if (port_unlikely(!func || domain->generation != rob.generation || rob.queue.pending >= rob.quick ||
			  port_self()->owner || port_traces()))
		return NULL;
	if (port_likely(block && block->capacity - block->fill >= width))
		return block;
	return rob_block_begin(domain);
}

/*
 * Numbers and queues the call in the block's next slot. A call of a block that has others in
 * progress is not the lowest. Behind the tail: it is no entry, so nothing links back.
 */
ALWAYS_INLINE async_cookie_t enqueue_at_once(struct async_block *block, async_func_t func, void *data, unsigned width)
{
	struct rob_slot *slot = rob_slots(block) + block->fill;
	async_cookie_t cookie;

	block->pending |= (uint64_t)1 << block->fill;
	cookie = rob_number(block, slot, width);
	slot->func = func;
	slot->data = data;
	slot->next = NULL;
	if (rob.queue.tail)
		rob.queue.tail->next = slot;
	else
		rob.queue.head = slot;
	rob.queue.tail = slot;
	rob.queue.pending++;
	return cookie;
}

/* Out of line: what a plain call mostly does not need stays out of its way. */
static __attribute__((__noinline__)) async_cookie_t
schedule_thinking(async_func_t func, void *data, struct async_domain *domain, bool try_only, const void *caller)
{
	struct request request = {.func = func, .data = data, .domain = domain, .caller = caller, .try_only = try_only};

	return schedule_locked(&request);
}

/* Part of each public call, so that the caller is known where it is needed and costs nothing where not. */
ALWAYS_INLINE async_cookie_t schedule_plain(async_func_t func, void *data, struct async_domain *domain, bool try_only)
{
	struct async_block *block;
	async_cookie_t cookie;

	port_lock(&rob.lock);
	if (!domain)
		domain = &rob.main_domain;
	block = block_at_once(func, domain, 1);
	if (port_unlikely(!block))
		return schedule_thinking(func, data, domain, try_only, CALLER());
	cookie = enqueue_at_once(block, func, data, 1);
	port_unlock(&rob.lock);
	return cookie;
}

async_cookie_t async_schedule_domain(async_func_t func, void *data, struct async_domain *domain)
{
	return schedule_plain(func, data, domain, false);
}

async_cookie_t async_schedule(async_func_t func, void *data)
{
	return schedule_plain(func, data, NULL, false);
}

async_cookie_t async_schedule_special(async_func_t func, void *data, struct async_domain *list)
{
	return schedule_plain(func, data, list, false);
}

/* Threads of a program are not bound to nodes: the node is a hint that this port has no use for. */
async_cookie_t async_schedule_node_domain(async_func_t func, void *data, int node, struct async_domain *domain)
{
	(void)node;
	return schedule_plain(func, data, domain, false);
}

async_cookie_t async_schedule_node(async_func_t func, void *data, int node)
{
	(void)node;
	return schedule_plain(func, data, NULL, false);
}

async_cookie_t async_schedule_ordered(async_func_t func, async_func_t retire, void *data, struct async_domain *domain)
{
	struct async_block *block;
	async_cookie_t cookie;

	port_lock(&rob.lock);
	if (!domain)
		domain = &rob.main_domain;
	block = port_likely(retire) ? block_at_once(func, domain, 2) : NULL;
	if (port_unlikely(!block)) {
		struct request request = {
			.func = func, .retire = retire, .data = data, .domain = domain, .caller = CALLER()};

		return schedule_locked(&request);
	}
	*rob_wide(rob_slots(block) + block->fill) = (struct rob_wide){.retire = retire, .flags = ROB_QUEUED};
	domain->ordered++;
	cookie = enqueue_at_once(block, func, data, 2);
	port_unlock(&rob.lock);
	return cookie;
}

bool async_try_schedule(async_func_t func, void *data, struct async_domain *domain, async_cookie_t *cookie)
{
	async_cookie_t given = schedule_plain(func, data, domain, true);

	if (given && cookie)
		*cookie = given;
	return given;
}

/* The entry's call is in progress: it stays what it is. With the lock held; returns without. */
static async_cookie_t refuse_entry(struct rob_record *record)
{
	async_cookie_t cookie = rob_cookie(&record->slot);

	rob_unlock();
	port_log(
		2,
		"inorder: an entry is scheduled again while its call, cookie %llu, is in progress; that call stays, the "
		"new one is refused\n",
		(unsigned long long)cookie);
	return cookie;
}

bool rob_entry_in_progress(const struct async_entry *entry)
{
	bool is;

	rob_lock();
	is = entry->reserved[0] == rob_entry_mark(entry);
	rob_unlock();
	return is;
}

async_cookie_t async_schedule_entry(struct async_entry *entry, async_func_t func, async_func_t retire, void *data,
				    struct async_domain *domain)
{
	struct rob_record *record = (struct rob_record *)(void *)entry;
	struct request request = {.func = func, .retire = retire, .data = data, .domain = domain, .caller = CALLER()};

	if (port_unlikely(!func))
		return refuse(&request);
	rob_lock();
	if (port_unlikely(entry->reserved[0] == rob_entry_mark(entry)))
		return refuse_entry(record);
	request.owner = owner_of(&request);
	request.domain = rob_domain(domain);
	rob_record_init(record, ROB_ENTRY);
	entry->reserved[0] = rob_entry_mark(entry);
	fill(&record->slot, &request, true);
	if (rob_inline_only() && !rob_quiesced(request.domain, port_self()))
		return run_inline(&request, &record->slot);
	return enqueue(&request, &record->slot);
}
