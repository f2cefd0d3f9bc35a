/* SPDX-License-Identifier: MIT */
/* For tests of what reads kernel logs: lines, one after the other. */
#ifndef TESTS_CHART_LINES_H
#define TESTS_CHART_LINES_H

#include "unit.h"

#include "chart.h"

#define EXACT 83848 /* microseconds between the two lines of a pair */
#define MILLIS 84000
#define USECS 84000 /* what the call itself says: all that is known where the prefix tells no fraction */

static inline const char *read_one(struct input *input, const char *prefix, const char *message)
{
	char line[512];
	int bytes = snprintf(line, sizeof(line), "%s%s", prefix, message);

	assert_in_range(bytes, 1, sizeof(line) - 1);
	return input_line(input, line, (size_t)bytes);
}

static inline void read_all(struct input *input, const char *const *lines)
{
	*input = (struct input){0};
	for (; *lines; lines++) {
		const char *wrong = read_one(input, *lines, "");

		if (wrong)
			fail_msg("%s: %s", wrong, *lines);
	}
}

/* One line is reported, and nothing is drawn. */
static inline void assert_reported(const char *line)
{
	struct input input = {0};

	if (!read_one(&input, "", line))
		fail_msg("not reported: %s", line);
	assert_int_equal(input.count, 0);
	input_free(&input);
}

/* One line is of no interest. */
static inline void assert_passed_over(const char *line)
{
	struct input input = {0};
	const char *wrong = read_one(&input, "", line);

	if (wrong)
		fail_msg("%s: %s", wrong, line);
	assert_int_equal(input.count, 0);
	input_free(&input);
}

/* One line is read, as that many records. */
static inline void assert_records(const char *line, size_t count)
{
	struct input input = {0};
	const char *wrong = read_one(&input, "", line);

	if (wrong)
		fail_msg("%s: %s", wrong, line);
	assert_int_equal(input.count, count);
	input_free(&input);
}

static inline int clean(void **state)
{
	resolve_free();
	keep_free();
	return 0;
}
#endif
