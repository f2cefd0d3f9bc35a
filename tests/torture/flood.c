/* SPDX-License-Identifier: MIT */
/*
 * Floods: many calls that do next to nothing, as fast as they can be made. Each call writes to its own cell, without
 * atomics: whoever has waited for it looks there whether it ran, and ran once.
 */
#include "torture.h"

enum { BATCH = 1 << 16, SUBMITTERS = 3 };

struct cell {
	uint32_t ran; /* calls of this cell's, in all batches */
	uint32_t retired;
	uint32_t released;
	uint32_t due; /* so many should have */
};

struct flood {
	struct async_domain *domain;
	struct async_domain own;
	struct cell *cells;
	struct async_entry *entries;
	struct random random;
	async_cookie_t last_retired; /* written by one retire step after the other */
	async_cookie_t last_begun;   /* by the only worker */
	unsigned int appended;       /* by calls whose turn it is */
	pthread_t thread;
};

static struct flood floods[SUBMITTERS];
static unsigned int submitters;

/* ---- calls ---- */

static void empty_call(void *data, async_cookie_t cookie)
{
	struct cell *cell = data;

	(void)cookie;
	cell->ran++;
}

static struct flood *flood_of(const struct cell *cell)
{
	for (struct flood *flood = floods;; flood++)
		if (flood->cells && cell >= flood->cells && cell < flood->cells + BATCH)
			return flood;
}

static void retire_cell(void *data, async_cookie_t cookie)
{
	struct cell *cell = data;
	struct flood *flood = flood_of(cell);

	if (cell->ran != cell->due)
		TFAIL("cookie %" PRIu64 " retires before its func has returned", cookie);
	if (cookie <= flood->last_retired)
		TFAIL("cookie %" PRIu64 " retires after %" PRIu64, cookie, flood->last_retired);
	flood->last_retired = cookie;
	cell->retired++;
}

static void ordered_call(void *data, async_cookie_t cookie)
{
	(void)cookie;
	((struct cell *)data)->ran++;
}

/* Waits for its turn, then appends without a lock. */
static void append_call(void *data, async_cookie_t cookie)
{
	struct cell *cell = data;
	struct flood *flood = flood_of(cell);

	TCHECK(!async_synchronize_cookie_domain(cookie, flood->domain));
	if (cell != flood->cells + flood->appended)
		TFAIL("cookie %" PRIu64 " had its turn as number %u, not as %td", cookie, flood->appended,
		      cell - flood->cells);
	flood->appended++;
	cell->ran++;
}

static void in_order_call(void *data, async_cookie_t cookie)
{
	struct cell *cell = data;
	struct flood *flood = flood_of(cell);

	if (cookie <= flood->last_begun)
		TFAIL("the only worker began cookie %" PRIu64 " after %" PRIu64, cookie, flood->last_begun);
	flood->last_begun = cookie;
	cell->ran++;
}

static void release_cell(void *data, async_cookie_t cookie)
{
	(void)cookie;
	((struct cell *)data)->released++;
}

/* ---- batches ---- */

/* What stands in the cells is what should, up to n. */
static void check_cells(struct flood *flood, unsigned int n, bool retires)
{
	for (unsigned int i = 0; i < n; i++) {
		const struct cell *cell = &flood->cells[i];

		if (cell->ran != cell->due || (retires && cell->retired != cell->due))
			TFAIL("cell %u of %u ran %u times and retired %u times, not %u", i, n, cell->ran, cell->retired,
			      cell->due);
	}
}

static void next_batch(struct flood *flood, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct cell *cell = &flood->cells[i];

		cell->due++;
		cell->ran = cell->retired = cell->due - 1;
		cell->released = 0;
	}
}

static void full_wait(struct flood *flood)
{
	figure_add(&round_.figures->waits, 1);
	TCHECK(!async_synchronize_full_domain(flood->domain));
}

static void plain_batch(struct flood *flood, unsigned int n)
{
	unsigned int half = random_below(&flood->random, n);
	async_cookie_t middle = 0;

	for (unsigned int i = 0; i < n; i++) {
		async_cookie_t cookie = async_schedule_domain(empty_call, &flood->cells[i], flood->domain);

		if (i == half)
			middle = cookie;
	}
	if (random_percent(&flood->random, 30)) {
		figure_add(&round_.figures->waits, 2);
		TCHECK(!async_synchronize_cookie_domain(middle, flood->domain));
		check_cells(flood, half, false);
		TCHECK(!async_synchronize_call(middle, flood->domain));
		check_cells(flood, half + 1, false);
	}
	full_wait(flood);
}

static void ordered_batch(struct flood *flood, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		TCHECK(async_schedule_ordered(ordered_call, retire_cell, &flood->cells[i], flood->domain));
	full_wait(flood);
	check_cells(flood, n, true);
	figure_add(&round_.figures->retires, n);
}

static void entry_batch(struct flood *flood, unsigned int n)
{
	if (n > 1000)
		n = 1000;
	for (unsigned int i = 0; i < n; i++)
		TCHECK(async_schedule_entry(&flood->entries[i], ordered_call, i & 1 ? retire_cell : NULL,
					    &flood->cells[i], flood->domain));
	full_wait(flood);
	for (unsigned int i = 1; i < n; i += 2)
		TCHECK(flood->cells[i].retired == flood->cells[i].due);
	for (unsigned int i = n; i < BATCH && flood->cells[i].ran != flood->cells[i].due; i++)
		flood->cells[i].ran++; /* not scheduled at all */
	figure_add(&round_.figures->retires, n / 2);
}

static void append_batch(struct flood *flood, unsigned int n)
{
	unsigned int some = n < 5000 ? n : 5000;

	flood->appended = 0;
	for (unsigned int i = 0; i < some; i++)
		async_schedule_domain(append_call, &flood->cells[i], flood->domain);
	full_wait(flood);
	TCHECK(flood->appended == some);
	for (unsigned int i = some; i < n; i++)
		flood->cells[i].ran++;
	figure_add(&round_.figures->waits, some);
}

static void cancelled_batch(struct flood *flood, unsigned int n)
{
	unsigned int cancelled, released = 0;

	for (unsigned int i = 0; i < n; i++)
		async_schedule_domain(empty_call, &flood->cells[i], flood->domain);
	cancelled = async_cancel_domain(flood->domain, release_cell);
	full_wait(flood);
	for (unsigned int i = 0; i < n; i++) {
		flood->cells[i].ran += flood->cells[i].released; /* one of them, once */
		released += flood->cells[i].released;
	}
	if (released != cancelled)
		TFAIL("%u calls were released, but %u cancelled", released, cancelled);
	figure_add(&round_.figures->cancelled, cancelled);
}

/* Claimed in cookie order: seen where one worker begins them and no thread helps, as timed waits do not. */
static void claimed_batch(struct flood *flood, unsigned int n)
{
	async_cookie_t last = 0;
	int result;

	for (unsigned int i = 0; i < n; i++)
		last = async_schedule_domain(in_order_call, &flood->cells[i], flood->domain);
	figure_add(&round_.figures->waits, 1);
	result = async_synchronize_cookie_timeout(last + 1, flood->domain, UINT64_MAX);
	if (result)
		TFAIL("a wait without limit returned %d", result);
}

static void one_batch(struct flood *flood)
{
	unsigned int n = 1 + random_below(&flood->random, random_percent(&flood->random, 50) ? 100 : SCALE(BATCH));
	unsigned int kind = random_below(&flood->random, 100);
	bool own = flood->domain == &flood->own;

	next_batch(flood, n);
	if (kind < 60)
		plain_batch(flood, n);
	else if (kind < 70)
		ordered_batch(flood, n);
	else if (kind < 78)
		entry_batch(flood, n);
	else if (kind < 85 && own)
		append_batch(flood, n);
	else if (kind < 92 && own)
		cancelled_batch(flood, n);
	else if (round_.threads == 1 && !round_.pending && n < 30000 && submitters == 1)
		claimed_batch(flood, n);
	else
		plain_batch(flood, n);
	check_cells(flood, n, false);
	figure_add(&round_.figures->calls, n);
}

static void *submit(void *data)
{
	struct flood *flood = data;
	unsigned int batches = 1 + random_below(&flood->random, 20);

	for (unsigned int i = 0; i < batches; i++)
		one_batch(flood);
	full_wait(flood);
	return NULL;
}

static void flood_new(struct flood *flood, bool own)
{
	*flood = (struct flood){.random = random_stream(random_next(&round_.choices), 1)};
	flood->own = (struct async_domain)ASYNC_DOMAIN_INIT;
	flood->domain = own ? &flood->own : NULL;
	flood->own.exclusive = random_percent(&round_.choices, 50);
	flood->cells = calloc(BATCH, sizeof(*flood->cells));
	flood->entries = calloc(1000, sizeof(*flood->entries));
	TCHECK(flood->cells && flood->entries);
}

void flood_phase(void)
{
	unsigned int n = 1 + random_below(&round_.choices, 10) / 4;

	submitters = n;
	for (unsigned int i = 0; i < n; i++)
		flood_new(&floods[i], random_percent(&round_.choices, 70));
	for (unsigned int i = 1; i < n; i++)
		TCHECK(!pthread_create(&floods[i].thread, NULL, submit, &floods[i]));
	submit(&floods[0]);
	for (unsigned int i = 1; i < n; i++)
		TCHECK(!pthread_join(floods[i].thread, NULL));
	for (unsigned int i = 0; i < n; i++) {
		free(floods[i].cells);
		free(floods[i].entries);
		floods[i] = (struct flood){0};
	}
	wakes_collect(false);
}
