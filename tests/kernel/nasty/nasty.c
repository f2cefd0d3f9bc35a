// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Unusual uses of asynchronous function calls, one at a time: "insmod inorder_nasty.ko what=CASE [n=N] [ms=N]".
 * Compiled from one source for the stock kernel and for ours. One line of the log for each figure:
 * "nasty: IMPLEMENTATION CASE n=N: ...". Beside each case run the probes of probes.c.
 */
#include <linux/async.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/vmalloc.h>

#include "nasty.h"

char *what = "none";
module_param(what, charp, 0444);
unsigned int n = 1000;
module_param(n, uint, 0444);
static unsigned int ms = 1000;
module_param(ms, uint, 0444);
static bool direct;
module_param(direct, bool, 0444);

static u64 end_ns;
static atomic_t ran;

static void again(void *data, async_cookie_t cookie)
{
	atomic_inc(&ran);
	if (ktime_get_ns() < end_ns)
		async_schedule(again, data);
}

/* n calls each of which schedules itself anew, for ms. */
static void endless(void)
{
	end_ns = ktime_get_ns() + ms * 1000000ull;
	atomic_set(&ran, 0);
	for (unsigned int i = 0; i < n; i++)
		async_schedule(again, NULL);
	async_synchronize_full();
	SAY("%d calls in %u ms", atomic_read(&ran), ms);
}

static void leak_atomic(void *data, async_cookie_t cookie)
{
	preempt_disable();
}

static DEFINE_MUTEX(leaked);

static void leak_mutex(void *data, async_cookie_t cookie)
{
	mutex_lock(&leaked);
}

static void leak(void)
{
	if (n & 1)
		async_schedule(leak_mutex, NULL);
	if (n & 2)
		async_schedule(leak_atomic, NULL);
	async_synchronize_full();
	msleep(200);
	SAY("done");
}

static void sleep_ms(void *data, async_cookie_t cookie)
{
	atomic_inc(&ran);
	msleep(ms);
}

/* n calls that sleep for ms. */
static void sleepers(void)
{
	ktime_t since = ktime_get();

	atomic_set(&ran, 0);
	for (unsigned int i = 0; i < n; i++)
		async_schedule(sleep_ms, NULL);
	SAY("scheduled after %lld us", ktime_us_delta(ktime_get(), since));
	async_synchronize_full();
	SAY("%d ran, all done after %lld us", atomic_read(&ran), ktime_us_delta(ktime_get(), since));
}

static atomic64_t switches;
static async_cookie_t last;
static unsigned int disorder;

static void own_turn(void *data, async_cookie_t cookie)
{
	unsigned long before = current->nvcsw;

	if (!data)
		usleep_range(50000, 50010);
	before = current->nvcsw;
	async_synchronize_cookie(cookie);
	atomic64_add(current->nvcsw - before, &switches);
	if (cookie < last)
		disorder++;
	last = cookie;
}

/* n calls, each waits for its turn, behind a first that takes 50 ms. */
static void turns(void)
{
	ktime_t since = ktime_get();

	atomic64_set(&switches, 0);
	for (unsigned long i = 0; i < n; i++)
		async_schedule(own_turn, (void *)i);
	async_synchronize_full();
	SAY("%lld us, %lld switches of waiters, %u out of order", ktime_us_delta(ktime_get(), since),
	    (long long)atomic64_read(&switches), disorder);
}

struct nest {
	unsigned int left;
};

static void nest_call(void *data, async_cookie_t cookie)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	struct nest *nest = data, inner = {nest->left - 1};

	atomic_inc(&ran);
	if (!nest->left)
		return;
	async_schedule_domain(nest_call, &inner, &domain);
	async_synchronize_full_domain(&domain);
}

/* n calls inside of each other. */
static void chain(void)
{
	struct nest nest = {n};
	ktime_t since = ktime_get();

	atomic_set(&ran, 0);
	async_schedule(nest_call, &nest);
	async_synchronize_full();
	SAY("%d ran, %lld us", atomic_read(&ran), ktime_us_delta(ktime_get(), since));
}

static struct completion gate;

/* One after the other: complete_all() would wake all with interrupts off. */
static void open_gate(void)
{
	for (unsigned int i = 0; i < n; i++)
		complete(&gate);
}

static void child(void *data, async_cookie_t cookie)
{
	wait_for_completion(&gate);
}

static void parent(void *data, async_cookie_t cookie)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);

	async_schedule_domain(child, NULL, &domain);
	atomic_inc(&ran);
	async_synchronize_full_domain(&domain);
}

/* n parents, each waits for a child, all children at once stand at a gate which opens after ms. */
static void parents(void)
{
	ktime_t since = ktime_get();

	init_completion(&gate);
	atomic_set(&ran, 0);
	for (unsigned int i = 0; i < n; i++)
		async_schedule(parent, NULL);
	while (atomic_read(&ran) < n && ktime_ms_delta(ktime_get(), since) < 60000)
		msleep(1);
	SAY("%d parents wait after %lld us", atomic_read(&ran), ktime_us_delta(ktime_get(), since));
	msleep(ms);
	open_gate();
	async_synchronize_full();
	SAY("all done after %lld us", ktime_us_delta(ktime_get(), since));
}

static void nothing(void *data, async_cookie_t cookie)
{
}

/* As regulators and DAPM do: a domain on the stack, a few calls, a wait. */
static void bulk(void)
{
	for (unsigned int calls = 1; calls <= 8; calls *= 2) {
		ktime_t since = ktime_get();

		for (unsigned int i = 0; i < n; i++) {
			ASYNC_DOMAIN_EXCLUSIVE(domain);

			for (unsigned int k = 0; k < calls; k++)
				async_schedule_domain(nothing, NULL, &domain);
			async_synchronize_full_domain(&domain);
		}
		SAY("%u calls and a wait: %lld ns", calls, ktime_to_ns(ktime_sub(ktime_get(), since)) / n);
	}
}

static u64 started_ns, ended_ns;

static void stamp(void *data, async_cookie_t cookie)
{
	started_ns = ktime_get_ns();
	if (data)
		usleep_range(200, 210);
	ended_ns = ktime_get_ns();
}

/* Schedule to start, end to the waiter's going on; the pool rests before each. */
static void latency(void)
{
	u64 start = 0, end = 0;

	for (unsigned int i = 0; i < n; i++) {
		u64 before;

		usleep_range(500, 600);
		before = ktime_get_ns();
		async_schedule(stamp, &start);
		async_synchronize_full();
		end += ktime_get_ns() - ended_ns;
		start += started_ns - before;
	}
	SAY("to the start %llu ns, from the end %llu ns (means)", start / n, end / n);
}

/* Devices resume: each waits for its parent by a completion, then sleeps 200 us. */
struct node {
	struct completion done;
	struct node *parent;
};

static void resume(void *data, async_cookie_t cookie)
{
	struct node *node = data;

	if (node->parent)
		wait_for_completion(&node->parent->done);
	usleep_range(200, 210);
	complete_all(&node->done);
}

static void tree(void)
{
	struct node *nodes = vmalloc(array_size(n, sizeof(*nodes)));
	ktime_t since;

	for (unsigned int i = 0; i < n; i++) {
		init_completion(&nodes[i].done);
		nodes[i].parent = i ? &nodes[(i - 1) / 3] : NULL;
	}
	since = ktime_get();
	for (unsigned int i = 0; i < n; i++)
		async_schedule(resume, &nodes[i]);
	async_synchronize_full();
	SAY("%lld us", ktime_us_delta(ktime_get(), since));
	vfree(nodes);
}

/* The same, children first: as many as it takes are blocked before the root can run. */
static void tree_reverse(void)
{
	struct node *nodes = vmalloc(array_size(n, sizeof(*nodes)));
	ktime_t since;

	for (unsigned int i = 0; i < n; i++) {
		init_completion(&nodes[i].done);
		nodes[i].parent = i ? &nodes[(i - 1) / 3] : NULL;
	}
	since = ktime_get();
	for (unsigned int i = n; i--;)
		async_schedule(resume, &nodes[i]);
	async_synchronize_full();
	SAY("%lld us", ktime_us_delta(ktime_get(), since));
	vfree(nodes);
}

static atomic_t on_cpu[16];

static void where(void *data, async_cookie_t cookie)
{
	atomic_inc(&on_cpu[raw_smp_processor_id() % 16]);
	if (data)
		msleep(1);
}

/* Where do calls for a node run? And what do they cost? */
static void nodes(void)
{
	int node;

	for_each_online_node(node)
	{
		ktime_t since = ktime_get();

		memset(on_cpu, 0, sizeof(on_cpu));
		for (unsigned int i = 0; i < n; i++) {
			async_schedule_node(where, NULL, node);
			if (i % 16 == 15)
				async_synchronize_full();
		}
		async_synchronize_full();
		SAY("node %d: %lld ns each; on cpu 0: %d, 1: %d, 2: %d, 3: %d", node,
		    ktime_to_ns(ktime_sub(ktime_get(), since)) / n, atomic_read(&on_cpu[0]), atomic_read(&on_cpu[1]),
		    atomic_read(&on_cpu[2]), atomic_read(&on_cpu[3]));
	}
}

/* n pending behind a gate: what is left of the memory afterwards? */
static void memory(void)
{
	unsigned long before, amid, after;
	ktime_t since;

	init_completion(&gate);
	before = probes_free_pages();
	for (unsigned int i = 0; i < n; i++)
		async_schedule(child, NULL);
	since = ktime_get();
	msleep(ms);
	amid = probes_free_pages();
	open_gate();
	async_synchronize_full();
	SAY("done %lld us after", ktime_us_delta(ktime_get(), since));
	msleep(12000);
	after = probes_free_pages();
	SAY("pages taken: %ld while pending, %ld twelve seconds afterwards", (long)(before - amid),
	    (long)(before - after));
}

static atomic_t in_user;
static char user_comm[TASK_COMM_LEN];

static void context_call(void *data, async_cookie_t cookie)
{
	atomic_inc(&ran);
	if (!(current->flags & PF_KTHREAD)) {
		atomic_inc(&in_user);
		memcpy(user_comm, current->comm, sizeof(user_comm));
	}
	msleep(ms);
}

/* n calls that sleep; a user's task waits for them (direct=1). How many run in that task? */
static void context(void)
{
	for (unsigned int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < n; i++)
			async_schedule(context_call, NULL);
		async_synchronize_full();
	}
	SAY("%d ran, %d of them in a user's task (%s)", atomic_read(&ran), atomic_read(&in_user), user_comm);
}

/* Nothing: for the figures of the probes alone. */
static void none(void)
{
	msleep(ms);
}

#ifdef OURS
static async_cookie_t *cookies;

static void at_gate(void *data, async_cookie_t cookie)
{
	wait_for_completion(&gate);
}

static void wait_one(void *data, async_cookie_t cookie)
{
	atomic_inc(&ran);
	async_synchronize_call(cookies[(unsigned long)data], NULL);
}

/* n calls at a gate, n that each wait for one of them. */
static void single_waits(void)
{
	ASYNC_DOMAIN_EXCLUSIVE(domain);
	ktime_t since = ktime_get();

	init_completion(&gate);
	atomic_set(&ran, 0);
	cookies = vmalloc(array_size(n, sizeof(*cookies)));
	for (unsigned int i = 0; i < n; i++)
		cookies[i] = async_schedule(at_gate, NULL);
	for (unsigned long i = 0; i < n; i++)
		async_schedule_domain(wait_one, (void *)i, &domain);
	while (atomic_read(&ran) < n && ktime_ms_delta(ktime_get(), since) < 60000)
		msleep(1);
	SAY("%d wait after %lld us", atomic_read(&ran), ktime_us_delta(ktime_get(), since));
	msleep(ms);
	open_gate();
	async_synchronize_full();
	async_synchronize_full_domain(&domain);
	SAY("all done after %lld us", ktime_us_delta(ktime_get(), since));
	vfree(cookies);
}

static void itself(void *data, async_cookie_t cookie)
{
	atomic_inc(&ran);
	async_synchronize_full();
}

/* Misuse by a module: n calls that each wait for all, themselves included, while 20 n others pass. */
static void misuse(void)
{
	ktime_t since = ktime_get();

	atomic_set(&ran, 0);
	for (unsigned int i = 0; i < n; i++)
		async_schedule(itself, NULL);
	for (unsigned int i = 0; i < 20 * n; i++)
		async_schedule(nothing, NULL);
	async_synchronize_full();
	SAY("%d ran, %lld us", atomic_read(&ran), ktime_us_delta(ktime_get(), since));
}
#endif

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{"none", none},
	{"context", context},
	{"endless", endless},
	{"leak", leak},
	{"sleepers", sleepers},
	{"turns", turns},
	{"chain", chain},
	{"parents", parents},
	{"bulk", bulk},
	{"latency", latency},
	{"tree", tree},
	{"tree_reverse", tree_reverse},
	{"nodes", nodes},
	{"memory", memory},
#ifdef OURS
	{"single_waits", single_waits},
	{"misuse", misuse},
#endif
};

static void run(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		if (strcmp(cases[i].name, what))
			continue;
		probes_begin();
		cases[i].run();
		probes_end();
	}
}

static int thread(void *data)
{
	run();
	kthread_complete_and_exit(data, 0);
}

static int __init begin(void)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct task_struct *task;

	if (direct) {
		run();
		return 0;
	}
	task = kthread_run(thread, &done, "nasty");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wait_for_completion(&done);
	return 0;
}

static void __exit end(void)
{
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("Unusual uses of asynchronous function calls");
MODULE_LICENSE("Dual MIT/GPL");
