/* SPDX-License-Identifier: MIT */
/* W1, W7, W8 and W9: many calls that do nothing, or next to nothing but wait. */
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "work.h"

#define WAIT_EVERY 1000 /* W7: of so many calls one waits; W8: after so many calls a domain is waited for */
#define FAN_OUT 10      /* W9 */

static uint64_t begun_ns, submitted_ns;

static void call_empty(void *data)
{
	(void)data;
	tally_add();
}

static void cannot(const char *what)
{
	fprintf(stderr, "bench-%s: this peer has no %s\n", peer.name, what);
	exit(2);
}

static void put_calls(size_t calls, uint64_t ended_ns)
{
	put("call_ns", (double)(ended_ns - begun_ns) / (double)calls);
	put("inline", (double)tally_check(calls));
}

/* ---- W1 ---- */

static void submit_empty(unsigned submitter)
{
	size_t calls = options.calls / options.submitters;

	tally_is_submitter();
	if (submitter == 0)
		begun_ns = now_ns();
	for (size_t i = 1; i <= calls; i++)
		peer_submit((void *)i);
	if (submitter == 0)
		submitted_ns = now_ns();
}

void work_empty(void)
{
	size_t all = options.calls;
	uint64_t ended_ns;

	peer.start(options.threads);
	work_call = call_empty;
	options.calls = all / 20 / options.submitters * options.submitters;
	peer.enter(options.submitters, submit_empty); /* threads and memory are there after this */
	tally_reset();
	options.calls = all / options.submitters * options.submitters;
	peer.enter(options.submitters, submit_empty);
	ended_ns = now_ns();
	put_calls(options.calls, ended_ns);
	put("submit_ns", (double)(submitted_ns - begun_ns) / (double)options.calls);
}

/* ---- W7 ---- */

static unsigned char *ran;
static size_t too_early;

static void call_some_wait(void *data)
{
	size_t index = (size_t)data - 1;

	if (index % WAIT_EVERY == WAIT_EVERY - 1) {
		peer.wait_lower(index);
		for (size_t i = index - (WAIT_EVERY - 1); i < index; i++)
			if (!ran[i])
				__atomic_fetch_add(&too_early, 1, __ATOMIC_RELAXED);
	}
	ran[index] = 1;
	if (peer.wait_lower == reorder_wait)
		reorder_done(index);
	tally_add();
}

void work_some_wait(void)
{
	uint64_t ended_ns;

	if (!peer.wait_lower)
		cannot("wait for lower calls inside a call that could not deadlock");
	peer.start(options.threads);
	ran = allocate(options.calls);
	turn_reset(options.calls);
	work_call = call_some_wait;
	peer.enter(1, submit_empty);
	ended_ns = now_ns();
	put_calls(options.calls, ended_ns);
	if (too_early)
		fail("%zu calls had not run when a wait for them returned", too_early);
}

/* ---- W8 ---- */

static void submit_in_domains(unsigned submitter)
{
	unsigned domain = 0, waited = 0;

	(void)submitter;
	tally_is_submitter();
	begun_ns = now_ns();
	for (size_t i = 1; i <= options.calls; i++) {
		peer.submit_in(domain, (void *)i);
		domain = domain + 1 < options.domains ? domain + 1 : 0;
		if (i % WAIT_EVERY)
			continue;
		peer.wait_in(waited);
		waited = waited + 1 < options.domains ? waited + 1 : 0;
	}
	for (unsigned i = 0; i < options.domains; i++)
		peer.wait_in(i);
	tally_check(options.calls);
}

void work_domains(void)
{
	uint64_t ended_ns;

	if (!peer.submit_in)
		cannot("waits for a part of the calls");
	if (!options.domains)
		fail("domains=0 is too few");
	peer.start(options.threads);
	work_call = call_empty;
	peer.domains(options.domains);
	peer.enter(1, submit_in_domains);
	ended_ns = now_ns();
	put_calls(options.calls, ended_ns);
}

/* ---- W9: a call is its depth; below it stand FAN_OUT calls of a smaller one ---- */

static unsigned depth_for(size_t calls, size_t *sum)
{
	size_t level = 1;
	unsigned depth = 0;

	for (*sum = 1; *sum + level * FAN_OUT <= calls; depth++) {
		level *= FAN_OUT;
		*sum += level;
	}
	return depth;
}

static size_t tree_depth;

/* For peers that cannot wait for calls of calls: the last one says so. */
static size_t tree_calls;
static _Atomic size_t tree_ran;
static sem_t tree_done;

static void call_tree(void *data)
{
	size_t depth = (size_t)data - 1;

	tally_add();
	for (int i = 0; depth > 0 && i < FAN_OUT; i++)
		peer_submit((void *)depth);
	if (peer.counts_nested && atomic_fetch_add(&tree_ran, 1) + 1 == tree_calls) {
		tree_ran = 0;
		sem_post(&tree_done);
	}
}

static void call_tree_wait(void *data)
{
	size_t depth = (size_t)data - 1;
	void *child[FAN_OUT];

	tally_add();
	for (int i = 0; i < FAN_OUT; i++)
		child[i] = (void *)depth;
	if (depth > 0)
		peer.fork_join(child, FAN_OUT);
}

static void submit_root(unsigned submitter)
{
	(void)submitter;
	tally_is_submitter();
	begun_ns = now_ns();
	peer_submit((void *)(tree_depth + 1));
	while (peer.counts_nested && sem_wait(&tree_done))
		;
}

static void run_tree(void)
{
	uint64_t ended_ns;

	tree_depth = depth_for(options.calls, &tree_calls);
	sem_init(&tree_done, 0, 0);
	peer.start(options.threads);
	peer.enter(1, submit_root);
	tally_reset();
	peer.enter(1, submit_root);
	ended_ns = now_ns();
	put_calls(tree_calls, ended_ns);
}

void work_tree(void)
{
	if (!peer.nested)
		cannot("way to submit calls from inside a call");
	work_call = call_tree;
	run_tree();
}

void work_tree_wait(void)
{
	if (!peer.fork_join)
		cannot("wait inside a call that could not deadlock");
	work_call = call_tree_wait;
	run_tree();
}
