/* SPDX-License-Identifier: MIT */
/* What inorder-init reads in the file of a kernel module. */
#include "module_file.h"

#include "unit.h"

#define MARK "~Module signature appended~\n"
#define TRAILER(length) "\0\0\2\0\0\0\0\0\0\0" length
#define PROCESSOR "cpu:type:x86,ven0002fam000Fmod006B:feature:,0000,0003,0094\n"

/* The array of a string without the NUL that C adds. */
#define BYTES(text) text, sizeof(text) - 1

UNIT(a_signature_is_left_out)
{
	assert_int_equal(module_file_unsigned(BYTES("module" TRAILER("\0\0") MARK)), 6);
	assert_int_equal(module_file_unsigned(BYTES("modulePKCS" TRAILER("\0\4") MARK)), 6);
}

UNIT(a_file_that_is_not_signed_stays_whole)
{
	assert_int_equal(module_file_unsigned(BYTES("")), 0);
	assert_int_equal(module_file_unsigned(BYTES(MARK)), strlen(MARK));
	assert_int_equal(module_file_unsigned(BYTES("modulePKCS" TRAILER("\0\4") MARK "x")), 51);
	assert_int_equal(module_file_unsigned(BYTES("mod" TRAILER("\0\3") MARK)),
			 43); /* all of it would be signature */
	assert_int_equal(module_file_unsigned(BYTES("mod" TRAILER("\xff\xff") MARK)), 43);
}

UNIT(only_a_module_of_other_processors_is_useless)
{
	static const struct {
		const char *file;
		size_t bytes;
		bool fits;
	} cases[] = {
		{BYTES(""), true},
		{BYTES("\0license=GPL\0alias=crypto-crc32c\0"), true},
		{BYTES("\0alias=cpu:type:x86,ven*fam*mod*:feature:*0094*\0"), true},
		{BYTES("\0alias=cpu:type:x86,ven*fam*mod*:feature:*0081*\0"), false},
		{BYTES("\0alias=crypto-crc32c\0alias=cpu:type:x86,ven*fam*mod*:feature:*0081*\0"), false},
		{BYTES("\0alias=cpu:type:x86,ven*fam*mod*:feature:*0081*\0alias=cpu:*:feature:*0003*\0"), true},
		{BYTES("\0alias=cpu:type:x86,ven*fam*mod*:feature:*0081*\0alias=acpi*:ACPI0007:*\0"), true},
		{BYTES("\0alias=cpu:type:x86,ven*fam*mod*:feature:*0081*"), true}, /* cut off */
		{BYTES("not alias=cpu:type:x86,ven*fam*mod*:feature:*0081*\0"), true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(module_file_is_for(cases[i].file, cases[i].bytes, PROCESSOR), cases[i].fits);
}

UNIT_MAIN(NULL, NULL)
