/* SPDX-License-Identifier: MIT */
/*
 * Every form in which people have a kernel log is read; the same line with one character wrong is not drawn, and is
 * reported, so that it is counted.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "chart.h"

#define EXACT 83848 /* microseconds between the two lines */
#define MILLIS 84000
#define USECS 84000 /* what the call itself says: all that is known where the prefix tells no fraction */

static const struct form {
	const char *name;
	const char *first;
	const char *second;
	uint64_t usecs;
	const char *wrong; /* the second with one character changed */
} forms[] = {
	{"dmesg", "[    0.460660] ", "[    0.544508] ", EXACT, "[    0.54450x] "},
	{"dmesg -T", "[Sun Nov 29 01:00:00 2026] ", "[Sun Nov 29 01:00:00 2026] ", USECS,
	 "[Sun Nov 29 01:00:00 202x] "},
	{"dmesg -T, day below 10", "[Sun Nov  1 01:00:00 2026] ", "[Sun Nov  1 01:00:01 2026] ", 1000000,
	 "[Sun Nox  1 01:00:01 2026] "},
	{"dmesg -d", "[    0.460660 <    0.000000>] ", "[    0.544508 <    0.083848>] ", EXACT,
	 "[    0.544508 <    0.083848>> "},
	{"dmesg -T -d", "[Sun Nov 29 01:00:00 2026 <    0.000000>] ", "[Sun Nov 29 01:00:00 2026 <    0.083848>] ",
	 USECS, "[Sun Nov 29 01:00:00 2026 <    0.083848>> "},
	{"dmesg --time-format delta", "[<    0.460660>] ", "[<    0.083848>] ", EXACT, "[<    0.08384x>] "},
	{"dmesg --reltime", "[  +0.460660] ", "[  +0.083848] ", EXACT, "[  -0.083848] "},
	{"dmesg --reltime, a minute begins", "[Nov29 01:00] ", "[Nov29 01:01] ", USECS, "[Nov29 01;01] "},
	{"dmesg --reltime in colours", "\033[32m[  +0.460660] \033[0m", "\033[32m[  +0.083848] \033[0m", EXACT,
	 "\033[32m[  +0.0838x8] \033[0m"},
	{"dmesg -x", "kern  :debug : [    0.460660] ", "kern  :debug : [    0.544508] ", EXACT,
	 "kern  :debug : [    0.544508( "},
	{"dmesg -r", "<7>[    0.460660] ", "<7>[    0.544508] ", EXACT, "<7>[    0;544508] "},
	{"dmesg -r without time", "<7>", "<7>", USECS, "<x>"},
	{"dmesg --time-format iso", "2026-11-29T01:00:00,460660+01:00 ", "2026-11-29T01:00:00,544508+01:00 ", EXACT,
	 "2026-11-29T01:00:00,54450x+01:00 "},
	{"colours", "\033[32m[    0.460660] \033[0m", "\033[32m[    0.544508] \033[0m\033[33m", EXACT,
	 "\033[32m[    0.54x508] \033[0m"},
	{"/dev/kmsg", "7,706,460660,-;", "7,4562,544508,-;", EXACT, "7,4562,544508,?;"},
	{"/dev/kmsg with a caller", "7,706,460660,-,caller=T1;", "7,706,544508,-,caller=C0;", EXACT,
	 "7,706,544508,-,caller=X0;"},
	{"caller ids", "[    0.460660][    T1] ", "[    0.544508][    C3] ", EXACT, "[    0.54450][    C3] "},
	{"journalctl short", "Nov 29 01:00:00 host kernel: ", "Nov 29 01:00:00 host kernel: ", USECS,
	 "Nov 29 01:00:00 host kernel; "},
	{"journalctl over new year", "Dec 31 23:59:59 host kernel: ", "Jan  1 00:00:00 host kernel: ", 1000000,
	 "Jan  1 00:00:6x host kernel: "},
	{"journalctl short-monotonic", "[    0.460660] host kernel: ", "[    0.544508] host kernel: ", EXACT,
	 "[    0.544508} host kernel: "},
	{"journalctl short-delta", "[    0.460660 <    0.000000 >] host kernel: ",
	 "[    0.544508 <    0.083848 >] host kernel: ", EXACT, "[    0.544508 <    0.083848 >] host kernel; "},
	{"journalctl short-precise", "Nov 29 01:00:00.460660 host kernel: ", "Nov 29 01:00:00.544508 host kernel: ",
	 EXACT, "Nov 29 01:00:00.x44508 host kernel: "},
	{"journalctl short-iso", "2026-11-29T01:00:00+0000 host kernel: ", "2026-11-29T01:00:00+0000 host kernel: ",
	 USECS, "2026-11-29T01:00:00+00x0 host kernel: "},
	{"journalctl short-iso of today", "2026-11-29T01:00:00+00:00 host kernel: ",
	 "2026-11-29T01:00:01+00:00 host kernel: ", 1000000, "2026-11-29T01:00:01+00:00 host kernel; "},
	{"journalctl short-full", "Sun 2026-11-29 01:00:00 UTC host kernel: ",
	 "Sun 2026-11-29 01:00:00 UTC host kernel: ", USECS, "Son 2026-11-29 01:00:00 UTC host kernel: "},
	{"journalctl short-unix", "1795298018.460660 host kernel: ", "1795298018.544508 host kernel: ", EXACT,
	 "1795298018.544508 host kernel! "},
	{"journalctl --no-hostname", "Nov 29 01:00:00 kernel: ", "Nov 29 01:00:00 kernel: ", USECS,
	 "Nov 29 01:00:00 kernel; "},
	{"journalctl --no-hostname -o short-precise", "Nov 29 01:00:00.460660 kernel: ",
	 "Nov 29 01:00:00.544508 kernel: ", EXACT, "Nov 29 01:00:00.544508 kernfl: "},
	{"journalctl --no-hostname -o short-monotonic", "[    0.460660] kernel: ", "[    0.544508] kernel: ", EXACT,
	 "[    0.54x508] kernel: "},
	{"journalctl short-iso-precise", "2026-11-29T01:00:00.460660+0000 host kernel: ",
	 "2026-11-29T01:00:00.544508+0000 host kernel: ", EXACT, "2026-11-29T01:00:00.544508+0000 host kernel, "},
	{"journalctl short-delta, the first line", "[    0.460660 ] host kernel: ",
	 "[    0.544508 <    0.083848 >] host kernel: ", EXACT, "[    0.544508 <    0.08384x >] host kernel: "},
	{"rsyslog, old", "Nov 29 01:00:00 host kernel: [    0.460660] ", "Nov 29 01:00:00 host kernel: [    0.544508] ",
	 EXACT, "Nov 29 01:00:00 host kernel: [    0.544508) "},
	{"rsyslog, new", "2026-11-29T01:00:00.460660+00:00 host kernel: ",
	 "2026-11-29T01:00:00.544508+00:00 host kernel: ", EXACT, "2026-13-29T01:00:00.544508+00:00 host kernel: "},
	{"busybox syslogd", "Nov 29 01:00:00 host kern.debug kernel: ", "Nov 29 01:00:00 host kern.debug kernel: ",
	 USECS, "Nov 29 01:00:00 host kern debug kernel: "},
	{"ts", "Nov 29 01:00:00 ", "Nov 29 01:00:00 ", USECS, "Nov 29 01:60:00 "},
	{"ts and printk", "Nov 29 01:00:00 [    0.460660] ", "Nov 29 01:00:00 [    0.544508] ", EXACT,
	 "Nov 29 01:00:00 [    0.544508 "},
	{"ts -s", "00:00:01 ", "00:00:01 ", USECS, "00:00:0x "},
	{"ts -s %.s", "0.460660 ", "0.544508 ", EXACT, "0.54450x "},
	{"ts %b %d %H:%M:%.S", "Nov 29 01:00:00.460660 ", "Nov 29 01:00:00.544508 ", EXACT, "Nov 29 01:00.00.544508 "},
	{"ts %H:%M:%.S", "00:00:01.460660 ", "00:00:01.544508 ", EXACT, "00:00:01.54450x "},
	{"ts %FT%.T%z", "2026-11-29T01:00:00.460660+0100 ", "2026-11-29T01:00:00.544508+0100 ", EXACT,
	 "2026-11-29T01:00:00.544508+01x0 "},
	{"ts %FT%T%z", "2026-11-29T01:00:00+0100 ", "2026-11-29T01:00:01+0100 ", 1000000, "2026-11-29T01:00:01+01x0 "},
	{"ts %F %.T", "2026-11-29 01:00:00.460660 ", "2026-11-29 01:00:00.544508 ", EXACT,
	 "2026-11-29 0l:00:00.544508 "},
	{"ts %F %T", "2026-11-29 01:00:00 ", "2026-11-29 01:00:01 ", 1000000, "2026-11-29 01:00;01 "},
	{"tio, seconds", "[01:00:00] ", "[01:00:01] ", 1000000, "[01:00:0x] "},
	{"tio, ISO and local", "[2026-11-29T01:00:00.460] ", "[2026-11-29T01:00:00.544] ", MILLIS,
	 "[2026-11-29T01:00:00.54x] "},
	{"minicom, seconds", "[2026-11-29 01:00:00] ", "[2026-11-29 01:00:01] ", 1000000, "[2026-11-29 01:00:01} "},
	{"a line that a console erased", "\033[K[    0.460660] ", "\033[2K[    0.544508] ", EXACT,
	 "\033[2J[    0.54x508] "},
	{"tio", "[01:00:00.460] ", "[01:00:00.544] ", MILLIS, "[01:00:00.54x] "},
	{"tio, ISO", "[2026-11-29T01:00:00.460+0000] ", "[2026-11-29T01:00:00.544+0000] ", MILLIS,
	 "[2026-11-29T01:00:00.544+000x] "},
	{"tio and printk", "[01:00:00.460] [    0.460660] ", "[01:00:00.546] [    0.544508] ", EXACT,
	 "[01:00:00.546] [   x0.544508] "},
	{"grabserial", "[0.460660 0.000012] ", "[0.544508 0.083848] ", EXACT, "[0.544508 0.0838x8] "},
	{"grabserial -T", "[01:00:00.460660 0.000012] ", "[01:00:00.544508 0.083848] ", EXACT,
	 "[25:00:00.544508 0.083848] "},
	{"minicom", "[2026-11-29 01:00:00.460] ", "[2026-11-29 01:00:00.544] ", MILLIS, "[2026-11-29 01:00:00.544} "},
	{"logcat", "01-01 00:00:00.460     0     0 D         : ", "01-01 00:00:00.544     0     0 D         : ", MILLIS,
	 "01-01 00:00:00.544     0     0 X         : "},
	{"logcat with a tag", "01-01 00:00:00.460     0     0 D kernel  : ",
	 "01-01 00:00:00.544     0     0 D kernel  : ", MILLIS, "01-01 00:00:00.544     0     ! D kernel  : "},
	{"logcat -v threadtime -v year",
	 "2026-01-01 00:00:00.460     0     0 D         : ", "2026-01-01 00:00:00.544     0     0 D         : ", MILLIS,
	 "2026-01-01 00:00:00.544     0     0 X         : "},
	{"logcat -v time", "01-01 00:00:00.460 D/         (    0): ", "01-01 00:00:00.544 D/kernel   (    0): ", MILLIS,
	 "01-01 00:00:00.544 D/         [    0): "},
	{"logcat -v time -v year -v usec", "2026-01-01 00:00:00.460660 D/         (    0): ",
	 "2026-01-01 00:00:00.544508 D/         (    0): ", EXACT, "2026-01-01 00:00:00.544508 D/         (    x): "},
	{"logcat -v brief", "D/         (    0): ", "D/kernel   (    0): ", USECS, "D|         (    0): "},
	{"logcat -v epoch",
	 "         1795298018.460     0     0 D         : ", "         1795298018.544     0     0 D kernel  : ", MILLIS,
	 "         1795298018.544     0     0 X         : "},
	{"MediaTek", "[    0.460660]  (0)[1:swapper/0]", "[    0.544508]  -(3)[1:swapper/0]", EXACT,
	 "[    0.544x08]  (0)[1:swapper/0]"},
	{"Samsung", "[    0.460660]  [0:      swapper/0:    1] ", "[    0.544508] I[3:      swapper/0:    1] ", EXACT,
	 "[    0.54_508]  [0:      swapper/0:    1] "},
	{"Amlogic", "[    0.460660@0]  ", "[    0.544508@3]  ", EXACT, "[    0.544508@x]  "},
	{"Amlogic's caller", "[    0.460660][    T1@C0] ", "[    0.544508][    T1@C3] ", EXACT,
	 "[    0.544508[    T1@C3] "},
	{"Huawei", "[    0.460660s][pid:1,cpu0,swapper/0]", "[    0.544508s][pid:1,cpu3,swapper/0]", EXACT,
	 "[    0.544508z][pid:1,cpu3,swapper/0]"},
	{"Huawei with a date", "[    0.460660s][2026:11:29 01:00:00][pid:1,cpu0,swapper/0]",
	 "[    0.544508s][2026:11:29 01:00:00][pid:1,cpu3,swapper/0]", EXACT,
	 "[    0 544508s][2026:11:29 01:00:00][pid:1,cpu3,swapper/0]"},
	{"LG", "[    0.460660 / 01-01 00:00:00.460][0] ", "[    0.544508 / 01-01 00:00:00.540][0] ", EXACT,
	 "[    0.544508 | 01-01 00:00:00.540][0] "},
	{"Unisoc", "[    0.460660] c0      1 ", "[    0.544508] c3      1 ", EXACT, "[    0.544508( c3      1 "},
	{"mail", "> [    0.460660] ", "> > [    0.544508] ", EXACT, "> [    0.544508[ "},
	{"grep -n", "12:[    0.460660] ", "13:[    0.544508] ", EXACT, "13:[    0.544508 ] "},
	{"grep -n in several files", "dmesg.0:12:[    0.460660] ", "dmesg.0:13:[    0.544508] ", EXACT,
	 "dmesg.0:13:[    0.54 508] "},
	{"grep -n -C", "12-[    0.460660] ", "13-[    0.544508] ", EXACT, "13-[    0.5445o8] "},
	{"without time", "", "", USECS, "x"},
};

static const char *read_one(struct input *input, const char *prefix, const char *message)
{
	char line[512];
	int bytes = snprintf(line, sizeof(line), "%s%s", prefix, message);

	assert_in_range(bytes, 1, sizeof(line) - 1);
	return input_line(input, line, (size_t)bytes);
}

static void check_form(const struct form *form)
{
	struct input input = {0};
	const char *told = read_one(&input, form->first, "calling  acpi_init+0x0/0x540 @ 1");

	if (!told)
		told = read_one(&input, form->second, "initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs");
	if (told)
		fail_msg("%s: %s", form->name, told);
	assert_int_equal(input.count, 2);
	if (input.records[1].t_ns - input.records[0].t_ns != form->usecs * 1000)
		fail_msg("%s: %ju ns", form->name, (uintmax_t)(input.records[1].t_ns - input.records[0].t_ns));
	assert_int_equal(input.records[1].since_ns, input.records[0].t_ns);
	assert_int_equal(input.records[1].tid, 1);
	assert_string_equal(input.records[1].name, "acpi_init");
	if (!read_one(&input, form->wrong, "calling  pci_init+0x0/0x54 @ 1"))
		fail_msg("%s: one character wrong, and not reported", form->name);
	assert_int_equal(input.count, 2);
	input_free(&input);
}

static void every_form_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		check_form(&forms[i]);
}

/* ---- JSON ---- */

static void read_all(struct input *input, const char *const *lines)
{
	*input = (struct input){0};
	for (; *lines; lines++) {
		const char *wrong = read_one(input, *lines, "");

		if (wrong)
			fail_msg("%s: %s", wrong, *lines);
	}
}

static void assert_pair(struct input *input, uint64_t usecs)
{
	assert_int_equal(input->count, 2);
	assert_int_equal(input->records[1].t_ns - input->records[0].t_ns, usecs * 1000);
	assert_string_equal(input->records[0].name, "acpi_init");
	assert_string_equal(input->records[1].name, "acpi_init");
	input_free(input);
}

static void json_of_dmesg_is_read(void **state)
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

	(void)state;
	read_all(&input, lines);
	assert_pair(&input, EXACT);
	read_all(&input, compact);
	assert_pair(&input, EXACT);
}

static void json_of_the_journal_is_read(void **state)
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

	(void)state;
	read_all(&input, lines);
	assert_pair(&input, EXACT);
}

/* Its members come in any order. */
static void pretty_json_of_the_journal_is_read(void **state)
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

	(void)state;
	read_all(&input, lines);
	assert_pair(&input, EXACT);
}

/* json-seq and json-sse have the same objects, with a character or a word before each. */
static void sequences_of_json_are_read(void **state)
{
	static const char *const lines[] = {
		"\x1e{\"MESSAGE\":\"calling  acpi_init+0x0/0x540 @ 1\",\"_SOURCE_MONOTONIC_TIMESTAMP\":\"460660\"}",
		"data: {\"MESSAGE\":\"initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs\","
		"\"_SOURCE_MONOTONIC_TIMESTAMP\":\"544508\"}",
		NULL,
	};
	struct input input;

	(void)state;
	read_all(&input, lines);
	assert_pair(&input, EXACT);
}

/* Where a line tells how long after the one before it was written, those of no interest count, too. */
static void lines_between_count(void **state)
{
	static const char *const lines[] = {
		"[Nov29 01:00] Linux version 6.1.0",
		"[  +0.460660] calling  acpi_init+0x0/0x540 @ 1",
		"[  +0.040000] ACPI: enabled",
		"\033[32m[  +0.040000] \033[0mACPI: \033[33mready",
		"[  +0.003848] initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs",
		NULL,
	};
	struct input input;

	(void)state;
	read_all(&input, lines);
	assert_int_equal(input.count, 3);
	assert_int_equal(input.records[2].t_ns - input.records[1].t_ns, EXACT * 1000);
	input_free(&input);
}

static void json_with_a_wrong_character_is_reported(void **state)
{
	struct input input = {0};

	(void)state;
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

/* ---- what messages hold ---- */

static void assert_reported(const char *line)
{
	struct input input = {0};

	if (!read_one(&input, "", line))
		fail_msg("not reported: %s", line);
	assert_int_equal(input.count, 0);
	input_free(&input);
}

static void a_verb_that_does_not_read_to_its_end_is_reported(void **state)
{
	(void)state;
	assert_reported("[    1.000000] calling  a_init+0x0/0x10 @ 1x");
	assert_reported("[    1.000000] calling  a_init+0x0/0x10 [a @ 1");
	assert_reported("[    1.000000] calling  a_in");
	assert_reported("[    1.000000] initcall a_init+0x0/0x10 returned 0 after 84000 usexs");
	assert_reported("[    1.000000] initcall a_init+0x0/0x10 retvrned 0 after 84000 usecs");
	assert_reported("[    1.000000] initcall a_init+0x0/0x10 returned 0 after 84000 usecsx");
	assert_reported("[    1.000000] probe of 1000.i2c returned x after 36000 usecs");
	assert_reported("[    1.000000] pci 0000:00:1d.0: quirk+0x0/0x6b0 took 13x usecs");
	assert_reported("[    1.000000] async_continuing @ x after 5 usec");
}

static void assert_passed_over(const char *line)
{
	struct input input = {0};
	const char *wrong = read_one(&input, "", line);

	if (wrong)
		fail_msg("%s: %s", wrong, line);
	assert_int_equal(input.count, 0);
	input_free(&input);
}

static void prose_is_passed_over(void **state)
{
	(void)state;
	assert_passed_over("[    0.000000] Command line: quiet initcall_debug");
	assert_passed_over("[    1.000000] initcall a_init blacklisted");
	assert_passed_over("[    1.000000] initcall a_init+0x0/0x10 returned with preemption imbalance");
	assert_passed_over("[    1.000000] i801_smbus: probe of 0000:00:1f.3 failed with error -16");
	assert_passed_over("[    1.000000] Run of the mill");
	assert_passed_over("[    1.000000] nvme: the reset took 12 usecs");
}

static void assert_records(const char *line, size_t count)
{
	struct input input = {0};
	const char *wrong = read_one(&input, "", line);

	if (wrong)
		fail_msg("%s: %s", wrong, line);
	assert_int_equal(input.count, count);
	input_free(&input);
}

static void glued_messages_are_taken_apart(void **state)
{
	(void)state;
	assert_records("[    1.100000]  sda:calling  a_init+0x0/0x10 @ 5", 1);
	assert_records("[    1.100000] calling  a_init+0x0/0x10 @ 5[    1.200000] calling  b_init+0x0/0x10 @ 6", 2);
	assert_records("[    1.100000] calling  a_init+0x0/0x10 @ 5calling  b_init+0x0/0x10 @ 6", 2);
	assert_records("[    1.100000] calling  a_init+0x0/0x10 @ 5 sda1 sda2", 1);
	assert_records("login: [    1.100000] calling  a_init+0x0/0x10 @ 5", 1);
}

static void read_partitions(const char *const *lines, size_t count)
{
	struct input input;

	read_all(&input, lines);
	assert_int_equal(input.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(input.records[i].name, "partitions of sda");
		assert_int_equal(input.records[i].t_ns - input.records[i].since_ns, 100000000);
	}
	input_free(&input);
}

/* Old kernels write them as they find them. */
static void partitions_are_timed_where_two_lines_tell_them(void **state)
{
	static const char *const cut[] = {"[    1.100000]  sda:", "[    1.150000] usb 1-1: new device",
					  "[    1.200000]  sda1 sda2 <", "[    1.300000]  sda5 >", NULL};
	static const char *const whole[] = {"[    1.100000]  sda: sda1 sda2", "[    1.200000]  sda1 sda2", NULL};
	static const char *const another[] = {"[    1.100000]  sda:", "[    1.200000]  sdb1 sdb2", NULL};
	static const char *const no_partition[] = {"[    1.100000]  sda:", "[    1.200000] sda is write-protected",
						   NULL};
	static const char *const no_disk[] = {"[    1.100000]  pci:", "[    1.200000]  pci1 pci2", NULL};

	(void)state;
	read_partitions(cut, 2);
	read_partitions(whole, 0);
	read_partitions(another, 0);
	read_partitions(no_partition, 0);
	read_partitions(no_disk, 0);
}

static void suspend_and_levels_are_read(void **state)
{
	(void)state;
	assert_records(
		"[   10.000000] ahci 0000:00:1f.2: PM: calling pci_pm_suspend+0x0/0x170 @ 99, parent: pci0000:00", 1);
	assert_records("[   10.100000] ahci 0000:00:1f.2: PM: pci_pm_suspend+0x0/0x170 returned 0 after 99999 usecs",
		       1);
	assert_records(
		"[   10.000000] i915 0000:00:02.0: PM: calling i915_pm_suspend+0x0/0x40 [i915] @ 40, parent: pci0000:00",
		1);
	assert_records(
		"[   10.050000] i915 0000:00:02.0: PM: i915_pm_suspend+0x0/0x40 [i915] returned 0 after 50000 usecs",
		1);
	assert_records("[   10.000000] calling  0000:00:1f.2+ @ 99, parent: pci0000:00", 1);
	assert_records("[   10.100000] call 0000:00:1f.2+ returned 0 after 99999 usecs", 1);
	assert_records("[    0.100000] entering initcall level: core", 1);
	assert_records("[   10.000000] PM: suspend entry (deep)", 1);
}

/* What "systemctl show" writes. Keys that are not known are passed over, whatever stands behind them. */
static void properties_of_systemd_are_read(void **state)
{
	struct input input = {0};
	const char *const lines[] = {
		"FirmwareTimestampMonotonic=3000000",
		"UserspaceTimestampMonotonic=800000",
		"Id=a@1.service",
		"Description=calling  a_init+0x0/0x10 @ 1",
		"After=b.target c.mount",
		"ActiveState=failed",
		"InactiveExitTimestampMonotonic=1000000",
		"ActiveEnterTimestampMonotonic=0",
		"WatchdogTimestampMonotonic=18446744073709551615",
		NULL,
	};

	(void)state;
	read_all(&input, lines);
	assert_int_equal(input.systemd.firmware_ns, 3000000000);
	assert_int_equal(input.systemd.userspace_ns, 800000000);
	assert_int_equal(input.unit_count, 1);
	assert_string_equal(input.units[0].name, "a@1.service");
	assert_string_equal(input.units[0].after, "b.target c.mount");
	assert_true(input.units[0].failed);
	assert_int_equal(input.units[0].activating_ns, 1000000000);
	assert_int_equal(input.count, 0);
	input_free(&input);
	assert_reported("Id=service");
	assert_reported("Id=");
	assert_reported("Id=two words.service");
	assert_reported("FirmwareTimestampMonotonic=x000000");
	assert_reported("UserspaceTimestampMonotonic=");
	assert_reported("UnitsLoadFinishTimestampMonotonic=-1");
}

static int clean(void **state)
{
	(void)state;
	resolve_free();
	keep_free();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_read),
		cmocka_unit_test(json_of_dmesg_is_read),
		cmocka_unit_test(json_of_the_journal_is_read),
		cmocka_unit_test(pretty_json_of_the_journal_is_read),
		cmocka_unit_test(sequences_of_json_are_read),
		cmocka_unit_test(lines_between_count),
		cmocka_unit_test(json_with_a_wrong_character_is_reported),
		cmocka_unit_test(a_verb_that_does_not_read_to_its_end_is_reported),
		cmocka_unit_test(prose_is_passed_over),
		cmocka_unit_test(glued_messages_are_taken_apart),
		cmocka_unit_test(partitions_are_timed_where_two_lines_tell_them),
		cmocka_unit_test(suspend_and_levels_are_read),
		cmocka_unit_test(properties_of_systemd_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, clean);
}
