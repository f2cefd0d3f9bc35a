/* SPDX-License-Identifier: MIT */
/* How near two spellings are, so that a message can name what was perhaps meant. */
#include "root_spec.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 128, ROWS = 3 };

static size_t least(size_t one, size_t other)
{
	return one < other ? one : other;
}

static bool same(char one, char other)
{
	return tolower((unsigned char)one) == tolower((unsigned char)other);
}

/* One row of the table: @rows[0] is this one, @rows[1] and @rows[2] those of the one and two letters before. */
static void fill_row(size_t *const rows[ROWS], const char *one, size_t i, const char *other, size_t count)
{
	rows[0][0] = i;
	for (size_t j = 1; j <= count; j++) {
		const size_t changed = rows[1][j - 1] + !same(one[i - 1], other[j - 1]);

		rows[0][j] = least(changed, least(rows[1][j], rows[0][j - 1]) + 1);
		if (i > 1 && j > 1 && same(one[i - 1], other[j - 2]) && same(one[i - 2], other[j - 1]))
			rows[0][j] = least(rows[0][j], rows[2][j - 2] + 1);
	}
}

size_t spelling_distance(const char *one, const char *other)
{
	size_t table[ROWS][LONGEST + 1];
	const size_t length = strlen(one), count = strlen(other);

	if (length > LONGEST || count > LONGEST)
		return length > count ? length : count;
	for (size_t j = 0; j <= count; j++)
		table[0][j] = j;
	for (size_t i = 1; i <= length; i++) {
		size_t *const rows[ROWS] = {table[i % ROWS], table[(i + 2) % ROWS], table[(i + 1) % ROWS]};

		fill_row(rows, one, i, other, count);
	}
	return table[length % ROWS][count];
}

bool spelling_is_near(const char *one, const char *other)
{
	const size_t length = strlen(one);

	return *one && *other && spelling_distance(one, other) <= (length < 8 ? 1 + length / 4 : length / 4);
}
