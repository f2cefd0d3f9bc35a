/* SPDX-License-Identifier: MIT */
/*
 * The ordered loop.
 *
 * A first call schedules the first window of items; after that the retire step of item i schedules item i + window, so
 * the loop runs ahead by the window and needs no thread that feeds it. Retire steps of a domain run one after the
 * other, so they schedule the items in the order of their indices, and what they share needs no lock. That the first
 * window is scheduled inside a call is for order: no item retires, and so none schedules another, before that call,
 * which is lower, is complete. Were it the caller that schedules them, item 0 could retire, and item window get its
 * cookie, before item window - 1 has one.
 *
 * An entry may be used again once its call is seen complete. The retire step of item i runs when every lower item is
 * complete, but not when item i is: item i + window therefore takes the entry of item i - window, out of twice as many
 * entries as the window has items.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <inorder/patterns.h>

#define ITEMS_PER_PROCESSOR 4 /* one runs, one waits for its turn, and the same again while others are late */

struct loop {
	struct async_domain domain;
	struct async_entry starter;
	size_t count, window;
	async_item_func_t func;
	async_item_retire_t retire;
	void *data;
	int error;           /* of retire steps, which run one after the other; read after the last */
	atomic_bool stopped; /* no item begins; a hint, so relaxed: nothing else is read because of it */
	struct item {
		struct async_entry entry;
		struct loop *loop;
		size_t index;
		int error;
	} items[];
};

static void run_item(void *data, async_cookie_t cookie)
{
	struct item *item = data;
	struct loop *loop = item->loop;

	(void)cookie;
	if (!atomic_load_explicit(&loop->stopped, memory_order_relaxed))
		item->error = loop->func(loop->data, item->index);
}

static void retire_item(void *data, async_cookie_t cookie);

static void schedule_item(struct loop *loop, size_t index)
{
	struct item *item = &loop->items[index % (2 * loop->window)];

	item->loop = loop;
	item->index = index;
	item->error = 0;
	async_schedule_entry(&item->entry, run_item, retire_item, item, &loop->domain);
}

static void retire_item(void *data, async_cookie_t cookie)
{
	struct item *item = data;
	struct loop *loop = item->loop;
	int error = item->error;

	(void)cookie;
	if (loop->error)
		return;
	if (loop->retire)
		error = loop->retire(loop->data, item->index, error);
	if (error) {
		loop->error = error;
		atomic_store_explicit(&loop->stopped, true, memory_order_relaxed);
	} else if (loop->count - item->index > loop->window) {
		schedule_item(loop, item->index + loop->window);
	}
}

static void start_items(void *data, async_cookie_t cookie)
{
	struct loop *loop = data;

	(void)cookie;
	for (size_t i = 0; i < loop->window; i++)
		schedule_item(loop, i);
}

static size_t usual_window(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return ITEMS_PER_PROCESSOR * (size_t)(processors > 0 ? processors : 1);
}

static struct loop *loop_new(size_t count, size_t window)
{
	struct loop *loop;
	size_t bytes;

	if (!window)
		window = usual_window();
	if (window > count)
		window = count;
	if (__builtin_mul_overflow(2 * window, sizeof(loop->items[0]), &bytes) || window > SIZE_MAX / 2 ||
	    __builtin_add_overflow(bytes, sizeof(*loop), &bytes))
		return NULL;
	loop = malloc(bytes);
	if (loop) {
		loop->domain = (struct async_domain)ASYNC_DOMAIN_EXCLUSIVE_NAMED_INIT("for_each_ordered");
		loop->count = count;
		loop->window = window;
		loop->error = 0;
		atomic_init(&loop->stopped, false);
	}
	return loop;
}

int async_for_each_ordered(size_t count, async_item_func_t func, async_item_retire_t retire, void *data, size_t window)
{
	struct loop *loop;
	int error;

	if (!func)
		return -EINVAL;
	if (!count)
		return 0;
	loop = loop_new(count, window);
	if (!loop)
		return -ENOMEM;
	loop->func = func;
	loop->retire = retire;
	loop->data = data;
	async_schedule_entry(&loop->starter, start_items, NULL, loop, &loop->domain);
	error = async_synchronize_full_domain(&loop->domain);
	if (error)
		return error; /* calls may be in progress still: the loop is theirs */
	error = loop->error;
	free(loop);
	return error;
}
