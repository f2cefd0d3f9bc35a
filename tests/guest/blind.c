/* SPDX-License-Identifier: MIT */
/* Programs in which no thread may look into /proc: the pool grows for calls that block all the same. */
#include "harness.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { CALLS = 900, STACK_BYTES = 256 * 1024 }; /* so many stacks of 8 MB do not fit into 32 bits */

static atomic_uint here;
static sem_t all_here;

/* Returns when all calls are in it. */
static void meet(void *data, async_cookie_t cookie)
{
	if (++here == CALLS)
		for (unsigned int i = 0; i < CALLS; i++)
			up(&all_here);
	down(&all_here);
}

/* One thread more each 100 ms would take longer than the test may. */
static void meet_all(void)
{
	struct async_config config = ASYNC_CONFIG_INIT;

	config.stack_bytes = STACK_BYTES;
	CHECK_EQ(async_configure(&config), 0);
	sem_init(&all_here, 0, 0);
	for (unsigned int i = 0; i < CALLS; i++)
		async_schedule(meet, NULL);
	CHECK_EQ(async_synchronize_full(), 0);
}

TEST(no_descriptor_is_left, .pools = PDEFAULT, .env = "INORDER_THREADS=1000", .limit_s = 80, .no_tsan = true,
     .no_asan = true)
{
	struct rlimit none;

	CHECK(!getrlimit(RLIMIT_NOFILE, &none));
	none.rlim_cur = 0;
	CHECK(!setrlimit(RLIMIT_NOFILE, &none));
	meet_all();
}

/* Whoever opens a file, or asks how often threads have slept, is killed. */
TEST(a_filter_forbids_to_open, .pools = PDEFAULT, .env = "INORDER_THREADS=1000", .limit_s = 80, .no_tsan = true,
     .no_asan = true)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrusage, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

#ifdef M_ARENA_MAX
	mallopt(M_ARENA_MAX, 1); /* glibc would open a file to count processors */
#endif
	if (prctl(PR_GET_SECCOMP) > 0)
		harness_skip("there is a filter already");
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		harness_skip("no filter can be set");
	meet_all();
}
