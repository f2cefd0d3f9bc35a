/* SPDX-License-Identifier: MIT */
/* Objects: as they were loaded, except that what one needs comes before it. */
#include "../harness.h"

#include <dlfcn.h>

#include "calls.h"
#include "falls.h"

INORDER_API void library(void);
void user(void);
void used(void);
int library_code(void);
int used_code(void);

static char list[1024];
static const char *load_at; /* the initcall that loads the group */

int called(const char *name)
{
	CHECK(strlen(list) + strlen(name) + 2 < sizeof(list));
	if (list[0])
		strcat(list, " ");
	strcat(list, name);
	if (load_at && !strcmp(name, load_at))
		CHECK(dlopen(GROUP, RTLD_NOW));
	return 0;
}

CALL(program_device) device_initcall(program_device);
CALL(program_core) core_initcall(program_core);

static void run(void)
{
	library();
	user();
	used();
	CHECK_EQ(initcalls_run(0), 0);
}

#define CHECK_LIST(wanted) \
	do { \
		if (strcmp(list, wanted)) \
			FAIL("these ran:\n\"%s\"\ninstead of\n\"%s\"", list, wanted); \
		list[0] = 0; \
	} while (0)
#define OBJECTS(level) "library_" level " used_" level " user_" level " program_" level
#define GROUP_OBJECTS(level) "one_" level " two_" level " group_" level

TEST(objects_run_as_loaded_but_what_one_needs_first, .pools = PALL)
{
	run();
	CHECK_LIST(OBJECTS("core") " " OBJECTS("device"));
}

TEST(objects_loaded_before_the_run_come_last, .pools = P2)
{
	CHECK(dlopen(GROUP, RTLD_NOW));
	run();
	CHECK_LIST(OBJECTS("core") " " GROUP_OBJECTS("core") " " OBJECTS("device") " " GROUP_OBJECTS("device"));
}

TEST(objects_that_an_initcall_loads_are_in_order, .pools = P2)
{
	load_at = "user_core";
	run();
	CHECK_LIST("library_core used_core user_core program_core " GROUP_OBJECTS("core") " " OBJECTS(
		"device") " " GROUP_OBJECTS("device"));
}

TEST(objects_loaded_after_the_run_are_in_order, .pools = P2)
{
	run();
	list[0] = 0;
	CHECK(dlopen(GROUP, RTLD_NOW));
	CHECK_EQ(initcalls_run(0), 0);
	CHECK_LIST(GROUP_OBJECTS("core") " " GROUP_OBJECTS("device"));
}

TEST(init_code_of_libraries_is_freed_too, .pools = P2, .raw_exit = true)
{
	run();
	CHECK(library_code() && used_code());
	CHECK(initcalls_free() >= 3 * (size_t)sysconf(_SC_PAGESIZE));
	CHECK(faults_when_called(library_code));
	CHECK(faults_when_called(used_code));
}

TEST(init_code_of_a_later_library_is_freed_once_it_has_run, .pools = P2, .raw_exit = true)
{
	int (*code)(void);
	void *handle;

	run();
	CHECK(initcalls_free() > 0);
	handle = dlopen(GROUP, RTLD_NOW);
	CHECK(handle);
	*(void **)&code = dlsym(handle, "group_code");
	CHECK_EQ(initcalls_free(), 0);
	CHECK(code());
	CHECK_EQ(initcalls_run(0), 0);
	CHECK(initcalls_free() > 0);
	CHECK(faults_when_called(code));
}
