/* SPDX-License-Identifier: MIT */
/*
 * Block devices are looked at once by name, unless the name is another disk's by now. There is one name here, and what
 * it stands for is ours.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

#include "devices.h"
#include "internal.h"

static const char *disk;     /* what stands for the name */
static void (*during)(void); /* happens once while it is read */
static char judged[64];      /* the labels, in the order of the judgements */

/* The name, in place of what /sys/class/block has. With large files scandir() is scandir64(). */
int __wrap_scandir(const char *folder, struct dirent ***items, int (*filter)(const struct dirent *item),
		   int (*compare)(const struct dirent **one, const struct dirent **other));
__typeof__(__wrap_scandir) __wrap_scandir64 __attribute__((alias("__wrap_scandir")));
int __wrap_scandir(const char *folder, struct dirent ***items, int (*filter)(const struct dirent *item),
		   int (*compare)(const struct dirent **one, const struct dirent **other))
{
	assert_string_equal(folder, "/sys/class/block");
	(void)filter;
	(void)compare;
	*items = malloc(sizeof(**items));
	assert_non_null(*items);
	**items = calloc(1, sizeof(***items));
	assert_non_null(**items);
	snprintf((**items)->d_name, sizeof((**items)->d_name), "sdb");
	return 1;
}

int facts_read(const char *device, struct facts *facts)
{
	void (*const now)(void) = during;

	*facts = (struct facts){0};
	snprintf(facts->device, sizeof(facts->device), "%s", device);
	snprintf(facts->label, sizeof(facts->label), "%s", disk);
	during = NULL;
	if (now)
		now();
	return 0;
}

bool facts_fit(const struct facts *facts, const struct root_spec *spec)
{
	(void)facts;
	(void)spec;
	return false;
}

static void judge(const struct facts *facts)
{
	strcat(strcat(judged, facts->label), " ");
}

static void begin(void)
{
	devices_gone("sdb");
	devices_judge(judge);
	disk = "first";
	*judged = '\0';
}

static void look(void)
{
	devices_look_done();
}

static void pull_out(void)
{
	disk = "second";
	devices_gone("sdb");
}

static void exchange(void)
{
	pull_out();
	devices_look(false);
}

UNIT(test_a_disk_is_looked_at_once)
{
	(void)state;
	begin();
	look();
	look();
	assert_string_equal(judged, "first ");
}

UNIT(test_another_disk_with_the_same_name_is_looked_at)
{
	(void)state;
	begin();
	look();
	pull_out();
	look();
	assert_string_equal(judged, "first second ");
}

UNIT(test_what_was_read_of_a_disk_that_is_gone_is_not_judged)
{
	(void)state;
	begin();
	during = pull_out;
	devices_look(true);
	assert_string_equal(judged, "");
	look();
	assert_string_equal(judged, "second ");
}

UNIT(test_a_disk_that_was_exchanged_while_it_was_read_is_read_again)
{
	(void)state;
	begin();
	during = exchange;
	look();
	assert_string_equal(judged, "second ");
}

UNIT_MAIN(NULL, NULL)
