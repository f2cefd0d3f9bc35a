/* SPDX-License-Identifier: MIT */
/* Time to pixels, and time to text. */
#include <inttypes.h>

#include "chart.h"

double scale_x(const struct scale *scale, uint64_t t_ns)
{
	double span_ns = (double)(scale->end_ns - scale->begin_ns);
	double offset_ns =
		t_ns >= scale->begin_ns ? (double)(t_ns - scale->begin_ns) : -(double)(scale->begin_ns - t_ns);
	double part = span_ns > 0 ? offset_ns / span_ns : 0;

	return scale->left + scale->width * (part < 0 ? 0 : part > 1 ? 1 : part);
}

uint64_t scale_step_ns(const struct scale *scale, unsigned int most)
{
	static const unsigned int factors[] = {1, 2, 5};
	uint64_t span_ns = scale->end_ns - scale->begin_ns;

	for (uint64_t power = 1; power < UINT64_MAX / 100; power *= 10)
		for (size_t i = 0; i < 3; i++)
			if (span_ns / (power * factors[i]) <= most)
				return power * factors[i];
	return span_ns ? span_ns : 1;
}

struct time_unit {
	const char *name;
	uint64_t ns;
};

static const struct time_unit units[] = {{"s", 1000000000}, {"ms", 1000000}, {"µs", 1000}, {"ns", 1}};

static const struct time_unit *unit_of(uint64_t ns)
{
	const struct time_unit *unit = units;

	while (unit->ns > 1 && ns < unit->ns)
		unit++;
	return unit;
}

/* Three digits that count, and all of those before the point. */
const char *duration_text(uint64_t ns, char *text, size_t bytes)
{
	const struct time_unit *unit = unit_of(ns);
	uint64_t whole = ns / unit->ns;
	int decimals = unit->ns == 1 ? 0 : whole < 10 ? 2 : whole < 100 ? 1 : 0;

	if (unit == units && decimals < 2) /* seconds are worth more digits */
		decimals = 2;
	if (unit == units)
		decimals++;
	snprintf(text, bytes, "%.*f %s", decimals, (double)ns / (double)unit->ns, unit->name);
	return text;
}

const char *tick_text(int64_t ns, uint64_t step_ns, char *text, size_t bytes)
{
	const struct time_unit *unit = step_ns >= 100000000 ? &units[0]
				       : step_ns >= 100000  ? &units[1]
				       : step_ns >= 100     ? &units[2]
							    : &units[3];
	int decimals = 0;

	for (uint64_t part = unit->ns; part > step_ns; part /= 10)
		decimals++;
	snprintf(text, bytes, "%.*f %s", decimals, (double)ns / (double)unit->ns, unit->name);
	return text;
}
