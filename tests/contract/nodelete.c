/* SPDX-License-Identifier: MIT */
/*
 * Clause 11: the library is never unmapped. This program is not linked with it;
 * NODELETE_LIBRARY is its path. A worker sleeps in code that dlclose() would
 * have unmapped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <stdatomic.h>

typedef uint64_t schedule_fn(void (*func)(void *data, uint64_t cookie), void *data);
typedef int full_fn(void);

static void count(void *data, uint64_t cookie)
{
	atomic_fetch_add((atomic_uint *)data, 1);
}

static void *load(void)
{
	void *library = dlopen(NODELETE_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		fail_msg("%s", dlerror());
	return library;
}

static void a_closed_library_stays(void **state)
{
	void *library = load();
	schedule_fn *schedule = (schedule_fn *)(uintptr_t)dlsym(library, "async_schedule");
	full_fn *full = (full_fn *)(uintptr_t)dlsym(library, "async_synchronize_full");
	atomic_uint n = 0;

	assert_true(schedule && full);
	for (unsigned int i = 0; i < 10; i++) {
		schedule(count, &n);
		assert_int_equal(dlclose(library), 0);
		assert_int_equal(full(), 0);
		assert_int_equal(atomic_load(&n), i + 1);
		library = load();
		assert_ptr_equal(dlsym(library, "async_schedule"), (void *)(uintptr_t)schedule);
	}
	assert_int_equal(dlclose(library), 0);
	assert_int_equal(full(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_closed_library_stays)};

	return cmocka_run_group_tests_name("nodelete", tests, NULL, NULL);
}
