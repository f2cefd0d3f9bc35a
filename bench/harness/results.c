/* SPDX-License-Identifier: MIT */
/* Medians, spreads, and ratios of pairs. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

size_t figure_count(const struct row *row)
{
	size_t count = 0;

	while (count < FIGURES_MOST && row->figures[count].key)
		count++;
	return count;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Between its neighbours where there is no sample at that place. */
static double quantile(const double *sorted, size_t count, double part)
{
	double place = part * (double)(count - 1);
	size_t below = (size_t)place;

	if (below + 1 >= count)
		return sorted[count - 1];
	return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

bool summarize(const struct series *series, size_t figure, struct summary *summary)
{
	const struct sample *samples = series->goods ? series->good : series->loaded;
	size_t count = series->goods ? series->goods : series->loadeds;
	double values[SAMPLES_MOST];

	memset(summary, 0, sizeof(*summary));
	if (!count)
		return false;
	for (size_t i = 0; i < count; i++)
		values[i] = samples[i].value[figure];
	qsort(values, count, sizeof(values[0]), compare);
	summary->median = quantile(values, count, 0.5);
	summary->low = quantile(values, count, 0.25);
	summary->high = quantile(values, count, 0.75);
	summary->worst = values[count - 1];
	summary->samples = (unsigned)count;
	summary->loaded = !series->goods;
	return true;
}

double paired_ratio(const struct point *point, size_t peer, size_t figure)
{
	const struct series *ours = &point->of[PEER_INORDER], *theirs = &point->of[peer];
	double ratios[SAMPLES_MOST];
	size_t count = 0;

	for (unsigned i = 0; i < ours->goods; i++)
		for (unsigned k = 0; k < theirs->goods; k++)
			if (ours->good[i].pass == theirs->good[k].pass && ours->good[i].value[figure] > 0)
				ratios[count++] = theirs->good[k].value[figure] / ours->good[i].value[figure];
	if (!count)
		return 0;
	qsort(ratios, count, sizeof(ratios[0]), compare);
	return quantile(ratios, count, 0.5);
}
