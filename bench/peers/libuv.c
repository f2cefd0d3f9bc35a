/* SPDX-License-Identifier: MIT */
/* libuv's thread pool. Work is queued from the thread of a loop only, so each submitter has a loop of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "bench.h"

static __thread uv_loop_t *loop;
static void (*inner)(unsigned submitter);

static void call(uv_work_t *work)
{
	work_call(work->data);
}

static void after(uv_work_t *work, int status)
{
	if (status)
		fail("libuv cancelled a call: %s", uv_strerror(status));
	free(work);
}

void peer_submit(void *data)
{
	uv_work_t *work = malloc(sizeof(*work));
	int error;

	if (!work)
		fail("no memory for a call");
	work->data = data;
	error = uv_queue_work(loop, work, call, after);
	if (error)
		fail("uv_queue_work: %s", uv_strerror(error));
}

static void start(unsigned threads)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", threads);
	if (setenv("UV_THREADPOOL_SIZE", text, 1))
		fail("no memory for UV_THREADPOOL_SIZE");
}

static void run_loop(void)
{
	int error = uv_run(loop, UV_RUN_DEFAULT);

	if (error)
		fail("uv_run left %d handles", error);
}

static void body_with_loop(unsigned submitter)
{
	uv_loop_t own;
	int error = uv_loop_init(&own);

	if (error)
		fail("uv_loop_init: %s", uv_strerror(error));
	loop = &own;
	inner(submitter);
	run_loop();
	uv_loop_close(&own);
}

static void enter(unsigned submitters, void (*body)(unsigned submitter))
{
	inner = body;
	run_submitters(submitters, body_with_loop);
}

static void run_one(void *data)
{
	peer_submit(data);
	run_loop();
}

const struct peer peer = {
	.name = "libuv",
	.start = start,
	.enter = enter,
	.run_one = run_one,
	.ordered_wait = ordered_by_turns,
	.ordered_retire = ordered_by_buffer,
	.domains = counted_domains,
	.submit_in = counted_submit,
	.wait_in = counted_wait,
	.wait_lower = reorder_wait,
	.unbounded = true,
};
