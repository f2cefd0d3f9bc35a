/* SPDX-License-Identifier: MIT */
/* Kernel logs as JSON, and in the forms of the journal that have a member a line. */
#include "chart_lines.h"
#include "klog.h"

static void assert_pair(struct input *input, uint64_t usecs)
{
	assert_int_equal(input->count, 2);
	assert_int_equal(input->records[1].t_ns - input->records[0].t_ns, usecs * 1000);
	assert_string_equal(input->records[0].name, "acpi_init");
	assert_string_equal(input->records[1].name, "acpi_init");
	input_free(input);
}

UNIT(json_of_dmesg_is_read)
{
	static const char *const lines[] = {
		"{",
		"   \"dmesg\": [",
		"      {",
		"         \"pri\": 7,",
		"         \"time\":    0.460660,",
		"         \"msg\": \"calling  acpi_init+0x0/0x540 @ 1\"",
		"      },{",
		"         \"pri\": 7,",
		"         \"time\":    0.544508,",
		"         \"caller\": \"T1\",",
		"         \"msg\": \"initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs\"",
		"      }",
		"   ]",
		"}",
		NULL,
	};
	static const char *const compact[] = {
		"{\"pri\":7,\"time\":0.46066,\"msg\":\"calling  acpi_init+0x0/0x540 @ 1\"}",
		"{\"pri\":7,\"time\":0.544508,\"msg\":\"initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs\"}",
		NULL,
	};
	struct input input;

	read_all(&input, lines);
	assert_pair(&input, EXACT);
	read_all(&input, compact);
	assert_pair(&input, EXACT);
}

UNIT(json_of_the_journal_is_read)
{
	static const char *const lines[] = {
		"{\"MESSAGE\":\"calling  acpi_init+0x0/0x540 @ 1\",\"_TRANSPORT\":\"kernel\","
		"\"__MONOTONIC_TIMESTAMP\":\"9999999\",\"_SOURCE_MONOTONIC_TIMESTAMP\":\"460660\"}",
		"{\"MESSAGE\":\"calling  other+0x0/0x540 @ 1\",\"_TRANSPORT\":\"syslog\",\"PRIORITY\":\"6\"}",
		"{\"MESSAGE\":[27,91,48,109],\"_TRANSPORT\":\"kernel\",\"_SOURCE_MONOTONIC_TIMESTAMP\":\"460660\"}",
		"{\"MESSAGE\":\"initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs\","
		"\"_TRANSPORT\":\"kernel\",\"_SOURCE_MONOTONIC_TIMESTAMP\":\"544508\"}",
		NULL,
	};
	struct input input;

	read_all(&input, lines);
	assert_pair(&input, EXACT);
}

/* Its members come in any order. */
UNIT(pretty_json_of_the_journal_is_read)
{
	static const char *const lines[] = {
		"{",
		"\t\"MESSAGE\" : \"calling  acpi_init+0x0/0x540 @ 1\",",
		"\t\"__MONOTONIC_TIMESTAMP\" : \"9999999\",",
		"\t\"_SOURCE_MONOTONIC_TIMESTAMP\" : \"460660\",",
		"\t\"_TRANSPORT\" : \"kernel\"",
		"}",
		"{",
		"\t\"MESSAGE\" : \"calling  other+0x0/0x540 @ 1\",",
		"\t\"_TRANSPORT\" : \"syslog\"",
		"}",
		"{",
		"\t\"_SOURCE_MONOTONIC_TIMESTAMP\" : \"544508\",",
		"\t\"_TRANSPORT\" : \"kernel\",",
		"\t\"MESSAGE\" : \"initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs\"",
		"}",
		NULL,
	};
	struct input input;

	read_all(&input, lines);
	assert_pair(&input, EXACT);
}

/* json-seq and json-sse have the same objects, with a character or a word before each. */
UNIT(sequences_of_json_are_read)
{
	static const char *const lines[] = {
		"\x1e{\"MESSAGE\":\"calling  acpi_init+0x0/0x540 @ 1\",\"_SOURCE_MONOTONIC_TIMESTAMP\":\"460660\"}",
		"data: {\"MESSAGE\":\"initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs\","
		"\"_SOURCE_MONOTONIC_TIMESTAMP\":\"544508\"}",
		NULL,
	};
	struct input input;

	read_all(&input, lines);
	assert_pair(&input, EXACT);
}

static void read_to_the_end(struct input *input, const char *const *lines)
{
	read_all(input, lines);
	assert_null(parse_json_end(input));
}

/* An entry ends where the next one begins. */
UNIT(export_and_verbose_forms_are_read)
{
	static const char *const exported[] = {
		"__CURSOR=s=0;i=1;b=2;m=3;t=4;x=5",
		"__REALTIME_TIMESTAMP=1795298018460660",
		"__MONOTONIC_TIMESTAMP=9999999",
		"_BOOT_ID=2",
		"MESSAGE=calling  acpi_init+0x0/0x540 @ 1",
		"_TRANSPORT=kernel",
		"_SOURCE_MONOTONIC_TIMESTAMP=460660",
		"__CURSOR=s=0;i=2;b=2;m=3;t=4;x=5",
		"_TRANSPORT=syslog",
		"MESSAGE=calling  other+0x0/0x540 @ 1",
		"__CURSOR=s=0;i=3;b=2;m=3;t=4;x=5",
		"_TRANSPORT=kernel",
		"_SOURCE_MONOTONIC_TIMESTAMP=544508",
		"MESSAGE=initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs",
		NULL,
	};
	static const char *const verbose[] = {
		"Sun 2026-11-29 01:00:00.460660 UTC [s=0;i=1;b=2;m=3;t=4;x=5]",
		"    _SOURCE_MONOTONIC_TIMESTAMP=460660",
		"    _TRANSPORT=kernel",
		"    MESSAGE=calling  acpi_init+0x0/0x540 @ 1",
		"Sun 2026-11-29 01:00:00.544508 UTC [s=0;i=2;b=2;m=3;t=4;x=5]",
		"    MESSAGE=initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs",
		"    _TRANSPORT=kernel",
		"    _SOURCE_MONOTONIC_TIMESTAMP=544508",
		NULL,
	};
	struct input input;

	read_to_the_end(&input, exported);
	assert_pair(&input, EXACT);
	read_to_the_end(&input, verbose);
	assert_pair(&input, EXACT);
	assert_null(read_one(&input, "", "MESSAGE=calling  acpi_init+0x0/0x540 # 1"));
	assert_non_null(parse_json_end(&input));
	assert_non_null(read_one(&input, "", "MESSAGF=calling  acpi_init+0x0/0x540 @ 1"));
	assert_int_equal(input.count, 0);
	input_free(&input);
}

/* dmesg writes these without quotes. */
UNIT(json_of_dmesg_with_another_time_is_read)
{
	static const char *const lines[] = {
		"         \"time\": 2026-11-29T01:00:00,460660+01:00 ,",
		"         \"msg\": \"calling  acpi_init+0x0/0x540 @ 1\"",
		"         \"time\": 2026-11-29T01:00:00,544508+01:00 ,",
		"         \"msg\": \"initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs\"",
		NULL,
	};
	static const char *const brackets[] = {
		"         \"time\": [<    0.460660>] ,",
		"         \"msg\": \"calling  acpi_init+0x0/0x540 @ 1\"",
		"         \"time\": [<    0.083848>] ,",
		"         \"msg\": \"initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs\"",
		NULL,
	};
	struct input input;

	read_all(&input, lines);
	assert_pair(&input, EXACT);
	read_all(&input, brackets);
	assert_pair(&input, EXACT);
	assert_null(read_one(&input, "", "         \"time\": 2026-11-29T01:00;00,544508+01:00 ,"));
	assert_non_null(read_one(&input, "", "         \"msg\": \"calling  acpi_init+0x0/0x540 @ 1\""));
	assert_int_equal(input.count, 0);
	input_free(&input);
}

UNIT(json_of_lava_and_docker_is_read)
{
	static const char *const lava[] = {
		"- {\"dt\": \"2026-11-29T01:00:00.460660\", \"lvl\": \"target\", \"msg\": \"calling  acpi_init+0x0/0x540 @ 1\"}",
		"- {\"dt\": \"2026-11-29T01:00:00.544508\", \"lvl\": \"target\", "
		"\"msg\": \"initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs\"}",
		NULL,
	};
	static const char *const docker[] = {
		"{\"log\":\"calling  acpi_init+0x0/0x540 @ 1\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-29T01:00:00.460660000Z\"}",
		"{\"log\":\"initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs\\r\\n\",\"stream\":\"stdout\","
		"\"time\":\"2026-11-29T01:00:00.544508000Z\"}",
		NULL,
	};
	struct input input;

	read_all(&input, lava);
	assert_pair(&input, EXACT);
	read_all(&input, docker);
	assert_pair(&input, EXACT);
	assert_non_null(
		read_one(&input, "", "= {\"dt\": \"2026-11-29T01:00:00.46\", \"msg\": \"calling  a+0x0/0x5 @ 1\"}"));
	assert_non_null(read_one(&input, "", "{\"log\":\"calling  a+0x0/0x5 # 1\\n\",\"stream\":\"stdout\"}"));
	assert_int_equal(input.count, 0);
	input_free(&input);
}

UNIT(json_with_a_wrong_character_is_reported)
{
	struct input input = {0};

	assert_non_null(read_one(&input, "", "{\"time\":0.46,\"msg\":\"calling  acpi_init+0x0/0x540 # 1\"}"));
	assert_non_null(read_one(&input, "", "{\"time\":\"0.x6\",\"msg\":\"calling  acpi_init+0x0/0x540 @ 1\"}"));
	assert_non_null(read_one(&input, "", "   \"msg\": \"calling  acpi_init+0x0/0x540 # 1\""));
	assert_non_null(read_one(&input, "", "   \"msg\": \"calling  acpi_init+0x0/0x540 @ 1"));
	assert_non_null(read_one(&input, "", "\x1f{\"MESSAGE\":\"calling  acpi_init+0x0/0x540 @ 1\"}"));
	assert_non_null(read_one(&input, "", "dato: {\"MESSAGE\":\"calling  acpi_init+0x0/0x540 @ 1\"}"));
	assert_null(read_one(&input, "", "\t\"_SOURCE_MONOTONIC_TIMESTAMP\" : \"460660\","));
	assert_null(read_one(&input, "", "\t\"MESSAGE\" : \"calling  acpi_init+0x0/0x540 # 1\""));
	assert_non_null(read_one(&input, "", "}"));
	assert_non_null(read_one(&input, "", "\t\"MESSAGE\" : \"calling  acpi_init+0x0/0x540 @ 1"));
	assert_int_equal(input.count, 0);
	input_free(&input);
}

UNIT_MAIN(NULL, clean)
