/* SPDX-License-Identifier: MIT */
/* Hints of an earlier boot: what is understood, and that all else is named and ignored. */
#include "hint_file.h"

#include "unit.h"

static struct hints hints;

/* Parses @bytes of @text, which may be constant. */
static void parse(const char *text, size_t bytes)
{
	static char copy[4096];

	assert_true(bytes < sizeof(copy));
	memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	hints_parse(copy, bytes, &hints);
}

UNIT(what_a_boot_has_recorded_is_understood)
{
	static const char text[] = "# a comment\n\nfilesystem ext4\nroot ext4 sd_mod\n  root\tdm-mod \n"
				   "module ext4 310\nmodule sd_mod 0\n";

	parse(text, strlen(text));
	assert_int_equal(hints.malformed, 0);
	assert_string_equal(hints.filesystem, "ext4");
	assert_int_equal(hints.count, 3);
	assert_string_equal(hints.modules[0], "ext4");
	assert_string_equal(hints.modules[1], "sd_mod");
	assert_string_equal(hints.modules[2], "dm-mod");
	parse("", 0);
	assert_int_equal(hints.malformed + hints.count, 0);
	assert_null(hints.filesystem);
}

UNIT(a_malformed_line_is_named_and_ignored_as_a_whole)
{
	static const char *const lines[] = {
		"root",
		"root good ../../bad",
		"root good bad/",
		"root good \xff",
		"filesystem",
		"filesystem ext4 xfs",
		"filesystem /etc",
		"module ext4",
		"module ext4 -1",
		"module ext4 1000000000",
		"module ext4 1 2",
		"module 5",
		"Root ext4",
		"roots ext4",
		"root a123456789b123456789c123456789d123456789e123456789f12345",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char text[256];

		snprintf(text, sizeof(text), "root first\n%s\nroot last", lines[i]);
		parse(text, strlen(text));
		if (hints.malformed != 1)
			fail_msg("'%s' is understood", lines[i]);
		assert_int_equal(hints.line, 2);
		assert_int_equal(hints.count, 2);
		assert_string_equal(hints.modules[1], "last");
		assert_null(hints.filesystem);
	}
}

UNIT(bytes_of_anything_are_shown_as_a_console_can)
{
	static const char text[] = "root sd_mod\n\x1b[2J\x7f\0hidden\nroot x\0y\nroot ext4\n";

	parse(text, sizeof(text) - 1);
	assert_int_equal(hints.malformed, 2);
	assert_int_equal(hints.line, 2);
	assert_string_equal(hints.sample, "?[2J?");
	assert_int_equal(hints.count, 2);
	assert_string_equal(hints.modules[1], "ext4");
}

UNIT(no_more_are_taken_than_there_is_room_for)
{
	char text[2048] = "";

	for (int i = 0; i < HINTS_MOST + 3; i++)
		sprintf(text + strlen(text), "root m%d\n", i);
	parse(text, strlen(text));
	assert_int_equal(hints.count, HINTS_MOST);
	assert_int_equal(hints.malformed, 3);
	assert_int_equal(hints.line, HINTS_MOST + 1);
}

UNIT_MAIN(NULL, NULL)
