/* SPDX-License-Identifier: MIT */
/*
 * Init code and init data: in their own pages, freed after what still runs in them, gone for good. Tests that free
 * init data leave by _exit(): LeakSanitizer reads all data at exit.
 */
#include "../harness.h"

#include <fcntl.h>
#include <inorder/initcall.h>

#include "falls.h"

static struct gate gate;
static bool ran_to_its_end;
ASYNC_DOMAIN_EXCLUSIVE(exclusive);

static int __initdata init_data = 1;
static int other_data = 2; /* beside it in the source, not in its page */

static int other_code(int value)
{
	return value + other_data;
}

static void __init slow_init(void *data, async_cookie_t cookie)
{
	gate_call(data, cookie);
	ran_to_its_end = init_data == 1; /* still there */
}

static struct async_domain *domain_of_call;

static int __init start(void)
{
	async_schedule_domain(slow_init, &gate, domain_of_call);
	return 0;
}
device_initcall(start);

/* Not an initcall: what a later caller would call. */
static int __init later(void)
{
	return init_data;
}

static size_t freed;

static void free_init(void *unused)
{
	freed = initcalls_free();
}

static void free_beside_a_call(struct async_domain *domain)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct actor actor;

	gate_init(&gate);
	domain_of_call = domain;
	CHECK_EQ(initcalls_run(0), 0);
	down(&gate.begun);
	actor_start(&actor, free_init, NULL);
	quiet();
	CHECK(!actor.done);
	CHECK_EQ(later(), 1);
	gate_open(&gate);
	actor_join(&actor);
	CHECK(ran_to_its_end);
	CHECK(freed >= 2 * page && freed % page == 0);
	CHECK(faults_when_called(later));
	CHECK(faults_when_read(&init_data));
	CHECK_EQ(other_code(1), 3);
	CHECK_EQ(initcalls_free(), 0); /* once only */
}

TEST(freeing_waits_for_async_init_code, .pools = PSOME, .raw_exit = true)
{
	free_beside_a_call(NULL);
}

TEST(freeing_waits_for_exclusive_domains_too, .pools = PSOME, .raw_exit = true)
{
	free_beside_a_call(&exclusive);
}

TEST(nothing_is_freed_before_the_initcalls_ran, .pools = PALL)
{
	CHECK_EQ(initcalls_free(), 0);
	CHECK_EQ(later(), 1);
}

static void free_in_call(void *unused, async_cookie_t cookie)
{
	errno = 0;
	CHECK_EQ(initcalls_free(), 0);
	CHECK_EQ(errno, EDEADLK);
}

TEST(nothing_is_freed_from_inside_a_call, .pools = PSOME)
{
	gate_init(&gate);
	gate_open(&gate);
	CHECK_EQ(initcalls_run(0), 0);
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK(async_schedule(free_in_call, NULL));
	CHECK_EQ(async_synchronize_full(), 0);
	CHECK_EQ(later(), 1);
}

/* Whether a page of ours stands behind the address: bit 63 of its entry, see the kernel's pagemap. */
static bool is_resident(const void *address)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC); /* it takes whole entries only, so no buffer */
	off_t at = (off_t)((uintptr_t)address / (size_t)sysconf(_SC_PAGESIZE) * sizeof(entry));

	CHECK(fd >= 0);
	CHECK_EQ(pread(fd, &entry, sizeof(entry), at), sizeof(entry));
	close(fd);
	return entry >> 63;
}

TEST(memory_of_freed_pages_is_given_back, .pools = P2, .raw_exit = true)
{
	gate_init(&gate);
	gate_open(&gate);
	CHECK_EQ(initcalls_run(0), 0);
	CHECK_EQ(later(), 1);
	CHECK(is_resident(&init_data));
	CHECK(is_resident((const void *)(uintptr_t)later));
	CHECK(initcalls_free() > 0);
	CHECK(!is_resident(&init_data));
	CHECK(!is_resident((const void *)(uintptr_t)later));
}
