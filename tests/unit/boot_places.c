/* SPDX-License-Identifier: MIT */
/* The places that give disks their names: addresses of PCI and of SCSI. */
#include "unit.h"

#include "internal.h"

UNIT(test_pci_parse)
{
	unsigned int place[4];

	assert_true(pci_parse("0000:00:1f.2", place));
	assert_int_equal(place[0], 0);
	assert_int_equal(place[1], 0);
	assert_int_equal(place[2], 0x1f);
	assert_int_equal(place[3], 2);
	assert_true(pci_parse("10000:e1:00.0", place)); /* behind a VMD, domains have five digits */
	assert_int_equal(place[0], 0x10000);
	assert_false(pci_parse("0000:00:1f", place));
	assert_false(pci_parse("0000:00:1f.2x", place));
	assert_false(pci_parse("", place));
	assert_false(pci_parse("usb1", place));
}

UNIT(test_pci_order)
{
	static const char *const ordered[] = {
		"0000:00:01.0", "0000:00:01.1", "0000:00:1f.2", "0000:01:00.0",  "0000:0a:00.0",
		"0000:10:00.0", "0001:00:00.0", "fffe:00:00.0", "10000:00:00.0",
	};
	enum { COUNT = sizeof(ordered) / sizeof(*ordered) };

	for (int i = 0; i < COUNT; i++)
		for (int j = 0; j < COUNT; j++) {
			const int order = pci_compare(ordered[i], ordered[j]);

			assert_true(i < j ? order < 0 : i > j ? order > 0 : order == 0);
		}
}

UNIT(test_scsi_parse)
{
	struct scsi_place place;

	assert_true(scsi_parse("12:0:3:9223372036854775809", &place));
	assert_int_equal(place.host, 12);
	assert_int_equal(place.channel, 0);
	assert_int_equal(place.target, 3);
	assert_true(place.lun == UINT64_C(9223372036854775809));
	assert_false(scsi_parse("target0:0:0", &place));
	assert_false(scsi_parse("host0", &place));
	assert_false(scsi_parse("0:0:0", &place));
	assert_false(scsi_parse("0:0:0:0x", &place));
	assert_false(scsi_parse("", &place));
}

UNIT(test_scsi_order)
{
	static const char *const ordered[] = {
		"0:0:0:0",  "0:0:0:1", "0:0:0:10", "0:0:0:4294967306", "0:0:2:0",
		"0:0:10:0", "0:1:0:0", "2:0:0:0",  "10:0:0:0",
	};
	enum { COUNT = sizeof(ordered) / sizeof(*ordered) };

	for (int i = 0; i < COUNT; i++)
		for (int j = 0; j < COUNT; j++) {
			struct scsi_place one, other;
			int order;

			assert_true(scsi_parse(ordered[i], &one));
			assert_true(scsi_parse(ordered[j], &other));
			order = scsi_compare(&one, &other);
			assert_true(i < j ? order < 0 : i > j ? order > 0 : order == 0);
		}
}

UNIT_MAIN(NULL, NULL)
