/* SPDX-License-Identifier: MIT */
/* The kernel's uevents, as inorder-init reads them. */
#include "unit.h"

#include "internal.h"

#define PARSE(text, event) uevent_parse(text, sizeof(text), event)

UNIT(test_disk)
{
	struct uevent event;

	assert_true(PARSE("add@/devices/pci0000:00/block/sda\0ACTION=add\0DEVPATH=/devices/pci0000:00/block/sda\0"
			  "SUBSYSTEM=block\0MAJOR=8\0MINOR=0\0DEVNAME=sda\0DEVTYPE=disk\0SEQNUM=1234",
			  &event));
	assert_string_equal(event.action, "add");
	assert_string_equal(event.devpath, "/devices/pci0000:00/block/sda");
	assert_string_equal(event.subsystem, "block");
	assert_string_equal(event.devname, "sda");
}

UNIT(test_without_name)
{
	struct uevent event;

	assert_true(PARSE("bind@/devices/x\0ACTION=bind\0DEVPATH=/devices/x\0SUBSYSTEM=pci", &event));
	assert_null(event.devname);
	assert_null(event.modalias);
	assert_true(PARSE("add@/devices/x\0ACTION=add\0DEVPATH=/devices/x\0SUBSYSTEM=virtio\0"
			  "MODALIAS=virtio:d00000002v00001AF4",
			  &event));
	assert_string_equal(event.modalias, "virtio:d00000002v00001AF4");
}

UNIT(test_not_the_kernels)
{
	struct uevent event;

	assert_false(PARSE("libudev\0ACTION=add\0DEVPATH=/devices/x", &event)); /* no subsystem */
	assert_false(PARSE("", &event));
	assert_false(uevent_parse("", 0, &event));
	assert_false(PARSE("ACTION=add", &event));
}

UNIT(test_no_end)
{
	const char text[] = {'A', 'C', 'T', 'I', 'O', 'N', '=', 'a', 'd', 'd'};
	struct uevent event;

	assert_false(uevent_parse(text, sizeof(text), &event));
}

/* Every prefix of a message is parsed without a look beyond its end, which the sanitizers watch. */
UNIT(test_every_prefix)
{
	static const char text[] = "add@/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=block\0DEVNAME=sda";
	struct uevent event;

	for (size_t bytes = 0; bytes <= sizeof(text); bytes++) {
		char *copy = malloc(bytes + 1);

		memcpy(copy, text, bytes);
		uevent_parse(copy, bytes, &event);
		free(copy);
	}
}

UNIT_MAIN(NULL, NULL)
