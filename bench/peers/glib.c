/* SPDX-License-Identifier: MIT */
/* GLib's GThreadPool. Its only wait is the end of the pool; its threads go on to the next one. */
#include <glib.h>

#include "bench.h"

static GThreadPool *pool;
static unsigned most;

/* For the wait for one call. */
static GMutex lock;
static GCond done;
static bool returned;
static _Atomic bool waits;

static void call(gpointer data, gpointer unused)
{
	(void)unused;
	work_call(data);
	if (!waits)
		return;
	g_mutex_lock(&lock);
	returned = true;
	g_cond_signal(&done);
	g_mutex_unlock(&lock);
}

static void pool_new(void)
{
	GError *error = NULL;

	pool = g_thread_pool_new(call, NULL, (gint)most, FALSE, &error);
	if (!pool)
		fail("g_thread_pool_new: %s", error->message);
}

void peer_submit(void *data)
{
	if (!g_thread_pool_push(pool, data, NULL))
		fail("g_thread_pool_push could not start a thread");
}

static void start(unsigned threads)
{
	most = threads;
	g_thread_pool_set_max_unused_threads(-1);
}

static void enter(unsigned submitters, void (*body)(unsigned submitter))
{
	pool_new();
	run_submitters(submitters, body);
	g_thread_pool_free(pool, FALSE, TRUE);
}

static void run_one(void *data)
{
	waits = true;
	peer_submit(data);
	g_mutex_lock(&lock);
	while (!returned)
		g_cond_wait(&done, &lock);
	returned = waits = false;
	g_mutex_unlock(&lock);
}

const struct peer peer = {
	.name = "glib",
	.start = start,
	.enter = enter,
	.run_one = run_one,
	.ordered_wait = ordered_by_turns,
	.ordered_retire = ordered_by_buffer,
	.domains = counted_domains,
	.submit_in = counted_submit,
	.wait_in = counted_wait,
	.wait_lower = reorder_wait,
	.nested = true,
	.counts_nested = true,
	.unbounded = true,
};
