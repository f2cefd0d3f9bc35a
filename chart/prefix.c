/* SPDX-License-Identifier: MIT */
/*
 * What stands before a kernel's message, in all forms in which people have kernel logs. A line may have several
 * prefixes, one after the other: a capture's time, syslog's, and the kernel's own. The kernel's own time counts most.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "klog.h"
#include "prefix_rows.h"

#define LAYERS_MOST 12
#define BRACKETS_MOST 3 /* of a line, where the time since the line before is looked for */
#define NO_BREAK_SPACE "\xc2\xa0"
#define SECOND_NS UINT64_C(1000000000)
#define WHOLE_LEAST 100000000 /* 1973: fewer seconds without decimals are some other number */
#define DAY_S UINT64_C(86400)
#define SOME_YEAR 2000 /* of a date that does not tell its year; a leap year, so that each day exists */

struct reading {
	struct stamp stamp;
	int year, month, day, zone_s;
	unsigned int hour, minute, second;
	uint64_t fraction_ns;
	uint64_t epoch_s, delta_ns;
	bool has_clock, has_epoch;
};

/* ---- the parts of a pattern ---- */

static bool digits(const char **text, unsigned int least, unsigned int most, uint64_t *value)
{
	unsigned int count = 0;

	*value = 0;
	while (count < most && isdigit((unsigned char)**text)) {
		*value = *value * 10 + (uint64_t)(*(*text)++ - '0');
		count++;
	}
	return count >= least && !isdigit((unsigned char)**text);
}

/* Decimals of a second. Returns their number; 0 if there are none, or too many. */
static unsigned int decimals(const char **text, uint64_t *ns)
{
	const char *start = *text;
	unsigned int count;

	if (!digits(text, 1, 9, ns))
		return 0;
	count = (unsigned int)(*text - start);
	for (unsigned int i = count; i < 9; i++)
		*ns *= 10;
	return count;
}

static uint64_t unit_of(unsigned int count)
{
	uint64_t unit_ns = SECOND_NS;

	while (count--)
		unit_ns /= 10;
	return unit_ns;
}

static bool read_boot(const char **text, struct reading *reading)
{
	unsigned int count;
	uint64_t seconds;
	uint64_t ns;

	if (!digits(text, 1, 9, &seconds) || *(*text)++ != '.')
		return false;
	count = decimals(text, &ns);
	if (count != 6 && count != 4 && count != 9) /* other numbers are what is left of these */
		return false;
	reading->stamp.boot_ns = seconds * SECOND_NS + ns;
	reading->stamp.boot_ns += reading->stamp.boot_ns == 0; /* 0 stands for unknown */
	return true;
}

/* A minute's first line tells no time: it stands where the line before does. */
static bool read_delta(const char **text, struct reading *reading)
{
	if (!read_boot(text, reading))
		return false;
	reading->delta_ns = reading->stamp.boot_ns;
	return true;
}

static bool read_boot_usecs(const char **text, struct reading *reading)
{
	uint64_t usecs;

	if (!digits(text, 1, 15, &usecs))
		return false;
	reading->stamp.boot_ns = usecs * 1000 + (usecs == 0);
	return true;
}

/* @any: with decimals, any time will do; else it is one of this age. */
static bool read_epoch(const char **text, bool any, struct reading *reading)
{
	unsigned int count = 0;

	if (!digits(text, 1, 10, &reading->epoch_s) || ((!any || **text != '.') && reading->epoch_s < WHOLE_LEAST))
		return false;
	reading->fraction_ns = 0;
	if (**text == '.') {
		++*text;
		count = decimals(text, &reading->fraction_ns);
		if (!count)
			return false;
	}
	reading->stamp.unit_ns = unit_of(count);
	return reading->has_epoch = true;
}

static bool read_fraction(const char **text, struct reading *reading)
{
	unsigned int count = decimals(text, &reading->fraction_ns);

	reading->stamp.unit_ns = unit_of(count);
	return count > 0;
}

/* "Z", "+01:00", "+0100" or "+01" */
static bool read_zone(const char **text, struct reading *reading)
{
	int sign = **text == '-' ? -1 : 1;
	uint64_t hours;
	uint64_t minutes = 0;

	if (**text == 'Z') {
		++*text;
		return true;
	}
	if (**text != '+' && **text != '-')
		return false;
	++*text;
	if (!digits(text, 2, 4, &hours))
		return false;
	if (hours > 99)
		minutes = hours % 100, hours /= 100;
	else if (**text == ':' && (++*text, !digits(text, 2, 2, &minutes)))
		return false;
	reading->zone_s = sign * (int)(hours * 3600 + minutes * 60);
	return hours < 24 && minutes < 60;
}

static bool read_month_name(const char **text, struct reading *reading)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char name[4] = {0};
	const char *found;

	memcpy(name, *text, strnlen(*text, 3));
	found = strlen(name) == 3 ? strstr(names, name) : NULL;
	if (!found || (found - names) % 3)
		return false;
	reading->month = (int)(found - names) / 3 + 1;
	*text += 3;
	return true;
}

static bool read_day_name(const char **text)
{
	static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(*text, names[i], 3) == 0)
			return *text += 3, true;
	return false;
}

static bool read_calendar(char letter, const char **text, struct reading *reading)
{
	uint64_t value;
	bool fits = letter == 'y' ? digits(text, 4, 4, &value) : digits(text, letter == 'd' ? 1 : 2, 2, &value);

	if (!fits)
		return false;
	switch (letter) {
	case 'y':
		return (reading->year = (int)value) >= 1970;
	case 'm':
		return (reading->month = (int)value) >= 1 && value <= 12;
	case 'd':
		return (reading->day = (int)value) >= 1 && value <= 31;
	case 'H':
		return (reading->hour = (unsigned int)value) < 24;
	case 'M':
		return (reading->minute = (unsigned int)value) < 60;
	default:
		reading->has_clock = true;
		return (reading->second = (unsigned int)value) <= 60;
	}
}

static bool fits_class(char letter, char c)
{
	switch (letter) {
	case 'n':
		return isdigit((unsigned char)c);
	case 'i':
		return isdigit((unsigned char)c) || c == '.';
	case 'k':
		return islower((unsigned char)c) || isdigit((unsigned char)c);
	case 'h':
		return isalnum((unsigned char)c) || (c && strchr("-._()", c));
	case 'p':
		return isalnum((unsigned char)c) || strchr("-._/+@", c);
	case 'w':
		return !isspace((unsigned char)c);
	case 'C':
	case 'N':
		return c != ']';
	case 'B':
		return c != '}';
	case 'g':
		return c != '(';
	case 'r':
		return c != ')';
	default:
		return c != ':' && c != ']';
	}
}

/* What is read over. */
static bool skip_class(char letter, const char **text)
{
	const char *start = *text;

	if ((letter == 'k' && !islower((unsigned char)**text)) || (letter == 'C' && !isalpha((unsigned char)**text)))
		return false;
	while (**text && fits_class(letter, **text))
		++*text;
	return *text > start;
}

static bool read_one_of(const char *set, const char **text)
{
	return **text && strchr(set, *(*text)++);
}

static bool read_thread(const char **text, struct reading *reading)
{
	uint64_t tid;

	if (!digits(text, 1, 9, &tid))
		return false;
	reading->stamp.tid = (long)tid;
	return true;
}

static bool read_part(char letter, const char **text, struct reading *reading)
{
	switch (letter) {
	case 's':
		return read_boot(text, reading);
	case 'D':
		return read_delta(text, reading);
	case 'u':
		return read_boot_usecs(text, reading);
	case 'e':
	case 'E':
		return read_epoch(text, letter == 'e', reading);
	case 'f':
		return read_fraction(text, reading);
	case 'z':
		return read_zone(text, reading);
	case 'b':
		return read_month_name(text, reading);
	case 'a':
		return read_day_name(text);
	case 'T':
		return read_thread(text, reading);
	case 'L':
		return read_one_of("VDIWEF", text);
	case 'x':
		return read_one_of("-c+", text);
	default:
		if (strchr("ymdHMS", letter))
			return read_calendar(letter, text, reading);
		return skip_class(letter, text);
	}
}

static const char *match(const char *pattern, const char *text, struct reading *reading);

/* What stands from "%{" to "%}" may be there or not. */
static const char *match_option(const char *pattern, const char *text, struct reading *reading)
{
	struct reading with = *reading;
	const char *end = match(pattern, text, &with);

	if (end)
		*reading = with;
	else
		end = match(strstr(pattern, "%}") + 2, text, reading);
	return end;
}

/* The end of what fits, or NULL. */
static const char *match(const char *pattern, const char *text, struct reading *reading)
{
	for (; *pattern; pattern++) {
		if (*pattern == ' ' || *pattern == '~') {
			if (*pattern == ' ' && *text != ' ' && *text != '\t')
				return NULL;
			text += strspn(text, " \t");
		} else if (*pattern == '%') {
			if (*++pattern == '{')
				return match_option(pattern + 1, text, reading);
			if (*pattern != '}' && !read_part(*pattern, &text, reading))
				return NULL;
		} else if (*text++ != *pattern) {
			return NULL;
		}
	}
	return text;
}

/* ---- a whole prefix ---- */

/* Days from 1970 to a day of the Gregorian calendar. */
static int64_t days_since_1970(int year, int month, int day)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};

	return timegm(&tm) / (int64_t)DAY_S;
}

/* A date without a year that goes back by half a year or more is one of the next year. */
static int year_of(struct clock *clock, const struct reading *reading)
{
	if (reading->year)
		return reading->year;
	if (clock->month - reading->month >= 6)
		clock->years++;
	clock->month = reading->month;
	return SOME_YEAR + clock->years;
}

/* Seconds since some midnight, of a time without a date. Half a day back is the next day; lines fall a little. */
static uint64_t day_time(struct clock *clock, const struct reading *reading)
{
	uint64_t seconds = reading->hour * 3600 + reading->minute * 60 + reading->second;
	uint64_t day = clock->days * DAY_S;

	if (seconds + day + DAY_S / 2 < clock->day_s)
		clock->days++, day += DAY_S;
	else if (day && seconds >= DAY_S - 3600 && clock->day_s < day + 3600)
		return seconds + day - DAY_S; /* a line that was late at midnight */
	return clock->day_s = seconds + day;
}

static void set_wall(struct clock *clock, struct reading *reading)
{
	uint64_t seconds;

	if (reading->has_epoch) {
		reading->stamp.wall_ns = reading->epoch_s * SECOND_NS + reading->fraction_ns + 1;
		return;
	}
	if (!reading->has_clock)
		return;
	seconds = DAY_S; /* a time zone may be taken off */
	if (reading->month)
		seconds += reading->hour * 3600 + reading->minute * 60 + reading->second +
			   (uint64_t)days_since_1970(year_of(clock, reading), reading->month, reading->day) * DAY_S;
	else
		seconds += day_time(clock, reading);
	reading->stamp.wall_ns = (seconds - (uint64_t)reading->zone_s) * SECOND_NS + reading->fraction_ns + 1;
}

/* One row's worth of @text; NULL if no row fits. What it tells is added to @stamp. */
static const char *read_layer(const char *text, struct clock *clock, struct stamp *stamp)
{
	for (size_t i = 0; i < prefix_row_count; i++) {
		struct reading reading = {.stamp = {.tid = -1, .unit_ns = SECOND_NS}};
		const char *end = match(prefix_rows[i].pattern, text, &reading);

		if (!end)
			continue;
		set_wall(clock, &reading);
		if (reading.delta_ns && stamp->boot_ns)
			reading.stamp.boot_ns = 0; /* its sum, of another begin, is not needed */
		else if (reading.delta_ns)
			reading.stamp.boot_ns = clock->sum_ns += reading.delta_ns;
		if (reading.stamp.boot_ns)
			stamp->boot_ns = reading.stamp.boot_ns;
		if (reading.stamp.wall_ns) {
			stamp->wall_ns = reading.stamp.wall_ns;
			stamp->unit_ns = reading.stamp.unit_ns;
		}
		if (reading.stamp.tid >= 0)
			stamp->tid = reading.stamp.tid;
		stamp->glue = stamp->glue || (prefix_rows[i].flags & GLUE);
		return end;
	}
	return NULL;
}

const char *prefix_read(const char *line, struct clock *clock, struct stamp *stamp)
{
	*stamp = (struct stamp){.tid = -1};
	for (unsigned int i = 0; i < LAYERS_MOST; i++) {
		const char *end = read_layer(line, clock, stamp);

		if (!end || end == line)
			break;
		line = end;
	}
	return line;
}

/* Pages on the web have spaces that do not break. */
static void replace_spaces(char *line)
{
	char *to = strstr(line, NO_BREAK_SPACE);
	const char *from = to;

	if (!to)
		return;
	while (*from) {
		bool space = strncmp(from, NO_BREAK_SPACE, 2) == 0;

		*to++ = space ? ' ' : *from;
		from += space ? 2 : 1;
	}
	*to = 0;
}

void prefix_take_out_controls(char *line)
{
	const char *from;
	char *to;

	replace_spaces(line);
	to = strchr(line, '\033');
	from = to;
	if (!to)
		return;
	while (*from) {
		size_t bytes = strncmp(from, "\033[", 2) == 0 ? 2 + strspn(from + 2, "0123456789;?=") : 0;

		if (bytes && isalpha((unsigned char)from[bytes]))
			from += bytes + 1;
		else
			*to++ = *from++;
	}
	*to = 0;
}

bool prefix_has_delta(const char *line)
{
	struct reading reading;

	/* Another form of the time may stand before. */
	for (unsigned int i = 0; i < BRACKETS_MOST && (line = strchr(line, '[')); i++, line++)
		for (size_t row = 0; row < prefix_row_count; row++)
			if (prefix_rows[row].flags & DELTA && match(prefix_rows[row].pattern, line, &reading))
				return true;
	return false;
}

bool prefix_is_stamp(const char *text)
{
	struct reading reading;

	if (*text != '[')
		return false;
	for (size_t i = 0; i < prefix_row_count; i++)
		if (prefix_rows[i].flags & KERNEL && match(prefix_rows[i].pattern, text, &reading))
			return true;
	return false;
}
