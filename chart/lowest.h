/* SPDX-License-Identifier: MIT */
/* A row of numbers, of which the last one below some bound and before some place is found in logarithmic time. */
#ifndef CHART_LOWEST_H
#define CHART_LOWEST_H

#include <stddef.h>
#include <stdint.h>

struct lowest {
	size_t leaves;   /* a power of two */
	uint64_t *nodes; /* the lowest of both children; the leaves, which are the row, last */
};

/* All are UINT64_MAX, which is below no bound. Until lowest_ready(), they are set at lowest_leaf(). */
void lowest_make(struct lowest *row, size_t count);
uint64_t *lowest_leaf(const struct lowest *row, size_t place);
void lowest_ready(struct lowest *row);
/* @place no longer counts. */
void lowest_remove(struct lowest *row, size_t place);
/* The last place before @end whose number is below @bound, or SIZE_MAX. */
size_t lowest_find(const struct lowest *row, size_t end, uint64_t bound);
/* @to has as many places as @from, or none yet. */
void lowest_copy(struct lowest *to, const struct lowest *from);
void lowest_free(struct lowest *row);
#endif
