/* SPDX-License-Identifier: MIT */
/*
 * A call that starts when some others are over, whatever their domains, without a thread that waits: they count down,
 * and the last schedules it. A call that fails or is cancelled counts as well, and what comes after learns of it.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <inorder/async.h>

struct after {
	atomic_uint left; /* calls that come before and are not over */
	atomic_int error; /* of the first of them that failed */
	struct async_entry entry;
	async_func_t func;
	void *data;
	struct async_domain *domain;
};

/* The last thing that each of those calls does, or its release function when it is cancelled. */
static void is_over(struct after *after, int error)
{
	int none = 0;

	if (error)
		atomic_compare_exchange_strong(&after->error, &none, error);
	if (atomic_fetch_sub(&after->left, 1) == 1)
		async_schedule_entry(&after->entry, after->func, NULL, after->data, after->domain);
}

/* ---- its use ---- */

struct part {
	const char *name;
	char text[16];
	struct after *after;
	atomic_bool stop; /* "am I cancelled?" is a flag of the program's own */
};

static ASYNC_DOMAIN(network);
static ASYNC_DOMAIN(disk);
static ASYNC_DOMAIN(page);

static void fetch(void *data, async_cookie_t cookie)
{
	struct part *part = data;
	size_t done = 0;

	(void)cookie;
	for (; part->name[done] && !part->stop; done++)
		part->text[done] = part->name[done];
	is_over(part->after, part->name[done] ? -ECANCELED : 0);
}

static void release(void *data, async_cookie_t cookie)
{
	struct part *part = data;

	(void)cookie;
	is_over(part->after, -ECANCELED);
}

/* What the calls before wrote is seen: the count orders them. */
static void show(void *data, async_cookie_t cookie)
{
	struct part *parts = data;
	int error = parts[0].after->error;

	(void)cookie;
	if (error)
		printf("no page: %s\n", strerror(-error));
	else
		printf("page of %s and %s\n", parts[0].text, parts[1].text);
}

/* Waits for the domains of those before, then for that of the call after them: by then it is scheduled. */
static void wait_all(void)
{
	async_synchronize_full_domain(&network);
	async_synchronize_full_domain(&disk);
	async_synchronize_full_domain(&page);
}

int main(void)
{
	struct after after = {.left = 2, .func = show, .domain = &page};
	struct part parts[] = {{.name = "header", .after = &after}, {.name = "body", .after = &after}};
	async_cookie_t body;

	after.data = parts;
	async_schedule_domain(fetch, &parts[0], &network);
	async_schedule_domain(fetch, &parts[1], &disk);
	wait_all();

	after.left = 2;
	parts[0].stop = true; /* it has begun, or will: it looks */
	async_schedule_domain(fetch, &parts[0], &network);
	body = async_schedule_domain(fetch, &parts[1], &disk);
	async_cancel_call(body, &disk, release); /* it has not begun, or is left alone */
	wait_all();
	return 0;
}
