/* SPDX-License-Identifier: MIT */
/*
 * How wide a text is. The picture may be shown in any font; the widths here are those of DejaVu Sans, which is
 * wider than the others that the picture asks for, so what fits here fits everywhere.
 */
#include <string.h>

#include "chart.h"

#define ELLIPSIS "…"
#define OTHER_PERCENT 100
#define LEAST 5 /* characters; fewer tell nothing */

/* Of the characters from ' ' to '~', in hundredths of the font's size. */
static const unsigned char percents[] = {
	32, 41, 46, 84, 64, 96, 78, 28, 40,  40, 50, 84, 32, 37, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 34, 34, 84, 84, 84, 54, 100, 69, 69, 70, 78, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79,
	61, 79, 70, 64, 62, 74, 69, 99, 69,  62, 69, 40, 34, 40, 84, 50, 50, 62, 64, 55, 64, 62, 36, 64,
	64, 28, 28, 58, 28, 98, 64, 62, 64,  64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84,
};

static unsigned int percent(unsigned char first)
{
	return first >= ' ' && first <= '~' ? percents[first - ' '] : OTHER_PERCENT;
}

/* The bytes of one UTF-8 character. */
static size_t step(const char *text)
{
	size_t bytes = 1;

	while ((text[bytes] & 0xc0) == 0x80)
		bytes++;
	return bytes;
}

double text_width(const char *text)
{
	unsigned int sum = 0;

	for (; *text; text += step(text))
		sum += percent((unsigned char)*text);
	return sum / 100.0;
}

int text_bytes(const char *text, int most)
{
	int used = 0;

	while (text[used] && used + (int)step(text + used) <= most)
		used += (int)step(text + used);
	return used;
}

const char *text_fit(const char *text, double width, double size, char *out, size_t bytes)
{
	double room = width - text_width(ELLIPSIS) * size;
	size_t used = 0;
	size_t characters = 0;

	if (text_width(text) * size <= width && strlen(text) < bytes)
		return strcpy(out, text);
	while (text[used] && used + step(text + used) + sizeof(ELLIPSIS) < bytes) {
		room -= percent((unsigned char)text[used]) * size / 100.0;
		if (room < 0)
			break;
		used += step(text + used);
		characters++;
	}
	out[0] = 0;
	if (characters >= LEAST) {
		memcpy(out, text, used);
		strcpy(out + used, ELLIPSIS);
	}
	return out;
}
