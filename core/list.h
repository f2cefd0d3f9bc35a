/* SPDX-License-Identifier: MIT */
/*
 * Doubly linked lists, by the names of their links: @first and @last are the pointers to the ends, @prev and @next the
 * fields of an item. NULL ends both ways, so that zeroed memory is an empty list (async_domain is initialised so).
 * A list that is only entered at its front has no @last.
 */
#ifndef CORE_LIST_H
#define CORE_LIST_H

/* Puts an item in front. */
#define rob_list_push(first, item, prev, next) \
	do { \
		(item)->prev = NULL; \
		(item)->next = (first); \
		if ((item)->next) \
			(item)->next->prev = (item); \
		(first) = (item); \
	} while (0)

/* Takes an item out; it keeps its own links. */
#define rob_list_remove(first, item, prev, next) \
	do { \
		if ((item)->prev) \
			(item)->prev->next = (item)->next; \
		else \
			(first) = (item)->next; \
		if ((item)->next) \
			(item)->next->prev = (item)->prev; \
	} while (0)

/* The same with both ends: puts an item behind another, or in front for NULL; takes it out. */
#define rob_list_insert(first, last, item, behind, prev, next) \
	do { \
		(item)->prev = (behind); \
		(item)->next = (item)->prev ? (item)->prev->next : (first); \
		if ((item)->prev) \
			(item)->prev->next = (item); \
		else \
			(first) = (item); \
		if ((item)->next) \
			(item)->next->prev = (item); \
		else \
			(last) = (item); \
	} while (0)

#define rob_list_unlink(first, last, item, prev, next) \
	do { \
		if (!(item)->next) \
			(last) = (item)->prev; \
		rob_list_remove(first, item, prev, next); \
	} while (0)

#endif
