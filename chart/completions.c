/* SPDX-License-Identifier: MIT */
/*
 * Calls in order of their completion, of each domain and of all, with a tree of the lowest cookies above them: the last
 * completion before some moment with a cookie below some bound is found from the root down.
 */
#define _GNU_SOURCE
#include <stdlib.h>

#include "completions.h"
#include "lowest.h"

struct order {
	size_t *calls; /* by process, domain (or none) and time */
	size_t count;
	struct lowest cookies;
};

struct search {
	const struct model *model;
	struct order by_domain;
	struct order all;
	size_t *by_cookie;
	size_t count;
};

static int compare_numbers(uint64_t left, uint64_t right)
{
	return (left > right) - (left < right);
}

static int compare_domains(const void *a, const void *b, void *calls)
{
	const struct call *left = (const struct call *)calls + *(const size_t *)a;
	const struct call *right = (const struct call *)calls + *(const size_t *)b;
	int different = compare_numbers(left->process, right->process);

	if (!different)
		different = compare_numbers((uintptr_t)left->domain, (uintptr_t)right->domain);
	if (!different)
		different = compare_numbers(left->completed_ns, right->completed_ns);
	return different ? different : (left > right) - (left < right);
}

static int compare_times(const void *a, const void *b, void *calls)
{
	const struct call *left = (const struct call *)calls + *(const size_t *)a;
	const struct call *right = (const struct call *)calls + *(const size_t *)b;
	int different = compare_numbers(left->process, right->process);

	if (!different)
		different = compare_numbers(left->completed_ns, right->completed_ns);
	return different ? different : (left > right) - (left < right);
}

static int compare_cookies(const void *a, const void *b, void *calls)
{
	const struct call *left = (const struct call *)calls + *(const size_t *)a;
	const struct call *right = (const struct call *)calls + *(const size_t *)b;
	int different = compare_numbers(left->process, right->process);

	if (!different)
		different = compare_numbers(left->cookie, right->cookie);
	if (!different)
		different = compare_numbers(left->completed_ns, right->completed_ns);
	return different ? different : (left > right) - (left < right);
}

static size_t *completed(const struct model *model, size_t *count)
{
	size_t *calls = NULL;

	*count = 0;
	for (size_t i = 0; i < model->call_count; i++)
		if (model->calls[i].completed_ns)
			*APPEND(calls, *count) = i;
	return calls;
}

/* @compare tells by what; exclusive calls are left out of the order of all. */
static void sort(struct order *order, const struct model *model, int (*compare)(const void *, const void *, void *),
		 bool all)
{
	order->calls = completed(model, &order->count);
	if (order->count)
		qsort_r(order->calls, order->count, sizeof(size_t), compare, model->calls);
	lowest_make(&order->cookies, order->count);
	for (size_t i = 0; i < order->count; i++) {
		const struct call *call = &model->calls[order->calls[i]];

		if (!(all && call->exclusive))
			*lowest_leaf(&order->cookies, i) = call->cookie;
	}
	lowest_ready(&order->cookies);
}

struct search *search_make(const struct model *model)
{
	struct search *search = zeroed(1, sizeof(*search));

	search->model = model;
	sort(&search->by_domain, model, compare_domains, false);
	sort(&search->all, model, compare_times, true);
	search->by_cookie = completed(model, &search->count);
	if (search->count)
		qsort_r(search->by_cookie, search->count, sizeof(size_t), compare_cookies, model->calls);
	return search;
}

void search_free(struct search *search)
{
	free(search->by_domain.calls);
	lowest_free(&search->by_domain.cookies);
	free(search->all.calls);
	lowest_free(&search->all.cookies);
	free(search->by_cookie);
	free(search);
}

/* True if @call stands before what was sought and completed at @t_ns; then, too, if @included. */
static bool is_before(const struct call *call, const struct sought *sought, uint64_t t_ns, bool included)
{
	int different = compare_numbers(call->process, sought->process);

	if (!different && !sought->any)
		different = compare_numbers((uintptr_t)call->domain, (uintptr_t)sought->domain);
	if (!different)
		different = compare_numbers(call->completed_ns, t_ns);
	return different < 0 || (different == 0 && included);
}

/* How many calls stand before that. */
static size_t place_of(const struct search *search, const struct order *order, const struct sought *sought,
		       uint64_t t_ns, bool included)
{
	size_t low = 0;
	size_t high = order->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (is_before(&search->model->calls[order->calls[middle]], sought, t_ns, included))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A call does not wait for itself, nor for those that it runs in. */
static bool is_own(const struct model *model, size_t wait, size_t call)
{
	for (size_t i = wait == NONE ? NONE : model->spans[wait].parent; i != NONE; i = model->spans[i].parent)
		if (model->spans[i].call == call)
			return true;
	return false;
}

size_t search_last(const struct search *search, const struct sought *sought)
{
	const struct order *order = sought->any ? &search->all : &search->by_domain;
	size_t begin = place_of(search, order, sought, sought->from_ns, false);
	size_t end = place_of(search, order, sought, sought->to_ns, true);

	while (end > begin) {
		size_t found = lowest_find(&order->cookies, end, sought->bound);

		if (found == NONE || found < begin)
			return NONE;
		if (!is_own(search->model, sought->wait, order->calls[found]))
			return order->calls[found];
		end = found;
	}
	return NONE;
}

size_t search_cookie(const struct search *search, size_t process, uint64_t cookie, uint64_t from_ns)
{
	size_t low = 0;
	size_t high = search->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct call *call = &search->model->calls[search->by_cookie[middle]];
		int different = compare_numbers(call->process, process);

		if (!different)
			different = compare_numbers(call->cookie, cookie);
		if (different < 0 || (different == 0 && call->completed_ns < from_ns))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == search->count)
		return NONE;
	low = search->by_cookie[low];
	return search->model->calls[low].process == process && search->model->calls[low].cookie == cookie ? low : NONE;
}
