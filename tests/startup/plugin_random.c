/* SPDX-License-Identifier: MIT */
/* Loads and unloads in random order by several threads leave nothing behind. */
#include "host.h"

#include <malloc.h>

enum { THREADS = 4, HELD = 3 };

static const char *const names[] = {"a", "b", "c", "needs_b", "far"};
static atomic_uint inits[8];
static atomic_uint calls, own_calls;
static unsigned int rounds;
static unsigned int seed;

static void count_call(struct part_job *job, async_cookie_t cookie)
{
	calls++;
	free(job);
}

/* One more init1 than exit1 while it is up: never two. */
static int check_step(const struct part *part, const char *step)
{
	size_t i = 0;

	while (strcmp(names[i], part->name))
		i++;
	if (is_step(step, "init1")) {
		struct part_job *job = malloc(sizeof(*job));

		if (inits[i]++)
			FAIL("%s starts a second time", part->name);
		CHECK(job);
		part_schedule(job, part, count_call, NULL);
	} else if (is_step(step, "exit1")) {
		if (inits[i]-- != 1)
			FAIL("%s ends a second time", part->name);
	} else if (is_step(step, "init2") && i == 2) {
		return calls % 3 ? 0 : -ENXIO; /* c sometimes fails */
	}
	return 0;
}

/* For its owner the list of plug-ins is looked at, beside its changes. It needs no storage, which the library keeps. */
static void call_of_nobody(void)
{
	struct async_entry entry;

	CHECK_EQ(async_synchronize_call(async_schedule_entry(&entry, count, NULL, &own_calls, NULL), NULL), 0);
}

static void load_and_unload(void *data)
{
	unsigned int state = seed + (unsigned int)(uintptr_t)data;
	struct plugin *held[HELD] = {NULL};

	for (unsigned int i = 0; i < rounds; i++) {
		struct plugin **slot = &held[(unsigned int)rand_r(&state) % HELD];
		const char *name = names[(unsigned int)rand_r(&state) % 5];

		if (*slot) {
			unload(*slot);
			*slot = NULL;
		} else if (plugin_load(part_path(name), rand_r(&state) % 2 ? PLUGIN_ASYNC : 0, slot)) {
			CHECK(strstr(plugin_error(), "part_c.so"));
		}
		steps_clear();
		call_of_nobody();
	}
	for (unsigned int i = 0; i < HELD; i++)
		if (held[i])
			unload(held[i]);
}

static void run_threads(unsigned int rounds_each)
{
	struct actor actors[THREADS];

	rounds = rounds_each;
	for (uintptr_t i = 0; i < THREADS; i++)
		actor_start(&actors[i], load_and_unload, (void *)i);
	for (unsigned int i = 0; i < THREADS; i++)
		actor_join(&actors[i]);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(own_calls, THREADS * rounds_each);
	own_calls = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK_EQ(inits[i], 0);
		CHECK(!part_is_mapped(names[i]));
	}
}

/* In bytes; 0 where the C library does not say. */
static size_t allocated(void)
{
#ifdef __GLIBC__
	return mallinfo2().uordblks;
#else
	return 0;
#endif
}

TEST(random_loads_and_unloads_leave_nothing_behind, .pools = PALL, .limit_s = 900)
{
	const char *wanted = getenv("INORDER_TEST_SEED");
	size_t before;

	seed = wanted ? (unsigned int)strtoul(wanted, NULL, 0) : (unsigned int)getpid();
	fprintf(stderr, "INORDER_TEST_SEED=%u\n", seed);
	on_step = check_step;
	run_threads(25); /* what is allocated once, and kept */
	before = allocated();
	run_threads(500); /* half of the rounds are loads: 1,000 of them and their unloads */
	if (!HARNESS_TSAN && !HARNESS_ASAN && allocated() > before + 16384)
		FAIL("%zu bytes were allocated before, %zu are now", before, allocated());
}
