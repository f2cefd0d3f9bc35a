/* SPDX-License-Identifier: MIT */
/*
 * inorder: what programs build most often from asynchronous calls. All of it
 * stands on <inorder/async.h> alone.
 */
#ifndef INORDER_PATTERNS_H
#define INORDER_PATTERNS_H

#include <inorder/async.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Works on one item; 0, or an error: a negative errno by convention. */
typedef int (*async_item_func_t)(void *data, size_t index);

/**
 * Makes the effect of one item visible, in the order of the items. @error is what the item's function returned.
 * Returns 0 to go on, else the error that ends the loop.
 */
typedef int (*async_item_retire_t)(void *data, size_t index, int error);

/**
 * async_for_each_ordered() - a loop whose items run in parallel and take effect in order
 * @count: number of items
 * @func: called as func(data, index) for each index below @count, in any thread, up to @window of them at once
 * @retire: called as retire(data, index, error) once @func of the item has returned and every lower item has retired,
 *          one at a time; NULL: an error of @func ends the loop
 * @data: handed to both
 * @window: most items that have begun and not retired; 0: four for each processor. Memory is proportional to it
 *
 * The loop ends at the first item, in order, whose @retire returns an error (@func, if @retire is NULL). No higher
 * item retires. Higher items that run already go on to their end, and the others do not begin.
 *
 * Return:   0; the error that ended the loop; -EINVAL if @func is NULL; -ENOMEM, before anything has run.
 *           -EDEADLK if the items would wait for the caller; then some may go on after the return.
 * Context:  any thread, also inside a call, and inside an item of another such loop; may block, and may run items in
 *           the caller; not a signal handler. Items are async calls: async_set_name() and async_current_cookie() work.
 * Ordering: @func of an item, and @retire of every lower item, happen before @retire of the item; everything happens
 *           before the return.
 * Source:   ours.
 */
INORDER_API int async_for_each_ordered(size_t count, async_item_func_t func, async_item_retire_t retire, void *data,
				       size_t window);

/** Makes a result: stores it in *value and returns 0, or returns an error: a negative errno by convention. */
typedef int (*async_result_func_t)(void *data, void **value);

/* A call with a result, in storage of the caller. Private; needs no initialisation. */
struct async_result {
	struct async_entry entry;
	struct async_domain *domain;
	INORDER_ALIGNED async_cookie_t cookie;
	async_result_func_t func;
	void *data;
	void *value;
	int error;
	void *reserved[4];
};

/**
 * async_schedule_result() - schedule a call that has a result
 * @result: storage; the library's until async_result_get() or another wait has seen the call complete
 * @func: called once as func(data, &value), as for async_schedule()
 * @data: handed to @func
 * @domain: the domain, or NULL for the default one; must outlive the call
 *
 * Return:   the cookie of the call; 0, after a report, if @func is NULL. If the call of @result is in progress that one
 *           stays as it is, and a report names it: its cookie.
 * Context:  as async_schedule_entry(): it cannot fail, and allocates nothing. The error counts for the domain, too:
 *           async_domain_error().
 * Ordering: as async_schedule().
 * Source:   ours.
 */
INORDER_API async_cookie_t async_schedule_result(struct async_result *result, async_result_func_t func, void *data,
						 struct async_domain *domain);

/**
 * async_result_get() - wait for one call and take its result
 * @result: what async_schedule_result() was given; may be asked again
 * @value: where the value is stored; NULL: only the error is wanted. Untouched on error
 *
 * Return:   0; the error that the call returned; -ECANCELED if it was taken back by async_cancel_domain(); -EINVAL if
 *           its function was NULL; -EDEADLK if the caller would wait for itself: then the call is still in progress.
 * Context:  may block, and may run that call; not a signal handler.
 * Ordering: everything that the call did happens before the return.
 * Source:   ours.
 */
INORDER_API int async_result_get(struct async_result *result, void **value);

#ifdef __cplusplus
}
#endif
#endif
