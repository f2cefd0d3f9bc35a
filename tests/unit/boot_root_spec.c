/* SPDX-License-Identifier: MIT */
/* The spellings of a device, as root=, resume= and fstab have them. */
#include "unit.h"

#include "root_spec.h"

static const struct root_facts disk = {
	.device = "/dev/sda1",
	.major = 8,
	.minor = 1,
	.uuid = "0a1b2c3d-1111-2222-3333-444455556666",
	.label = "my root",
	.partuuid = "deadbeef-01",
	.partlabel = "Root/one",
	.mapper = "",
	.array = "",
	.links = "virtio-ROOT-part1\npci-0000:00:1f.2-ata-1-part1",
};

static bool fits(const char *text, const struct root_facts *facts)
{
	struct root_spec spec;

	if (!root_spec_parse(text, &spec))
		fail_msg("%s is refused: %s", text, spec.refusal);
	assert_string_equal(spec.refusal, "");
	return root_spec_fits(&spec, facts);
}

static const char *refusal(const char *text)
{
	static struct root_spec spec;

	if (root_spec_parse(text, &spec))
		fail_msg("%s is not refused", text);
	assert_true(*spec.refusal);
	return spec.refusal;
}

UNIT(test_every_spelling_fits)
{
	const char *const texts[] = {
		"/dev/sda1",
		"8:1",
		"0801",
		"0x801",
		"/dev/block/8:1",
		"UUID=0a1b2c3d-1111-2222-3333-444455556666",
		"UUID=0A1B2C3D-1111-2222-3333-444455556666",
		"uuid=0a1b2c3d-1111-2222-3333-444455556666",
		"UUID=\"0a1b2c3d-1111-2222-3333-444455556666\"",
		"/dev/disk/by-uuid/0a1b2c3d-1111-2222-3333-444455556666",
		"LABEL=my root",
		"LABEL=my\\x20root",
		"LABEL='my root'",
		"LABEL=\"my root\"",
		"/dev/disk/by-label/my\\x20root",
		"PARTUUID=deadbeef-01",
		"PARTUUID=DEADBEEF-01",
		"/dev/disk/by-partuuid/deadbeef-01",
		"PARTLABEL=Root/one",
		"PARTLABEL=Root\\x2fone",
		"/dev/disk/by-partlabel/Root\\x2fone",
		"/dev/disk/by-id/virtio-ROOT-part1",
		"/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part1",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (!fits(texts[i], &disk))
			fail_msg("%s does not fit", texts[i]);
}

UNIT(test_others_do_not_fit)
{
	const struct root_facts blank = {"/dev/vda", 254, 0, "", "", "", "", "", "", ""};
	const char *const texts[] = {
		"/dev/sda",
		"/dev/sda11",
		"8:11",
		"0802",
		"LABEL=my",
		"LABEL=My root",
		"UUID=0a1b",
		"PARTUUID=deadbeef",
		"PARTLABEL=root/one",
		"/dev/md/my",
		"/dev/mapper/sda1",
		"/dev/disk/by-id/virtio-ROOT",
		"/dev/vg/lv",
		"/dev/disk/by-path/pci-0000:00:1f.2-ata-1",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (fits(texts[i], &disk))
			fail_msg("%s fits", texts[i]);
		if (fits(texts[i], &blank))
			fail_msg("%s fits a blank disk", texts[i]);
	}
}

UNIT(test_label_that_looks_encoded)
{
	struct root_facts facts = disk;

	facts.label = "my\\x20root"; /* the letters themselves */
	assert_true(fits("LABEL=my\\x20root", &facts));
	assert_true(fits("/dev/disk/by-label/my\\x5cx20root", &facts));
	facts.label = "a\\x";
	assert_true(fits("LABEL=a\\x", &facts));
	facts.label = "a\\x00b";
	assert_true(fits("LABEL=a\\x00b", &facts)); /* no text ends in its middle */
}

UNIT(test_numbers_of_the_kernel)
{
	struct root_spec spec;

	assert_true(root_spec_parse("10301a2", &spec)); /* the minor's high bits are above the major */
	assert_int_equal(spec.kind, ROOT_NUMBER);
	assert_int_equal(spec.major, 0x301);
	assert_int_equal(spec.minor, 0x10a2 & 0xfffff);
	assert_true(root_spec_parse("259:70000", &spec));
	assert_int_equal(spec.major, 259);
	assert_int_equal(spec.minor, 70000);
	refusal("8:");
	refusal("8:1x");
	refusal("8:1:2");
	refusal("1ffffffff");
	refusal("/dev/block/sda");
}

UNIT(test_partition_offset)
{
	struct root_spec spec;

	assert_true(root_spec_parse("PARTUUID=DEADBEEF-01/PARTNROFF=2", &spec));
	assert_int_equal(spec.offset, 2);
	assert_string_equal(spec.value, "DEADBEEF-01");
	assert_true(root_spec_fits(&spec, &disk));
	assert_true(root_spec_parse("PARTUUID=deadbeef-03/PARTNROFF=-2", &spec));
	assert_int_equal(spec.offset, -2);
	refusal("PARTUUID=deadbeef-01/PARTNROFF=");
	refusal("PARTUUID=deadbeef-01/PARTNROFF=one");
	refusal("PARTUUID=deadbeef-01/PARTNROFF=999");
	refusal("PARTUUID=deadbeef-01/2");
	refusal("PARTUUID=/PARTNROFF=1");
}

UNIT(test_volumes)
{
	const struct root_facts volume = {"/dev/dm-1", 254, 1, "", "", "", "", "my--vg-root--a", "", ""};
	struct root_spec spec;
	char text[64];

	assert_true(fits("/dev/mapper/my--vg-root--a", &volume));
	assert_true(fits("/dev/my-vg/root-a", &volume));
	assert_true(fits("/dev/dm-1", &volume));
	assert_false(fits("/dev/my/vg-root-a", &volume));
	assert_true(root_spec_parse("/dev/my-vg/root-a", &spec) && root_spec_is_mapped(&spec));
	assert_true(root_spec_parse("/dev/dm-0", &spec) && root_spec_is_mapped(&spec));
	assert_true(root_spec_parse("/dev/sda1", &spec) && !root_spec_is_mapped(&spec));
	assert_true(root_volume_name("my--vg-root--a", text, sizeof(text)));
	assert_string_equal(text, "my-vg/root-a");
	assert_true(root_volume_name("vg-a-b", text, sizeof(text)));
	assert_string_equal(text, "vg/a-b");
	assert_false(root_volume_name("crypt", text, sizeof(text)));
	assert_false(root_volume_name("crypt--a", text, sizeof(text)));
	assert_false(root_volume_name("vg-", text, sizeof(text)));
}

UNIT(test_folders_of_drivers)
{
	const struct root_facts old = {"/dev/cciss/c0d0p1", 104, 1, "", "", "", "", "", "", ""};

	assert_true(fits("/dev/cciss/c0d0p1", &old));
	assert_false(fits("/dev/cciss/c0d0p2", &old));
}

UNIT(test_arrays)
{
	const struct root_facts array = {"/dev/md127", 9, 127, "", "", "", "", "", "home", ""};
	struct root_spec spec;

	assert_true(fits("/dev/md/home", &array));
	assert_true(fits("/dev/md127", &array));
	assert_false(fits("/dev/md/hom", &array));
	assert_false(fits("/dev/md0", &array));
	assert_true(root_spec_parse("/dev/md0p1", &spec));
	assert_int_equal(spec.kind, ROOT_ARRAY);
	assert_true(root_spec_parse("/dev/mdx", &spec));
	assert_int_equal(spec.kind, ROOT_NODE);
}

UNIT(test_network_roots_are_refused)
{
	const char *const texts[] = {"/dev/nfs",
				     "nfs:server:/root",
				     "10.0.0.1:/export",
				     "server:/export,ro",
				     "//server/a",
				     "iscsi:10.0.0.1::",
				     "/dev/nbd0",
				     "nbd:10.0.0.1:a",
				     "dhcp",
				     "http://a/b",
				     "9p:a",
				     "virtiofs:a",
				     "mtd0",
				     "ubi0:rootfs",
				     "ZFS=pool/root",
				     "/dev/ram0",
				     "live:LABEL=a"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (!strstr(refusal(texts[i]), "not supported"))
			fail_msg("%s: %s", texts[i], refusal(texts[i]));
}

UNIT(test_refusals_name_what_was_meant)
{
	assert_non_null(strstr(refusal("UIUD=1234"), "UUID= was meant"));
	assert_non_null(strstr(refusal("LABLE=root"), "LABEL= was meant"));
	assert_non_null(strstr(refusal("PARTUID=root"), "PARTUUID= was meant"));
	assert_non_null(strstr(refusal("sda1"), "/dev/sda1 was meant"));
	assert_non_null(strstr(refusal("COLOUR=red"), "COLOUR= is not known"));
	assert_non_null(strstr(refusal("/dev/disk/by-uiud/1"), "by-uuid"));
	refusal("UUID=");
	refusal("LABEL=\"\"");
	refusal("/dev/");
	refusal("/dev/disk/by-uuid/");
	refusal("/dev/mapper/");
	refusal("");
}

UNIT(test_too_long)
{
	char text[400] = "LABEL=";

	memset(text + 6, 'a', 300);
	assert_non_null(strstr(refusal(text), "longer"));
	text[6 + 255] = '\0';
	assert_false(fits(text, &disk));
}

UNIT(test_spelling)
{
	char one[400], other[400];

	assert_int_equal(spelling_distance("", ""), 0);
	assert_int_equal(spelling_distance("", "abc"), 3);
	assert_int_equal(spelling_distance("abc", ""), 3);
	assert_int_equal(spelling_distance("root", "root"), 0);
	assert_int_equal(spelling_distance("root", "rot"), 1);
	assert_int_equal(spelling_distance("root", "roots"), 1);
	assert_int_equal(spelling_distance("root", "ROOT"), 0);
	assert_int_equal(spelling_distance("root", "orot"), 1);
	assert_int_equal(spelling_distance("kitten", "sitting"), 3);
	assert_true(spelling_is_near("debian", "debain"));
	assert_false(spelling_is_near("root", "home"));
	assert_false(spelling_is_near("", "a"));
	memset(one, 'a', sizeof(one));
	memset(other, 'b', sizeof(other));
	one[sizeof(one) - 1] = other[sizeof(other) - 1] = '\0';
	assert_int_equal(spelling_distance(one, other), sizeof(one) - 1); /* too long to be compared */
}

UNIT_MAIN(NULL, NULL)
