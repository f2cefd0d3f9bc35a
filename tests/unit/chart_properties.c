/* SPDX-License-Identifier: MIT */
/* What "systemctl show" tells of systemd and its units. */
#include "chart_lines.h"

/* What "systemctl show" writes. Keys that are not known are passed over, whatever stands behind them. */
UNIT(properties_of_systemd_are_read)
{
	struct input input = {0};
	const char *const lines[] = {
		"Virtualization=lxc",
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

	read_all(&input, lines);
	assert_true(input.systemd.container);
	assert_int_equal(input.systemd.firmware_ns, 3000000000);
	assert_int_equal(input.systemd.userspace_ns, 800000000);
	assert_int_equal(input.unit_count, 1);
	assert_string_equal(input.units[0].name, "a@1.service");
	assert_string_equal(input.units[0].after, "b.target c.mount");
	assert_true(input.units[0].failed);
	assert_int_equal(input.units[0].activating_ns, 1000000000);
	assert_int_equal(input.count, 0);
	assert_null(read_one(&input, "", "Virtualization=kvm"));
	assert_false(input.systemd.container);
	input_free(&input);
	assert_reported("Id=service");
	assert_reported("Id=");
	assert_reported("Id=two words.service");
	assert_reported("FirmwareTimestampMonotonic=x000000");
	assert_reported("UserspaceTimestampMonotonic=");
	assert_reported("UnitsLoadFinishTimestampMonotonic=-1");
}

UNIT_MAIN(NULL, clean)
