/* SPDX-License-Identifier: MIT */
/* What the messages of a kernel log tell, and which of them are reported because they nearly tell it. */
#include <unistd.h>

#include "chart_lines.h"

UNIT(a_verb_that_does_not_read_to_its_end_is_reported)
{
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

UNIT(prose_is_passed_over)
{
	assert_passed_over("[    0.000000] Command line: quiet initcall_debug");
	assert_passed_over("[    0.000000] Command line: quiet calling  x");
	assert_passed_over("[    0.000000] Kernel command line: quiet calling  x @ y");
	assert_passed_over("[    1.000000] initcall a_init blacklisted");
	assert_passed_over("[    1.000000] initcall a_init+0x0/0x10 returned with preemption imbalance");
	assert_passed_over("[    1.000000] i801_smbus: probe of 0000:00:1f.3 failed with error -16");
	assert_passed_over("[    1.000000] Run of the mill");
	assert_passed_over("[    1.000000] Linux video capture interface: v2.00");
	assert_passed_over("[    1.000000] INFO: NMI handler (nmi_handler+0x0/0x30) took too long to run: 2.461 msecs");
	assert_passed_over("[    1.000000] RIP: 0010:a_init+0x12/0x30 [a]");
	assert_passed_over("[    1.000000] WARNING: CPU: 0 PID: 1 at kernel/a.c:12 a_init+0x12/0x30");
	assert_passed_over("[    1.000000] smpboot: CPU 1 returned 0 after 5 usecs");
	assert_passed_over("[    1.000000] PM: suspend devices took 0.123 seconds");
	assert_passed_over("[    1.000000] waiting for the device @ 5");
	assert_passed_over("[    1.000000] nvme: the reset took 12 usecs");
	assert_passed_over("[    1.000000] nvme 0000:01:00.0: reset took 12 usecs");
	assert_passed_over("[    1.000000] initcall 0xffffffff81000000 blacklisted");
	assert_passed_over("[    1.000000] mmc0: SDHCI controller at 0x3f300000 @ 200 MHz");
	assert_passed_over("[    1.000000] efi: mem00: [0x0000000000000000 @ 0x0000000000001000]");
}

/* One line of each kind, and the words in it by which it is known. */
static const struct {
	const char *line;
	const char *words[5];
} kinds[] = {
	{"calling  a_init+0x0/0x10 [a] @ 1", {"calling", "+0x", "/0x", " @ "}},
	{"calling  5_a_probe+0x0/0x10 @ 7", {"calling", "+0x", "/0x", " @ "}},
	{"initcall a_init+0x0/0x10 [a] returned 0 after 84000 usecs", {"initcall", " returned ", " after ", "usecs"}},
	{"initcall 5_a_probe+0x0/0x10 returned after 84000 usecs", {"initcall", " returned ", " after ", "usecs"}},
	{"probe of 1000.i2c returned 0 after 36000 usecs", {"probe of ", " returned ", " after ", "usecs"}},
	{"call 0000:00:1f.2+ returned 0 after 99 usecs", {"call ", "+ ", " returned ", " after ", "usecs"}},
	{"pci 0000:00:1d.0: calling  quirk+0x0/0x6b0 @ 1", {"calling", "+0x", "/0x", " @ "}},
	{"pci 0000:00:1d.0: quirk+0x0/0x6b0 took 13 usecs", {"+0x", "/0x", " took ", " usecs"}},
	{"ahci 0000:00:1f.2: PM: calling pci_pm_suspend+0x0/0x170 @ 99, parent: pci0000:00",
	 {"calling", "+0x", "/0x", " @ "}},
	{"ahci 0000:00:1f.2: PM: pci_pm_suspend+0x0/0x170 returned 0 after 99 usecs",
	 {"+0x", "/0x", " returned ", " after ", " usecs"}},
	{"calling  0xffffffff81000000 @ 1", {"calling", " @ "}},
	{"initcall 0xffffffff81000000 returned 0 after 84000 usecs", {"initcall", " returned ", " after ", "usecs"}},
	{"initcall 0xc0008000 returned 0 after 84000 usecs", {"initcall", " returned ", " after ", "usecs"}},
	{"pci 0000:00:1d.0: 0xffffffff81000000 took 13 usecs", {"0xf", " took ", " usecs"}},
	{"sd 0:0:0:0: PM: calling 0xffffffff81000000 @ 96, parent: target0:0:0", {"calling", " @ "}},
	{"sd 0:0:0:0: PM: 0xffffffff81000000 returned 0 after 99 usecs", {"0xf", " returned ", " after ", " usecs"}},
	{"async_waiting @ 47", {"async_waiting @ "}},
	{"async_continuing @ 25 after 19872 usec", {"async_continuing @ ", " after ", " usec"}},
	{"entering initcall level: core", {"entering initcall level: "}},
	{"Run /init as init process", {"Run ", " as init process"}},
	{"Linux version 6.1.0", {"Linux version "}},
	{"PM: suspend entry (deep)", {"PM: suspend entry"}},
	{"PM: suspend exit", {"PM: suspend exit"}},
	{"PM: Calling mce_syscore_suspend+0x0/0x20", {"PM: Calling "}},
	{"smp: Brought up 1 node, 4 CPUs", {"smp: Brought up ", " CPU"}},
	{"inorder: phase root", {"inorder: phase "}},
};

/* The character at @place is another one, too many, or missing: the line must be read, or reported. */
static void change_character(const char *line, size_t place, const char *how)
{
	char text[256];
	char copy[256];
	struct input input = {0};
	int bytes =
		snprintf(text, sizeof(text), "[    0.544508] %.*s%s%s", (int)place, line,
			 strcmp(how, "missing") == 0 ? "" : "~", line + place + (strcmp(how, "too many") == 0 ? 0 : 1));

	memcpy(copy, text, sizeof(copy));
	if (!input_line(&input, text, (size_t)bytes) && !input.count && !input.processors && !input.callbacks)
		fail_msg("a character is %s, and that is not reported: %s", how, copy);
	input_free(&input);
}

UNIT(a_verb_with_one_wrong_character_is_reported)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct input input = {0};

		assert_null(read_one(&input, "[    0.544508] ", kinds[i].line));
		input_free(&input);
		for (size_t k = 0; k < 5 && kinds[i].words[k]; k++) {
			const char *word = strstr(kinds[i].line, kinds[i].words[k]);

			assert_non_null(word);
			for (size_t at = 0; at < strlen(kinds[i].words[k]); at++) {
				size_t place = (size_t)(word - kinds[i].line) + at;

				change_character(kinds[i].line, place, "wrong");
				change_character(kinds[i].line, place, "missing");
				change_character(kinds[i].line, place, "too many");
			}
		}
	}
}

/* The end of what such a line began is no sign that the log's beginning is lost. */
UNIT(the_end_of_what_a_wrong_line_began_has_its_begin)
{
	static const char *const pairs[][2] = {
		{"ca~ling  a_init+0x0/0x10 [a] @ 1", "initcall a_init+0x0/0x10 [a] returned 0 after 84000 usecs"},
		{"calling  a_init+0x0/0x10 # 1", "initcall a_init+0x0/0x10 returned 0 after 84000 usecs"},
		{"pci 0000:00:1d.0: callling  quirk+0x0/0x6b0 @ 1",
		 "pci 0000:00:1d.0: quirk+0x0/0x6b0 took 84000 usecs"},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct input input = {0};

		assert_non_null(read_one(&input, "[    0.460660] ", pairs[i][0]));
		assert_null(read_one(&input, "[    0.544508] ", pairs[i][1]));
		assert_int_equal(input.count, 1);
		assert_false(input.records[0].headless);
		assert_int_equal(input.records[0].t_ns - input.records[0].since_ns, USECS * 1000);
		input_free(&input);
	}
}

/* Mail programs wrap lines, and quote what they have wrapped. */
UNIT(wrapped_lines_are_read)
{
	static const char text[] = "> [    0.460660] calling  a_init+0x0/0x10\n"
				   "> [a] @ 1\n"
				   "> [    0.544508] initcall a_init+0x0/0x10 [a] returned 0 after\n> 84000 usecs\n"
				   "[    0.600000] calling  b_init+0x0/0x10 @ =\n1\n"
				   "[    0.700000] initcall b_init+0x0/0x10 returned 0 after 100000 us=\necs\n"
				   "[    0.750000] calling  f_init+0x0/0x10 @ 1=\n\n"
				   "[    0.800000] initcall c_init+0x0/0x10 returned 0 after 100000 us\necs\n"
				   "[    0.900000] initcall d_init+0x0/0x10 returned 0 after 100000\n"
				   "[    0.900001] usecs\n"
				   "[    1.000000] initcall e_init+0x0/0x10 returned 0 after\n";
	char path[] = "/tmp/chart-wrapped-XXXXXX";
	int file = mkstemp(path);
	struct input input = {0};

	assert_true(file >= 0);
	assert_int_equal(write(file, text, sizeof(text) - 1), sizeof(text) - 1);
	close(file);
	assert_true(input_read(&input, path));
	unlink(path);
	assert_int_equal(input.count, 5);
	assert_int_equal(input.bad, 3);
	for (size_t i = 1; i < 4; i += 2) {
		assert_int_equal(input.records[i].since_ns, input.records[i - 1].t_ns);
		assert_int_equal(input.records[i].tid, 1);
	}
	input_free(&input);
}

/* dmesg colours what stands before the message's first colon, too. */
UNIT(colours_are_no_part_of_names)
{
	static const char *const lines[] = {
		"\033[32m[    0.460660] \033[0m\033[33mpci 0000:00:1d.0: \033[0mcalling  quirk+0x0/0x6b0 @ 1",
		"\033[32m[    0.544508] \033[0m\033[33mpci 0000:00:1d.0: \033[0mquirk+0x0/0x6b0 took 83848 usecs",
		NULL,
	};
	struct input input;

	read_all(&input, lines);
	assert_int_equal(input.count, 2);
	assert_string_equal(input.records[0].name, "quirk (0000:00:1d.0)");
	assert_string_equal(input.records[1].name, "quirk (0000:00:1d.0)");
	input_free(&input);
}

UNIT(glued_messages_are_taken_apart)
{
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
UNIT(partitions_are_timed_where_two_lines_tell_them)
{
	static const char *const cut[] = {"[    1.100000]  sda:", "[    1.150000] usb 1-1: new device",
					  "[    1.200000]  sda1 sda2 <", "[    1.300000]  sda5 >", NULL};
	static const char *const whole[] = {"[    1.100000]  sda: sda1 sda2", "[    1.200000]  sda1 sda2", NULL};
	static const char *const another[] = {"[    1.100000]  sda:", "[    1.200000]  sdb1 sdb2", NULL};
	static const char *const no_partition[] = {"[    1.100000]  sda:", "[    1.200000] sda is write-protected",
						   NULL};
	static const char *const no_disk[] = {"[    1.100000]  pci:", "[    1.200000]  pci1 pci2", NULL};

	read_partitions(cut, 2);
	read_partitions(whole, 0);
	read_partitions(another, 0);
	read_partitions(no_partition, 0);
	read_partitions(no_disk, 0);
}

UNIT(suspend_and_levels_are_read)
{
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

/* Kernels without symbols print addresses; kernels of old leave the offset out. */
UNIT(names_without_an_offset_have_ends)
{
	static const char *const pairs[][2] = {
		{"sd 0:0:0:0: PM: calling 0xffffffff81000000 @ 96, parent: target0:0:0",
		 "sd 0:0:0:0: PM: 0xffffffff81000000 returned 0 after 84000 usecs"},
		{"sd 0:0:0:0: PM: calling scsi_bus_suspend [scsi_mod] @ 96, parent: target0:0:0",
		 "sd 0:0:0:0: PM: scsi_bus_suspend [scsi_mod] returned 0 after 84000 usecs"},
		{"pci 0000:00:1d.0: calling  0xffffffff81000000 @ 96",
		 "pci 0000:00:1d.0: 0xffffffff81000000 took 84000 usecs"},
		{"pci 0000:00:1d.0: calling  quirk_usb @ 96", "pci 0000:00:1d.0: quirk_usb took 84000 usecs"},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct input input = {0};

		assert_null(read_one(&input, "[    0.460000] ", pairs[i][0]));
		assert_null(read_one(&input, "[    0.544000] ", pairs[i][1]));
		assert_int_equal(input.count, 2);
		assert_false(input.records[1].headless);
		assert_int_equal(input.records[1].tid, 96);
		assert_int_equal(input.records[1].since_ns, 460000000);
		input_free(&input);
	}
}

UNIT_MAIN(NULL, clean)
