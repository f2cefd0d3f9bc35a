/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "lowest.h"

static void allocate(struct lowest *row, size_t leaves)
{
	row->leaves = leaves;
	row->nodes = malloc(2 * leaves * sizeof(*row->nodes));
	if (!row->nodes)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
}

void lowest_make(struct lowest *row, size_t count)
{
	size_t leaves = 1;

	while (leaves < count)
		leaves *= 2;
	allocate(row, leaves);
	memset(row->nodes, 0xff, 2 * leaves * sizeof(*row->nodes));
}

uint64_t *lowest_leaf(const struct lowest *row, size_t place)
{
	return &row->nodes[row->leaves + place];
}

static uint64_t of_children(const struct lowest *row, size_t node)
{
	uint64_t left = row->nodes[2 * node];
	uint64_t right = row->nodes[2 * node + 1];

	return left < right ? left : right;
}

void lowest_ready(struct lowest *row)
{
	for (size_t node = row->leaves - 1; node > 0; node--)
		row->nodes[node] = of_children(row, node);
}

void lowest_remove(struct lowest *row, size_t place)
{
	size_t node = row->leaves + place;

	row->nodes[node] = UINT64_MAX;
	for (node /= 2; node > 0; node /= 2) {
		uint64_t lowest = of_children(row, node);

		if (row->nodes[node] == lowest)
			return;
		row->nodes[node] = lowest;
	}
}

size_t lowest_find(const struct lowest *row, size_t end, uint64_t bound)
{
	size_t node = row->leaves + end;

	if (end == row->leaves) { /* all of them */
		node = 1;
	} else {
		while (node > 1 && !(node & 1 && row->nodes[node - 1] < bound))
			node /= 2;
		if (node == 1)
			return NONE;
		node--;
	}
	if (row->nodes[node] >= bound)
		return NONE;
	while (node < row->leaves)
		node = row->nodes[2 * node + 1] < bound ? 2 * node + 1 : 2 * node;
	return node - row->leaves;
}

void lowest_copy(struct lowest *to, const struct lowest *from)
{
	if (!to->nodes)
		allocate(to, from->leaves);
	memcpy(to->nodes, from->nodes, 2 * from->leaves * sizeof(*to->nodes));
}

void lowest_free(struct lowest *row)
{
	free(row->nodes);
	*row = (struct lowest){0, NULL};
}
