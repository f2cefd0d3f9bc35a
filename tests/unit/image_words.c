/* SPDX-License-Identifier: MIT */
/* What inorder-image is told, by words in lists and on its command line. */
#include "internal.h"

#include "unit.h"

static struct modules read_line(const char *text, size_t bytes, int result)
{
	struct modules modules = {0};
	char line[256] = "";

	memcpy(line, text, bytes);
	assert_int_equal(modules_read_line(&modules, line, bytes), result);
	return modules;
}

UNIT(words_of_a_list)
{
	static const char text[] = " ahci\tdrivers/ata/ ext4? # not this\n";
	struct modules modules = read_line(text, sizeof(text) - 1, 0);

	assert_int_equal(modules.wanted.count, 3);
	assert_string_equal(modules.wanted.items[0], "ahci");
	assert_string_equal(modules.wanted.items[1], "drivers/ata/");
	assert_string_equal(modules.wanted.items[2], "ext4?");
	strings_free(&modules.wanted);
}

UNIT(lines_that_end_as_on_other_systems)
{
	struct modules modules = read_line("ahci\r\n", 6, 0);

	assert_int_equal(modules.wanted.count, 1);
	assert_string_equal(modules.wanted.items[0], "ahci");
	strings_free(&modules.wanted);
}

/* What stands behind the NUL used to be left out, silently. */
UNIT(a_list_that_is_no_text)
{
	struct modules modules = read_line("ahci\0nvme\n", 10, -1);

	assert_int_equal(modules.wanted.count, 0);
}

static void check_want(const char *word, const char *name, bool folder, bool optional)
{
	struct want want;

	want_parse(word, &want);
	assert_string_equal(want.name, name);
	assert_int_equal(want.folder, folder);
	assert_int_equal(want.optional, optional);
	free(want.name);
}

UNIT(what_words_ask_for)
{
	check_want("ahci", "ahci", false, false);
	check_want("ahci?", "ahci", false, true);
	check_want("drivers/ata/", "drivers/ata/", true, false);
	check_want("drivers/ata/?", "drivers/ata/", true, true);
	check_want("?", "", false, true);
	check_want("", "", false, false);
}

UNIT(specs_with_and_without_a_place)
{
	char *source, *place;

	spec_parse("/a/b", &source, &place);
	assert_string_equal(source, "/a/b");
	assert_null(place);
	free(source);
	spec_parse("b:/c:d", &source, &place);
	assert_string_equal(source, "b");
	assert_string_equal(place, "/c:d");
	free(source);
	free(place);
}

static void check_place(const char *path, const char *wanted)
{
	char *place = place_parse(path);

	if (wanted)
		assert_string_equal(place, wanted);
	else
		assert_null(place);
	free(place);
}

UNIT(places_in_the_image)
{
	check_place("/bin/sh", "/bin/sh");
	check_place("/a/b.c/..d", "/a/b.c/..d");
	check_place("relative", NULL);
	check_place("", NULL);
}

/* Two spellings of one place used to be two entries. */
UNIT(one_place_in_several_spellings)
{
	check_place("//lib///x", "/lib/x");
	check_place("/lib/./x/", "/lib/x");
	check_place("/./lib/x/.", "/lib/x");
}

/* "/.." at the end used to be taken, and the root as a file. */
UNIT(places_that_lead_out_of_the_image)
{
	check_place("/a/../b", NULL);
	check_place("/a/..", NULL);
	check_place("/..", NULL);
	check_place("/", NULL);
	check_place("/.", NULL);
}

UNIT_MAIN(NULL, NULL)
